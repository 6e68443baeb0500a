"""Run lengths without pixels, beside `crop_mask`, which computes every pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskrcnn.model.mask_pasting import crop_mask, encode_crop
from maskrcnn.model.mask_runs import encode_soft_mask

WHOLE = np.ones((4, 4), np.float32)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("threshold", [0.5, 0.3, 0.8])
@pytest.mark.parametrize("side", [1, 2, 14, 28])
def test_every_pixel_is_that_of_the_slow_way(side: int, threshold: float, legacy: bool) -> None:
    """Random values, smooth ones and boxes beyond the picture; none lies on the threshold."""
    random = np.random.default_rng(side)
    for number in range(60):
        height, width = (int(length) for length in random.integers(1, 70, 2))
        mask = random.random((side, side)).astype(np.float32)
        if number % 2:
            mask = cv2.GaussianBlur(mask, (5, 5), 1)
        x, y = random.uniform(-30, 60, 2)
        box = np.array([x, y, x + random.uniform(0, 90), y + random.uniform(0, 90)], np.float32)
        slow = encode_crop(crop_mask(mask, box, height, width, legacy, threshold), height, width)
        assert encode_soft_mask(mask, box, height, width, legacy, threshold) == slow


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        # Of a mask of 1, the pixels are those whose centres are in the box.
        ((1, 0, 3, 1), [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
        # The mask falls to 0 around its box: 0.5 on the upper edge, which is inside, and 0.25 in the corner.
        ((0.5, 0.5, 2.4, 1.6), [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        ((-5, -5, 9, 9), [[1, 1, 1, 1]] * 3),  # runs join from column to column
        ((-5, 1, 9, 9), [[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]),
        ((4, 0, 9, 3), [[0, 0, 0, 0]] * 3),  # beside the picture
        ((2, 1, 2, 3), [[0, 0, 0, 0]] * 3),  # without area
        ((1.6, 1.1, 2.4, 1.4), [[0, 0, 0, 0]] * 3),  # between the centres
    ],
)
def test_pixels_by_hand(box: tuple[float, ...], pixels: list[list[int]]) -> None:
    code = encode_soft_mask(WHOLE, np.array(box, np.float32), height=3, width=4)
    assert coco_mask.decode(code).tolist() == pixels


def test_a_hole_and_two_parts_are_runs_of_their_own() -> None:
    """Cells of 1 x 1 pixel: each pixel is the value of its cell."""
    mask = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.float32)
    code = encode_soft_mask(mask, np.array([1, 1, 4, 4], np.float32), height=5, width=5)
    assert coco_mask.decode(code)[1:4, 1:4].tolist() == mask.tolist()
    assert coco_mask.area(code) == 8


def test_at_a_threshold_of_0_the_whole_box_is_inside() -> None:
    mask = np.full((3, 3), 0.2, np.float32)
    code = encode_soft_mask(mask, np.array([0, 0, 3, 2], np.float32), height=4, width=4, threshold=0.0)
    assert coco_mask.area(code) == 6
