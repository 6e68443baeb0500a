"""Checks of boxes: written as two corners, unlike the outline of their object, or smaller than the smallest anchor.

Some programs write (x0, y0, x1, y1) where the format has (x, y, width, height). Frames are `(width, height)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import outside_picture
from maskrcnn.annotations.doctor.findings import Finding, Fix, Symptom
from maskrcnn.annotations.doctor.picture_notes import CornerBox, PictureNotes
from maskrcnn.annotations.raster import Box, Frame
from maskrcnn.annotations.regions import (
    Keypoints,
    Rect,
    Region,
)

_LEAST_OVERLAP, _LEAST_SIDE = 0.5, 4.0
"""Limits of `box_mismatch`: minimum IoU of the box and the outline of one object, and minimum side (px) of both."""

_SAME_BOX = 0.95
"""Two interpretations of a box with a larger IoU count as the same."""

_LEAST_BOXES = 3
"""Minimum number of boxes in a dataset for `boxes_as_corners`."""


def box_mismatch(region: Region) -> Symptom | None:
    """Return a symptom if the outline and the box of a COCO object hardly overlap (and both are large enough)."""
    given = region.extras.get("coco", {}).get("bbox")
    if given is None or isinstance(region.shape, Rect | Keypoints) or not raster.has_area(region.shape):
        return None
    x, y, width, height = given
    around = raster.bounds(region.shape)
    share = _box_iou((x, y, x + width, y + height), around)
    if share >= _LEAST_OVERLAP or min(width, height, around[2] - around[0], around[3] - around[1]) < _LEAST_SIDE:
        return None
    words = f"its box ({x:g}, {y:g}, {width:g}, {height:g}) and its outline overlap by {share:.0%} only"
    if _box_iou((x, y, width, height), around) >= _LEAST_OVERLAP:
        words += ", as the box is written as two corners"
    return Symptom("box-mismatch", "hint", words)


def box_from_corners(region: Region, frame: Frame | None) -> tuple[float, float, float, float] | None:
    """Interpret the four numbers of a rectangle as two corners. Return its (x, y, width, height).

    None if the corners are not a box inside the picture, or if both readings of the numbers mean nearly the same box:
    (x, y, width, height), cut off at the picture's edge, and two corners.
    """
    shape = region.shape
    if frame is None or not isinstance(shape, Rect) or not _can_be_corners(shape, frame):
        return None
    left, top, right, bottom = shape.x, shape.y, shape.width, shape.height
    as_written = left, top, min(shape.x + shape.width, frame[0]), min(shape.y + shape.height, frame[1])
    if _box_iou((left, top, right, bottom), as_written) > _SAME_BOX:
        return None
    return left, top, right - left, bottom - top


def corner_boxes(regions: Sequence[Region], frame: Frame | None) -> tuple[CornerBox, ...] | None:
    """Return the rectangles of a picture whose four numbers may be two corners.

    A rectangle that is nearly the same in both interpretations is left out. None if the numbers of any rectangle cannot
    be two corners, because then the file does not write corners.
    """
    found = []
    for number, region in enumerate(regions, start=1):
        if not isinstance(region.shape, Rect):
            continue
        if frame is None or not _can_be_corners(region.shape, frame):
            return None
        if read := box_from_corners(region, frame):
            found.append(CornerBox(number, region, read, outside_picture.lies_beyond_a_slip(region.shape, frame)))
    return tuple(found)


def boxes_as_corners(noted: list[PictureNotes]) -> list[Finding]:
    """Find boxes that lie inside their pictures and may be written as two corners all the same.

    The evidence is in all boxes of the dataset: as two corners, all of them are possible; as (x, y, width, height), at
    least one extends outside its picture. `PictureNotes.boxes` is None for a picture with a box that cannot be two
    corners. One such picture is enough to return nothing, because a dataset writes all its boxes in the same way.
    """
    if any(entry.boxes is None for entry in noted):
        return []
    several = [(number, entry, box) for number, entry in enumerate(noted) for box in entry.boxes or ()]
    if len(several) < _LEAST_BOXES or not any(box.extends_outside for _, _, box in several):
        return []
    found = []
    for number, entry, box in several:
        if outside_picture.places_outside(box.region.shape, entry.frame) is None:
            words = "it lies in the picture, but as others leave theirs, its four numbers may be two corners"
            read = Fix("read its four numbers as two corners", "corners", box.read)
            symptom = Symptom("outside-picture", "warning", words, None, (read,))
            around = raster.bounds(box.region.shape)
            found.append(symptom.at(number, entry.file_name, box.number, box.region, around))
    return found


def _can_be_corners(shape: Rect, frame: Frame) -> bool:
    """Whether the four numbers of a rectangle, read as (left, top, right, bottom), are a box inside the picture."""
    left, top, right, bottom = shape.x, shape.y, shape.width, shape.height
    slack = outside_picture.ROUNDING
    return 0 <= left < right <= frame[0] + slack and 0 <= top < bottom <= frame[1] + slack


def _box_iou(one: Box, other: Box) -> float:
    """Return the IoU of two boxes xyxy, for the checks of boxes; 0 if both are empty."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other))
    return across * down / (areas - across * down) if areas else 0.0


@dataclass(frozen=True)
class Anchor:
    """The side of the smallest anchor (px), and the settings for scaling a picture to working size."""

    side: float
    image_min_dim: int
    image_max_dim: int


def below_anchor(region: Region, frame: tuple[int, int], anchor: Anchor) -> Symptom | None:
    """Return a symptom if the object's box is smaller than the smallest anchor at working size; None for crowds."""
    if region.iscrowd or isinstance(region.shape, Keypoints) or not raster.has_area(region.shape):
        return None
    x0, y0, x1, y1 = raster.bounds(region.shape)
    scale = min(anchor.image_min_dim / min(frame), anchor.image_max_dim / max(frame))
    side = scale * math.sqrt((x1 - x0) * (y1 - y0))
    if side >= anchor.side:
        return None
    words = f"at working size it is about {side:.0f} px large, the smallest anchor {anchor.side:g} px"
    return Symptom("below-anchor", "hint", words)
