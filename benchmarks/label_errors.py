"""How many label errors are found: corrupt 5 % of the labels of a toy world, and look at the first 50 candidates.

    python benchmarks/label_errors.py [--networks toy ...] [--seeds 61002 61003 61004] [--pictures 400] [--work DIR]
                                      [--share 0.05] [--first 50] [--kinds dropped ...] [--peers DIR] [--json OUT]
    python benchmarks/label_errors.py --draw DIR --seeds 62001 --pictures 2500

Draws pictures of seeds that trained no shipped network, and corrupts a share of their labels, each in one way with the
same probability:

- **dropped**: the label is removed;
- **doubled**: a copy is added, moved by 5 % to 10 % of its size;
- **wrong class**: another class, at random;
- **shifted**: moved by a third of its size in a random direction (what leaves the picture is cut off);
- **invented** (only if --kinds names it): a copy of a label is added where nothing is labelled.

--draw only draws the pictures and writes their corrupted labels, `DIR/shapes-SEED-PICTURES/corrupted_coco.json`, so
that a network can be trained on labels with such errors.

Each NETWORK is a shipped model, a run folder, or several joined by "+", which count as its epochs, the newest last.

A candidate is **real** if it names a corrupted label (of a doubled one either copy), or if it names no label and its
box has an IoU of at least 0.5 with a dropped object or with the true place of a corrupted one. A second candidate for
the same corruption counts as wrong. Beside `evaluation.label_errors`, the same run measures

- **score**: detections of at least 0.05 that no label of their class fits, by score;
- **cleanlab**: ObjectLab (Tkachenko, Thyagarajan and Mueller 2023), `cleanlab.object_detection.rank`: overlooked, badly
  located and swapped boxes by their scores, all in one list. It needs `pip install --target DIR cleanlab`, and DIR as
  --peers.

Prints a table for each network and seed: the number of real ones among the first 50 candidates, among as many as there
are corruptions, and in the whole list; then the same three for each kind. Above it are the number of wrong labels that
the suspicions add up to, and the number of sure candidates without any corruption; below it, how many of ours are real
for each kind of candidate. Exits with 1 if `toy` has less than
40 real ones among the first 50.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.annotations import pictures, read
from maskrcnn.annotations.formats import coco
from maskrcnn.evaluation import MeasuredSet, measure
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.label_errors import label_error_candidates
from maskrcnn.evaluation.set_matches import FP
from maskrcnn.toys.worlds import WORLDS, generate

AIM = 40
KINDS = ("dropped", "doubled", "wrong class", "shifted")
INVENTED = "invented"

Document = dict[str, Any]
Box = Sequence[float]


@dataclass(frozen=True)
class Corruption:
    """A corrupted label: `annotations` are the ids that name it, `box` its true place (of an invented one its own)."""

    kind: str
    image_id: int
    annotations: tuple[int, ...]
    box: tuple[float, ...]


@dataclass(frozen=True)
class Suspect:
    """A candidate of ours or of a peer: a label, or a box without one; `kind` is what it is suspected of."""

    image_id: Id
    annotation: Id | None
    box: Box
    kind: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="*", default=["toy"], metavar="NETWORK", help="models, epochs by + (toy)")
    parser.add_argument("--seeds", nargs="*", type=int, default=[61002, 61003, 61004], metavar="SEED")
    parser.add_argument("--pictures", type=int, default=400, metavar="N", help="pictures of each seed (400)")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keeps pictures and detections for the next time")
    parser.add_argument("--share", type=float, default=0.05, metavar="PART", help="part of the labels (0.05)")
    parser.add_argument("--first", type=int, default=50, metavar="N", help="how many candidates are looked at (50)")
    parser.add_argument("--kinds", nargs="+", choices=(*KINDS, INVENTED), default=KINDS, help="kinds of corruption")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="where cleanlab is installed")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="only write corrupted labels there")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    options = parser.parse_args()
    if options.draw:
        for seed in options.seeds:
            labels, _ = corrupted(drawn(options.draw, seed, options.pictures), options.share, seed, options.kinds)
            path = pictures_folder(options.draw, seed, options.pictures) / "corrupted_coco.json"
            path.write_text(json.dumps(labels))
            print(path)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        figures, reached = [], []
        for name, seed in itertools.product(options.networks, options.seeds):
            clean = drawn(work, seed, options.pictures)
            truth, corruptions = corrupted(clean, options.share, seed, options.kinds)
            epochs = [detections(work, model, seed, options.pictures) for model in name.split("+")]
            about = {"network": name, "seed": seed, "sure_without_errors": sure_candidates(clean, epochs)}
            figures.append(figures_of(about, truth, corruptions, epochs, options))
            if name == "toy":
                reached.append(figures[-1]["rows"]["ours"]["first"])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 1 if reached and min(reached) < AIM else 0


# The labels: drawn, then corrupted.


def drawn(work: Path, seed: int, count: int) -> Document:
    """The labels of the toy pictures of a seed, which are drawn if they are not there."""
    return coco.ground_truth(read(pictures_folder(work, seed, count)))


def pictures_folder(work: Path, seed: int, count: int) -> Path:
    folder = work / f"shapes-{seed}-{count}"
    if not (folder / WORLDS["shapes"].labels).is_file():
        generate(WORLDS["shapes"], folder, count, seed, workers=1)
    return folder


def corrupted(
    truth: Document, share: float, seed: int, kinds: Sequence[str] = KINDS
) -> tuple[Document, list[Corruption]]:
    """A copy of the labels with a share of them corrupted, and what was done."""
    rng = np.random.default_rng([seed, 5])
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    classes = [category["id"] for category in truth["categories"]]
    annotations = {entry["id"]: with_mask(entry, *sizes[entry["image_id"]]) for entry in truth["annotations"]}
    chosen = rng.permutation(sorted(annotations))[: round(share * len(annotations))].tolist()
    next_id, done = max(annotations) + 1, []
    for place, number in enumerate(chosen):
        entry, kind = annotations[number], kinds[place % len(kinds)]
        image, box = entry["image_id"], tuple(entry["bbox"])
        names: tuple[int, ...] = (number,)
        if kind == "dropped":
            del annotations[number]
            names = ()
        elif kind == "wrong class":
            entry["category_id"] = int(rng.choice([one for one in classes if one != entry["category_id"]]))
        elif kind == "shifted":
            annotations[number] = moved(entry, rng, 1 / 3, 1 / 3)
        elif kind == "doubled":
            annotations[next_id] = {**moved(entry, rng, 0.05, 0.1), "id": next_id}
            names, next_id = (number, next_id), next_id + 1
        else:
            there = [other["bbox"] for other in annotations.values() if other["image_id"] == image]
            new = invented(entry, rng, there)
            if new is None:
                continue
            annotations[next_id] = {**new, "id": next_id}
            box, names, next_id = tuple(new["bbox"]), (next_id,), next_id + 1
        done.append(Corruption(kind, image, names, box))
    return {**truth, "annotations": list(annotations.values())}, done


def with_mask(entry: Document, height: int, width: int) -> Document:
    """A copy of an annotation with its mask as an RLE."""
    mask = coco_mask.merge(coco_mask.frPyObjects(entry["segmentation"], height, width))
    return with_bitmap(entry, coco_mask.decode(mask))


def with_bitmap(entry: Document, bitmap: np.ndarray) -> Document:
    mask = coco_mask.encode(np.asfortranarray(bitmap))
    box, area = coco_mask.toBbox(mask).tolist(), int(coco_mask.area(mask))
    return {**entry, "segmentation": {**mask, "counts": mask["counts"].decode()}, "bbox": box, "area": area}


def moved(entry: Document, rng: np.random.Generator, least: float, most: float) -> Document:
    """A copy of an annotation, moved by `least` to `most` of its size in a random direction; two thirds stay inside."""
    bitmap = coco_mask.decode(entry["segmentation"])
    for _ in range(50):
        turn = rng.uniform(0, 2 * np.pi)
        step = rng.uniform(least, most) * np.array(entry["bbox"][2:]) * [np.cos(turn), np.sin(turn)]
        new = with_bitmap(entry, shifted(bitmap, *np.rint(step).astype(int).tolist()))
        if new["area"] >= entry["area"] * 2 / 3:
            break
    return new


def invented(entry: Document, rng: np.random.Generator, there: Sequence[Box]) -> Document | None:
    """A copy of an annotation at a place of its picture whose box meets no other label; None if there is hardly any."""
    bitmap = coco_mask.decode(entry["segmentation"])
    (x, y, width, height), (rows, columns) = entry["bbox"], bitmap.shape
    for _ in range(200):
        left, top = rng.integers(0, columns - width + 1), rng.integers(0, rows - height + 1)
        box = [float(left), float(top), width, height]
        if all(box_iou(box, other) == 0 for other in there):
            return with_bitmap(entry, shifted(bitmap, int(left - x), int(top - y)))
    return None


def shifted(bitmap: np.ndarray, across: int, down: int) -> np.ndarray:
    height, width = bitmap.shape
    new = np.zeros_like(bitmap)
    new[max(down, 0) : height + min(down, 0), max(across, 0) : width + min(across, 0)] = bitmap[
        max(-down, 0) : height - max(down, 0), max(-across, 0) : width - max(across, 0)
    ]
    return new


def box_iou(first: Box, second: Box) -> float:
    shared = [min(first[a] + first[a + 2], second[a] + second[a + 2]) - max(first[a], second[a]) for a in (0, 1)]
    inside = max(shared[0], 0) * max(shared[1], 0)
    return inside / (first[2] * first[3] + second[2] * second[3] - inside) if inside else 0.0


# The detections.


def detections(work: Path, model: str, seed: int, count: int) -> list[Document]:
    """What a network finds in the pictures of a seed; computed if it is not there."""
    path = work / f"{Path(model).name}-{seed}-{count}.json"
    if not path.is_file():
        from maskrcnn.inference import load
        from maskrcnn.model import detect

        dataset, network = read(pictures_folder(work, seed, count)), load(model, device="cpu")
        truth, names = coco.ground_truth(dataset), network.config.names
        ids = {category["name"]: category["id"] for category in truth["categories"]}
        found = []
        for image, record in zip(truth["images"], dataset.images, strict=True):
            assert record.path is not None
            for entry in detect(network, pictures.load(record.path), image["id"]):
                found.append({**entry, "category_id": ids[names[entry["category_id"] - 1]]})
        path.write_text(json.dumps(found))
    loaded: list[Document] = json.loads(path.read_text())
    return loaded


# The ways to find errors.


def ours(epochs: Sequence[MeasuredSet]) -> list[Suspect]:
    newest = epochs[-1]
    return [Suspect(newest.pictures[c.picture], c.annotation_id, c.box, c.kind) for c in label_error_candidates(epochs)]


def by_score(epochs: Sequence[MeasuredSet]) -> list[Suspect]:
    newest = epochs[-1]
    matches, found = newest.match(min_score=0.05), newest.detections
    wrong = np.flatnonzero(matches.detection_status == FP)
    order = wrong[np.argsort(-found.score[wrong], kind="stable")].tolist()
    return [Suspect(newest.pictures[found.picture[one]], None, found.boxes[one].tolist()) for one in order]


def cleanlab(epochs: Sequence[MeasuredSet]) -> list[Suspect]:
    from cleanlab.object_detection import rank

    newest = epochs[-1]
    found, objects, classes = newest.detections, newest.objects, range(len(newest.categories))
    corners = [
        np.concatenate([side[:, :2], side[:, :2] + side[:, 2:]], axis=1) for side in (found.boxes, objects.boxes)
    ]
    predictions, labels, predicted, labelled = [], [], [], []
    for picture in range(len(newest.pictures)):
        mine = np.flatnonzero(found.picture == picture)
        groups = [mine[found.category[mine] == one] for one in classes]
        stacked = [np.column_stack([corners[0][group], found.score[group]]).astype(np.float32) for group in groups]
        predictions.append(np.array([*stacked, None], dtype=object)[:-1])
        predicted.append(np.concatenate(groups))
        here = np.flatnonzero(objects.picture == picture)
        labels.append({"bboxes": corners[1][here].astype(np.float32), "labels": objects.category[here]})
        labelled.append(here)
    scores: list[tuple[float, Suspect]] = []
    for compute, of_labels in (
        (rank.compute_overlooked_box_scores, False),
        (rank.compute_badloc_box_scores, True),
        (rank.compute_swap_box_scores, True),
    ):
        for picture, values in enumerate(compute(labels=labels, predictions=predictions)):
            for index, value in zip((labelled if of_labels else predicted)[picture], values, strict=True):
                if not np.isnan(value):
                    annotation = objects.annotation_ids[index] if of_labels else None
                    box = (objects if of_labels else found).boxes[index].tolist()
                    scores.append((float(value), Suspect(newest.pictures[picture], annotation, box)))
    return [suspect for _, suspect in sorted(scores, key=lambda pair: pair[0])]


# The verdict.


def figures_of(
    about: Document,
    truth: Document,
    corruptions: Sequence[Corruption],
    epochs: Sequence[list[Document]],
    options: argparse.Namespace,
) -> Document:
    """The figures of each way on one set, which are printed as a table."""
    sets = [measure(truth, found, tasks=("box", "mask")) for found in epochs]
    ways: dict[str, Callable[[Sequence[MeasuredSet]], list[Suspect]]] = {"ours": ours, "score": by_score}
    if options.peers:
        sys.path.append(str(options.peers))
        ways["cleanlab"] = cleanlab
    rows = {name: judged(way(sets), corruptions, options.first) for name, way in ways.items()}
    sizes = {"epochs": len(epochs), "labels": len(truth["annotations"]), "corrupted": len(corruptions)}
    expected = sum(one.suspicion for one in label_error_candidates(sets))
    figures = {**about, **sizes, "estimated": expected, "rows": rows}
    printed(figures, corruptions, options.first)
    return figures


def sure_candidates(clean: Document, epochs: Sequence[list[Document]]) -> int:
    """The number of candidates among right labels whose suspicion is at least 0.5."""
    sets = [measure(clean, found, tasks=("box", "mask")) for found in epochs]
    return sum(one.suspicion >= 0.5 for one in label_error_candidates(sets))


def judged(suspects: Sequence[Suspect], corruptions: Sequence[Corruption], first: int) -> dict[str, Any]:
    """How many corruptions a list of suspects names, and where."""
    open_ones = set(range(len(corruptions)))
    hits: list[int | None] = []
    for suspect in suspects:
        real = next((one for one in sorted(open_ones) if names(suspect, corruptions[one])), None)
        hits.append(real)
        open_ones -= {real}
    kinds = sorted({one.kind for one in corruptions})

    def found(kind: str | None, end: int | None) -> int:
        return sum(hit is not None and kind in (None, corruptions[hit].kind) for hit in hits[:end])

    count = len(corruptions)
    suspected = Counter(suspect.kind for suspect in suspects[:count])
    right = Counter(suspect.kind for suspect, hit in zip(suspects[:count], hits, strict=False) if hit is not None)
    return {
        "suspected": {kind: [right[kind], number] for kind, number in sorted(suspected.items())},
        "first": found(None, first),
        "at_count": found(None, count),
        "found": found(None, None),
        "listed": len(suspects),
        "kinds": {kind: [found(kind, first), found(kind, count), found(kind, None)] for kind in kinds},
    }


def names(suspect: Suspect, corruption: Corruption) -> bool:
    """Whether a suspect is about a corruption."""
    if suspect.image_id != corruption.image_id:
        return False
    if suspect.annotation is not None:
        return suspect.annotation in corruption.annotations
    return box_iou(suspect.box, corruption.box) >= 0.5


def printed(figures: Document, corruptions: Sequence[Corruption], first: int) -> None:
    """Print the figures of one set as a table."""
    kinds = {kind: sum(one.kind == kind for one in corruptions) for kind in sorted({one.kind for one in corruptions})}
    count, epochs = len(corruptions), figures["epochs"]
    title = f"{figures['network']}, seed {figures['seed']}, {epochs} epoch{'s' * (epochs > 1)}"
    print(f"\n{title}: {count} of {figures['labels']} labels wrong, {figures['estimated']:.0f} estimated")
    print(f"candidates with a suspicion of 0.5 or more without any wrong label: {figures['sure_without_errors']}")
    heads = [f"{kind} ({number}): {first}, {count}, all" for kind, number in kinds.items()]
    print(f"| way | real of {first} | of {count} | in all | listed | {' | '.join(heads)} |")
    print("|---" * (5 + len(heads)) + "|")
    for way, row in figures["rows"].items():
        cells = [", ".join(map(str, row["kinds"][kind])) for kind in kinds]
        print(
            f"| {way} | {row['first']} | {row['at_count']} | {row['found']} | {row['listed']} | {' | '.join(cells)} |"
        )
    suspected = figures["rows"]["ours"]["suspected"].items()
    precision = ", ".join(f"{right} of {number} {kind}" for kind, (right, number) in suspected)
    print(f"real ones of ours among the first {count}: {precision}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
