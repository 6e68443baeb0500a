"""Objects that only one of two networks finds, and the pictures that changed most."""

from __future__ import annotations

import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import compare, evaluate, match_image, measure
from maskrcnn.evaluation.won_and_lost import picture_changes, won_and_lost
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import FIRST, NOWHERE, SECOND, TWO, found, truth

NO_TASKS = ["box", "mask"]


def test_what_b_finds_and_a_misses_is_won_and_the_reverse_is_lost() -> None:
    """A finds the first object, B the second one and something where nothing is."""
    a = measure(TWO, [found(0, 1, *FIRST, 0.9)], NO_TASKS)
    b = measure(TWO, [found(0, 1, *NOWHERE, 0.95), found(0, 1, 100, 100, 30, 0.8)], NO_TASKS)
    lost, won = won_and_lost(a, b)
    assert (lost.is_won, lost.annotation_id, lost.name, lost.score, lost.position) == (False, 0, "class 1", 0.9, 0)
    assert (lost.iou_a, lost.iou_b) == (1.0, 0.0)
    assert (won.is_won, won.annotation_id, won.score, won.position) == (True, 1, 0.8, 1)
    assert won.iou_b == pytest.approx(30 * 30 / (40 * 40))
    assert won.box == (100, 100, 40, 40)


def test_score_and_iou_decide() -> None:
    a = measure(TWO, [], NO_TASKS)
    b = measure(TWO, [found(0, 1, 100, 100, 30, 0.4)], NO_TASKS)  # IoU 0.5625
    assert [len(won_and_lost(a, b, score, iou)) for score, iou in ((0.5, 0.5), (0.4, 0.5), (0.4, 0.6))] == [0, 1, 0]


def test_what_both_or_neither_finds_has_not_changed() -> None:
    both = [found(0, 1, *FIRST, 0.9)]
    assert won_and_lost(measure(TWO, both, NO_TASKS), measure(TWO, both, NO_TASKS)) == ()


def test_pictures_are_sorted_by_objects_won_and_lost_then_by_the_difference_in_ap() -> None:
    """Picture 0: the same. Picture 1: one object lost. Picture 2: none won or lost, but B also finds something wrong
    with a better score than the object, so its AP falls from 1 to 1/2 there."""
    document = truth((0, 1, *FIRST), (1, 1, *FIRST), (2, 1, *FIRST), images=3, classes=1)
    same = [found(0, 1, *FIRST, 0.9), found(2, 1, *FIRST, 0.8)]
    a = [*same, found(1, 1, *FIRST, 0.9)]
    b = [*same, found(2, 1, *NOWHERE, 0.9)]
    measured_a, measured_b = measure(document, a, NO_TASKS), measure(document, b, NO_TASKS)
    reports = [evaluate(document, side, tasks=NO_TASKS, with_evidence=True) for side in (a, b)]
    comparison = compare(reports[0], reports[1], resamples=10)
    changed = won_and_lost(measured_a, measured_b)
    rows = picture_changes(measured_a, measured_b, changed, comparison)
    assert [(row.picture, row.won, row.lost, row.fp_a, row.fp_b) for row in rows] == [
        (1, 0, 1, 0, 0),
        (2, 0, 0, 0, 1),
        (0, 0, 0, 0, 0),
    ]
    assert [row.difference for row in rows] == [pytest.approx(-1), pytest.approx(-0.5), 0]


def test_equal_to_matching_picture_by_picture_on_random_sets() -> None:
    """The oracle: `match_image` on each picture of both sides."""
    for seed in range(15):
        document, a = random_set(seed, images=4, objects=5, extra=4)
        b = [entry for number, entry in enumerate(a) if number % 3] + a[:2]
        changed = won_and_lost(measure(document, a, NO_TASKS), measure(document, b, NO_TASKS), 0.3, 0.5)
        expected = []
        for image in document["images"]:
            of_a, of_b = (match_image(document, side, image["id"], 0.3, 0.5, NO_TASKS) for side in (a, b))
            for one, other in zip(of_a.truths, of_b.truths, strict=True):
                if (one.status == "tp") != (other.status == "tp"):
                    expected.append((one.annotation_id, other.status == "tp", one.iou, other.iou))
        assert [(entry.annotation_id, entry.is_won, entry.iou_a, entry.iou_b) for entry in changed] == expected, seed


def test_other_labels_are_refused() -> None:
    one, other = measure(TWO, [], NO_TASKS), measure(truth((0, 1, *SECOND)), [], NO_TASKS)
    with pytest.raises(StudioError, match="measured on other labels"):
        won_and_lost(one, other)
    with pytest.raises(StudioError, match="one side is judged by masks"):
        won_and_lost(one, measure(TWO, [], ["box"]))
