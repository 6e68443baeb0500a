"""What a page draws: every object and every detection with what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import coco_summary, match_image


def strip(x: int, width: int) -> list[list[float]]:
    """A band 10 pixels high, from x on."""
    return [[x, 0, x + width, 0, x + width, 10, x, 10]]


def truth(*bands: tuple[int, int, int]) -> dict[str, Any]:
    """(category, x, width) of each object in one picture of 100 x 10."""
    return {
        "images": [{"id": 5, "file_name": "a.jpg", "width": 100, "height": 10}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": number, "image_id": 5, "category_id": category, "iscrowd": 0, "segmentation": strip(x, width)}
            for number, (category, x, width) in enumerate(bands, start=1)
        ],
    }


def found(category: int, x: int, width: int, score: float) -> dict[str, Any]:
    return {
        "image_id": 5,
        "category_id": category,
        "score": score,
        "bbox": [x, 0, width, 10],
        "segmentation": strip(x, width),
    }


def test_hit_miss_and_mistake() -> None:
    document = truth((1, 0, 20), (1, 50, 20))
    matches = match_image(document, [found(2, 50, 20, 0.95), found(1, 0, 25, 0.9)], 5)

    assert [truth.status for truth in matches.truths] == ["tp", "fn"]
    assert [prediction.status for prediction in matches.predictions] == ["fp", "tp"]
    assert matches.truths[0].partner == 1
    assert matches.predictions[1].partner == 0
    # 20 of 25 columns.
    assert matches.predictions[1].iou == pytest.approx(0.8)
    assert matches.truths[0].iou == pytest.approx(0.8)
    # The right place but the wrong class is no overlap at all.
    assert (matches.predictions[0].iou, matches.truths[1].iou) == (0, 0)
    assert (matches.tp, matches.fp, matches.fn) == (1, 1, 1)


@pytest.mark.parametrize(("second", "found_objects"), [(0, 2), (20, 1)])
def test_of_two_objects_that_it_overlaps_alike_a_detection_finds_the_later(second: int, found_objects: int) -> None:
    """pycocotools' choice, so that what is drawn as missed is missed in AP50, too. 30 of 50 columns with either; the
    weaker detection lies on one of them exactly."""
    document = truth((1, 0, 40), (1, 20, 40))
    detections = [found(1, 10, 40, 0.9), found(1, second, 40, 0.8)]
    matches = match_image(document, detections, 5)
    assert (matches.predictions[0].partner, matches.predictions[0].iou) == (1, pytest.approx(0.6))
    assert (matches.tp, matches.fp, matches.fn) == (found_objects, 2 - found_objects, 2 - found_objects)
    # One of two found with precision 1: 51 of 101 recalls.
    assert coco_summary(document, detections, "segm")["AP50"] == pytest.approx({2: 1, 1: 51 / 101}[found_objects])


def test_the_better_score_chooses_first() -> None:
    """Both overlap the object enough, the weaker one better: the stronger one still gets it."""
    matches = match_image(truth((1, 0, 20)), [found(1, 0, 20, 0.6), found(1, 0, 30, 0.9)], 5)
    assert [(p.position, p.status) for p in matches.predictions] == [(1, "tp"), (0, "fp")]
    assert matches.predictions[1].iou == pytest.approx(1.0)


def test_a_detection_takes_the_object_it_overlaps_best() -> None:
    matches = match_image(truth((1, 0, 20), (1, 4, 20)), [found(1, 5, 20, 0.9)], 5)
    assert matches.predictions[0].partner == 1
    assert [truth.status for truth in matches.truths] == ["fn", "tp"]


@pytest.mark.parametrize(("width", "status"), [(40, "tp"), (41, "fp")])
def test_the_threshold_itself_is_enough(width: int, status: str) -> None:
    """20 of 40 columns is an IoU of .5 exactly."""
    matches = match_image(truth((1, 0, 20)), [found(1, 0, width, 0.9)], 5)
    assert matches.predictions[0].status == status


def test_a_detection_that_finds_nothing_is_a_mistake_also_beside_a_crowd() -> None:
    document = truth((1, 0, 20), (1, 50, 20))
    document["annotations"][1]["iscrowd"] = 1
    matches = match_image(document, [found(1, 30, 10, 0.9), found(1, 55, 10, 0.8)], 5)
    assert [prediction.status for prediction in matches.predictions] == ["fp", "ignored"]


def test_scores_below_the_threshold_are_not_shown() -> None:
    detections = [found(1, 0, 20, 0.49), found(1, 0, 20, 0.5)]
    assert [p.position for p in match_image(truth((1, 0, 20)), detections, 5, min_score=0.5).predictions] == [1]
    assert len(match_image(truth((1, 0, 20)), detections, 5, min_score=0.0).predictions) == 2


def test_an_object_is_preferred_to_a_crowd() -> None:
    document = truth((1, 0, 20), (1, 0, 100))
    document["annotations"][1]["iscrowd"] = 1
    matches = match_image(document, [found(1, 0, 22, 0.9), found(1, 60, 10, 0.8)], 5)
    assert [p.status for p in matches.predictions] == ["tp", "ignored"]
    assert [t.status for t in matches.truths] == ["tp", "ignored"]
    assert (matches.tp, matches.fp, matches.fn) == (1, 0, 0)


def test_an_empty_picture_and_an_unknown_one() -> None:
    nothing = match_image(truth(), [], 5)
    assert (nothing.truths, nothing.predictions) == ((), ())
    with pytest.raises(StudioError, match="id 6"):
        match_image(truth(), [], 6)
