"""Repairs of shapes, and the exact area that a shape encloses, even if its outlines cross themselves.

Outlines are drawn anew around the area that they enclose, lines are closed, and keypoints are labelled. The functions
return new objects. `outside_picture` clips shapes to the picture. Frames are `(width, height)` in pixels.

The rasteriser fills by the even-odd rule. Repairs use the same rule, so they do not change the masks in training. An
outline divides the plane into *faces*. The winding number of a face is how often, and in which direction, the outline
goes around it. The even-odd rule fills the faces with an odd winding number, the nonzero rule all except those with 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import learnable_objects, raster
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

Edge = tuple[tuple[float, float], tuple[float, float]]
"""The start and the end of one side of an outline."""

ROUNDING = 0.01
"""Faces with a smaller area (px²) and overlaps with a smaller length (px) are rounding errors."""

SLIVER_AREA, SLIVER_SHARE, SLIVER_WIDTH = 4.0, 0.05, 0.5
"""A sliver is a piece or a hole whose area is less than `SLIVER_AREA` px² and less than `SLIVER_SHARE` of the largest
piece, or that is narrower than `SLIVER_WIDTH` px, so that it hardly contains the centre of a pixel. Repairs drop such
pieces and fill such holes."""


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
    return tuple(nearest_inside((x, y), frame) for x, y in open_ring)


def nearest_inside(point: tuple[float, float], frame: Frame) -> tuple[float, float]:
    """Return the point; if it is outside the picture, the nearest point on the picture's edge."""
    x, y = point
    return min(max(x, 0), frame[0]), min(max(y, 0), frame[1])


def has_two_readings(shape: Shape) -> bool:
    """Whether the even-odd and the nonzero fill rule enclose different areas, except for slivers.

    For example, a star drawn in one line has a hole in its middle only by the even-odd rule.
    """
    even_odd, nonzero = area_of_shape(shape), area_of_shape(shape, nonzero=True)
    least = min(SLIVER_AREA, SLIVER_SHARE * max(even_odd.area, nonzero.area))
    difference = polygons_of_area(even_odd.symmetric_difference(nonzero))
    return any(not is_sliver(piece, least) for piece in difference)


def area_in_outline(points: Points, *, nonzero: bool = False, least: float = ROUNDING) -> BaseGeometry:
    """Return the area inside an outline by the even-odd rule, as a valid shapely geometry (may be empty).

    With `nonzero`, use the nonzero rule of most drawing programs instead. An outline that is drawn twice completely
    encloses nothing by the even-odd rule; it is treated as drawn once. `least` is that of `faces_of`.
    """
    if len(points) < 3:
        return shapely.Polygon()
    plain = shapely.Polygon(points)
    if plain.is_valid:
        return plain
    faces = faces_of(points, least)
    if nonzero:
        return shapely.union_all([face for face, winding in faces if winding])
    return shapely.union_all([face for face, winding in faces if winding % 2] or [face for face, w in faces if w])


def faces_of(points: Points, least: float = ROUNDING) -> list[tuple[BaseGeometry, int]]:
    """Return (face, winding number) for the faces of an outline over `least` px², without the outer face."""
    line = shapely.node(shapely.LinearRing(points))
    faces = [face for face in shapely.polygonize([line]).geoms if face.area > least]
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


def area_of_shape(shape: Shape, *, nonzero: bool = False, least: float = ROUNDING) -> BaseGeometry:
    """Return the area that a shape encloses, as the rasteriser fills it: its parts, each without its holes.

    `least` is that of `faces_of`. A mask is not read: its area is empty.
    """
    if isinstance(shape, MultiPolygon):
        parts = [part for part in shape.parts if part]
    else:
        parts = [(outline,) for outline in raster.polygons(shape) or []]
    areas = []
    for part in parts:
        outer, *holes = (area_in_outline(ring, nonzero=nonzero, least=least) for ring in part)
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
