"""When two programs find the same: boxes to 0.01 px, masks to an IoU of 0.999, and nothing in one list alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskrcnn.config import Config
from maskrcnn.inference.export.agreement import Agreement, agreement, pictures_to_compare
from maskrcnn.model.mask_pasting import MaskCrop, encode_crop

CONFIG = Config.preset("classroom", class_names=("cell", "seed"), num_classes=3, detection_min_confidence=0.1)
SIDE = 50


def ours(score: float = 0.9, label: int = 1, x: float = 5.0, pixels: int = 1600) -> dict[str, Any]:
    """An object of 40 x 40 px at (x, 5), whose mask has the first `pixels` pixels of the box, column by column."""
    inside = np.zeros(1600, bool)
    inside[:pixels] = True
    code = encode_crop(MaskCrop(inside.reshape(40, 40), 5, 5), SIDE, SIDE)
    return {"category_id": label, "score": score, "bbox": [x, 5.0, 40.0, 40.0], "segmentation": code}


def theirs(score: float = 0.9, label: int = 1, x: float = 5.0, pixels: int = 1600) -> dict[str, Any]:
    mask = np.zeros((SIDE, SIDE), bool)
    inside = np.zeros(1600, bool)
    inside[:pixels] = True
    mask[5:45, 5:45] = inside.reshape(40, 40).T
    return {"label": label, "score": score, "box": np.array([x, 5.0, x + 40, 45.0]), "mask": mask}


def compared(mine: list[dict[str, Any]], others: list[dict[str, Any]]) -> Agreement:
    return agreement(CONFIG, mine, others, "ONNX Runtime")


def test_the_same_objects_in_another_order_agree() -> None:
    found = compared([ours(), ours(0.5, label=2, x=6)], [theirs(0.5, label=2, x=6), theirs()])
    assert (found.objects, found.box, found.iou, found.alone, found.fault()) == (2, 0, 1, (), None)


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (theirs(x=5.009), None),
        (theirs(x=5.02), "a box differs by 0.02 px"),
        (theirs(pixels=1599), None),  # 1599 / 1600 = 0.9994
        (theirs(pixels=1598), "IoU of 0.9988"),  # 1598 / 1600
        (theirs(x=7), 'does not find the "cell" of score 0.9000'),
        (theirs(label=2), 'does not find the "cell" of score 0.9000'),
    ],
)
def test_what_differs_is_named(other: dict[str, Any], fault: str | None) -> None:
    said = compared([ours()], [other]).fault()
    assert said is None if fault is None else fault in (said or "")


def test_one_pixel_of_a_small_mask_is_rounding() -> None:
    # 9 of 10 pixels are an IoU of 0.9; two of ten are a difference.
    assert compared([ours(pixels=10)], [theirs(pixels=9)]).fault() is None
    assert "IoU of 0.8000" in (compared([ours(pixels=10)], [theirs(pixels=8)]).fault() or "")


def test_an_object_at_the_least_score_may_be_in_one_list_alone() -> None:
    assert compared([ours(0.10005)], []).fault() is None
    assert compared([], [theirs(0.10005)]).fault() is None
    assert 'finds a "cell" of score 0.2000 more' in (compared([], [theirs(0.2)]).fault() or "")


def test_drawn_pictures_are_taken_where_a_run_has_none() -> None:
    first, second = pictures_to_compare(CONFIG, None, most=2)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)
