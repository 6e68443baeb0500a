"""Repaired shapes and regions: clipped to the picture, closed, moved to the edge, rotated or scaled.

Frames are `(width, height)` in pixels. The functions return new objects. `enclosed_area` draws outlines anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from maskrcnn.annotations import learnable_objects, raster
from maskrcnn.annotations.doctor import enclosed_area
from maskrcnn.annotations.raster import Frame
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)


def closed(shape: Shape) -> Polygon | None:
    """Convert a line to the polygon that it encloses; None if it is not a line or encloses nothing."""
    if not isinstance(shape, Polyline):
        return None
    points = shape.points[:-1] if len(shape.points) > 3 and shape.points[0] == shape.points[-1] else shape.points
    outline = Polygon(points)
    return outline if raster.has_area(outline) else None


def boxed(shape: Shape) -> Rect | None:
    """Convert an outline of two different vertices to the rectangle with these corners; None if impossible."""
    if not isinstance(shape, Polygon) or len(set(shape.points)) != 2:
        return None
    x0, y0, x1, y1 = raster.bounds(shape)
    return Rect(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def clipped(shape: Shape, frame: Frame, *, nonzero: bool = False) -> Shape | None:
    """Clip a shape to the picture. Outlines are drawn anew (`enclosed_area.redrawn`), a `Rect` stays a `Rect`.

    None if nothing is left.
    """
    if isinstance(shape, Rect):
        (x0, y0), (x1, y1) = (_nearest_inside(corner, frame) for corner in _corners(shape))
        return Rect(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None
    return enclosed_area.redrawn(shape, frame, nonzero=nonzero)


def clamped(region: Region, frame: Frame) -> Region:
    """Return a point, a line or keypoints with the points outside the picture moved to its edge."""

    def clamped_shape(shape: Shape) -> Shape:
        match shape:
            case Point():
                return Point(*_nearest_inside((shape.cx, shape.cy), frame))
            case Polyline():
                return Polyline(tuple(_nearest_inside(point, frame) for point in shape.points))
            case Keypoints():
                return clamped_keypoints(shape)
        return shape

    def clamped_keypoints(keypoints: Keypoints) -> Keypoints:
        return Keypoints(
            tuple((*_nearest_inside((x, y), frame), v) if v else (x, y, v) for x, y, v in keypoints.points)
        )

    return with_shape(region, clamped_shape(region.shape), region.keypoints and clamped_keypoints(region.keypoints))


def with_labelled_keypoints(region: Region) -> Region:
    """Return a region with visibility 1 (labelled, hidden) for its keypoints that have a place and visibility 0."""

    def labelled(keypoints: Keypoints) -> Keypoints:
        return Keypoints(tuple((x, y, v or int((x, y) != (0, 0))) for x, y, v in keypoints.points))

    shape = labelled(region.shape) if isinstance(region.shape, Keypoints) else region.shape
    return with_shape(region, shape, region.keypoints and labelled(region.keypoints))


def turned(region: Region, orientation: int, stored: Frame) -> Region:
    """Convert a region from the stored frame of a picture to the displayed frame, by the EXIF orientation.

    `stored` is the size of the stored frame. The conversion is exact.
    """
    width, height = stored
    places: dict[int, Callable[[float, float], tuple[float, float]]] = {
        1: lambda x, y: (x, y),
        2: lambda x, y: (width - x, y),
        3: lambda x, y: (width - x, height - y),
        4: lambda x, y: (x, height - y),
        5: lambda x, y: (y, x),
        6: lambda x, y: (height - y, x),
        7: lambda x, y: (height - y, width - x),
        8: lambda x, y: (y, width - x),
    }
    pixels: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda mask: mask,
        2: lambda mask: mask[:, ::-1],
        3: lambda mask: mask[::-1, ::-1],
        4: lambda mask: mask[::-1],
        5: lambda mask: mask.T,
        6: lambda mask: mask[::-1].T,
        7: lambda mask: mask[::-1, ::-1].T,
        8: lambda mask: mask[:, ::-1].T,
    }
    return _mapped_region(region, places[orientation], pixels[orientation])


def scaled(region: Region, factors: Frame, frame: tuple[int, int]) -> Region:
    """Scale a region by `factors` (x, y) for a picture that was scaled to the size `frame`."""
    across, down = factors

    def resized(mask: np.ndarray) -> np.ndarray:
        rows = np.minimum(((np.arange(frame[1]) + 0.5) / down).astype(int), mask.shape[0] - 1)
        columns = np.minimum(((np.arange(frame[0]) + 0.5) / across).astype(int), mask.shape[1] - 1)
        return mask[rows][:, columns]

    return _mapped_region(region, lambda x, y: (x * across, y * down), resized)


def with_shape(region: Region, shape: Shape, keypoints: Keypoints | None) -> Region:
    """Return the region with a repaired shape and keypoints.

    `extras` are removed if anything changes, because they describe the old shape. Only the mark of a box without an
    outline is kept (`learnable_objects.is_only_a_box`): a repaired box is no outline either.
    """
    changed = region.with_shape(shape)
    if keypoints != region.keypoints:
        changed = replace(changed, keypoints=keypoints, extras={})
    if changed is not region and isinstance(shape, Rect) and learnable_objects.is_only_a_box(region):
        changed = replace(changed, extras={"coco": {"segmentation": region.extras["coco"]["segmentation"]}})
    return changed


def _corners(shape: Rect) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the top-left and the bottom-right corner of a rectangle."""
    x0, y0, x1, y1 = raster.bounds(shape)
    return (x0, y0), (x1, y1)


def _nearest_inside(point: tuple[float, float], frame: Frame) -> tuple[float, float]:
    """Return the point, or the nearest point on the picture's edge if it is outside."""
    x, y = point
    return min(max(x, 0), frame[0]), min(max(y, 0), frame[1])


def _mapped_region(
    region: Region,
    place: Callable[[float, float], tuple[float, float]],
    pixels: Callable[[np.ndarray], np.ndarray],
) -> Region:
    """Return a region after its picture was rotated, mirrored or scaled: `place` maps a vertex, `pixels` a mask."""

    def mapped_ring(points: Points) -> Points:
        return tuple(place(x, y) for x, y in points)

    def mapped(shape: Shape) -> Shape:
        match shape:
            case Polygon():
                return Polygon(mapped_ring(shape.points))
            case Polyline():
                return Polyline(mapped_ring(shape.points))
            case MultiPolygon():
                return MultiPolygon(tuple(tuple(mapped_ring(outline) for outline in part) for part in shape.parts))
            case Rect():
                (ax, ay), (bx, by) = (place(*corner) for corner in _corners(shape))
                return Rect(min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay))
            case Point():
                return Point(*place(shape.cx, shape.cy))
            case Keypoints():
                return Keypoints(tuple((*place(x, y), v) if v else (x, y, v) for x, y, v in shape.points))
            case Circle() | Ellipse():
                return _mapped_ellipse(shape, place)
            case RLE():
                return raster.from_mask(pixels(raster.mask(shape, *shape.size)))

    keypoints = region.keypoints and mapped(region.keypoints)
    assert keypoints is None or isinstance(keypoints, Keypoints)
    return with_shape(region, mapped(region.shape), keypoints)


def _mapped_ellipse(shape: Circle | Ellipse, place: Callable[[float, float], tuple[float, float]]) -> Shape:
    """Return a circle or an ellipse after a map of the plane as in `_mapped_region`.

    The result is an ellipse; its half axes are the singular values of the matrix of the mapped half axes.
    """
    cx, cy = place(shape.cx, shape.cy)
    origin = np.array(place(0, 0))
    linear = np.stack([np.array(place(1, 0)) - origin, np.array(place(0, 1)) - origin], axis=1)
    if isinstance(shape, Circle) and np.isclose(abs(linear).max(axis=0)[0], abs(linear).max(axis=0)[1]):
        return Circle(cx, cy, shape.r * float(abs(linear).max()))
    rx, ry, theta = (shape.r, shape.r, 0.0) if isinstance(shape, Circle) else (shape.rx, shape.ry, shape.theta)
    cos, sin = np.cos(theta), np.sin(theta)
    axes = linear @ np.array([[cos * rx, -sin * ry], [sin * rx, cos * ry]])
    directions, lengths, _ = np.linalg.svd(axes)
    angle = float(np.arctan2(directions[1, 0], directions[0, 0]))
    return Ellipse(cx, cy, float(lengths[0]), float(lengths[1]), angle)
