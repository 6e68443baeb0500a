"""Precision-recall curves: one picture worked out on paper, and COCO's own AP."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.evaluation import measure, report_of
from maskrcnn.evaluation.analysis.precision_recall import precision_recall
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import found, truth

# Three objects and five detections of one class. By score: nothing there, the first, the second, the first again, the
# third. So the hits are no, yes, yes, no, yes:
#
#   rank  score  hit  found  precision  recall  envelope (best precision from here on)
#   1     .9     no   0      0          0       2/3
#   2     .8     yes  1      1/2        1/3     2/3
#   3     .7     yes  2      2/3        2/3     2/3
#   4     .6     no   2      1/2        2/3     3/5
#   5     .5     yes  3      3/5        1       3/5
#
# COCO reads the envelope at the recalls 0, .01, ..., 1. The recalls up to .66, which are 67, have 2/3; those from .67
# to 1, which are 34, have 3/5. AP = (67 * 2/3 + 34 * 3/5) / 101 = 0.6442.
# The AP of the matterport notebooks is the area itself: 2/3 for a recall of 2/3, and 3/5 for 1/3, so 29/45 = 0.6444.
DOCUMENT = truth((0, 1, 10, 10, 40), (0, 1, 60, 10, 40), (0, 1, 110, 10, 40))
DETECTIONS = [
    found(0, 1, 110, 10, 40, 0.5),
    found(0, 1, 10, 100, 40, 0.9),
    found(0, 1, 11, 10, 40, 0.8),
    found(0, 1, 60, 12, 40, 0.7),
    found(0, 1, 10, 12, 40, 0.6),
]
AP = (67 * 2 / 3 + 34 * 3 / 5) / 101


def test_the_curve_worked_out_on_paper() -> None:
    measured = measure(DOCUMENT, DETECTIONS)
    curve = precision_recall(measured, category=0)
    assert curve.score.tolist() == [0.9, 0.8, 0.7, 0.6, 0.5]
    assert curve.hit.tolist() == [False, True, True, False, True]
    assert curve.precision.tolist() == pytest.approx([0, 1 / 2, 2 / 3, 1 / 2, 3 / 5])
    assert curve.recall.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1])
    assert curve.envelope.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 3 / 5, 3 / 5])
    assert curve.area == pytest.approx(AP)
    # A point leads to its detection in the given list.
    assert measured.detections.position[curve.detection].tolist() == [1, 2, 3, 4, 0]


def test_the_same_ap_by_all_ways() -> None:
    measured = measure(DOCUMENT, DETECTIONS)
    assert measured.coco("segm").summary()["AP50"] == pytest.approx(AP)
    (row,) = report_of(measured).per_image
    assert row.ap50 == pytest.approx(AP)
    assert row.ap50_pooled == pytest.approx(29 / 45)


def test_all_classes_share_one_ranking() -> None:
    """The second detection is of a class without objects: right, wrong, right. AP = (51 + 50 * 2/3) / 101."""
    document = truth((0, 1, 10, 10, 40), (0, 2, 60, 10, 40), classes=3)
    detections = [found(0, 1, 10, 10, 40, 0.9), found(0, 3, 10, 10, 40, 0.8), found(0, 2, 60, 10, 40, 0.7)]
    measured = measure(document, detections)
    curve = precision_recall(measured, category=None)
    assert (curve.hit.tolist(), curve.objects) == ([True, False, True], 2)
    assert curve.area == pytest.approx((51 + 50 * 2 / 3) / 101)
    alone = precision_recall(measured, category=2)
    assert (alone.area, alone.objects, np.isnan(alone.recall).tolist()) == (None, 0, [True])


def test_what_lies_on_a_crowd_is_no_point() -> None:
    document = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 40))
    document["annotations"][1]["iscrowd"] = 1
    detections = [found(0, 1, 10, 10, 40, 0.5), found(0, 1, 110, 110, 20, 0.9)]
    curve = precision_recall(measure(document, detections), category=0)
    assert (curve.score.tolist(), curve.area) == ([0.5], 1.0)


@pytest.mark.parametrize(("name", "iou"), [("AP50", 0.5), ("AP75", 0.75)])
def test_the_area_is_cocos(name: str, iou: float) -> None:
    """Others hold COCO's figures to pycocotools. Many scores are equal here, and then the id of the picture decides."""
    for seed in range(4):
        document, detections = random_set(seed, images=20, objects=8, extra=4)
        document["images"].reverse()
        for entry in detections:
            entry["score"] = round(entry["score"], 1)
        measured = measure(document, detections)
        areas = [precision_recall(measured, category, iou).area for category in range(3)]
        assert areas == pytest.approx(measured.coco("segm").class_figures[name].tolist(), abs=1e-12)
