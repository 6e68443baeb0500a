"""Union, difference, intersection, cut and hole: the same areas as shapely's, and nothing lost."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import raster
from maskrcnn.annotations.boolean_operations import (
    area_of,
    difference,
    intersection,
    repaired,
    split,
    stroke_outline,
    union,
    with_hole,
)
from maskrcnn.annotations.regions import Circle, MultiPolygon, Point, Points, Polygon, Polyline, Rect, Shape
from maskrcnn.errors import StudioError
from tests.annotations.random_shapes import SIDE, area_by_shapely, random_shape
from tests.sweeps import one_in

SAME = 1e-6
"""Largest difference of two areas in px² that counts as none."""


def outlines(shape: Shape) -> BaseGeometry:
    """The result of an operation as shapely reads it, which it must call valid."""
    parts = shape.parts if isinstance(shape, MultiPolygon) else ((shape.points,),)
    area = shapely.MultiPolygon([(part[0], part[1:]) for part in parts])
    assert area.is_valid, shapely.is_valid_reason(area)
    return area


def assert_same(shape: Shape | None, expected: BaseGeometry) -> None:
    if shape is None:
        assert expected.area < SAME
        return
    assert outlines(shape).symmetric_difference(expected).area < SAME


def assert_vertices_stay(result: Shape, *sources: Shape) -> None:
    """Each vertex of a source that is on an outline of the result, away from the other source, is still there."""
    kept = {point for ring in raster.rings(result) for point in ring}
    border = area_by_shapely(result).boundary
    for number, source in enumerate(sources):
        others = [area_by_shapely(other).boundary for place, other in enumerate(sources) if place != number]
        for x, y in {point for ring in raster.rings(source) for point in ring}:
            place = shapely.Point(x, y)
            if place.distance(border) < 1e-12 and all(place.distance(other) > 1e-6 for other in others):
                assert (x, y) in kept


@pytest.mark.parametrize("seed", one_in(4, range(200)))
def test_as_shapely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = random_shape(rng), random_shape(rng)
    a, b = area_by_shapely(one), area_by_shapely(other)
    assert abs(area_of(one).area - a.area) < SAME

    merged = union([one, other])
    assert_same(merged, a.union(b))
    assert_vertices_stay(merged, one, other)
    assert_same(intersection([one, other]), a.intersection(b))
    rest = difference(one, [other])
    if rest is one:
        assert a.intersection(b).area < SAME
    else:
        assert_same(rest, a.difference(b))
        if rest is not None:
            assert_vertices_stay(rest, one, other)

    # A hole: a small copy of some triangle inside.
    inside = max(shapely.get_parts(a), key=lambda part: part.area).buffer(-0.5)
    if not inside.is_empty:
        x, y = inside.representative_point().coords[0]
        hole = Polygon(((x, y), (x + 0.3, y), (x, y + 0.3)))
        opened = with_hole(one, hole)
        assert abs(outlines(opened).area - a.area + 0.045) < SAME
        assert_same(opened, a.difference(shapely.Polygon(hole.points)))

    # A cut: the pieces add up to the whole, do not overlap, and none of them is crossed by the line.
    line = random_line(rng)
    pieces = split(one, line)
    if len(pieces) == 1:
        assert pieces == [one]
    else:
        areas = [outlines(piece) for piece in pieces]
        assert abs(sum(area.area for area in areas) - a.area) < SAME
        assert shapely.union_all(areas).symmetric_difference(a).area < SAME
        assert_vertices_stay(union(pieces), one)
    parts = [part for part in shapely.get_parts(a) if part.area > SAME]
    crossed = sum(len(faces(part, shapely.LineString(line))) for part in parts)
    assert (len(pieces) > 1) == (crossed > len(parts)) or crossed == len(parts) > 1


def random_line(rng: np.random.Generator) -> Points:
    """A line across the field, straight or with corners."""
    heights = rng.uniform(40, 160, int(rng.integers(2, 6)))
    xs = np.linspace(-10, SIDE + 10, len(heights))
    return tuple(zip(xs.tolist(), heights.tolist(), strict=True))


def faces(part: BaseGeometry, line: BaseGeometry) -> list[BaseGeometry]:
    lines = shapely.union_all([part.boundary, line])
    found = shapely.get_parts(shapely.polygonize([lines]))
    return [face for face in found if face.area > SAME and part.buffer(1e-9).contains(face.representative_point())]


def test_a_shared_border_leaves_no_crack() -> None:
    """A vertex that was snapped onto a neighbour's sloping edge is beside it by a rounding error."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        start, end = rng.uniform(0, 100, 2), rng.uniform(0, 100, 2)
        share = rng.uniform(0.1, 0.9)
        place = tuple((start + share * (end - start)).tolist())
        aside = (end - start)[::-1] * (1, -1)
        left = Polygon((tuple(start.tolist()), tuple(end.tolist()), tuple((start + aside).tolist())))
        right = Polygon((tuple(start.tolist()), place, tuple(end.tolist()), tuple((start - aside).tolist())))
        whole = union([left, right])
        assert isinstance(whole, Polygon)
        assert len(whole.points) <= 4
        assert abs(outlines(whole).area - outlines(left).area - outlines(right).area) < SAME
        assert difference(left, [right]) is left
        assert intersection([left, right]) is None


def test_shapes_that_are_not_touched_stay_the_same() -> None:
    square, far = Rect(0, 0, 10, 10), Circle(100, 100, 5)
    assert difference(square, [far]) is square
    assert split(square, ((20, 0), (20, 10))) == [square]
    assert split(square, ((5, -1), (5, 5))) == [square]  # the line ends inside
    assert repaired(polygon := Polygon(((0, 0), (10, 0), (0, 10)))) is polygon


def test_a_cut_through_a_ring_and_parts_that_stay() -> None:
    ring = MultiPolygon(
        (
            (((0, 0), (30, 0), (30, 30), (0, 30)), ((10, 10), (20, 10), (20, 20), (10, 20))),
            (((40, 0), (50, 0), (50, 10), (40, 10)),),
        )
    )
    assert split(ring, ((15, -5), (15, 15))) == [ring]  # one side of the ring only: it still holds together
    halves = split(ring, ((15, -5), (15, 35)))
    assert sorted(outlines(half).area for half in halves) == [400, 500]  # the small part stays with its neighbour
    assert [outlines(part).area for part in split(ring, ((35, -5), (35, 35)))] == [800, 100]  # between the parts


def test_a_line_that_goes_back_and_forth_cuts_often() -> None:
    pieces = split(Rect(0, 0, 30, 10), ((10, -5), (10, 15), (20, 15), (20, -5)))
    assert sorted(outlines(piece).area for piece in pieces) == [100, 100, 100]
    loop = split(Rect(0, 0, 30, 30), ((5, 5), (20, 5), (20, 20), (5, 20), (5, 5)))
    assert sorted(outlines(piece).area for piece in loop) == [225, 675]


def test_nothing_that_overlaps_is_left() -> None:
    assert difference(Rect(2, 2, 3, 3), [Rect(0, 0, 10, 10)]) is None
    assert intersection([Rect(0, 0, 3, 3), Rect(3, 0, 3, 3)]) is None


@pytest.mark.parametrize("empty", [Point(1, 1), Polyline(((0, 0), (5, 5))), Polygon(((0, 0), (1, 1), (2, 2)))])
def test_shapes_without_area(empty: Shape) -> None:
    with pytest.raises(StudioError, match="no area"):
        union([Rect(0, 0, 3, 3), empty])


def test_wrong_operations_are_told() -> None:
    with pytest.raises(StudioError, match="not inside"):
        with_hole(Rect(0, 0, 10, 10), Rect(8, 8, 10, 10))
    with pytest.raises(StudioError, match="two different points"):
        split(Rect(0, 0, 10, 10), ((1, 1), (1, 1)))
    with pytest.raises(StudioError, match="nothing is left"):
        with_hole(Rect(0, 0, 10, 10), Rect(0, 0, 10, 10))


def test_a_scribble_is_refused_at_once() -> None:
    points = tuple(map(tuple, np.random.default_rng(0).uniform(0, 1000, (5000, 2)).tolist()))
    start = time.monotonic()
    with pytest.raises(StudioError, match="crosses itself"):
        area_of(Polygon(points))
    assert time.monotonic() - start < 5


def test_five_thousand_vertices_need_no_patience() -> None:
    angles = np.linspace(0, 2 * math.pi, 5000, endpoint=False)
    first, second = (
        Polygon(tuple(zip((x + 300 * np.cos(angles)).tolist(), (300 * np.sin(angles)).tolist(), strict=True)))
        for x in (0, 100)
    )
    start = time.monotonic()
    union([first, second])
    assert time.monotonic() - start < 5


def test_the_outline_of_a_stroke() -> None:
    rng = np.random.default_rng(1)
    for radius in (0.5, 3, 20, 200):
        points = tuple(map(tuple, rng.uniform(0, 500, (8, 2)).tolist()))
        exact = shapely.LineString(points).buffer(radius, quad_segs=256)
        painted = outlines(stroke_outline(points, radius))
        error = min(0.35, 0.03 * radius)
        assert exact.buffer(error).contains(painted)
        assert painted.buffer(error).contains(exact)
    dab = stroke_outline(((5, 5),), 20, frame=(100, 100))
    assert raster.bounds(dab) == pytest.approx((0, 0, 25, 25))
    assert stroke_outline(((-50, 5),), 20, frame=(100, 100)) is None
