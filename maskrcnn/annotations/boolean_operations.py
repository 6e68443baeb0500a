"""Boolean operations on shapes: union, difference, intersection, a cut along a line, a hole.

An operation loses nothing: every part of a result is kept, unless its area is a rounding error (`NEGLIGIBLE_AREA`), and
vertices that an operation does not remove keep their exact coordinates. A result is a `Polygon` if one outline is
enough, else a `MultiPolygon` with holes. An outline that crosses itself is read by the even-odd rule, as the rasteriser
fills it. Rectangles, circles and ellipses become the polygons that the rasteriser fills, and a mask becomes the
outlines along its pixels.

Functions raise `StudioError` for shapes without an area and for outlines that cross themselves too often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor.shape_repairs import area_of_shape, polygons_of_area
from maskrcnn.annotations.raster import Frame
from maskrcnn.annotations.regions import RLE, Keypoints, MultiPolygon, Point, Points, Polygon, Polyline, Shape
from maskrcnn.errors import StudioError

Outlined = Polygon | MultiPolygon
"""A shape made of outlines: the result of an operation."""

NEGLIGIBLE_AREA = 1e-8
"""Pieces and holes of at most this area (px²) are rounding errors of coordinates. They are dropped."""

NEGLIGIBLE_DISTANCE = 1e-9
"""A vertex at most this far (px) from another outline lies on it. A point that is computed on a sloping edge, such as a
snapped vertex, is rarely on it to the last bit."""

MOST_CROSSINGS = 5_000
"""Maximum number of times that one outline may cross itself. Each crossing divides the plane into one more face."""


def area_of(shape: Shape) -> BaseGeometry:
    """Return the area of a shape as a valid shapely geometry; empty for lines, points and keypoints.

    >>> from maskrcnn.annotations.regions import Rect
    >>> area_of(Rect(0, 0, 4, 3)).area
    12.0
    """
    match shape:
        case Point() | Polyline() | Keypoints():
            return shapely.Polygon()
        case RLE():
            # Outlines of pixels touch only at corners, so they need no further nodes.
            return shapely.build_area(shapely.MultiLineString([(*ring, ring[0]) for ring in raster.rings(shape)]))
        case _:
            for ring in raster.rings(shape):
                _require_few_crossings(ring)
            return area_of_shape(shape, least=0.0)


def shape_of(area: BaseGeometry) -> Outlined | None:
    """Return the shape of an area, its largest part first; None if nothing is left. Holes run against outer rings.

    >>> import shapely
    >>> shape_of(shapely.box(0, 0, 4, 3))
    Polygon(points=((4, 0), (4, 3), (0, 3), (0, 0)))
    """
    pieces = sorted(_pieces(area), key=lambda piece: piece.area, reverse=True)
    parts = tuple(_rings(piece) for piece in pieces)
    if not parts:
        return None
    return Polygon(parts[0][0]) if len(parts) == 1 and len(parts[0]) == 1 else MultiPolygon(parts)


def repaired(shape: Shape) -> Outlined:
    """Return the same area with outlines that do not cross. A valid shape of outlines is returned unchanged."""
    area = _area_with_content(shape)
    if isinstance(shape, Polygon) and shapely.Polygon(shape.points).is_valid:
        return shape
    if isinstance(shape, MultiPolygon) and _is_valid(shape):
        return shape
    return _require_content(shape_of(area))


def union(shapes: Sequence[Shape]) -> Outlined:
    """Return the union of shapes. Those that do not touch become the parts of a `MultiPolygon`.

    >>> from maskrcnn.annotations.regions import Rect
    >>> sorted(union([Rect(0, 0, 2, 2), Rect(2, 0, 2, 2)]).points)
    [(0, 0), (0, 2), (2, 0), (2, 2), (4, 0), (4, 2)]
    """
    areas = [_area_with_content(shape) for shape in shapes]
    if not areas:
        raise StudioError("nothing can be merged: there is no region; select some")
    whole = areas[0]
    for area in areas[1:]:
        whole, area = _fitted(whole, area)
        whole = _exact(whole.union(area), (whole, area))
    return _require_content(shape_of(whole))


def difference(shape: Shape, others: Sequence[Shape]) -> Shape | None:
    """Return a shape without the area of the others; None if nothing is left.

    If none of the others overlaps it, it is returned unchanged.

    >>> from maskrcnn.annotations.regions import Rect
    >>> cut = difference(Rect(0, 0, 4, 4), [Rect(1, 1, 2, 2)])
    >>> [len(part) for part in cut.parts]  # an outer ring and a hole
    [2]
    """
    area = _area_with_content(shape)
    changed = False
    for other in others:
        cutter = _area_with_content(other)
        fitted, cutter = _fitted(area, cutter)
        if fitted.intersection(cutter).area > NEGLIGIBLE_AREA:
            area, changed = _exact(fitted.difference(cutter), (fitted, cutter)), True
    return shape_of(area) if changed else shape


def intersection(shapes: Sequence[Shape]) -> Outlined | None:
    """Return the area that all shapes have in common; None if there is none.

    >>> from maskrcnn.annotations.regions import Rect
    >>> raster.bounds(intersection([Rect(0, 0, 4, 4), Rect(1, 2, 5, 5)]))
    (1.0, 2.0, 4.0, 4.0)
    """
    areas = [_area_with_content(shape) for shape in shapes]
    if not areas:
        raise StudioError("nothing can be intersected: there is no region; select some")
    common = areas[0]
    for area in areas[1:]:
        common, area = _fitted(common, area)
        # Without the lines and points at which outlines only touch.
        overlap = shapely.MultiPolygon(_pieces(common.intersection(area)))
        common = _exact(overlap, (common, area))
    return shape_of(common)


def with_hole(shape: Shape, hole: Shape) -> Outlined:
    """Return a shape with a hole. Raises `StudioError` if the hole is not inside the shape.

    >>> from maskrcnn.annotations.regions import Circle, Rect
    >>> len(with_hole(Rect(0, 0, 40, 40), Circle(20, 20, 5)).parts[0])
    2
    """
    area, opening = _area_with_content(shape), _area_with_content(hole)
    area, opening = _fitted(area, opening)
    if opening.difference(area).area > NEGLIGIBLE_AREA:
        raise StudioError("the hole is not inside the region; subtract it instead")
    return _require_content(shape_of(_exact(area.difference(opening), (area, opening))))


def split(shape: Shape, line: Points) -> list[Shape]:
    """Cut a shape along a line of two or more vertices, and return the pieces, the largest first.

    A piece is cut off if the line, alone or with the outlines, goes all around it. The areas of the pieces add up to
    that of the shape, and pieces at one cut share its vertices. Parts that the line does not cut stay with the nearest
    piece on the same side of the line; if it cuts none, parts on its two sides become two pieces. If the line separates
    nothing, the result is the shape itself.

    >>> from maskrcnn.annotations.regions import Rect
    >>> [raster.bounds(piece) for piece in split(Rect(0, 0, 4, 3), ((1, -1), (1, 9)))]
    [(1.0, 0.0, 4.0, 3.0), (0.0, 0.0, 1.0, 3.0)]
    """
    area = _area_with_content(shape)
    vertices = _without_repeats(line)
    if len(vertices) < 2:
        raise StudioError("the cut needs a line of at least two different points; draw it across the region")
    cut = shapely.union_all(shapely.LineString(vertices))
    area, cut = _fitted(area, cut)
    groups = _groups_of_pieces(area, cut)
    if len(groups) < 2:
        return [shape]
    if abs(sum(piece.area for group in groups for piece in group) - area.area) > 1e-7 * max(1.0, area.area):
        raise StudioError("the region cannot be cut exactly along this line; draw the line a little beside it")
    shapes = [shape_of(_exact(shapely.MultiPolygon(group), (area, cut))) for group in groups]
    return sorted((piece for piece in shapes if piece is not None), key=lambda piece: -area_of(piece).area)


def stroke_outline(points: Points, radius: float, frame: Frame | None = None) -> Outlined | None:
    """Return the outline of a brush stroke: everything within `radius` px of a line or a point.

    It is at most a quarter of a pixel, and at most 2 % of the radius, inside the round stroke. With `frame`, the stroke
    is clipped to the picture; None if nothing of it is inside.

    >>> raster.bounds(stroke_outline(((10, 10), (30, 10)), radius=5))
    (5.0, 5.0, 35.0, 15.0)
    """
    vertices = _without_repeats(points)
    line = shapely.LineString(vertices) if len(vertices) > 1 else shapely.Point(vertices[0])
    error = min(0.25, 0.02 * radius)
    corners = math.ceil(math.pi / 4 / math.acos(1 - error / radius))  # of a quarter of the circle
    area = line.simplify(error / 4).buffer(radius, quad_segs=corners)
    return shape_of(area if frame is None else area.intersection(shapely.box(0, 0, *frame)))


def _area_with_content(shape: Shape) -> BaseGeometry:
    """Return the area of a shape. Raises `StudioError` if it has none."""
    area = area_of(shape)
    if not _pieces(area):
        raise StudioError(
            "a region has no area (a line, a point, or an outline without width); use regions with an area"
        )
    return area


def _require_content(shape: Outlined | None) -> Outlined:
    """Return the shape. Raises `StudioError` if an operation left nothing."""
    if shape is None:
        raise StudioError("nothing is left of the region; delete it instead")
    return shape


def _pieces(area: BaseGeometry) -> list[shapely.Polygon]:
    """Return the polygons of an area, without those whose area is a rounding error."""
    return [piece for piece in polygons_of_area(area) if piece.area > NEGLIGIBLE_AREA]


def _rings(piece: shapely.Polygon) -> tuple[Points, ...]:
    """Return the outer ring and the holes of a piece, without holes whose area is a rounding error."""
    holes = [hole for hole in piece.interiors if shapely.Polygon(hole).area > NEGLIGIBLE_AREA]
    oriented = orient(shapely.Polygon(piece.exterior, holes))
    return tuple(_vertices(ring.coords) for ring in (oriented.exterior, *oriented.interiors))


def _vertices(coordinates: Iterable[tuple[float, ...]]) -> Points:
    """Return the vertices of a closed shapely ring. Whole numbers become `int`, as most label files write them."""
    closed = [(_whole_as_int(x), _whole_as_int(y)) for x, y, *_ in coordinates]
    return tuple(closed[:-1])


def _whole_as_int(value: float) -> float:
    """Return a whole number as `int`; it compares equal."""
    return int(value) if float(value).is_integer() else float(value)


def _is_valid(shape: MultiPolygon) -> bool:
    """Whether the rings of a shape neither cross nor overlap."""
    if not shape.parts or any(len(ring) < 3 for part in shape.parts for ring in part) or not all(shape.parts):
        return False
    return bool(shapely.MultiPolygon([(part[0], part[1:]) for part in shape.parts]).is_valid)


def _without_repeats(line: Points) -> Points:
    """Return the vertices of a line without those that repeat the one before."""
    return tuple(point for place, point in enumerate(line) if place == 0 or point != line[place - 1])


def _fitted(one: BaseGeometry, other: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    """Return two geometries so that a vertex of one that lies on the other is a vertex of both.

    Otherwise a border that two regions share, with a vertex of only one of them on it, would leave a crack.
    """
    first = _snapped(one, other)
    return first, _snapped(other, first)


def _snapped(geometry: BaseGeometry, to: BaseGeometry) -> BaseGeometry:
    """Return a geometry with the vertices of another added where they lie on its edges.

    As `shapely.snap`, whose time grows with the product of the numbers of vertices.
    """
    own = shapely.get_coordinates(geometry)
    foreign = np.unique(shapely.get_coordinates(to), axis=0)
    x0, y0, x1, y1 = geometry.bounds
    inside = (foreign >= (x0 - NEGLIGIBLE_DISTANCE, y0 - NEGLIGIBLE_DISTANCE)) & (
        foreign <= (x1 + NEGLIGIBLE_DISTANCE, y1 + NEGLIGIBLE_DISTANCE)
    )
    places = set(map(tuple, own.tolist()))
    foreign = np.array([point for point in foreign[inside.all(axis=1)].tolist() if tuple(point) not in places])
    if not len(foreign):
        return geometry
    edges = shapely.linestrings(np.stack([own[:-1], own[1:]], axis=1))  # some join two rings; they are not used
    found, hit = shapely.STRtree(edges).query(
        shapely.points(foreign), predicate="dwithin", distance=NEGLIGIBLE_DISTANCE
    )
    if not len(found):
        return geometry
    on_edges: dict[int, list[int]] = {}  # edge, named by the place of its start in `own` -> points on it
    for point, edge in zip(found.tolist(), hit.tolist(), strict=True):
        on_edges.setdefault(edge, []).append(point)
    moved = {
        place: tuple(foreign[point])
        for edge, points in on_edges.items()
        for point in points
        for place in (edge, edge + 1)
        if math.dist(own[place], foreign[point]) <= NEGLIGIBLE_DISTANCE
    }
    moved_points = set(moved.values())

    def with_points(start: int, count: int) -> list[tuple[float, float]]:
        vertices: list[tuple[float, float]] = []
        for place in range(start, start + count):
            vertices.append(moved.get(place, tuple(own[place])))
            if place < start + count - 1 and place in on_edges:
                new = [tuple(foreign[point]) for point in on_edges[place]]
                new = [point for point in new if point not in moved_points]
                vertices.extend(sorted(new, key=lambda point, here=own[place]: math.dist(here, point)))  # type: ignore[misc]
        return vertices

    lines, place = [], 0
    rings = _lines_of(geometry)
    for line in rings:
        count = shapely.get_num_coordinates(line)
        lines.append(with_points(place, count))
        place += count
    return _rebuilt(geometry, lines)


def _lines_of(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Return the rings and lines of a geometry in the order of its coordinates."""
    parts = shapely.get_parts(geometry).tolist()
    return [
        line for part in parts for line in ([part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part])
    ]


def _rebuilt(geometry: BaseGeometry, lines: list[list[tuple[float, float]]]) -> BaseGeometry:
    """Return a geometry with other vertices, one list for each of its lines; itself if that is not valid."""
    waiting = iter(lines)
    parts: list[BaseGeometry] = []
    for part in shapely.get_parts(geometry).tolist():
        if part.geom_type == "Polygon":
            outer, *holes = (next(waiting) for _ in range(1 + len(part.interiors)))
            parts.append(shapely.Polygon(outer, holes))
        else:
            parts.append(shapely.LineString(next(waiting)))
    polygons = all(part.geom_type == "Polygon" for part in parts)
    rebuilt = shapely.MultiPolygon(parts) if polygons else shapely.MultiLineString(parts)
    return rebuilt if rebuilt.is_valid else geometry


def _exact(area: BaseGeometry, sources: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return an area whose vertices are exactly those of the sources where they differ only by rounding.

    GEOS computes in full precision first, but if that fails, it moves vertices by a rounding error.
    """
    known = np.unique(np.concatenate([shapely.get_coordinates(source) for source in sources]), axis=0)
    coordinates = shapely.get_coordinates(area)
    places = {(x, y) for x, y in known.tolist()}
    new = [row for row, (x, y) in enumerate(coordinates.tolist()) if (x, y) not in places]
    if not new:
        return area
    tree = shapely.STRtree(shapely.points(known))
    found, nearest = tree.query(shapely.points(coordinates[new]), predicate="dwithin", distance=NEGLIGIBLE_DISTANCE)
    if not len(found):
        return area
    coordinates[np.asarray(new)[found]] = known[nearest]
    moved = shapely.set_coordinates(shapely.transform(area, lambda values: values), coordinates)
    return moved if moved.is_valid else area


def _groups_of_pieces(area: BaseGeometry, cut: BaseGeometry) -> list[list[shapely.Polygon]]:
    """Return the pieces of an area that is cut along a line, in groups that stay together (see `split`)."""
    parts = _pieces(area)
    owners: list[list[shapely.Polygon]] = [[] for _ in parts]  # the pieces of each part
    tree = shapely.STRtree(parts)
    for face in _faces(area.boundary, cut):
        inside = tree.query(face.representative_point(), predicate="within")
        if len(inside):
            owners[int(inside[0])].append(face)
    # A part that the line does not cut stays as it is, without vertices where the line ends on its outline.
    uncut = [part for part, pieces in zip(parts, owners, strict=True) if len(pieces) < 2]
    sides = _faces(area.convex_hull.boundary, cut)

    def side_of(piece: shapely.Polygon) -> int:
        place = piece.representative_point()
        return min(range(len(sides)), key=lambda number: sides[number].distance(place), default=0)

    cut_pieces = [piece for pieces in owners if len(pieces) > 1 for piece in pieces]
    groups = [[piece] for piece in cut_pieces]
    if not groups:
        by_side: dict[int, list[shapely.Polygon]] = {}
        for part in uncut:
            by_side.setdefault(side_of(part), []).append(part)
        return list(by_side.values())
    sides_of_pieces = [side_of(piece) for piece in cut_pieces]
    for part in uncut:
        side = side_of(part)
        here = [number for number, other in enumerate(sides_of_pieces) if other == side] or range(len(cut_pieces))
        groups[min(here, key=lambda number: cut_pieces[number].distance(part))].append(part)
    return groups


def _faces(boundary: BaseGeometry, cut: BaseGeometry) -> list[shapely.Polygon]:
    """Return the faces that outlines and a line enclose together, without those that are rounding errors."""
    lines = shapely.union_all([boundary, cut])
    return [face for face in shapely.polygonize([lines]).geoms if face.area > NEGLIGIBLE_AREA]


def _require_few_crossings(ring: Points) -> None:
    """Raise `StudioError` if an outline crosses itself so often that its faces cannot be found in a moment."""
    if len(ring) < 100 or shapely.Polygon(ring).is_valid:
        return
    ends = np.asarray((*ring, ring[0]), dtype=float)
    edges = shapely.linestrings(np.stack([ends[:-1], ends[1:]], axis=1))
    tree, crossings = shapely.STRtree(edges), 0
    for start in range(0, len(edges), 100):
        touching, _ = tree.query(edges[start : start + 100], predicate="intersects")
        crossings += max(0, len(touching) - 3 * min(100, len(edges) - start)) // 2  # without itself and its neighbours
        if crossings > MOST_CROSSINGS:
            raise StudioError("an outline crosses itself thousands of times; draw the region again")
