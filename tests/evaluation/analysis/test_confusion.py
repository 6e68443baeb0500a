"""The confusion matrix: by hand, and against a loop over random pictures."""

from __future__ import annotations

from typing import Any

import pytest

from maskrcnn.evaluation import match_image, measure
from maskrcnn.evaluation.analysis.confusion import Instance, confusion_matrix
from maskrcnn.evaluation.set_matches import FP, TP
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import found, truth

# Class 1 at (10, 10) and (100, 100), class 2 at (10, 100).
DOCUMENT = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 40), (0, 2, 10, 100, 40))


def test_found_confused_missed_and_nothing_there() -> None:
    """Of the objects of class 1 one is found and one is taken for class 2; that of class 2 is missed; .6 is nowhere."""
    detections = [
        found(0, 1, 10, 10, 40, 0.9),
        found(0, 2, 100, 100, 40, 0.8),
        found(0, 2, 150, 10, 40, 0.6),
        found(0, 2, 10, 100, 40, 0.2),  # its score is too low
    ]
    confusion = confusion_matrix(measure(DOCUMENT, detections), min_score=0.5)
    assert confusion.counts.tolist() == [[1, 1, 0], [0, 0, 1], [0, 1, 0]]
    assert confusion.cells(0, 0) == [Instance(picture=0, detection=0, object=0)]
    assert confusion.cells(0, 1) == [Instance(picture=0, detection=1, object=1)]
    assert confusion.cells(1, 2) == [Instance(picture=0, detection=None, object=2)]
    assert confusion.cells(2, 1) == [Instance(picture=0, detection=2, object=None)]
    assert confusion.cells(2, 2) == []


def test_the_right_class_has_its_object_before_a_wrong_one_with_a_better_score() -> None:
    """A matching that is blind to classes would count a confusion and a detection of nothing."""
    detections = [found(0, 2, 10, 10, 40, 0.9), found(0, 1, 12, 10, 40, 0.8)]
    confusion = confusion_matrix(measure(DOCUMENT, detections))
    assert confusion.counts.tolist() == [[1, 0, 1], [0, 0, 1], [0, 1, 0]]


def test_of_two_wrong_ones_the_better_score_has_the_object() -> None:
    """Both are class 2 on the first object of class 1; the one with the lower score fits better."""
    detections = [found(0, 2, 12, 10, 40, 0.9), found(0, 2, 10, 10, 40, 0.8)]
    confusion = confusion_matrix(measure(DOCUMENT, detections))
    assert [instance.detection for instance in confusion.cells(0, 1)] == [0]
    assert [instance.detection for instance in confusion.cells(2, 1)] == [1]


def test_crowds_are_in_no_cell() -> None:
    document = truth((0, 1, 10, 10, 40))
    document["annotations"][0]["iscrowd"] = 1
    measured = measure(document, [found(0, 1, 20, 20, 20, 0.9), found(0, 2, 20, 20, 20, 0.8)])
    # A detection of another class does not count as being on the crowd, as everywhere.
    assert confusion_matrix(measured).counts.tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]


def slow_counts(document: dict[str, Any], detections: list[dict[str, Any]], min_score: float, iou: float) -> Any:
    """The counts by loops: `match_image` for each picture, then each false positive takes the best object left."""
    classes = [category["id"] for category in document["categories"]]
    side = len(classes) + 1
    counts = [[0] * side for _ in range(side)]
    measured = measure(document, detections)
    overlaps = measured.pairs("segm")
    ious = {
        (int(d), int(o)): float(value)
        for d, o, value in zip(overlaps.detection, overlaps.object, overlaps.iou, strict=True)
    }
    matches = measured.match(min_score, iou)
    free = {o for o in range(len(measured.objects)) if not measured.objects.crowd[o]}
    for d, status in enumerate(matches.detection_status):
        if status == TP:
            place = int(measured.detections.category[d])
            counts[place][place] += 1
            free.remove(int(matches.detection_partner[d]))
    for d, status in enumerate(matches.detection_status):
        if status == FP:
            row = side - 1
            near = [(ious[d, o], o) for o in free if ious.get((d, o), 0) >= iou]
            if near:
                taken = max(near)[1]
                free.remove(taken)
                row = int(measured.objects.category[taken])
            counts[row][int(measured.detections.category[d])] += 1
    for o in free:
        counts[int(measured.objects.category[o])][side - 1] += 1
    return counts


@pytest.mark.parametrize(("min_score", "iou"), [(0.0, 0.5), (0.4, 0.3), (0.5, 0.75)])
def test_counts_and_cells_are_those_of_a_loop(min_score: float, iou: float) -> None:
    document, detections = random_set(5, images=40, objects=9, extra=6)
    measured = measure(document, detections)
    confusion = confusion_matrix(measured, min_score, iou)
    assert confusion.counts.tolist() == slow_counts(document, detections, min_score, iou)
    side = len(confusion.counts)
    cells = {(row, column): confusion.cells(row, column) for row in range(side) for column in range(side)}
    assert {key: len(found) for key, found in cells.items()} == {key: int(confusion.counts[key]) for key in cells}
    for (row, column), instances in cells.items():
        scores = [measured.detections.score[one.detection] for one in instances if one.detection is not None]
        assert scores == sorted(scores, reverse=True)
        for one in instances:
            if one.detection is not None:
                assert (measured.detections.picture[one.detection], measured.detections.category[one.detection]) == (
                    one.picture,
                    column,
                )
            if one.object is not None:
                assert (measured.objects.picture[one.object], measured.objects.category[one.object]) == (
                    one.picture,
                    row,
                )
            assert (one.detection is None) == (column == side - 1)
            assert (one.object is None) == (row == side - 1)


def test_the_diagonal_holds_the_true_positives() -> None:
    document, detections = random_set(6, images=20, objects=8, extra=4)
    confusion = confusion_matrix(measure(document, detections), min_score=0.3)
    matches = [match_image(document, detections, image["id"], 0.3) for image in document["images"]]
    assert confusion.counts.trace() == sum(found.tp for found in matches)
    assert confusion.counts[:, :-1].sum() == sum(found.tp + found.fp for found in matches)
    assert confusion.counts[:-1].sum() == sum(found.tp + found.fn for found in matches)
