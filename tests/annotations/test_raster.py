"""The rasteriser: numbers worked by hand, and a slow oracle that tests each pixel's middle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats.exported_outline import joined_rings
from maskrcnn.annotations.regions import Circle, Ellipse, MultiPolygon, Point, Polygon, Polyline, Rect, Shape

SQUARE = ((0, 0), (4, 0), (4, 4), (0, 4))
HOLE = ((1, 1), (3, 1), (3, 3), (1, 3))


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (Rect(0, 0, 4, 3), 12),
        (Polygon(((0, 0), (4, 0), (4, 3), (0, 3))), 12),
        (Polygon(((0, 0), (0, 3), (4, 3), (4, 0))), 12),  # the other way round
        # Column middles at 0.5, 1.5, 2.5, 3.5 meet the slope at 4.4, 3.1, 1.9, 0.6: 4 + 3 + 2 + 1 pixels begin before.
        (Polygon(((0, 0), (4, 0), (0, 5))), 10),
        (Rect(-3, -3, 5, 5), 4),  # 2 x 2 px of it lie inside the picture
        (Rect(8, 0, 100, 1), 2),  # the picture ends at x = 10
        (Rect(20, 20, 5, 5), 0),
        (Rect(1, 1, 0, 5), 0),
        # A bow tie: two triangles that meet at (2, 2), each over columns with 4 - 1 and 4 - 3 pixels.
        (Polygon(((0, 0), (4, 4), (4, 0), (0, 4))), 8),
        (MultiPolygon(((SQUARE,), (((6, 0), (8, 0), (8, 2), (6, 2)),))), 20),
        (MultiPolygon(((SQUARE,), (((2, 0), (6, 0), (6, 4), (2, 4)),))), 24),  # 16 + 16 - 8 that both cover
        (MultiPolygon(((SQUARE, HOLE),)), 12),
        (MultiPolygon(((SQUARE, HOLE), (((1, 1), (2, 1), (2, 2), (1, 2)),))), 13),  # an island in the hole
        (Point(3, 3), 0),
        (Polyline(((0, 0), (5, 5), (0, 5))), 0),
        (Polygon(((1, 1), (5, 5))), 0),
    ],
)
def test_areas_worked_by_hand(shape: Shape, area: int) -> None:
    assert raster.area(shape, 8, 10) == area
    assert raster.mask(shape, 8, 10).sum() == area


def test_half_a_pixel_further_moves_the_mask_by_one_pixel() -> None:
    expected = np.zeros((6, 6), dtype=bool)
    expected[1:4, 1:5] = True  # the middle of pixel 0 is at 0.5: the outline begins just behind it
    assert (raster.mask(Rect(0.5, 0.5, 4, 3), 6, 6) == expected).all()


def test_a_circle_covers_its_72_corners() -> None:
    of_the_polygon = 0.5 * 72 * 20**2 * math.sin(2 * math.pi / 72)
    assert raster.area(Circle(50, 50, 20), 100, 100) == pytest.approx(of_the_polygon, rel=0.01)
    assert of_the_polygon == pytest.approx(math.pi * 400, rel=0.002)


def test_theta_turns_clockwise_as_y_points_down() -> None:
    mask = raster.mask(Ellipse(50, 50, 40, 8, math.pi / 4), 100, 100)
    assert mask[70, 70]
    assert not mask[30, 70]
    across = math.hypot(40, 8) * math.sqrt(0.5)
    assert raster.bounds(Ellipse(50, 50, 40, 8, math.pi / 4)) == pytest.approx(
        (50 - across, 50 - across, 50 + across, 50 + across)
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_outlines_agree_with_the_even_odd_rule_at_pixel_middles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-5, 35, (int(rng.integers(3, 9)), 2))
    mask = raster.mask(Polygon(tuple(map(tuple, corners.tolist()))), 30, 30)
    line = shapely.LineString([*corners, corners[0]])
    for y in range(30):
        for x in range(30):
            if shapely.Point(x + 0.5, y + 0.5).distance(line) > 0.35:  # nearer than that, the finer grid rounds
                assert mask[y, x] == _is_inside(corners, x + 0.5, y + 0.5), (x, y)


def _is_inside(corners: np.ndarray, x: float, y: float) -> bool:
    inside = False
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def test_a_mask_traced_and_joined_gives_the_same_mask() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        pixels = rng.random((12, 15)) < rng.uniform(0.1, 0.9)
        shape = raster.from_mask(pixels)
        assert (raster.mask(shape, 12, 15) == pixels).all()
        assert (raster.mask(Polygon(joined_rings(raster.rings(shape))), 12, 15) == pixels).all()


def test_outlines_of_a_mask_run_along_pixel_edges() -> None:
    pixels = np.zeros((5, 5), dtype=bool)
    pixels[1:4, 1:4] = True
    pixels[2, 2] = False
    outer, hole = sorted(raster.rings(raster.from_mask(pixels)), key=lambda ring: min(ring))
    assert set(outer) == {(1, 1), (4, 1), (4, 4), (1, 4)}
    assert set(hole) == {(2, 2), (3, 2), (3, 3), (2, 3)}


def test_pixels_that_touch_at_a_corner_are_two_outlines() -> None:
    for pixels in (np.eye(2, dtype=bool), np.eye(2, dtype=bool)[::-1]):
        assert [len(ring) for ring in raster.rings(raster.from_mask(pixels))] == [4, 4]


@pytest.mark.parametrize(
    ("shape", "bounds"),
    [
        (Polygon(((3, 1), (7, 2), (5, 9))), (3, 1, 7, 9)),
        (Rect(2, 3, 4, 5), (2, 3, 6, 8)),
        (Circle(5, 5, 2), (3, 3, 7, 7)),
        (Ellipse(5, 5, 3, 1), (2, 4, 8, 6)),
        (Ellipse(5, 5, 3, 1, math.pi / 2), (4, 2, 6, 8)),
        (Point(4, 2), (4, 2, 4, 2)),
        (raster.from_mask(np.pad(np.ones((2, 3), bool), 1)), (1, 1, 4, 3)),
    ],
)
def test_bounds(shape: Shape, bounds: tuple[float, ...]) -> None:
    assert raster.bounds(shape) == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Rect(0, 0, 2, 2), True),
        (Rect(0, 0, 2, 0), False),
        (Circle(1, 1, 0), False),
        (Polygon(((0, 0), (4, 4), (4, 0), (0, 4))), True),
        (Polygon(((0, 0), (2, 2), (4, 4), (1, 1))), False),
        (Polyline(((0, 0), (5, 5), (0, 5))), False),
        (Point(1, 1), False),
        (raster.from_mask(np.zeros((3, 3), bool)), False),
    ],
)
def test_has_area(shape: Shape, expected: bool) -> None:
    assert raster.has_area(shape) is expected
