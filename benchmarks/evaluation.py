"""How long the evaluation of a set of pictures takes, beside a loop over pycocotools and beside two fast libraries.

    pip install hotcoco faster-coco-eval
    python benchmarks/evaluation.py [--pictures 1000] [--rounds 5]

A set is made from a seed: 640 x 480 px, on average 4 objects of three classes and 10 detections in a picture, crowds
among them; everything has a mask. Each contestant gets the same two documents as Python objects. They take turns, round
after round, in one process; the median is printed, with the ratio to ours.

1. Everything: COCO's twelve numbers for boxes and for masks, and for each picture its AP, AP50, AP75 and TP, FP, FN.
   Ours gives in the same time AP50 from one ranking, F1, mean IoU, the figures of each class, the kinds of errors with
   their costs, and the confusion matrix. The loop is what one writes with pycocotools: COCOeval for the set, and again
   with `imgIds = [i]` for each picture.
2. COCO's twelve numbers for boxes and for masks alone, as all four compute them. They must agree to 1e-9.
3. A slider: the table of all pictures at another score, and at another IoU, from a measured set.

Exits with 1 if a target is missed or the numbers differ.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import statistics
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.evaluation import measure, report_of
from maskrcnn.evaluation.analysis.confusion import confusion_matrix
from maskrcnn.evaluation.analysis.error_kinds import error_costs
from maskrcnn.evaluation.report_building import picture_rows

WIDTH, HEIGHT, CLASSES = 640, 480, 3
KINDS = ("bbox", "segm")
LEAST_RATIO = 10.0
"""Everything is to be this much sooner than the loop."""
MOST_MS = 100.0
"""What a slider may take."""

Document = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (5)")
    options = parser.parse_args()
    truth, found = made_set(options.pictures)
    print(f"{options.pictures} pictures, {len(truth['annotations'])} objects, {len(found)} detections")

    # Each gets documents of its own: pycocotools changes them.
    contestants = {
        "ours": partial(everything, truth, found),
        "pycocotools, loop": partial(loop, deepcopy(truth), deepcopy(found)),
    }
    ratio = show("everything", timed(contestants, options.rounds))
    peers = {
        "ours": partial(summaries, truth, found),
        "pycocotools": partial(official, deepcopy(truth), deepcopy(found), COCO, COCOeval),
    }
    for name, package, classes in (
        ("hotcoco", "hotcoco", ("COCO", "COCOeval")),
        ("faster-coco-eval", "faster_coco_eval", ("COCO", "COCOeval_faster")),
    ):
        try:
            module = importlib.import_module(package)
        except ImportError:
            print(f"{name} is not installed")
            continue
        index_class, evaluation_class = (getattr(module, item) for item in classes)
        peers[name] = partial(official, deepcopy(truth), deepcopy(found), index_class, evaluation_class)
    show("twelve numbers for boxes and masks", timed(peers, options.rounds))
    numbers = {name: np.array(work()) for name, work in peers.items()}
    worst = {name: float(np.abs(values - numbers["ours"]).max()) for name, values in numbers.items()}
    print("largest difference to ours: " + ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))

    measured = measure(truth, found)
    picture_rows(measured, measured.match())
    rng = np.random.default_rng(0)
    sliders = {
        "score": lambda: picture_rows(measured, measured.match(float(rng.random()), 0.5)),
        "IoU": lambda: picture_rows(measured, measured.match(0.5, float(rng.uniform(0.3, 0.9)))),
    }
    times = timed(sliders, 4 * options.rounds)
    print("table of all pictures after a slider: " + ", ".join(f"{k} {1000 * v:.0f} ms" for k, v in times.items()))
    good = ratio >= LEAST_RATIO and max(worst.values()) < 1e-9 and 1000 * max(times.values()) <= MOST_MS
    return 0 if good else 1


def timed(contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median time of each in seconds; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, times: dict[str, float]) -> float:
    """Print the times with their ratio to ours; returns that of the last."""
    print(title)
    for name, seconds in times.items():
        print(f"  {name:20s} {seconds:7.3f} s   {seconds / times['ours']:6.1f} x ours")
    return list(times.values())[-1] / times["ours"]


def everything(truth: Document, found: list[Document]) -> None:
    measured = measure(truth, found)
    report_of(measured)
    error_costs(measured)
    confusion_matrix(measured)


def summaries(truth: Document, found: list[Document]) -> list[float]:
    measured = measure(truth, found)
    return [-1.0 if value is None else value for kind in KINDS for value in measured.coco(kind).summary().values()]


def loop(truth: Document, found: list[Document]) -> None:
    """The twelve numbers, and each picture alone: its AP, and its hits and misses at IoU .50."""
    with contextlib.redirect_stdout(io.StringIO()):
        index = indexed(truth, COCO)
        for kind in KINDS:
            results = index.loadRes(results_of(found, kind))
            evaluation = COCOeval(index, results, kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        for image in truth["images"]:
            alone = COCOeval(index, results, "segm")
            alone.params.imgIds = [image["id"]]
            alone.evaluate()
            alone.accumulate()
            alone.summarize()
            for result in filter(None, alone.evalImgs[:: len(alone.params.areaRng)]):
                shown = np.array(result["dtScores"]) >= 0.5
                (result["dtMatches"][0][shown] > 0).sum()


def official(truth: Document, found: list[Document], index_class: Any, evaluation_class: Any) -> list[float]:
    """The twelve numbers for boxes, then for masks, by pycocotools or a library with its interface."""
    numbers: list[float] = []
    with contextlib.redirect_stdout(io.StringIO()):
        index = indexed(truth, index_class)
        for kind in KINDS:
            evaluation = evaluation_class(index, index.loadRes(results_of(found, kind)), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            numbers += [float(value) for value in evaluation.stats[:12]]
    return numbers


def indexed(truth: Document, index_class: Any) -> Any:
    """The labels as the index of a library, made without a file where it can."""
    if index_class is COCO:
        index = COCO()
        index.dataset = truth
        index.createIndex()
        return index
    return index_class(truth)


def results_of(found: list[Document], kind: str) -> list[Document]:
    """Results that hold boxes only or masks only: so each measures sizes by the same areas."""
    shape = "bbox" if kind == "bbox" else "segmentation"
    return [{name: entry[name] for name in ("image_id", "category_id", "score", shape)} for entry in found]


def made_set(pictures: int, seed: int = 0) -> tuple[Document, list[Document]]:
    """Labels and detections: twelve-cornered outlines, found loosely, twice, as another class, or where nothing is."""
    rng = np.random.default_rng(seed)
    annotations: list[Document] = []
    found: list[Document] = []
    for image_id in range(1, pictures + 1):
        for _ in range(int(rng.integers(0, 9))):
            place, radius = rng.uniform(40, (WIDTH - 40, HEIGHT - 40)), rng.uniform(8, 90)
            category = int(rng.integers(1, CLASSES + 1))
            entry = shape(place, radius) | {"image_id": image_id, "category_id": category}
            annotations.append(entry | {"id": len(annotations) + 1, "iscrowd": int(rng.random() < 0.03)})
            for _ in range(int(rng.integers(0, 3))):
                off = place + rng.normal(0, 0.15 * radius, 2)
                as_class = category if rng.random() < 0.9 else int(rng.integers(1, CLASSES + 1))
                found.append(detection(shape(off, radius * rng.uniform(0.8, 1.2)), image_id, as_class, rng))
        for _ in range(int(rng.integers(0, 13))):
            anywhere = shape(rng.uniform(40, (WIDTH - 40, HEIGHT - 40)), rng.uniform(8, 60))
            found.append(detection(anywhere, image_id, int(rng.integers(1, CLASSES + 1)), rng))
    truth = {
        "info": {},
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for n in range(1, pictures + 1)
        ],
        "categories": [{"id": n, "name": f"class {n}"} for n in range(1, CLASSES + 1)],
        "annotations": annotations,
    }
    return truth, found


def shape(place: np.ndarray, radius: float) -> Document:
    """A dodecagon as compressed RLE, with its box and area."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    outline = np.stack([place[0] + radius * np.cos(angles), place[1] + radius * np.sin(angles)], axis=1)
    outline = outline.clip(0, (WIDTH, HEIGHT))
    [code] = coco_mask.frPyObjects([outline.ravel().tolist()], HEIGHT, WIDTH)
    return {
        "segmentation": {"size": [HEIGHT, WIDTH], "counts": code["counts"].decode()},
        "bbox": coco_mask.toBbox(code).tolist(),
        "area": float(coco_mask.area(code)),
    }


def detection(entry: Document, image_id: int, category: int, rng: np.random.Generator) -> Document:
    return entry | {"image_id": image_id, "category_id": category, "score": float(rng.random())}


if __name__ == "__main__":
    sys.exit(main())
