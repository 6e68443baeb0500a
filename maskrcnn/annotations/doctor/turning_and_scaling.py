"""Regions after their picture was turned or scaled: by the EXIF orientation, or to another size.

Frames are `(width, height)` in pixels. The functions return new regions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor.shape_repairs import with_shape
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


def turned(region: Region, orientation: int, stored: Frame) -> Region:
    """Turn a region with its picture: from the stored frame to the displayed frame, by the EXIF orientation.

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


def _mapped_region(
    region: Region,
    place: Callable[[float, float], tuple[float, float]],
    pixels: Callable[[np.ndarray], np.ndarray],
) -> Region:
    """Return a region after its picture was turned, mirrored or scaled: `place` maps a vertex, `pixels` a mask."""

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
                x0, y0, x1, y1 = raster.bounds(shape)
                (ax, ay), (bx, by) = place(x0, y0), place(x1, y1)
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
    """Return a circle or an ellipse after it is turned or scaled by `place`, as in `_mapped_region`.

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
