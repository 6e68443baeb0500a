"""Does the proposed order of "Label next" pay? Simulated labelling, beside a random order.

    python benchmarks/label_next.py --out DIR [--photos DATASET ...] [--worlds shapes people] [--seeds 3] [--steps 60]
    python benchmarks/label_next.py --out DIR --report

A person begins with 5 random labelled pictures and adds 5 at a time to 30. At each size the network of the size before
is trained further, for the same number of steps, and measured on pictures that are in no pool. The persons
have the same first 5 pictures, network and seeds: one adds random pictures, the others those that
`maskrcnn.inference.next_pictures.rank` puts first, with the network of the present size. DATASET is a labelled set of
photographs; a third of it, drawn anew for each seed, is measured on. Toy worlds are drawn; their networks start from
the model of the other world, so that no class is known.

Printed is the mask AP (box AP where there are no masks) at each size, and the difference of the orders with a 95 %
interval over the measured pictures, and one over the seeds. DIR keeps what
was measured; a call with the same options goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import maskrcnn
from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.atomic_files import write_atomic
from maskrcnn.evaluation import Report
from maskrcnn.evaluation.bootstrap import PictureSamples, SampledFigure, jackknife_half_width, student_quantile
from maskrcnn.evaluation.detection_evidence import class_rankings
from maskrcnn.evaluation.measures import IouType
from maskrcnn.evaluation.ranking_ap import ap_from_rankings
from maskrcnn.inference import evaluate, load
from maskrcnn.inference.next_pictures import look, rank
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.toys.worlds import WORLDS, generate
from maskrcnn.training.training_run import train

FIRST, STEP, LAST = 5, 5, 30
SIZES = tuple(range(FIRST, LAST + 1, STEP))
RANDOM = "random"
TOY_POOL, TOY_TEST = 150, 80
INIT = {"shapes": "toy-people", "people": "toy"}
"""The initial weights of each toy world: the model of the other one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="keep figures there, and go on from them"
    )
    parser.add_argument("--photos", type=Path, nargs="*", default=[], metavar="DATASET", help="labelled photographs")
    parser.add_argument("--worlds", nargs="*", default=list(WORLDS), choices=list(WORLDS), help="toy worlds")
    parser.add_argument("--orders", nargs="*", default=["both"], help="orders beside random: both, unsure, different")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions (3)")
    parser.add_argument(
        "--steps", type=int, default=60, help="training steps at each size; twice as many at the first (60)"
    )
    parser.add_argument("--report", action="store_true", help="print what was measured so far")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if not args.report:
        for seed in range(args.seeds):
            for world in [*args.worlds, *args.photos]:
                for order in (RANDOM, *args.orders):
                    simulate(world, seed, order, args.steps, args.out)
    report(args.out)
    return 0


def simulate(world: str | Path, seed: int, order: str, steps: int, out: Path) -> None:
    """Measure one person: every size of one order."""
    name = world if isinstance(world, str) else world.name
    init: str | Path = INIT.get(name, "toy")
    with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as temporary:
        folder = Path(temporary)
        pool, test = sets_of(world, seed, folder)
        by_name = {record.file_name: record for record in pool.images}
        shuffled = random.Random(seed).sample(sorted(by_name), len(by_name))
        labelled = shuffled[:FIRST]
        for size in SIZES:
            # The first training is the same for all orders.
            who = f"{name}-{seed}-{'first' if size == FIRST else order}-{size}"
            file, run, is_last = out / f"{who}.json", out / "runs" / who, size == LAST
            if file.exists():
                kept = json.loads(file.read_text())
                assert kept["labelled"] == labelled, f"{file}: was measured with other options; give another --out"
                following = kept["next"].get(order)
                if following is not None or is_last:
                    labelled, init = labelled + (following or []), run
                    continue
            began = time.perf_counter()
            if file.exists():
                document = kept
            else:
                fit(pool, labelled, init, seed, steps * (2 if size == FIRST else 1), run)
                found = evaluate(load(run, device="cpu"), test).report
                objects = sum(len(by_name[name].regions) for name in labelled)
                document = {"labelled": labelled, "next": {}, "report": found.to_json(), "objects": objects}
                document |= {"steps": steps, "seconds": time.perf_counter() - began}
                print(f"{who}: AP {headline(found):.3f}, {document['seconds']:.0f} s", flush=True)
            following = [] if is_last else proposed(pool, labelled, order, shuffled, run)
            document["next"][order] = following
            write_atomic(file, json.dumps(document))
            labelled, init = labelled + following, run


def sets_of(world: str | Path, seed: int, folder: Path) -> tuple[Dataset, Dataset]:
    """The pool and the pictures to measure on; both checked, with the pictures in one folder."""
    if isinstance(world, str):
        pool = generate(WORLDS[world], folder / "pool", TOY_POOL, 100 + seed, workers=1)
        return require_trainable(pool), require_trainable(
            generate(WORLDS[world], folder / "test", TOY_TEST, 200 + seed, workers=1)
        )
    dataset = require_trainable(maskrcnn.read(world))
    records = random.Random(f"split {seed}").sample(dataset.images, len(dataset.images))
    measured = len(records) // 3
    return replace(dataset, images=tuple(records[measured:])), replace(dataset, images=tuple(records[:measured]))


def fit(pool: Dataset, labelled: list[str], init: str | Path, seed: int, steps: int, run: Path) -> None:
    """Train on the labelled pictures into the run folder `run`, from the weights `init`."""
    by_name = {record.file_name: record for record in pool.images}
    shutil.rmtree(run, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as temporary:
        data = Path(temporary)
        for name in labelled:
            shutil.copy(by_name[name].path, data / name)
        subset = replace(pool, images=tuple(replace(by_name[name], path=data / name) for name in labelled))
        maskrcnn.write(subset, data / "labels.json", "coco")
        changed = {"epochs": 2, "steps_per_epoch": steps // 2, "warmup_steps": 10, "batch_size": 4, "seed": seed}
        train(TrainingRequest(data=data / "labels.json", init=init, changed=changed), run, device="cpu")
    shutil.rmtree(run / "checkpoints", ignore_errors=True)
    for state in run.glob("state_*"):
        state.unlink()


def proposed(pool: Dataset, labelled: list[str], order: str, shuffled: list[str], run: Path) -> list[str]:
    """The next pictures of an order."""
    by_name = {record.file_name: record for record in pool.images}
    rest = [name for name in shuffled if name not in labelled]
    if order == RANDOM:
        return rest[:STEP]
    model = load(run, device="cpu")
    looks = {name: look(model, pictures.load(by_name[name].path)) for name in rest}
    known = [look(model, pictures.load(by_name[name].path)).features for name in labelled]
    return [entry.key for entry in rank(looks, known, STEP, order)]


def headline(found: Report) -> float:
    return (found.segm or found.bbox)["AP"] or 0.0


def report(out: Path) -> None:
    """Print a table for each set, and the mean difference of each order from random."""
    measured: Measured = {}
    for file in sorted(out.glob("*-*-*-*.json")):
        name, seed, order, size = file.stem.rsplit("-", 3)
        document = json.loads(file.read_text())
        measured[name, int(seed), order, int(size)] = (
            Report.from_json(document["report"], str(file)),
            document["objects"],
        )
    orders = [RANDOM, *sorted({key[2] for key in measured} - {"first", RANDOM})]
    for name in sorted({key[0] for key in measured}):
        seeds = sorted({key[1] for key in measured if key[0] == name})
        print(f"\n{name}: AP (objects in the labelled pictures), mean of seeds")
        print(f"{'pictures':>9} " + " ".join(f"{order:>20}" for order in orders))
        for size in SIZES:
            cells = []
            for order in orders:
                keys = [(name, seed, "first" if size == FIRST else order, size) for seed in seeds]
                found = [measured[key] for key in keys if key in measured]
                if not found:
                    cells.append("")
                    continue
                ap, objects = (np.mean(values) for values in zip(*((headline(r), n) for r, n in found), strict=True))
                cells.append(f"{ap:.3f} ({objects:.0f}), n={len(found)}")
            print(f"{size:>9} " + " ".join(f"{cell:>20}" for cell in cells))
        for order in orders[1:]:
            print(difference_line(measured, name, order))


Measured = dict[tuple[str, int, str, int], tuple[Report, int]]
"""(set, seed, order, size) -> the report of the test pictures, and the number of objects in the labelled pictures."""


def difference_line(measured: Measured, name: str, order: str) -> str:
    """The mean difference of an order from random over all sizes, with two 95 % intervals.

    One has the spread of the measured pictures (the jackknife over them, the same ones left out for both orders), the
    other that of the seeds: other first pictures, another split and another training.
    """
    wholes, errors = [], []
    for seed in sorted({key[1] for key in measured if key[0] == name}):
        pairs = [((name, seed, order, size), (name, seed, RANDOM, size)) for size in SIZES[1:]]
        if not all(key in measured for pair in pairs for key in pair):
            continue
        figures = [figure(measured[one][0]).minus(figure(measured[other][0])) for one, other in pairs]
        wholes.append(np.mean([found.whole for found in figures]))
        left_out = np.mean([found.left_out for found in figures], axis=0)
        half = jackknife_half_width(left_out)
        errors.append(np.nan if half is None else half)
    if not wholes:
        return f"{order} - random: not measured yet"
    mean, n = float(np.mean(wholes)), len(wholes)
    pictures_half = float(np.sqrt(np.sum(np.square(errors)))) / n
    line = f"{order} - random, mean of {SIZES[1]} to {LAST} pictures: {mean:+.3f}; 95 % interval over pictures "
    line += f"[{mean - pictures_half:+.3f}, {mean + pictures_half:+.3f}]"
    if n > 1:
        half = student_quantile(n - 1) * float(np.std(wholes, ddof=1)) / n**0.5
        line += f", over {n} seeds [{mean - half:+.3f}, {mean + half:+.3f}]"
    return line


def figure(found: Report) -> SampledFigure:
    """The AP of a report without each picture."""
    samples = PictureSamples.draw(len(found.per_image), resamples=0)
    kind: IouType = "segm" if found.segm else "bbox"
    return samples.figures(ap_from_rankings(class_rankings(found, kind), samples.times))["AP"]


if __name__ == "__main__":
    sys.exit(main())
