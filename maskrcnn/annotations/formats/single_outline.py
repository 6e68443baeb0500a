"""One outline out of several, for formats that hold no more than one for each object."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import MultiPolygon, Points, Polygon, Shape


def single(shape: Shape) -> Points:
    """The outline of a shape with area, as one ring: parts and holes are joined (`joined`), a mask is traced.

    Where the parts of an object overlap, they are united first: by the even-odd rule two outlines in one would leave
    the overlap out. Else every vertex stays as it was drawn.
    """
    if isinstance(shape, Polygon):
        return shape.points
    if isinstance(shape, MultiPolygon) and len(shape.parts) > 1:
        enclosed = [_enclosed(part) for part in shape.parts]
        if any(a.intersects(b) and a.intersection(b).area > 0 for a, b in combinations(enclosed, 2)):
            return joined(_rings(shapely.union_all(enclosed)))
    return joined(raster.rings(shape))


def joined(rings: list[Points]) -> Points:
    """One closed outline that runs through all rings, joined to each by a line of no width, there and back.

    By the even-odd rule the joining lines enclose nothing, so parts stay parts and holes stay holes. Each ring is
    joined where it comes nearest to what was joined before.
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


def is_inside(outline: Points, width: int, height: int) -> bool:
    """Whether no vertex lies outside a picture of that size."""
    return all(0 <= x <= width and 0 <= y <= height for x, y in outline)


def cut_off(outline: Points, width: int, height: int) -> Points:
    """What an outline encloses inside a picture, by the even-odd rule, as one outline; empty if that is nothing."""
    cut = shapely.intersection(_enclosed((outline,)), shapely.box(0, 0, width, height))
    rings = _rings(cut)
    # The picture's corner may come back as 1e-17 left of it.
    return joined([tuple((min(max(x, 0), width), min(max(y, 0), height)) for x, y in ring) for ring in rings])


def _enclosed(part: tuple[Points, ...]) -> Any:
    """The area of a part without that of its holes, each outline by the even-odd rule."""
    areas = [shapely.make_valid(shapely.Polygon(ring)) if len(ring) >= 3 else shapely.Polygon() for ring in part] or [
        shapely.Polygon()
    ]
    outer, *holes = areas
    return shapely.difference(outer, shapely.union_all(holes)) if holes else outer


def _rings(area: Any) -> list[Points]:
    polygons = [polygon for polygon in shapely.get_parts(shapely.get_parts(area)) if polygon.area > 0]
    outlines = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [tuple((float(x), float(y)) for x, y in ring.coords[:-1]) for ring in outlines]
