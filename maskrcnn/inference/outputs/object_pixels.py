"""The pixels of a detection, cropped: those of its mask, or of its box if the network has no masks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.run_length_codes import cropped_mask


def object_pixels(detection: Mapping[str, Any], height: int, width: int) -> tuple[np.ndarray, int, int]:
    """The pixels of a detection (COCO's result format) in a picture of that size, cropped: bool `(h, w)`, left, top.

    Without a mask they are all pixels whose centre lies in the box. `(0, 0)` if it has no pixel in the picture.

    >>> object_pixels({"bbox": [0.2, 0.8, 2.0, 2.0]}, height=2, width=8)
    (array([[ True,  True]]), 0, 1)
    """
    if (code := detection.get("segmentation")) is not None:
        return cropped_mask(code)
    x, y, wide, high = detection["bbox"]
    left, right = _centres(x, x + wide, width)
    top, bottom = _centres(y, y + high, height)
    if right <= left or bottom <= top:
        return np.zeros((0, 0), bool), 0, 0
    return np.ones((bottom - top, right - left), bool), left, top


def _centres(low: float, high: float, most: int) -> tuple[int, int]:
    """The first pixel whose centre lies in [low, high), and the one after the last, of `most` pixels."""
    return max(0, math.ceil(low - 0.5)), min(most, math.ceil(high - 0.5))


def object_area(detection: Mapping[str, Any]) -> float:
    """The area of a detection in pixels: the pixels of its mask, or without one, its box to 2 decimals.

    >>> object_area({"bbox": [0.2, 0.8, 2.0, 2.5]})
    5.0
    """
    if (code := detection.get("segmentation")) is not None:
        return int(coco_mask.area(code))
    return round(detection["bbox"][2] * detection["bbox"][3], 2)
