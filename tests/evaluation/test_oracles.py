"""The fast paths against slow, obvious twins, on random pictures."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskrcnn.evaluation import coco_summary, evaluate, match_image
from tests.evaluation.official import official, value
from tests.evaluation.random_sets import random_set
from tests.work import calls

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_the_summary_of_a_thousand_pictures_is_pycocotools_own(iou_type: Any) -> None:
    """With crowds, several classes and all sizes; results hold boxes only or masks only, as detectron2 loads them."""
    document, detections = random_set(0, images=1000, objects=8, extra=6)
    assert sum(entry["iscrowd"] for entry in document["annotations"]) > 300
    ours = coco_summary(document, detections, iou_type)
    assert list(ours) == [*("AP", "AP50", "AP75", "APs", "APm", "APl"), *("AR1", "AR10", "AR100", "ARs", "ARm", "ARl")]
    theirs = official(document, detections, iou_type)
    assert [value(number) for number in ours.values()] == pytest.approx(theirs, abs=1e-9)


def test_the_ap_of_each_picture_is_pycocotools_own() -> None:
    document, detections = random_set(1, images=100, objects=5, extra=3)
    for row in evaluate(document, detections).per_image:
        stats = official(document, detections, "segm", row.image_id)
        assert (value(row.ap), value(row.ap50), value(row.ap75)) == pytest.approx(tuple(stats[:3]), abs=1e-9)


@pytest.mark.parametrize("name", ["instances_train2017", "instances_val2017"])
@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_photographs_of_coco_give_pycocotools_own_numbers(real_data: Path, name: str, iou_type: Any) -> None:
    """The labels of real photographs, crowds among them, and detections that are these labels moved a little."""
    document = json.loads((real_data / "coco" / "tinycoco" / "annotations" / f"{name}.json").read_text())
    detections = moved_labels(document, seed=5)
    theirs = official(document, detections, iou_type)
    assert 0.1 < theirs[0] < 0.9
    ours = coco_summary(document, detections, iou_type)
    assert [value(number) for number in ours.values()] == pytest.approx(theirs, abs=1e-9)
    for row in evaluate(document, detections).per_image:
        stats = official(document, detections, "segm", row.image_id)
        assert (value(row.ap), value(row.ap50)) == pytest.approx(tuple(stats[:2]), abs=1e-9)


def moved_labels(document: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """Each label found two times, moved by up to a tenth of its size, some as another class; scores with ties."""
    rng = np.random.default_rng(seed)
    sizes = {image["id"]: (image["height"], image["width"]) for image in document["images"]}
    classes = [category["id"] for category in document["categories"]]
    detections = []
    for entry in document["annotations"]:
        height, width = sizes[entry["image_id"]]
        for _ in range(2):
            right, down = (rng.uniform(-0.1, 0.1, 2) * entry["bbox"][2:]).round().astype(int).tolist()
            given = entry["segmentation"]
            if isinstance(given, dict):
                code = coco_mask.frPyObjects(given, height, width)
            else:
                outlines = [
                    (np.reshape(outline, (-1, 2)) + np.array([right, down])).ravel().tolist() for outline in given
                ]
                code = coco_mask.merge(coco_mask.frPyObjects(outlines, height, width))
            x, y, *size = entry["bbox"]
            category = int(rng.choice(classes)) if rng.random() < 0.1 else entry["category_id"]
            detections.append(
                {
                    "image_id": entry["image_id"],
                    "category_id": category,
                    "score": round(float(rng.random()), 2),
                    "bbox": [x + right, y + down, *size],
                    "segmentation": {"size": [height, width], "counts": code["counts"].decode()},
                }
            )
    return detections


def bitmaps(entries: list[dict[str, Any]]) -> list[np.ndarray]:
    return [coco_mask.decode(entry["segmentation"]).astype(bool) for entry in entries]


def slow_pooled_ap(truths: list[dict[str, Any]], found: list[dict[str, Any]]) -> float | None:
    """One ranking over all classes, from decoded masks and the corners of the precision-recall curve."""
    if not truths:
        return None
    found = sorted(found, key=lambda entry: -entry["score"])
    masks, predicted = bitmaps(truths), bitmaps(found)
    free = set(range(len(truths)))
    curve = [(0.0, 0.0)]
    hits = 0
    for rank, (entry, bitmap) in enumerate(zip(found, predicted, strict=True), start=1):
        best, best_iou = None, 0.5
        for index in free:
            iou = (bitmap & masks[index]).sum() / (bitmap | masks[index]).sum()
            if truths[index]["category_id"] == entry["category_id"] and iou >= best_iou:
                best, best_iou = index, iou
        if best is not None:
            free.remove(best)
            hits += 1
        curve.append((hits / len(truths), hits / rank))
    area = 0.0
    for (before, _), (after, _) in pairwise(curve):
        area += (after - before) * max(precision for recall, precision in curve if recall >= after)
    return area


def test_pooled_ap_is_the_area_under_the_curve() -> None:
    document, detections = random_set(0, images=1000, objects=6, extra=4)
    document["annotations"] = [entry for entry in document["annotations"] if not entry["iscrowd"]]
    truths: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in document["images"]}
    found: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in document["images"]}
    for group, entries in ((truths, document["annotations"]), (found, detections)):
        for entry in entries:
            group[entry["image_id"]].append(entry)
    for row in evaluate(document, detections).per_image:
        expected = slow_pooled_ap(truths[int(row.image_id)], found[int(row.image_id)])
        assert row.ap50_pooled == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("min_score", [0.0, 0.3, 0.7])
def test_the_report_counts_what_the_matches_say(min_score: float) -> None:
    document, detections = random_set(11, images=6, objects=6, extra=4)
    for row in evaluate(document, detections, min_score=min_score).per_image:
        matches = match_image(document, detections, row.image_id, min_score)
        assert (row.tp, row.fp, row.fn) == (matches.tp, matches.fp, matches.fn)
        assert row.n_pred == len(matches.predictions)
        assert matches.tp + matches.fn == row.n_gt


def test_the_work_grows_with_the_detections_not_faster() -> None:
    some, many = (random_set(3, images=13, objects=6, extra=extra) for extra in (20, 80))
    assert calls(lambda: evaluate(*many)) < 5 * calls(lambda: evaluate(*some))
