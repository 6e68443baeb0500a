"""Simplified outlines: fewer vertices, valid, and as close to the original as was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.boolean_operations import area_of
from maskrcnn.annotations.regions import MultiPolygon, Point, Polygon, Rect, Shape
from maskrcnn.annotations.simplification import (
    Simplification,
    simplified,
    simplified_to_iou,
    simplified_to_vertices,
    vertex_count,
)
from maskrcnn.errors import StudioError
from tests.annotations.random_shapes import area_by_shapely, random_shape
from tests.sweeps import one_in


def check(result: Simplification, original: Shape) -> None:
    """A result is valid, and its numbers are those of an independent reading."""
    parts = result.shape.parts if isinstance(result.shape, MultiPolygon) else ((result.shape.points,),)
    area = shapely.MultiPolygon([(part[0], part[1:]) for part in parts])
    assert area.is_valid
    assert result.vertices == sum(len(ring) for part in parts for ring in part) == vertex_count(result.shape)
    truth = area_by_shapely(original)
    iou = area.intersection(truth).area / area.union(truth).area
    assert result.iou == pytest.approx(iou, abs=1e-6)
    assert len(shapely.get_parts(area)) == len([part for part in shapely.get_parts(area_of(original))])


@pytest.mark.parametrize("seed", one_in(3, range(60)))
def test_random_shapes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = random_shape(rng)
    exact = simplified(shape, 0.0)
    check(exact, shape)
    assert exact.iou == 1.0
    rough = simplified(shape, 3.0)
    check(rough, shape)
    assert rough.vertices <= exact.vertices
    new = {point for ring in raster.rings(rough.shape) for point in ring}
    assert new <= {point for ring in raster.rings(exact.shape) for point in ring}

    close = simplified_to_iou(shape, 0.95)
    check(close, shape)
    assert close.iou >= 0.95
    few = simplified_to_vertices(shape, 12, least_iou=0.9)
    check(few, shape)
    assert few.vertices <= 12 or few.iou >= 0.9


def test_as_much_detail_as_the_vertices_allow() -> None:
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    circle = Polygon(tuple(zip((50 + 40 * np.cos(angles)).tolist(), (50 + 40 * np.sin(angles)).tolist(), strict=True)))
    results = [simplified_to_vertices(circle, most) for most in (8, 16, 32, 64)]
    assert [result.vertices <= most for result, most in zip(results, (8, 16, 32, 64), strict=True)] == [True] * 4
    ious = [result.iou for result in results]
    assert ious == sorted(ious)
    assert ious[-1] > 0.99


def test_a_shape_with_few_vertices_stays() -> None:
    square = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)))
    assert simplified(square, 1.0).shape == square
    assert simplified_to_vertices(square, 40).shape == square


def test_a_region_beside_an_island_does_not_run_over_it() -> None:
    """A coarse outline would cross the part that lies in its bay; outlines stay apart."""
    bay = ((0, 0), (100, 0), (100, 100), (60, 100), (60, 20), (40, 20), (40, 100), (0, 100))
    island = ((45, 60), (55, 60), (55, 95), (45, 95))
    result = simplified(MultiPolygon(((bay,), (island,))), 30)
    check(result, MultiPolygon(((bay,), (island,))))


def test_no_area() -> None:
    with pytest.raises(StudioError, match="no area"):
        simplified(Point(1, 1), 1)
    assert simplified_to_iou(Rect(0, 0, 5, 5), 0.99).vertices == 4
