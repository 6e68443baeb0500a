"""Compute the exact area that an outline encloses, even if it crosses itself.

The rasteriser fills by the even-odd rule. Repairs use the same rule, so they do not change the masks in training. An
outline divides the plane into *faces*. The winding number of a face is how often, and in which direction, the outline
goes around it. An outline is valid if all its winding numbers are 0 and 1, or 0 and -1. It may touch itself.

One outline may contain several rings (parts or holes joined by a line that is drawn forth and back, as the studio
writes them for VIA). Then each ring must be valid, and no two rings may overlap partially.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations.regions import Points

_ROUNDING = 0.01
"""Faces with a smaller area (px²) and overlaps with a smaller length (px) are rounding errors."""

SCRIBBLE = 150
"""A self-crossing outline is a scribble if its length is more than this multiple of its width and height. It has tens
of thousands of unintended faces."""

Edge = tuple[tuple[float, float], tuple[float, float]]


def fault(points: Points) -> str | None:
    """Return the fault of a closed outline with at least three vertices, as part of a sentence; None if valid."""
    if shapely.Polygon(points).is_valid:
        return None
    rings = _rings(points)
    for ring in rings:
        if shapely.Polygon(ring).is_valid:
            continue
        windings = {winding for _, winding in _faces(ring)} - {0}
        if len(windings) > 1 or windings - {1, -1}:
            return "crosses itself"
        if _runs_back(ring):
            return "runs back over itself"
    return "crosses itself" if len(rings) > 1 and _overlap_in_part([filled(ring) for ring in rings]) else None


def is_scribble(points: Points) -> bool:
    """Whether an outline crosses itself too often to compute its area (see `SCRIBBLE`)."""
    if len(points) < 3 or shapely.Polygon(points).is_valid:
        return False
    return any(_is_scribble(ring) for ring in _rings(points) if not shapely.Polygon(ring).is_valid)


def filled(points: Points, *, whole: bool = False) -> BaseGeometry:
    """Return the area inside an outline by the even-odd rule, as a valid shapely geometry (may be empty).

    With `whole`, use the nonzero rule of most drawing programs instead. An outline that is drawn twice completely
    encloses nothing by the even-odd rule; it is treated as drawn once.
    """
    if len(points) < 3:
        return shapely.Polygon()
    plain = shapely.Polygon(points)
    if plain.is_valid:
        return plain
    faces = _faces(points)
    if whole:
        return shapely.union_all([face for face, winding in faces if winding])
    return shapely.union_all([face for face, winding in faces if winding % 2] or [face for face, w in faces if w])


def _overlap_in_part(areas: list[BaseGeometry]) -> bool:
    """Whether any two areas overlap, and neither contains the other."""
    for first, second in shapely.STRtree(areas).query(areas, predicate="intersects").T.tolist():
        one, other = areas[first], areas[second]
        shared = one.intersection(other).area if first < second else 0
        if _ROUNDING < shared < min(one.area, other.area) - _ROUNDING:
            return True
    return False


def _is_scribble(points: Points) -> bool:
    line = shapely.LinearRing(points)
    x0, y0, x1, y1 = line.bounds
    return bool(line.length > SCRIBBLE * max(x1 - x0, y1 - y0))


def _faces(points: Points) -> list[tuple[BaseGeometry, int]]:
    """Return (face, winding number) for the faces of an outline, without the outer face."""
    line = shapely.node(shapely.LinearRing(points))
    faces = [face for face in shapely.polygonize([line]).geoms if face.area > _ROUNDING]
    return [(face, _winding(points, face.representative_point())) for face in faces]


def _winding(points: Points, place: shapely.Point) -> int:
    """Return the winding number of the outline around a point that is not on it."""
    starts = np.asarray(points, dtype=float)
    ends = np.roll(starts, -1, axis=0)
    x, y = place.x, place.y
    side = (ends[:, 0] - starts[:, 0]) * (y - starts[:, 1]) - (x - starts[:, 0]) * (ends[:, 1] - starts[:, 1])
    up = (starts[:, 1] <= y) & (ends[:, 1] > y) & (side > 0)
    down = (starts[:, 1] > y) & (ends[:, 1] <= y) & (side < 0)
    return int(up.sum() - down.sum())


def _runs_back(points: Points) -> bool:
    """Whether a part of the outline is drawn twice."""
    line = shapely.LinearRing(points)
    return bool(line.length - shapely.node(line).length > _ROUNDING)


def _rings(points: Points) -> list[Points]:
    """Split an outline into the rings that it joins by bridges; if there are none, return the outline itself."""
    edges = [edge for edge in zip(points, (*points[1:], points[0]), strict=True) if edge[0] != edge[1]]
    chains = _chains(edges, _bridges(edges))
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


def _bridges(edges: list[Edge]) -> set[int]:
    """Return the indices of bridges: edges that occur twice in opposite directions and join two rings."""
    waiting: dict[Edge, list[int]] = {}
    bridges: set[int] = set()
    for number, (start, end) in enumerate(edges):
        there = waiting.get((end, start), [])
        if there and 1 < number - there[-1] < len(edges) - 1:
            bridges |= {there.pop(), number}
        else:
            waiting.setdefault((start, end), []).append(number)
    return bridges


def _chains(edges: list[Edge], bridges: set[int]) -> list[list[Edge]]:
    """Return the chains of edges between bridges. The last and first chain are joined if no bridge separates them."""
    chains: list[list[Edge]] = [[]]
    for number, edge in enumerate(edges):
        if number in bridges:
            chains.append([])
        else:
            chains[-1].append(edge)
    if len(chains) > 1 and chains[0] and chains[-1]:
        chains[0] = chains.pop() + chains[0]
    return [chain for chain in chains if chain]
