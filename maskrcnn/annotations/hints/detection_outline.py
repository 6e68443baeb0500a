"""The outline of a detection (COCO's result format) as a shape that a person can accept and edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskrcnn.annotations.hints.mask_outline import outline_of, simplified_outline
from maskrcnn.annotations.regions import Keypoints, Rect, Shape
from maskrcnn.run_length_codes import cropped_mask

SMALL_PART = 0.02
"""Parts and holes that are smaller than this share of the mask are left out."""


def detection_shape(detection: Mapping[str, Any]) -> Shape | None:
    """Return the outline of a detection with few vertices, else its box; None for a detection without a pixel.

    `detection["segmentation"]`, if there is one, is compressed RLE.

    >>> detection_shape({"bbox": [1, 2, 3, 4]})
    Rect(x=1, y=2, width=3, height=4)
    """
    x, y, width, height = detection["bbox"]
    code = detection.get("segmentation")
    if code is None:
        return Rect(round(x, 2), round(y, 2), round(width, 2), round(height, 2)) if width > 0 and height > 0 else None
    outline = outline_of(*cropped_mask(code), small_part=SMALL_PART)
    return None if outline is None else simplified_outline(outline)


def detection_keypoints(detection: Mapping[str, Any]) -> Keypoints | None:
    """Return the keypoints of a detection, all as visible; None if the network finds none."""
    values = detection.get("keypoints")
    if values is None:
        return None
    return Keypoints(tuple((round(x, 2), round(y, 2), 2) for x, y in zip(values[::3], values[1::3], strict=True)))
