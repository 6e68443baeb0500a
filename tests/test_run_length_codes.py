"""Masks are decoded as by pycocotools, which decodes the whole picture. (tests/evaluation checks damaged codes.)"""

from __future__ import annotations

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.run_length_codes import cropped_mask


def test_cropped_masks_are_those_of_pycocotools() -> None:
    """Random masks of all sizes, with runs across columns."""
    random = np.random.default_rng(0)
    for _ in range(300):
        height, width = random.integers(1, 9, 2)
        whole = random.random((height, width)) < random.random()
        code = coco_mask.encode(np.asfortranarray(whole, dtype=np.uint8))
        inside, left, top = cropped_mask(code)
        again = np.zeros_like(whole)
        again[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
        assert np.array_equal(again, whole)
        if whole.any():
            assert coco_mask.toBbox(code).tolist() == [left, top, inside.shape[1], inside.shape[0]]
