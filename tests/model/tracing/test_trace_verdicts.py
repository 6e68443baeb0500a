"""Why an object disappeared: one hand-made situation for each filter that can drop it.

The network is real, but its anchors, its RPN head and its last box layer give what a test tells them. Pictures are 64 x
64 px and not resized, so all numbers are pixels of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import ObjectStory, build, explain, trace
from maskrcnn.model.build import StudioRCNN
from tests import tiny

Boxes = Sequence[Sequence[float]]

CAT, DOG = 1, 2
OBJECT = [10, 10, 30, 30]
ELSEWHERE = [40, 40, 60, 60]
SURE_CAT = [0.1, 0.8, 0.1]
STAYS = [0, 0, 0, 0]


class Says(nn.Module):
    """A module that answers what it was told."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, *_: Any) -> Any:
        return self.answer


def network(
    anchors: Boxes,
    objectness: Sequence[float],
    chances: Boxes = (),
    anchor_moves: Boxes = (),
    box_moves: Boxes = (),
    **fields: Any,
) -> StudioRCNN:
    """A network with these anchors on one cell of one map, their objectness in [0, 1], and for each proposal, best
    first, the chances of background, cat and dog. `anchor_moves` and `box_moves` are deltas (dx, dy, dw, dh)."""
    tiny_fields = {**tiny.CONFIG, "backbone": "mobilenet_v3_small_c5", "image_min_dim": 64, "image_max_dim": 64}
    changes = {"tasks": ("box",), "class_names": ("cat", "dog"), "bbox_std_dev": (1, 1, 1, 1), **fields}
    model = build(Config.preset("classroom", **{**tiny_fields, **changes}))
    count = len(anchors)
    logits = torch.tensor([math.log(chance / (1 - chance)) for chance in objectness]).reshape(1, count, 1, 1)
    moves = torch.tensor(anchor_moves or [STAYS] * count).float().reshape(1, 4 * count, 1, 1)
    model.rpn.head = Says(([logits], [moves]))
    model.rpn.anchor_generator = Says([torch.tensor(anchors).float()])
    refinements = torch.tensor(box_moves or [STAYS] * len(chances)).float()
    scores = torch.tensor(chances).reshape(-1, 3).log()
    model.roi_heads.box_predictor = Says((scores, refinements.reshape(-1, 4).repeat(1, 3)))
    return model


def stories(
    model: StudioRCNN, boxes: Boxes = (OBJECT,), labels: Sequence[int] = (CAT,), **more: Any
) -> list[ObjectStory]:
    targets = {"boxes": boxes, "labels": labels, **more.pop("targets", {})}
    return explain(trace(model, np.zeros((64, 64, 3), np.uint8), targets), **more)


def test_found() -> None:
    (story,) = stories(network([OBJECT], [0.9], [SURE_CAT]))
    assert (story.found, story.lost_at, story.name, story.box) == (True, "", "cat", (10, 10, 30, 30))
    assert story.verdict == "Found with IoU 1.00 and score 0.80."
    assert (story.anchor.index, story.anchor.level, story.anchor.iou, story.anchor.label) == (0, "C5", 1, 1)
    assert [standing.left for standing in story.proposals + story.detections] == [1] * (7 + 6 + 2)


def test_smaller_than_every_anchor() -> None:
    # 9 x 9 within 32 x 32: 81 / 1024 = 0.079.
    (story,) = stories(network([[0, 0, 32, 32], ELSEWHERE], [0.9, 0.1], [SURE_CAT] * 2), [[10, 10, 19, 19]])
    assert story.lost_at == "decoded"
    assert story.verdict == (
        "No anchor overlaps it by more than 0.08: the smallest anchor is 20 px, the object 9 px (in the resized "
        "picture)."
    )
    assert story.anchor.iou == pytest.approx(81 / 1024)


def test_larger_than_every_anchor() -> None:
    # 20 x 20 within 60 x 60: 400 / 3600.
    (story,) = stories(network([OBJECT], [0.9], [SURE_CAT]), [[0, 0, 60, 60]])
    assert story.lost_at == "decoded"
    assert "more than 0.11: the largest anchor is 20 px, the object 60 px" in story.verdict


def test_flatter_than_every_anchor() -> None:
    # 40 x 10 with 20 x 20 across its middle: 200 common of 400 + 400 - 200.
    (story,) = stories(network([[20, 10, 40, 30]], [0.9], [SURE_CAT]), [[10, 15, 50, 25]])
    assert story.lost_at == "decoded"
    assert "more than 0.33: anchors are 1 to 1 times as high as wide, the object 0.25 times" in story.verdict


def test_between_the_anchors() -> None:
    # 20 x 20 shifted by 10: 200 / 600.
    (story,) = stories(network([[20, 10, 40, 30]], [0.9], [SURE_CAT]))
    assert story.lost_at == "decoded"
    assert "more than 0.33: the nearest is 20 × 20 px, the object 20 × 20 px" in story.verdict


def test_a_very_flat_object_has_no_exponent() -> None:
    # 0.2 x 30 in an anchor of 20 x 20 that covers 20 of its 30 rows: 0.2 x 20 of 400 + 6 - 4.
    (story,) = stories(network([OBJECT], [0.9], [SURE_CAT]), [[15, 10, 15.2, 40]])
    assert "times as high as wide, the object 150 times" in story.verdict


def test_an_anchor_that_the_rpn_moves_away() -> None:
    # dx = 0.5 of 20 px: 200 / 600.
    (story,) = stories(network([OBJECT], [0.9], [SURE_CAT], anchor_moves=[[0.5, 0, 0, 0]]))
    assert story.lost_at == "decoded"
    assert story.reason == "too loose"
    assert story.verdict == (
        "Found too loosely: a detection as cat with score 0.80 lies on it with IoU 0.33, and 0.5 is needed. "
        "The RPN moved its best anchor (IoU 1.00, objectness 0.90) away from it, to IoU 0.33; no other anchor came "
        "closer than 0.33."
    )


def test_outranked_on_its_level() -> None:
    (story,) = stories(network([OBJECT, ELSEWHERE], [0.6, 0.9], [SURE_CAT], pre_nms_limit=1))
    assert story.lost_at == "best per level"
    assert story.verdict == (
        "Its best proposal (IoU 1.00) is number 2 of 2 on C5 by objectness (0.60), and only the best 1 of each level "
        "go on (pre_nms_limit)."
    )
    assert [standing.left for standing in story.proposals[:2]] == [1, 0]


def test_cut_off_at_the_edge() -> None:
    # 14 of its 30 columns lie in the picture.
    outside = [50, 10, 80, 30]
    (story,) = stories(network([outside], [0.9], [SURE_CAT]), [outside])
    assert story.lost_at == "clipped"
    assert "(IoU 1.00) was cut off at the edge of the picture and then overlaps it by only 0.47" in story.verdict


def test_a_proposal_that_is_too_small() -> None:
    model = network([[10, 10, 14, 14]], [0.9])
    model.rpn.min_size = 5
    (story,) = stories(model, [[10, 10, 14, 14]])
    assert story.lost_at == "large enough"
    assert story.verdict == "Its best proposal (IoU 1.00) is 4 × 4 px, and a side below 5 px is dropped."


def test_too_little_objectness() -> None:
    (story,) = stories(network([OBJECT, ELSEWHERE], [0.03, 0.5], [SURE_CAT], rpn_min_score=0.05))
    assert story.lost_at == "objectness"
    assert story.verdict == "The objectness 0.03 of its best proposal (IoU 1.00) is below rpn_min_score 0.05."


# Of the object 20 x 20: the upper 12 rows, 240 / 400 = 0.6. Its rival, 20 x 11, has 9 rows in common with both: with
# the box 180 / (240 + 220 - 180) = 0.643, with the object 180 / (400 + 220 - 180) = 0.409.
UPPER, RIVAL = [10, 10, 30, 22], [10, 8, 30, 19]


def test_dropped_by_nms_of_the_rpn() -> None:
    (story,) = stories(network([UPPER, RIVAL], [0.8, 0.91], [SURE_CAT], rpn_nms_threshold=0.6))
    assert story.lost_at == "RPN NMS"
    assert story.verdict == (
        "Found too loosely: a detection as cat with score 0.80 lies on it with IoU 0.41, and 0.5 is needed. "
        "Its best proposal (IoU 0.60, objectness 0.80) was dropped by NMS in favour of a box with objectness 0.91: the "
        "two overlap by 0.64, more than 0.6, but that box overlaps the object by only 0.41."
    )
    assert [(standing.filter, standing.best) for standing in story.proposals[4:6]] == [
        ("objectness", 0),
        ("RPN NMS", 1),
    ]


def test_not_among_the_best_proposals() -> None:
    (story,) = stories(network([OBJECT, ELSEWHERE], [0.6, 0.9], [SURE_CAT], post_nms_rois_inference=1))
    assert story.lost_at == "best proposals"
    assert story.verdict == (
        "Its best proposal (IoU 1.00) is number 2 of 2 by objectness (0.60), and only the best 1 go on "
        "(post_nms_rois_inference)."
    )


def test_moved_away_by_the_box_head() -> None:
    (story,) = stories(network([OBJECT], [0.9], [SURE_CAT], box_moves=[[0, 0.5, 0, 0]]))
    assert story.lost_at == "refined"
    assert story.verdict == (
        "Found too loosely: a detection as cat with score 0.80 lies on it with IoU 0.33, and 0.5 is needed. "
        "The box head moved its best proposal (IoU 1.00) away from it: as cat it overlaps it by 0.33."
    )


def test_a_refined_box_that_is_cut_off() -> None:
    # The proposal is clipped to 14 columns of 30 and stretched back: lost, rescued, lost.
    outside, stretch = [50, 10, 80, 30], [8 / 14, 0, math.log(30 / 14), 0]
    (story,) = stories(network([outside], [0.9], [SURE_CAT], box_moves=[stretch]), [outside])
    assert [bool(standing.left) for standing in story.proposals] == [True, True, False, False, False, False, False]
    assert [bool(standing.left) for standing in story.detections[:2]] == [True, False]
    assert story.lost_at == "boxes clipped"
    assert "best detection (IoU 1.00) was cut off" in story.verdict


@pytest.mark.parametrize(
    ("chances", "verdict"),
    [
        (
            [0.27, 0.02, 0.71],
            "Taken for another class: a detection as dog with score 0.71 lies on it with IoU 1.00. Its best score as "
            "cat is 0.02 (IoU 1.00), below detection_min_confidence 0.05.",
        ),
        (
            [0.95, 0.03, 0.02],
            "Its best score as cat, 0.03 (IoU 1.00), is below detection_min_confidence 0.05; background has 0.95.",
        ),
        (
            [0.93, 0.0496, 0.0204],
            "Its best score as cat, 0.0496 (IoU 1.00), is below detection_min_confidence 0.05; background has 0.93.",
        ),
    ],
)
def test_too_low_a_score(chances: list[float], verdict: str) -> None:
    (story,) = stories(network([OBJECT], [0.9], [chances]))
    assert story.lost_at == "score"
    assert story.verdict == verdict


def test_of_several_boxes_the_one_with_the_best_score_is_told_of() -> None:
    # The weaker cat lies better; the other overlaps the object by 0.6.
    (story,) = stories(network([OBJECT, UPPER], [0.9, 0.8], [[0.98, 0.01, 0.01], [0.95, 0.03, 0.02]]))
    assert story.verdict.startswith("Its best score as cat, 0.03 (IoU 0.60), is below")


@pytest.mark.parametrize(
    ("chances", "verdict"),
    [
        (
            [0.09, 0.2, 0.71],
            "Taken for another class: a detection as dog with score 0.71 lies on it with IoU 1.00. Its best score as "
            "cat is 0.20 (IoU 1.00), below 0.5, from which on detections are shown.",
        ),
        (
            [0.58, 0.32, 0.1],
            "Its best score as cat, 0.32 (IoU 1.00), is below 0.5, from which on detections are "
            "shown; background has 0.58.",
        ),
        (
            [0.24, 0.45, 0.31],
            "Its best score as cat, 0.45 (IoU 1.00), is below 0.5, from which on detections are shown; dog has 0.31.",
        ),
    ],
)
def test_a_detection_that_is_not_shown(chances: list[float], verdict: str) -> None:
    model = network([OBJECT], [0.9], [chances])
    (story,) = stories(model, min_score=0.5)
    assert story.lost_at == "shown"
    assert story.verdict == verdict
    assert stories(model)[0].found


def test_a_detection_that_is_too_small() -> None:
    # torchvision drops boxes below 0.01 px.
    dot = [10, 10, 10.005, 10.005]
    (story,) = stories(network([dot], [0.9], [SURE_CAT]), [dot])
    assert story.lost_at == "boxes large enough"
    assert "is 0.005 × 0.005 px, and a side below 0.01 px is dropped" in story.verdict


def test_dropped_by_nms_of_the_detections() -> None:
    # The better proposal is the worse cat.
    chances = [[0.3, 0.6, 0.1], [0.05, 0.9, 0.05]]
    (story,) = stories(network([UPPER, RIVAL], [0.9, 0.8], chances))
    assert story.lost_at == "detection NMS"
    assert story.verdict == (
        "Its best detection (IoU 0.60, score 0.60) was dropped by NMS in favour of a box with score 0.90: the two "
        "overlap by 0.64, more than 0.5, but that box overlaps the object by only 0.41."
    )


def test_not_among_the_best_detections() -> None:
    chances = [[0.4, 0.55, 0.05], SURE_CAT]
    (story,) = stories(network([OBJECT, ELSEWHERE], [0.9, 0.8], chances, detection_max_instances=1))
    assert story.lost_at == "best detections"
    # Four boxes, each as cat and as dog, of which dog at 0.05 is below the limit.
    assert story.verdict == (
        "Its best detection (IoU 1.00) is number 2 of 3 by score (0.55), and only the best 1 go on "
        "(detection_max_instances)."
    )


def test_a_mask_that_does_not_fit() -> None:
    # The mask fills 7 of its 28 columns: 5 of the box's 20.
    model = network([OBJECT], [0.9], [SURE_CAT], tasks=("box", "mask"))
    logits = torch.full((2, 3, 28, 28), -10.0)
    logits[..., :7] = 10
    model.roi_heads.mask_predictor = Says(logits)
    mask = np.zeros((1, 64, 64), bool)
    mask[:, 10:30, 10:30] = True
    (story,) = stories(model, targets={"masks": mask})
    assert story.lost_at == "mask"
    assert story.verdict == (
        "Its box was found (IoU 1.00, score 0.80), but its mask overlaps the object's by only 0.25."
    )
    assert stories(model)[0].found  # by its box, where no masks are known


def test_two_objects_and_one_detection() -> None:
    # The second object is the upper 14 of the 20 rows: 280 / 400 = 0.7 with the box that is the first.
    first, second = stories(network([OBJECT], [0.9], [SURE_CAT]), [OBJECT, [10, 10, 30, 24]], [CAT, CAT])
    assert first.found
    assert second.lost_at == "match"
    assert second.verdict == (
        "Its best detection (IoU 0.70, score 0.80) counts for another cat already, which it overlaps "
        "by 1.00, and one detection finds one object."
    )


def test_a_detection_takes_the_object_that_is_still_free() -> None:
    # The second detection overlaps the first object by 0.8, which is taken, and the second by 200 / 320 = 0.625.
    anchors = [OBJECT, [10, 10, 30, 26]]
    model = network(anchors, [0.9, 0.8], [SURE_CAT] * 2, rpn_nms_threshold=0.9, detection_nms_threshold=0.9)
    first, second = stories(model, [OBJECT, [10, 10, 30, 20]], [CAT, CAT])
    assert (first.found, second.found) == (True, True)


def test_the_right_box_of_the_wrong_class_finds_nothing() -> None:
    cat, dog = stories(network([OBJECT], [0.9], [[0.03, 0.01, 0.96]]), [OBJECT, OBJECT], [CAT, DOG])
    assert (cat.lost_at, dog.found) == ("score", True)


def test_no_proposals_at_all() -> None:
    (story,) = stories(network([OBJECT], [0.01], rpn_min_score=0.5))
    assert story.lost_at == "objectness"
    assert [standing.best for standing in story.detections] == [-1] * len(story.detections)


def test_no_objects() -> None:
    assert stories(network([OBJECT], [0.9], [SURE_CAT]), [], []) == []


def test_a_trace_without_ground_truth() -> None:
    model = network([OBJECT], [0.9], [SURE_CAT])
    with pytest.raises(StudioError, match="give trace"):
        explain(trace(model, np.zeros((64, 64, 3), np.uint8)))


def test_a_story_is_made_of_plain_values() -> None:
    # Nothing that a story says is a tensor or an array: it can be cached, compared and written as JSON.
    (story,) = stories(network([OBJECT], [0.9], [SURE_CAT]))
    values = [*vars(story).values(), *vars(story.anchor).values(), *vars(story.proposals[0]).values()]
    assert not [value for value in values if isinstance(value, Tensor | np.ndarray | np.generic)]


def test_another_minimum_iou_moves_what_fits() -> None:
    """Shifted by 4 of 20 px, the box overlaps the object by 16 / 24 = 0.67; by 1 of 20, by 19 / 21 = 0.90."""
    model = network([[14, 10, 34, 30]], [0.9], [SURE_CAT])
    assert stories(model, iou=0.65)[0].found
    (story,) = stories(model, iou=0.7)
    assert (story.found, story.lost_at, story.reason) == (False, "decoded", "too loose")
    assert "with IoU 0.67, and 0.7 is needed" in story.verdict
    assert stories(network([[11, 10, 31, 30]], [0.9], [SURE_CAT]), iou=0.9)[0].found
    # 2 of 20 px in common on each side: 20 / 780. Below NEAR_IOU it finds the object if that is asked for.
    (far,) = stories(network([[29, 10, 49, 30]], [0.9], [SURE_CAT]), iou=0.02)
    assert far.found
