"""Why an object was missed, where something lies on it: one hand-made situation for each reason.

Pictures are 64 x 64 px, not resized; the object is 20 x 20 px, so a box over k of its rows has an IoU of k / 20.
The network gives what `network` is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures, raster, read
from maskrcnn.annotations.formats.coco import run_lengths
from maskrcnn.model import ObjectStory, detect, explain, load, prepare, trace
from tests.model.tracing.test_trace_verdicts import (
    CAT,
    DOG,
    ELSEWHERE,
    OBJECT,
    RIVAL,
    SURE_CAT,
    UPPER,
    Says,
    network,
    stories,
)

ROOT = Path(__file__).parents[3]
ROWS_19 = [10, 10, 30, 29]  # IoU 0.95
ROWS_8 = [10, 10, 30, 18]  # IoU 0.4
KEEP = {"rpn_nms_threshold": 0.99}


def missed(story: ObjectStory, reason: str) -> str:
    assert not story.found
    assert story.reason == reason
    return story.verdict


# A detection of another class lies on it


@pytest.mark.parametrize(
    ("chances", "min_score", "verdict"),
    [
        # The dog box has 19 of 20 rows. The best cat is the other box, of which the background has most: it is no
        # reason that the background has 0.43 there.
        (
            [[0.12, 0.03, 0.85], [0.43, 0.30, 0.27]],
            0.5,
            "Taken for another class: a detection as dog with score 0.85 lies on it with IoU 0.95. Its best score as "
            "cat is 0.30 (IoU 0.60), below 0.5, from which on detections are shown.",
        ),
        (
            [[0.12, 0.03, 0.85], [0.94, 0.04, 0.02]],
            0.5,
            "Taken for another class: a detection as dog with score 0.85 lies on it with IoU 0.95. Its best score as "
            "cat is 0.04 (IoU 0.60), below detection_min_confidence 0.05.",
        ),
        (
            [[0.01, 0.49, 0.50], [0.98, 0.01, 0.01]],
            0.5,
            "Taken for another class: a detection as dog with score 0.50 lies on it with IoU 0.95. Its best score as "
            "cat is 0.49 (IoU 0.95), below 0.5, from which on detections are shown.",
        ),
        # Two dogs on it, of which NMS keeps the better one, though it lies less well.
        (
            [[0.38, 0.02, 0.60], [0.08, 0.02, 0.90]],
            0.5,
            "Taken for another class: a detection as dog with score 0.90 lies on it with IoU 0.60. Its best score as "
            "cat is 0.02 (IoU 0.95), below detection_min_confidence 0.05.",
        ),
    ],
)
def test_taken_for_another_class(chances: list[list[float]], min_score: float, verdict: str) -> None:
    (story,) = stories(network([ROWS_19, UPPER], [0.9, 0.8], chances, **KEEP), min_score=min_score)
    assert missed(story, "another class") == verdict


def test_its_own_box_went_at_a_filter_and_another_class_stands_there() -> None:
    # Two detections may stay: the dog on it (0.90) and a cat elsewhere (0.70); its own cat has 0.06.
    model = network(
        [OBJECT, ELSEWHERE], [0.9, 0.8], [[0.04, 0.06, 0.90], [0.26, 0.70, 0.04]], detection_max_instances=2
    )
    (story,) = stories(model)
    assert story.lost_at == "best detections"
    assert missed(story, "another class") == (
        "Taken for another class: a detection as dog with score 0.90 lies on it with IoU 1.00. As cat: Its best "
        "detection (IoU 1.00) is number 3 of 3 by score (0.06), and only the best 2 go on (detection_max_instances)."
    )


def test_the_box_head_moves_the_cat_away_and_the_dog_stays() -> None:
    model = network([OBJECT], [0.9], [[0.1, 0.1, 0.8]])
    moves = torch.zeros(1, 12)
    moves[0, 4] = 0.5  # dx of the cat: 10 px to the right, IoU 1/3
    model.roi_heads.box_predictor.answer = (torch.tensor([[0.1, 0.1, 0.8]]).log(), moves)
    (story,) = stories(model)
    assert story.lost_at == "refined"
    assert missed(story, "another class") == (
        "Taken for another class: a detection as dog with score 0.80 lies on it with IoU 1.00. No box as cat fits it."
    )


def test_a_dog_that_finds_a_dog_is_not_taken_for_the_cat_beneath() -> None:
    cat, dog = stories(network([OBJECT], [0.9], [[0.03, 0.01, 0.96]]), [OBJECT, ROWS_19], [CAT, DOG])
    assert dog.found
    assert missed(cat, "low score") == (
        "Classified as dog (0.96, IoU 1.00, which finds another object) rather than cat (0.01, below "
        "detection_min_confidence 0.05)."
    )


def test_a_dog_that_is_not_shown_either() -> None:
    (story,) = stories(network([OBJECT], [0.9], [[0.35, 0.20, 0.45]]), min_score=0.5)
    assert missed(story, "not shown") == (
        "Classified as dog (0.45, IoU 1.00) rather than cat (0.20, below 0.5, from which on detections are shown)."
    )


def test_a_weak_dog_is_no_reason_where_the_cat_was_strong() -> None:
    model = network([UPPER, RIVAL], [0.9, 0.8], [[0.2, 0.6, 0.2], [0.05, 0.9, 0.05]], **KEEP)
    (story,) = stories(model)
    assert missed(story, "NMS").startswith("Its best detection (IoU 0.60, score 0.60) was dropped by NMS")


# One of its class lies on it too loosely


@pytest.mark.parametrize(
    ("rows", "iou"),
    # 20 px wide and so many rows of 20; just below the half another decimal tells.
    [(3, "0.15"), (8, "0.40"), (9.9, "0.495"), (9.98, "0.499"), (9.998, "0.4999")],
)
def test_found_too_loosely(rows: float, iou: str) -> None:
    (story,) = stories(network([[10, 10, 30, 10 + rows]], [0.9], [SURE_CAT]), min_score=0.5)
    assert missed(story, "too loose").startswith(
        f"Found too loosely: a detection as cat with score 0.80 lies on it with IoU {iou}, and 0.5 is needed. "
        "No anchor overlaps it"
    )


def test_a_box_that_only_touches_it_has_nothing_to_do_with_it() -> None:
    # One row of 20: 0.05.
    (story,) = stories(network([[10, 10, 30, 11]], [0.9], [SURE_CAT]))
    assert missed(story, "no box").startswith("No anchor overlaps it by more than 0.05")


def test_loosely_found_while_the_box_that_fits_has_no_score() -> None:
    model = network([ROWS_8, OBJECT], [0.9, 0.8], [SURE_CAT, [0.97, 0.02, 0.01]], **KEEP)
    (story,) = stories(model, min_score=0.5)
    assert story.lost_at == "score"
    assert missed(story, "too loose") == (
        "Found too loosely: a detection as cat with score 0.80 lies on it with IoU 0.40, and 0.5 is needed. Its best "
        "score as cat, 0.02 (IoU 1.00), is below detection_min_confidence 0.05; background has 0.97."
    )


def test_a_loose_detection_that_finds_another_object_is_no_reason() -> None:
    model = network([ROWS_8, OBJECT], [0.9, 0.8], [SURE_CAT, [0.97, 0.02, 0.01]], **KEEP)
    whole, upper = stories(model, [OBJECT, ROWS_8], [CAT, CAT], min_score=0.5)
    assert upper.found
    assert missed(whole, "low score").startswith("Its best score as cat, 0.02 (IoU 1.00), is below")


def test_a_loose_dog_is_told_of_last() -> None:
    model = network([ROWS_8, OBJECT], [0.9, 0.8], [[0.1, 0.1, 0.8], [0.97, 0.02, 0.01]], **KEEP)
    (story,) = stories(model, min_score=0.5)
    assert missed(story, "low score") == (
        "Its best score as cat, 0.02 (IoU 1.00), is below detection_min_confidence 0.05; background has 0.97. A "
        "detection as dog with score 0.80 lies on it with IoU 0.40, too."
    )


def with_masks(columns: dict[int, int], chances: list[list[float]], anchors: Any = (OBJECT,)) -> Any:
    """A network whose masks fill the left of 20 columns of each box, a number for each class."""
    model = network(anchors, [0.9, 0.8][: len(anchors)], chances, tasks=("box", "mask"), **KEEP)
    logits = torch.full((2, 3, 20, 20), -10.0)
    for label, filled in columns.items():
        logits[:, label, :, :filled] = 10
    model.roi_heads.mask_predictor = Says(logits)
    return model


def whole_mask() -> dict[str, Any]:
    mask = np.zeros((1, 64, 64), bool)
    mask[:, 10:30, 10:30] = True
    return {"masks": mask}


def test_its_box_fits_and_its_mask_does_not() -> None:
    (story,) = stories(with_masks({CAT: 6, DOG: 20}, [SURE_CAT]), targets=whole_mask())
    assert missed(story, "too loose") == (
        "Its box was found (IoU 1.00, score 0.80), but its mask overlaps the object's by only 0.30."
    )


def test_the_iou_of_masks_decides_about_another_class_too() -> None:
    # The dog's mask has 6 of 20 columns: it does not lie on the cat, though its box does.
    chances = [[0.28, 0.02, 0.70]]
    (story,) = stories(with_masks({CAT: 20, DOG: 6}, chances), targets=whole_mask())
    assert missed(story, "low score").endswith(
        "A detection as dog with score 0.70 lies on it with mask IoU 0.30 and box IoU 1.00, too."
    )
    (story,) = stories(with_masks({CAT: 20, DOG: 19}, chances), targets=whole_mask())
    assert missed(story, "another class").startswith(
        "Taken for another class: a detection as dog with score 0.70 lies on it with mask IoU 0.95 and box IoU 1.00. "
    )


# Its detection finds another object


@pytest.mark.parametrize(
    ("second", "iou"),
    # So many rows from the top of the box that both have.
    [([10, 10, 30, 24], "0.70"), ([10, 10, 30, 29], "0.95"), ([10, 10, 30, 20], "0.50"), ([10, 10, 24, 30], "0.70")],
)
def test_one_detection_on_two_objects(second: list[int], iou: str) -> None:
    first, other = stories(network([OBJECT], [0.9], [SURE_CAT]), [OBJECT, second], [CAT, CAT])
    assert first.found
    assert missed(other, "counted for another") == (
        f"Its best detection (IoU {iou}, score 0.80) counts for another cat already, which it overlaps by 1.00, and "
        "one detection finds one object."
    )


def test_of_two_objects_alike_the_later_is_found_as_the_page_counts() -> None:
    first, later = stories(network([OBJECT], [0.9], [SURE_CAT]), [OBJECT, OBJECT], [CAT, CAT])
    assert later.found
    assert missed(first, "counted for another").startswith("Its best detection (IoU 1.00, score 0.80) counts for")


def test_a_closer_box_went_by_nms_in_favour_of_the_one_that_counts_for_another() -> None:
    """The objects are shifted by 6 rows. The better box is a row below the first: 19 rows of 21 common, 0.90; with the
    second 15 of 25, 0.60. The box on the second overlaps the better one by 0.60, too, more than 0.5."""
    second, better = [10, 16, 30, 36], [10, 11, 30, 31]
    model = network([better, second], [0.9, 0.8], [[0.05, 0.9, 0.05], [0.25, 0.7, 0.05]], **KEEP)
    first, other = stories(model, [OBJECT, second], [CAT, CAT])
    assert first.found
    assert missed(other, "counted for another") == (
        "Its best detection (IoU 0.60, score 0.90) counts for another cat already, which it overlaps by 0.90, and one "
        "detection finds one object. NMS had dropped a closer one (IoU 1.00, score 0.70) in its favour."
    )


def test_nms_kept_a_box_that_finds_another() -> None:
    model = network([UPPER, RIVAL], [0.9, 0.8], [[0.3, 0.6, 0.1], [0.05, 0.9, 0.05]], **KEEP)
    first, other = stories(model, [OBJECT, RIVAL], [CAT, CAT])
    assert other.found
    assert missed(first, "NMS") == (
        "Its best detection (IoU 0.60, score 0.60) was dropped by NMS in favour of a box with score 0.90: the two "
        "overlap by 0.64, more than 0.5, but that box overlaps the object by only 0.41 and finds another cat."
    )


# Nothing lies on it


@pytest.mark.parametrize(
    ("given", "fields", "reason", "begins"),
    [
        (([OBJECT], [0.9], [[0.7, 0.2, 0.1]]), {}, "not shown", "Its best score as cat, 0.20 (IoU 1.00), is below 0.5"),
        (([OBJECT], [0.9], [[0.96, 0.02, 0.02]]), {}, "low score", "Its best score as cat, 0.02 (IoU 1.00), is below"),
        (([OBJECT], [0.01]), {"rpn_min_score": 0.5}, "low score", "The objectness 0.01 of its best proposal"),
        (
            ([OBJECT, ELSEWHERE], [0.6, 0.9], [SURE_CAT]),
            {"post_nms_rois_inference": 1},
            "limit",
            "Its best proposal (IoU 1.00) is number 2 of 2 by objectness (0.60), and only the best 1 go on",
        ),
        (
            ([OBJECT, ELSEWHERE], [0.9, 0.8], [[0.4, 0.55, 0.05], SURE_CAT]),
            {"detection_max_instances": 1},
            "limit",
            "Its best detection (IoU 1.00) is number 2 of 3 by score (0.55), and only the best 1 go on",
        ),
        (([ELSEWHERE], [0.9], [SURE_CAT]), {}, "no box", "No anchor overlaps it by more than 0.00"),
    ],
)
def test_what_became_of_its_boxes_where_nothing_lies_on_it(
    given: tuple[Any, ...], fields: dict[str, Any], reason: str, begins: str
) -> None:
    (story,) = stories(network(*given, **fields), min_score=0.5)
    assert missed(story, reason).startswith(begins)


def test_the_circle_of_the_sample_that_the_toy_takes_for_an_ellipse() -> None:
    """What is told of it is what `detect` finds, measured by pycocotools: the highest background is no reason."""
    model = prepare(load(ROOT / "data" / "weights" / "toy"), "cpu", "float32")
    dataset = read(ROOT / "data" / "shapes" / "val")
    (record,) = [record for record in dataset.images if record.file_name == "toy2-001.jpg"]
    assert record.path
    picture = pictures.load(record.path)
    height, width = picture.shape[:2]
    codes = [raster.rle(region.shape, height, width) for region in record.regions]
    x, y, w, h = np.array([run_lengths.mask_box(code) for code in codes]).T
    names = [region.class_name for region in record.regions]
    targets = {
        "boxes": np.stack([x, y, x + w, y + h], axis=1),
        "labels": [model.config.names.index(name) + 1 for name in names],
        "masks": np.stack([raster.mask(region.shape, height, width) for region in record.regions]),
    }
    story = next(story for story in explain(trace(model, picture, targets), 0.5) if story.name == "circle")

    circle = codes[names.index("circle")]
    ellipses = [entry for entry in detect(model, picture) if model.config.names[entry["category_id"] - 1] == "ellipse"]
    mask_ious = coco_mask.iou([entry["segmentation"] for entry in ellipses], [circle], [0])[:, 0]
    ellipse, mask_iou = ellipses[mask_ious.argmax()], mask_ious.max()
    box_iou = coco_mask.iou([ellipse["bbox"]], [run_lengths.mask_box(circle)], [0]).item()
    assert min(mask_iou, box_iou) > 0.8
    assert missed(story, "another class").startswith(
        f"Taken for another class: a detection as ellipse with score {ellipse['score']:.2f} lies on it with mask IoU "
        f"{mask_iou:.2f} and box IoU {box_iou:.2f}. Its best score as circle is "
    )
