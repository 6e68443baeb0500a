"""The fast paths against slow, obvious twins, on random pictures."""

from __future__ import annotations

import contextlib
import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskrcnn.evaluation import coco_summary, evaluate, match_image
from tests.evaluation.random_sets import random_set
from tests.work import calls

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def official(
    document: dict[str, Any], detections: list[dict[str, Any]], iou_type: str, images: list[int]
) -> np.ndarray:
    """The twelve numbers as pycocotools' own demo computes them."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"info": {}, **document}
        truth.createIndex()
        # loadRes takes the area of the box where there is one; masks must be measured by their own.
        kept = [{k: v for k, v in d.items() if k != "area" and (k != "bbox" or iou_type == "bbox")} for d in detections]
        evaluation = COCOeval(truth, truth.loadRes(kept), iou_type)
        evaluation.params.imgIds = images
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def value(number: float | None) -> float:
    return -1.0 if number is None else number


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("iou_type", ["bbox", "segm"])
def test_the_summary_is_pycocotools_own(seed: int, iou_type: Any) -> None:
    document, detections = random_set(seed, images=6, objects=6, extra=3)
    ours = [value(number) for number in coco_summary(document, detections, iou_type).values()]
    assert ours == pytest.approx(official(document, detections, iou_type, list(range(6))), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_ap_of_each_picture_is_pycocotools_own(seed: int) -> None:
    document, detections = random_set(seed, images=5, objects=5, extra=3)
    for row in evaluate(document, detections).per_image:
        stats = official(document, detections, "segm", [row.image_id])
        assert (value(row.ap), value(row.ap50)) == pytest.approx((stats[0], stats[1]))


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


@pytest.mark.parametrize("seed", range(6))
def test_pooled_ap_is_the_area_under_the_curve(seed: int) -> None:
    document, detections = random_set(seed, images=4, objects=6, extra=4)
    document["annotations"] = [entry for entry in document["annotations"] if not entry["iscrowd"]]
    for row in evaluate(document, detections).per_image:
        truths = [entry for entry in document["annotations"] if entry["image_id"] == row.image_id]
        found = [entry for entry in detections if entry["image_id"] == row.image_id]
        expected = slow_pooled_ap(truths, found)
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
