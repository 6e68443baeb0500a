"""Shapes outside their picture: whether and how far they lie outside, and how they are clipped or moved to its edge.

Frames are `(width, height)`.
"""

from __future__ import annotations

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import shape_repairs
from maskrcnn.annotations.doctor.shape_repairs import nearest_inside
from maskrcnn.annotations.formats.json_values import FARTHEST
from maskrcnn.annotations.raster import Frame
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    Point,
    Polyline,
    Rect,
    Region,
    Shape,
)

ROUNDING = 0.01
"""Tolerance (px) of vertices outside the picture, for rounding to two decimals."""

SLIP_PX, SLIP_SHARE = 2.0, 0.02
"""A shape may be outside the picture by at most this many px, or this share of the picture's longer side, to count as a
small drawing error."""

FAR = 0.25
"""A region that extends outside by more than this share of the picture's side, or with more than half of its box, may
belong to another picture or to a copy of another size."""

UNKNOWN_FRAME: Frame = (FARTHEST, FARTHEST)
"""The frame used for a picture of unknown size."""


def places_outside(shape: Shape, frame: Frame | None) -> str | None:
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


def distance_outside(place: tuple[float, float], frame: Frame) -> float:
    """Return how far (px) a point is outside the frame; negative if inside."""
    return max(-place[0], -place[1], place[0] - frame[0], place[1] - frame[1])


def largest_slip(frame: Frame | None) -> float:
    """Return the largest distance (px) outside a picture that counts as a small drawing error."""
    return max(SLIP_PX, SLIP_SHARE * max(frame)) if frame else SLIP_PX


def lies_beyond_a_slip(shape: Shape, frame: Frame) -> bool:
    """Whether a shape extends outside the picture by more than a small drawing error (`largest_slip`)."""
    x0, y0, x1, y1 = raster.bounds(shape)
    return max(distance_outside((x0, y0), frame), distance_outside((x1, y1), frame)) > largest_slip(frame)


def lies_far_outside(shape: Shape, frame: Frame | None) -> bool:
    """Whether a shape extends so far outside the picture that it may belong to another one.

    That is by more than `FAR` of the picture's side, or with more than half of the area of its box.
    """
    x0, y0, x1, y1 = raster.bounds(shape)
    width, height = frame or UNKNOWN_FRAME
    within = max(0.0, min(x1, width) - max(x0, 0)) * max(0.0, min(y1, height) - max(y0, 0))
    across, down = (width, height) if frame else (x1 - x0, y1 - y0)
    beyond = max(-x0 / across, -y0 / down, (x1 - width) / across, (y1 - height) / down) if across and down else 0
    box_area = (x1 - x0) * (y1 - y0)
    return beyond > FAR or within < box_area / 2


def clipped(shape: Shape, frame: Frame, *, nonzero: bool = False) -> Shape | None:
    """Clip a shape that lies partly outside the picture; None if nothing is left.

    Outlines are drawn anew (`shape_repairs.redrawn`), a `Rect` stays a `Rect`.
    """
    if isinstance(shape, Rect):
        left, top, right, bottom = raster.bounds(shape)
        (x0, y0), (x1, y1) = (nearest_inside(corner, frame) for corner in ((left, top), (right, bottom)))
        return Rect(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None
    return shape_repairs.redrawn(shape, frame, nonzero=nonzero)


def clamped(region: Region, frame: Frame) -> Region:
    """Return a point, a line or keypoints with the points outside the picture moved to its edge."""

    def clamped_shape(shape: Shape) -> Shape:
        match shape:
            case Point():
                return Point(*nearest_inside((shape.cx, shape.cy), frame))
            case Polyline():
                return Polyline(tuple(nearest_inside(point, frame) for point in shape.points))
            case Keypoints():
                return clamped_keypoints(shape)
        return shape

    def clamped_keypoints(keypoints: Keypoints) -> Keypoints:
        return Keypoints(tuple((*nearest_inside((x, y), frame), v) if v else (x, y, v) for x, y, v in keypoints.points))

    return shape_repairs.with_shape(
        region, clamped_shape(region.shape), region.keypoints and clamped_keypoints(region.keypoints)
    )


def has_area_outside(shape: Shape, frame: Frame | None) -> bool:
    """Whether an outline, a rectangle, a circle or an ellipse extends outside the picture (see `places_outside`)."""
    can_be_clipped = not isinstance(shape, RLE | Point | Polyline | Keypoints)
    return can_be_clipped and places_outside(shape, frame) is not None
