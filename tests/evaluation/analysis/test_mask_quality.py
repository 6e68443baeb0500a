"""The overlap of matched masks and the error of counting, by hand."""

from __future__ import annotations

import pytest

from maskrcnn.evaluation import measure
from maskrcnn.evaluation.analysis.mask_quality import (
    CountError,
    Spread,
    by_class,
    by_size,
    count_error,
    count_errors_by_class,
    mask_quality,
)
from tests.evaluation.squares import found, truth

# Picture 0: two objects of class 1, 40 and 20 pixels wide; picture 1: one of class 2, 40 wide; picture 2: nothing.
DOCUMENT = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 20), (1, 2, 10, 10, 40), images=3)
DETECTIONS = [
    found(0, 1, 10, 10, 40, 0.9),  # exact
    found(0, 1, 105, 100, 20, 0.8),  # moved by 5 of 20: IoU 15 / 25 = .6
    found(1, 1, 10, 10, 40, 0.7),  # wrong class: it has no part in the quality
    found(2, 2, 10, 10, 40, 0.6),
    found(2, 2, 100, 10, 40, 0.5),
]


def test_overlaps_by_class_and_size() -> None:
    """400 pixels are small, 1,600 are medium."""
    measured = measure(DOCUMENT, DETECTIONS)
    quality = mask_quality(measured.match())
    assert quality.iou.tolist() == pytest.approx([1.0, 0.6])
    assert (quality.detection.tolist(), quality.object.tolist()) == ([0, 1], [0, 1])
    classes = by_class(measured, quality, quality.iou)
    assert (classes["class 1"].count, classes["class 1"].mean, classes["class 1"].median) == (2, 0.8, 0.8)
    assert classes["class 2"] == Spread(0, None, None, None, None)
    sizes = by_size(measured, quality, quality.iou)
    assert {name: spread.mean for name, spread in sizes.items()} == {"small": 0.6, "medium": 1.0, "large": None}


def test_the_error_of_counting() -> None:
    """Picture 0: 2 of 2. Picture 1: 1 of 1, though the class is wrong. Picture 2: 2 instead of none.

    Class 1: 2 of 2, 1 of 0, 0 of 0. Class 2: 0 of 0, 0 of 1, 2 of 0.
    """
    measured = measure(DOCUMENT, DETECTIONS)
    matches = measured.match()
    assert count_error(matches.count_error) == CountError(2 / 3, 2 / 3, 2 / 3)
    assert count_errors_by_class(measured, matches) == {
        "class 1": CountError(1 / 3, 1 / 3, 2 / 3),
        "class 2": CountError(1.0, 1 / 3, 1 / 3),
    }


def test_what_is_at_a_limit_of_two_sizes_is_in_both() -> None:
    measured = measure(truth((0, 1, 10, 10, 32)), [found(0, 1, 10, 10, 32, 0.9)])
    quality = mask_quality(measured.match())
    assert [spread.count for spread in by_size(measured, quality, quality.iou).values()] == [1, 1, 0]
