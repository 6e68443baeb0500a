"""Check whether labels are inside the frame of their picture, and in which units and form they are written.

Frames are `(width, height)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor.findings import Fix, Symptom
from maskrcnn.annotations.doctor.shape_repairs import Frame
from maskrcnn.annotations.formats.json_values import FARTHEST
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    Rect,
    Region,
    Shape,
)

ROUNDING = 0.01
"""Tolerance (px) of vertices outside the picture, for rounding to two decimals."""

SLIP_PX, SLIP_SHARE = 2.0, 0.02
"""A keypoint, point or line may be outside the picture by at most this many px, or this share of the picture's longer
side, to count as a small drawing error."""

FAR = 0.25
"""A region that extends outside by more than this share of the picture's side, or with more than half of its box, may
belong to another picture or to a copy of another size."""

_LEAST_OVERLAP, _LEAST_BOX = 0.5, 4.0
"""Minimum IoU of the box and the outline of one object, and minimum side (px) of both for this check."""

_LIKE = 0.95
"""Two interpretations of a box with a larger IoU count as the same."""

_SHARES_BEYOND = 0.1
"""Normalised coordinates may be outside 0..1 by this much, for objects that extend over an edge."""

_LEAST_FRAME = 8
"""On a picture with fewer px on a side, labels from 0 to 1 may be pixels."""

UNKNOWN_FRAME: Frame = (FARTHEST, FARTHEST)
"""The frame used for a picture of unknown size."""


class CornerBox(NamedTuple):
    """A rectangle whose four numbers may be two corners.

    `number`: its number on the picture (from 1). `read`: (x, y, width, height) if interpreted as two corners. `leaves`:
    whether the rectangle as written extends outside the picture.
    """

    number: int
    region: Region
    read: tuple[float, float, float, float]
    leaves: bool


def corners_read(region: Region, frame: Frame | None) -> tuple[float, float, float, float] | None:
    """Interpret the four numbers of a rectangle as two corners. Return its (x, y, width, height).

    None if the result is not a rectangle inside the picture, or is nearly equal to the clipped original.
    """
    shape = region.shape
    if frame is None or not isinstance(shape, Rect) or not _can_be_corners(shape, frame):
        return None
    x, y, right, bottom = shape.x, shape.y, shape.width, shape.height
    seen = x, y, min(x + right, frame[0]), min(y + bottom, frame[1])
    return None if _overlap((x, y, right, bottom), seen) > _LIKE else (x, y, right - x, bottom - y)


def corner_boxes(regions: Sequence[Region], frame: Frame | None) -> tuple[CornerBox, ...] | None:
    """Return the rectangles that differ if read as two corners; None if any rectangle cannot be two corners."""
    found = []
    for number, region in enumerate(regions, start=1):
        if not isinstance(region.shape, Rect):
            continue
        if frame is None or not _can_be_corners(region.shape, frame):
            return None
        if read := corners_read(region, frame):
            found.append(CornerBox(number, region, read, lies_beyond_a_slip(region.shape, frame)))
    return tuple(found)


def _can_be_corners(shape: Rect, frame: Frame) -> bool:
    right, bottom = frame[0] + ROUNDING, frame[1] + ROUNDING
    return 0 <= shape.x < shape.width <= right and 0 <= shape.y < shape.height <= bottom


def box_mismatch(region: Region) -> Symptom | None:
    """Return a symptom if the outline and the box of a COCO object hardly overlap (and both are large enough)."""
    given = region.extras.get("coco", {}).get("bbox")
    if given is None or isinstance(region.shape, Rect | Keypoints) or not raster.has_area(region.shape):
        return None
    x, y, width, height = given
    around = raster.bounds(region.shape)
    share = _overlap((x, y, x + width, y + height), around)
    if share >= _LEAST_OVERLAP or min(width, height, around[2] - around[0], around[3] - around[1]) < _LEAST_BOX:
        return None
    words = f"its box ({x:g}, {y:g}, {width:g}, {height:g}) and its outline overlap by {share:.0%} only"
    if _overlap((x, y, width, height), around) >= _LEAST_OVERLAP:
        words += ", as the box is written as two corners"
    return Symptom("box-mismatch", "hint", words)


def _overlap(one: raster.Box, other: raster.Box) -> float:
    """The IoU of two boxes xyxy."""
    across = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    down = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other))
    return across * down / (areas - across * down) if areas else 0.0


def lies_far_outside(shape: Shape, frame: Frame | None) -> bool:
    """Whether a shape extends so far outside the picture that it may belong to another one (see `FAR`)."""
    x0, y0, x1, y1 = raster.bounds(shape)
    width, height = frame or UNKNOWN_FRAME
    within = max(0.0, min(x1, width) - max(x0, 0)) * max(0.0, min(y1, height) - max(y0, 0))
    across, down = (width, height) if frame else (x1 - x0, y1 - y0)
    beyond = max(-x0 / across, -y0 / down, (x1 - width) / across, (y1 - height) / down) if across and down else 0
    return beyond > FAR or within < (x1 - x0) * (y1 - y0) / 2


def lies_beyond_a_slip(shape: Shape, frame: Frame) -> bool:
    """Whether a shape extends outside the picture by more than a small drawing error (`SLIP_PX`, `SLIP_SHARE`)."""
    x0, y0, x1, y1 = raster.bounds(shape)
    return max(distance_beyond((x0, y0), frame), distance_beyond((x1, y1), frame)) > max(
        SLIP_PX, SLIP_SHARE * max(frame)
    )


def normalised(shapes: Sequence[Shape], frame: Frame | None) -> Symptom | None:
    """Return a symptom if all labels have coordinates from 0 to 1: they are shares of width and height."""
    boxes = [raster.bounds(shape) for shape in shapes if not isinstance(shape, RLE)]
    boxes = [box for box in boxes if box[2] > box[0] and box[3] > box[1]]
    if frame is None or min(frame) < _LEAST_FRAME or not boxes or len(boxes) < sum(map(raster.has_box, shapes)):
        return None
    if any(min(box) < -_SHARES_BEYOND or max(box) > 1 + _SHARES_BEYOND for box in boxes):
        return None
    words = f"all its labels lie from 0 to 1, the picture has {frame[0]:g} x {frame[1]:g} px"
    scale = Fix("take them as shares: times the width and the height", "scale", (1, 1, *frame))
    return Symptom("normalised", "error", words, None, (scale,))


def around(shapes: Sequence[Shape]) -> raster.Box | None:
    """Return the bounding box of all labels of a picture; None if there are none."""
    boxes = [raster.bounds(shape) for shape in shapes]
    if not boxes:
        return None
    left, upper, right, lower = zip(*boxes, strict=True)
    return min(left), min(upper), max(right), max(lower)


def distance_beyond(place: tuple[float, float], frame: Frame) -> float:
    """Return how far (px) a point is outside the frame; negative if inside."""
    return max(-place[0], -place[1], place[0] - frame[0], place[1] - frame[1])


def outside(shape: Shape, frame: Frame | None) -> str | None:
    """Describe the vertices of a shape outside the picture, for a message; None if there are none.

    For circles and ellipses only the centre counts, because they must extend outside to follow an object at the edge. A
    mask is never outside. Without a frame, only the edges at 0 are checked.
    """
    if isinstance(shape, RLE):
        return None
    width, height = frame or UNKNOWN_FRAME
    x0, y0, x1, y1 = raster.bounds(shape)
    if x0 >= -ROUNDING and y0 >= -ROUNDING and x1 <= width + ROUNDING and y1 <= height + ROUNDING:
        return None
    if isinstance(shape, Circle | Ellipse):
        places = [(shape.cx, shape.cy)]
    else:
        places = [place for ring in raster.rings(shape) for place in ring]
    beyond = [
        f"({x:g}, {y:g})"
        for x, y in places
        if not (-ROUNDING <= x <= width + ROUNDING and -ROUNDING <= y <= height + ROUNDING)
    ]
    if not beyond:
        return None
    size = "the picture" if frame is None else f"the picture of {width:g} x {height:g} px"
    if len(beyond) == 1:
        return f"{beyond[0]} lies outside {size}"
    return f"{len(beyond)} places lie outside {size}, the first at {beyond[0]}"
