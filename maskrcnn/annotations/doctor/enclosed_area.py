"""The exact area that a shape encloses, even if its outlines cross themselves.

The rasteriser fills by the even-odd rule. Repairs use the same rule, so they do not change the masks in training. An
outline divides the plane into *faces*. The winding number of a face is how often, and in which direction, the outline
goes around it. The even-odd rule fills the faces with an odd winding number, the nonzero rule all except those with 0.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import MultiPolygon, Points, Shape

Edge = tuple[tuple[float, float], tuple[float, float]]
"""The start and the end of one side of an outline."""

ROUNDING = 0.01
"""Faces with a smaller area (px²) and overlaps with a smaller length (px) are rounding errors."""

SLIVER_AREA, SLIVER_SHARE, SLIVER_WIDTH = 4.0, 0.05, 0.5
"""A sliver is a piece or a hole whose area is less than `SLIVER_AREA` px² and less than `SLIVER_SHARE` of the largest
piece, or that is narrower than `SLIVER_WIDTH` px, so that it hardly contains the centre of a pixel. Repairs drop such
pieces and fill such holes."""


def has_two_readings(shape: Shape) -> bool:
    """Whether the even-odd and the nonzero fill rule enclose different areas, except for slivers.

    For example, a star drawn in one line has a hole in its middle only by the even-odd rule.
    """
    even_odd, nonzero = area_of_shape(shape), area_of_shape(shape, nonzero=True)
    least = min(SLIVER_AREA, SLIVER_SHARE * max(even_odd.area, nonzero.area))
    difference = polygons_of_area(even_odd.symmetric_difference(nonzero))
    return any(not is_sliver(piece, least) for piece in difference)


def area_in_outline(points: Points, *, nonzero: bool = False) -> BaseGeometry:
    """Return the area inside an outline by the even-odd rule, as a valid shapely geometry (may be empty).

    With `nonzero`, use the nonzero rule of most drawing programs instead. An outline that is drawn twice completely
    encloses nothing by the even-odd rule; it is treated as drawn once.
    """
    if len(points) < 3:
        return shapely.Polygon()
    plain = shapely.Polygon(points)
    if plain.is_valid:
        return plain
    faces = faces_of(points)
    if nonzero:
        return shapely.union_all([face for face, winding in faces if winding])
    return shapely.union_all([face for face, winding in faces if winding % 2] or [face for face, w in faces if w])


def faces_of(points: Points) -> list[tuple[BaseGeometry, int]]:
    """Return (face, winding number) for the faces of an outline, without the outer face."""
    line = shapely.node(shapely.LinearRing(points))
    faces = [face for face in shapely.polygonize([line]).geoms if face.area > ROUNDING]
    return [(face, _winding_number(points, face.representative_point())) for face in faces]


def _winding_number(points: Points, place: shapely.Point) -> int:
    """Return the winding number of the outline around a point that is not on it."""
    starts = np.asarray(points, dtype=float)
    ends = np.roll(starts, -1, axis=0)
    x, y = place.x, place.y
    side = (ends[:, 0] - starts[:, 0]) * (y - starts[:, 1]) - (x - starts[:, 0]) * (ends[:, 1] - starts[:, 1])
    up = (starts[:, 1] <= y) & (ends[:, 1] > y) & (side > 0)
    down = (starts[:, 1] > y) & (ends[:, 1] <= y) & (side < 0)
    return int(up.sum() - down.sum())


def rings_in_outline(points: Points) -> list[Points]:
    """Split an outline into the rings that it joins by bridges; if there are none, return the outline itself.

    A bridge is a line that is drawn there and back. `formats.exported_outline.joined_rings` draws such outlines.
    """
    edges = [edge for edge in zip(points, (*points[1:], points[0]), strict=True) if edge[0] != edge[1]]
    chains = _chains_between_bridges(edges, _bridge_edges(edges))
    waiting: dict[tuple[float, float], deque[int]] = {}
    for number, chain in enumerate(chains):
        waiting.setdefault(chain[0][0], deque()).append(number)
    rings: list[Points] = []
    used: set[int] = set()
    for number, chain in enumerate(chains):
        if number in used:
            continue
        waiting[chain[0][0]].remove(number)
        while chain[0][0] != chain[-1][1]:
            following = waiting.get(chain[-1][1])
            if not following:
                return [points]
            used.add(following[0])
            chain += chains[following.popleft()]
        if len(chain) >= 3:
            rings.append(tuple(start for start, _ in chain))
    return rings or [points]


def area_of_shape(shape: Shape, *, nonzero: bool = False) -> BaseGeometry:
    """Return the area that a shape encloses, as the rasteriser fills it: its parts, each without its holes."""
    if isinstance(shape, MultiPolygon):
        parts = [part for part in shape.parts if part]
    else:
        parts = [(outline,) for outline in raster.polygons(shape) or []]
    areas = []
    for part in parts:
        outer, *holes = (area_in_outline(ring, nonzero=nonzero) for ring in part)
        areas.append(outer.difference(shapely.union_all(holes)) if holes else outer)
    return shapely.union_all(areas)


def polygons_of_area(area: BaseGeometry) -> list[shapely.Polygon]:
    """Return the polygons of an enclosed area, without lines and points, which enclose nothing."""
    return [piece for piece in shapely.get_parts(area).tolist() if piece.geom_type == "Polygon" and piece.area > 0]


def is_sliver(piece: shapely.Polygon, least: float) -> bool:
    """Whether an enclosed piece has less than `least` px², or is narrower than `SLIVER_WIDTH`."""
    return bool(piece.area < least or 2 * piece.area < SLIVER_WIDTH * piece.length)


def _bridge_edges(edges: list[Edge]) -> set[int]:
    """Return the indices of bridges: edges that occur twice in opposite directions and join two rings."""
    waiting: dict[Edge, list[int]] = {}
    bridges: set[int] = set()
    for number, (start, end) in enumerate(edges):
        opposite = waiting.get((end, start), [])
        # Opposite edges next to each other are a spike and join no rings. The last edge is next to the first one.
        is_bridge = bool(opposite) and 1 < number - opposite[-1] < len(edges) - 1
        if is_bridge:
            bridges |= {opposite.pop(), number}
        else:
            waiting.setdefault((start, end), []).append(number)
    return bridges


def _chains_between_bridges(edges: list[Edge], bridges: set[int]) -> list[list[Edge]]:
    """Return the chains of edges that are left of an outline without its bridges (lines drawn there and back).

    The outline is closed, so the last and the first chain are joined if no bridge separates them.
    """
    chains: list[list[Edge]] = [[]]
    for number, edge in enumerate(edges):
        if number in bridges:
            chains.append([])
        else:
            chains[-1].append(edge)
    if len(chains) > 1 and chains[0] and chains[-1]:
        chains[0] = chains.pop() + chains[0]
    return [chain for chain in chains if chain]
