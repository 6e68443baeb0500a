"""Convert a shape to one outline, for formats that hold only one outline for each object."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import (
    RLE,
    MultiPolygon,
    Points,
    Polygon,
    Shape,
)


def single_outline(shape: Shape) -> Points:
    """Return the outline of a shape with area as one ring, for an export.

    Parts and holes are joined (`joined_rings`), and a mask is traced. Overlapping parts are united first,
    because the even-odd rule would exclude the overlap. Otherwise every vertex stays as it was drawn.
    """
    if isinstance(shape, Polygon):
        return shape.points
    if isinstance(shape, MultiPolygon) and len(shape.parts) > 1:
        enclosed = [_exported_area(part) for part in shape.parts]
        if any(a.intersects(b) and a.intersection(b).area > 0 for a, b in combinations(enclosed, 2)):
            return joined_rings(_exported_rings(shapely.union_all(enclosed)))
    return joined_rings(raster.rings(shape))


def joined_rings(rings: list[Points]) -> Points:
    """Return one closed outline that runs through all rings. Each ring is connected by a line of zero width, there and
    back.

    By the even-odd rule these lines enclose nothing, so parts stay parts and holes stay holes. Each ring is connected
    at its nearest point to the rings joined before.
    """
    outline = list(rings[0]) if rings else []
    for ring in rings[1:]:
        if not ring:
            continue
        here, there = np.asarray(outline, dtype=float), np.asarray(ring, dtype=float)
        nearest = [int(np.argmin(((here - vertex) ** 2).sum(axis=1))) for vertex in there]
        gaps = ((here[nearest] - there) ** 2).sum(axis=1)
        start = int(np.argmin(gaps))
        at = nearest[start]
        outline[at + 1 : at + 1] = [*ring[start:], *ring[: start + 1], outline[at]]
    return tuple(outline)


def is_outline_inside(outline: Points, width: int, height: int) -> bool:
    """Whether all vertices of an exported outline lie inside a picture of that size."""
    return all(0 <= x <= width and 0 <= y <= height for x, y in outline)


def clipped_outline(outline: Points, width: int, height: int) -> Points:
    """Return an exported outline clipped to the picture, by the even-odd rule, as one outline; empty if nothing
    remains."""
    cut = shapely.intersection(_exported_area((outline,)), shapely.box(0, 0, width, height))
    rings = _exported_rings(cut)
    # Rounding may move the picture's corner by 1e-17 to the left.
    return joined_rings([tuple((min(max(x, 0), width), min(max(y, 0), height)) for x, y in ring) for ring in rings])


def _exported_area(part: tuple[Points, ...]) -> Any:
    """Return the area that is exported of a part of a MultiPolygon, with shapely: each outline by the even-odd rule,
    minus its holes."""
    areas = [shapely.make_valid(shapely.Polygon(ring)) if len(ring) >= 3 else shapely.Polygon() for ring in part] or [
        shapely.Polygon()
    ]
    outer, *holes = areas
    return shapely.difference(outer, shapely.union_all(holes)) if holes else outer


def _exported_rings(area: Any) -> list[Points]:
    """Return the rings to join into one outline for an export: the outer rings and the holes of a shapely area."""
    parts = shapely.get_parts(shapely.get_parts(area))  # twice, because a part of a collection may be a MultiPolygon
    polygons = [polygon for polygon in parts if polygon.area > 0]
    outlines = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [tuple((float(x), float(y)) for x, y in ring.coords[:-1]) for ring in outlines]


def needs_single_outline(shape: Shape) -> bool:
    """Whether a shape is not exactly one outline: it has several, or is a mask."""
    return isinstance(shape, RLE) or (isinstance(shape, MultiPolygon) and sum(map(len, shape.parts)) > 1)
