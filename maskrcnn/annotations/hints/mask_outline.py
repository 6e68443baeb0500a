"""The outline of a mask: its pixels as a polygon, or as a multipolygon with holes, in picture pixels."""

from __future__ import annotations

import numpy as np
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import MultiPolygon, Points, Polygon, Shape
from maskrcnn.annotations.simplification import simplified_to_vertices
from maskrcnn.errors import StudioError

SMALL_PART = 0.05
"""A part or a hole of a mask matters if its area is at least this share of the largest part's area."""

SMOOTHING = 0.75
"""Default tolerance of the outline in pixels of the mask. It removes the steps between pixels."""

MOST_VERTICES = 40
"""Maximum number of vertices of a simplified outline, unless `LEAST_IOU` needs more."""

LEAST_IOU = 0.95
"""Smallest IoU of a simplified outline to the outline that was found."""


def outline_of(
    inside: np.ndarray,
    left: float = 0.0,
    top: float = 0.0,
    scale: tuple[float, float] = (1.0, 1.0),
    smoothing: float = SMOOTHING,
    small_part: float = SMALL_PART,
) -> Shape | None:
    """Return the outline of a mask: a `Polygon`, or a `MultiPolygon` for several parts or holes; None if it is empty.

    `inside`: bool `(h, w)`. Its first pixel begins at (`left`, `top`) of the picture, and each of its pixels has the
    size `scale` (x, y) in pixels of the picture. Parts and holes smaller than `small_part` of the largest part are
    left out. Vertices are removed where the outline moves by at most `smoothing` pixels of the mask, less for a small
    mask.

    >>> outline_of(np.ones((2, 3), bool), left=10, top=20)
    Polygon(points=((10.0, 20.0), (13.0, 20.0), (13.0, 22.0), (10.0, 22.0)))
    """
    parts = [part for part in _parts(inside, small_part) if not part.is_empty]
    if parts:  # the steps of a mask of few pixels are its form
        smoothing = min(smoothing, 0.03 * parts[0].area ** 0.5)
    smooth = [simple for part in parts for simple in _polygons(part.simplify(smoothing))]
    rings = [tuple(_picture_ring(ring, left, top, scale) for ring in (p.exterior, *p.interiors)) for p in smooth]
    if not rings:
        return None
    return Polygon(rings[0][0]) if len(rings) == 1 and len(rings[0]) == 1 else MultiPolygon(tuple(rings))


def simplified_outline(shape: Shape) -> Shape:
    """Return the closest outline of at most `MOST_VERTICES` vertices, or of as many as `LEAST_IOU` needs.

    A shape without an area is returned as it is.
    """
    try:
        return simplified_to_vertices(shape, MOST_VERTICES, LEAST_IOU).shape
    except StudioError:
        return shape


def _parts(inside: np.ndarray, small_part: float) -> list[shapely.Polygon]:
    """Return the connected parts of a mask as polygons with holes, the largest first, without small parts and holes.

    Pixels that touch only at a corner are not connected.
    """
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    cut = inside[top : rows[-1] + 1, left : columns[-1] + 1]
    outers: list[shapely.Polygon] = []
    holes: list[shapely.Polygon] = []
    for points in raster.rings(raster.from_mask(cut)):
        ring = shapely.LinearRing(np.add(points, (left, top)))
        # The mask is on the right of each edge (y points down), so an outer ring and a hole turn opposite ways.
        (outers if shapely.is_ccw(ring) else holes).append(shapely.Polygon(ring))
    outers.sort(key=lambda part: -part.area)
    least = small_part * outers[0].area
    kept = [part for part in outers if part.area >= least]
    holes = [hole for hole in holes if hole.area >= least]
    own: dict[int, list[shapely.LinearRing]] = {}
    for hole in holes:
        around = [number for number, part in enumerate(outers) if hole.within(part)]
        if around:  # the last one is the smallest
            own.setdefault(around[-1], []).append(hole.exterior)
    return [shapely.Polygon(part.exterior, own.get(number, ())) for number, part in enumerate(kept)]


def _polygons(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """Return the valid polygons that a simplified polygon consists of."""
    if not shape.is_valid:
        shape = shapely.make_valid(shape)
    return [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon) and part.area > 0]


def _picture_ring(ring: shapely.LinearRing, left: float, top: float, scale: tuple[float, float]) -> Points:
    """Return the vertices of a ring in pixels of the picture, to 2 decimals, without the repeated first vertex."""
    points = np.round(np.asarray(ring.coords)[:-1] * scale + (left, top), 2)
    return tuple(map(tuple, points.tolist()))
