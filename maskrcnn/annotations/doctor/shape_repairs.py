"""Repaired shapes: clipped to the picture, redrawn around the area that they enclose, rotated or scaled.

Frames are `(width, height)` in pixels. Every function is pure: shape in, shape out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import learnable_objects, raster
from maskrcnn.annotations.doctor import enclosed_area
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

Frame = tuple[float, float]

SLIVER_AREA = 4.0
"""A piece or a hole of less than this many px² that a mend leaves over is dropped or filled, if it is also ..."""
SLIVER_SHARE = 0.05
"""... less than this share of the largest piece."""
SLIVER_WIDTH = 0.5
"""So is one narrower than this many px, as it hardly meets the middle of a pixel."""


def untangled(shape: Shape, *, whole: bool = False) -> Shape | None:
    """Return valid polygons for the area of a shape by the even-odd rule (`whole`: nonzero rule), without slivers.

    A `Polygon` if one outline is enough, else a `MultiPolygon`; None if nothing is left.
    """
    return _repaired(shape, None, whole)


def has_two_readings(shape: Shape) -> bool:
    """Whether the even-odd and the nonzero fill rule give different areas, except for slivers.

    For example, a star drawn in one line has a hole in its middle only by the even-odd rule.
    """
    one = shapely.union_all([_area_of(part) for part in _parts(shape)])
    other = shapely.union_all([_area_of(part, whole=True) for part in _parts(shape)])
    least = min(SLIVER_AREA, SLIVER_SHARE * max(one.area, other.area))
    return any(not _is_sliver(piece, least) for piece in _polygons(one.symmetric_difference(other)))


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


def with_labelled_keypoints(region: Region) -> Region:
    """The region with visibility 1 (labelled, hidden) for keypoints that have a place and visibility 0."""

    def labelled(keypoints: Keypoints) -> Keypoints:
        return Keypoints(tuple((x, y, v or int((x, y) != (0, 0))) for x, y, v in keypoints.points))

    shape = labelled(region.shape) if isinstance(region.shape, Keypoints) else region.shape
    return with_shape(region, shape, region.keypoints and labelled(region.keypoints))


def clipped(shape: Shape, frame: Frame, *, whole: bool = False) -> Shape | None:
    """Clip a shape to the picture and untangle it. A `Rect` stays a `Rect`. None if nothing is left."""
    if isinstance(shape, Rect):
        x0, y0, x1, y1 = raster.bounds(shape)
        x0, x1 = _between(x0, frame[0]), _between(x1, frame[0])
        y0, y1 = _between(y0, frame[1]), _between(y1, frame[1])
        return Rect(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None
    return _repaired(shape, frame, whole)


def clamped(shape: Shape, frame: Frame) -> Shape:
    """Move the points of a point, line or keypoints that are outside the picture to its edge."""
    width, height = frame
    match shape:
        case Point():
            return Point(_between(shape.cx, width), _between(shape.cy, height))
        case Polyline():
            return Polyline(tuple((_between(x, width), _between(y, height)) for x, y in shape.points))
        case Keypoints():
            return Keypoints(
                tuple((_between(x, width), _between(y, height), v) if v else (x, y, v) for x, y, v in shape.points)
            )
    return shape


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
    return _moved(region, places[orientation], pixels[orientation])


def scaled(region: Region, factors: Frame, frame: tuple[int, int]) -> Region:
    """Scale a region by `factors` (x, y) for a picture that was scaled to the size `frame`."""
    across, down = factors

    def resized(mask: np.ndarray) -> np.ndarray:
        rows = np.minimum(((np.arange(frame[1]) + 0.5) / down).astype(int), mask.shape[0] - 1)
        columns = np.minimum(((np.arange(frame[0]) + 0.5) / across).astype(int), mask.shape[1] - 1)
        return mask[rows][:, columns]

    return _moved(region, lambda x, y: (x * across, y * down), resized)


def with_shape(region: Region, shape: Shape, keypoints: Keypoints | None) -> Region:
    """The region with another shape and other keypoints; what its file said about the old ones goes. A box that is no
    outline (`learnable_objects.is_only_a_box`) becomes none by being moved or cut."""
    changed = region.with_shape(shape)
    if keypoints != region.keypoints:
        changed = replace(changed, keypoints=keypoints, extras={})
    if changed is not region and isinstance(shape, Rect) and learnable_objects.is_only_a_box(region):
        changed = replace(changed, extras={"coco": {"segmentation": region.extras["coco"]["segmentation"]}})
    return changed


# Inside


def _repaired(shape: Shape, frame: Frame | None, whole: bool) -> Shape | None:
    area = shapely.union_all([_area_of(part, whole=whole) for part in _parts(shape)])
    if frame is not None:
        area = area.intersection(shapely.box(0, 0, *frame))
    pieces = sorted(_polygons(area), key=lambda piece: piece.area, reverse=True)
    if not pieces:
        return None
    least = min(SLIVER_AREA, SLIVER_SHARE * pieces[0].area)
    kept = [pieces[0], *(piece for piece in pieces[1:] if not _is_sliver(piece, least))]
    parts = tuple(_rings_of(piece, least, frame) for piece in kept)
    return Polygon(parts[0][0]) if len(parts) == 1 and len(parts[0]) == 1 else MultiPolygon(parts)


def _parts(shape: Shape) -> Iterable[tuple[Points, ...]]:
    """The outlines of a shape: of each part the outer ring and its holes."""
    if isinstance(shape, MultiPolygon):
        return [part for part in shape.parts if part]
    return [(outline,) for outline in raster.polygons(shape) or []]


def _area_of(part: tuple[Points, ...], *, whole: bool = False) -> BaseGeometry:
    """What a part covers, as the rasteriser sees it: the outer ring without what its holes cover together."""
    outer, *holes = (enclosed_area.filled(ring, whole=whole) for ring in part)
    return outer.difference(shapely.union_all(holes)) if holes else outer


def _polygons(area: BaseGeometry) -> list[shapely.Polygon]:
    """The polygons of a geometry; lines and points, which enclose nothing, are left."""
    return [piece for piece in shapely.get_parts(area).tolist() if piece.geom_type == "Polygon" and piece.area > 0]


def _is_sliver(piece: shapely.Polygon, least: float) -> bool:
    return bool(piece.area < least or 2 * piece.area < SLIVER_WIDTH * piece.length)


def _rings_of(piece: shapely.Polygon, least: float, frame: Frame | None) -> tuple[Points, ...]:
    """Outer ring and holes; they run in opposite senses, so that joined they make one sound outline."""
    holes = [hole for hole in piece.interiors if not _is_sliver(shapely.Polygon(hole), least)]
    whole = shapely.geometry.polygon.orient(shapely.Polygon(piece.exterior, holes))
    return tuple(_vertices(ring.coords, frame) for ring in (whole.exterior, *whole.interiors))


def _vertices(coordinates: Iterable[tuple[float, ...]], frame: Frame | None) -> Points:
    """The vertices of a shapely ring; whole numbers as such, as most label files have them."""
    open_ring = [(_whole(x), _whole(y)) for x, y, *_ in coordinates][:-1]
    if frame is None:
        return tuple(open_ring)
    # Where an outline is cut at the edge, rounding may leave the place a hair outside.
    return tuple((_between(x, frame[0]), _between(y, frame[1])) for x, y in open_ring)


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _between(value: float, end: float) -> float:
    return 0 if value < 0 else end if value > end else value


def _moved(
    region: Region,
    place: Callable[[float, float], tuple[float, float]],
    pixels: Callable[[np.ndarray], np.ndarray],
) -> Region:
    """The region after an axis-parallel map of the plane: `place` maps a vertex, `pixels` a mask."""

    def ring(points: Points) -> Points:
        return tuple(place(x, y) for x, y in points)

    def moved(shape: Shape) -> Shape:
        match shape:
            case Polygon():
                return Polygon(ring(shape.points))
            case Polyline():
                return Polyline(ring(shape.points))
            case MultiPolygon():
                return MultiPolygon(tuple(tuple(ring(outline) for outline in part) for part in shape.parts))
            case Rect():
                x0, y0, x1, y1 = raster.bounds(shape)
                (ax, ay), (bx, by) = place(x0, y0), place(x1, y1)
                return Rect(min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay))
            case Point():
                return Point(*place(shape.cx, shape.cy))
            case Keypoints():
                return Keypoints(tuple((*place(x, y), v) if v else (x, y, v) for x, y, v in shape.points))
            case Circle() | Ellipse():
                return _moved_ellipse(shape, place)
            case RLE():
                return raster.from_mask(pixels(raster.mask(shape, *shape.size)))

    keypoints = region.keypoints and moved(region.keypoints)
    assert keypoints is None or isinstance(keypoints, Keypoints)
    return with_shape(region, moved(region.shape), keypoints)


def _moved_ellipse(shape: Circle | Ellipse, place: Callable[[float, float], tuple[float, float]]) -> Shape:
    """An ellipse stays one under any such map: its half axes are the singular values of the mapped ones."""
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
