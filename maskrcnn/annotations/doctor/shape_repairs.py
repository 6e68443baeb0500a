"""Repaired shapes: outlines that are drawn anew around the area they enclose, lines that are closed, and keypoints.

Frames are `(width, height)` in pixels. The functions return new objects. `outside_picture` clips shapes to the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import shapely

from maskrcnn.annotations import learnable_objects, raster
from maskrcnn.annotations.doctor.enclosed_area import (
    SLIVER_AREA,
    SLIVER_SHARE,
    area_of_shape,
    is_sliver,
    polygons_of_area,
)
from maskrcnn.annotations.raster import Frame
from maskrcnn.annotations.regions import (
    Keypoints,
    MultiPolygon,
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


def with_labelled_keypoints(region: Region) -> Region:
    """Return a region with visibility 1 (labelled, hidden) for its keypoints that have a place and visibility 0."""

    def labelled(keypoints: Keypoints) -> Keypoints:
        return Keypoints(tuple((x, y, v or int((x, y) != (0, 0))) for x, y, v in keypoints.points))

    shape = labelled(region.shape) if isinstance(region.shape, Keypoints) else region.shape
    return with_shape(region, shape, region.keypoints and labelled(region.keypoints))


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


def redrawn(shape: Shape, frame: Frame | None = None, *, nonzero: bool = False) -> Polygon | MultiPolygon | None:
    """Return valid outlines around the area of a shape by the even-odd rule (`nonzero`: nonzero rule), without slivers.

    With `frame`, clip the area to the picture. A `Polygon` if one outline is enough, else a `MultiPolygon`; None if
    nothing is left.
    """
    area = area_of_shape(shape, nonzero=nonzero)
    if frame is not None:
        area = area.intersection(shapely.box(0, 0, *frame))
    pieces = sorted(polygons_of_area(area), key=lambda piece: piece.area, reverse=True)
    if not pieces:
        return None
    least = min(SLIVER_AREA, SLIVER_SHARE * pieces[0].area)
    kept = [pieces[0], *(piece for piece in pieces[1:] if not is_sliver(piece, least))]
    parts = tuple(_outlines_around(piece, least, frame) for piece in kept)
    return Polygon(parts[0][0]) if len(parts) == 1 and len(parts[0]) == 1 else MultiPolygon(parts)


def _outlines_around(piece: shapely.Polygon, least: float, frame: Frame | None) -> tuple[Points, ...]:
    """Return the outer ring and the holes of an enclosed piece.

    They run in opposite directions, so that they are a valid outline if an export joins them.
    """
    holes = [hole for hole in piece.interiors if not is_sliver(shapely.Polygon(hole), least)]
    oriented = shapely.geometry.polygon.orient(shapely.Polygon(piece.exterior, holes))
    return tuple(_vertices_of_ring(ring.coords, frame) for ring in (oriented.exterior, *oriented.interiors))


def _vertices_of_ring(coordinates: Iterable[tuple[float, ...]], frame: Frame | None) -> Points:
    """Return the vertices of a shapely ring. Whole numbers become `int`, as most label files write them."""
    open_ring = [
        tuple(int(value) if float(value).is_integer() else float(value) for value in (x, y)) for x, y, *_ in coordinates
    ][:-1]
    if frame is None:
        return tuple((x, y) for x, y in open_ring)
    # If an outline is clipped, rounding may leave a vertex slightly outside.
    return tuple((min(max(x, 0), frame[0]), min(max(y, 0), frame[1])) for x, y in open_ring)
