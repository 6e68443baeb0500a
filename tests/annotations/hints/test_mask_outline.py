"""A mask becomes a polygon: exact along its pixels, and with few vertices on demand."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints.mask_outline import outline_of, simplified_outline
from maskrcnn.annotations.regions import MultiPolygon, Polygon
from maskrcnn.annotations.simplification import vertex_count


def disc(side: int, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] + 0.5
    return (rows - side / 2) ** 2 + (columns - side / 2) ** 2 <= radius**2


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_without_smoothing_an_outline_has_exactly_the_pixels_of_its_mask() -> None:
    random = np.random.default_rng(0)
    for _ in range(40):
        inside = random.random((12, 17)) < random.random()
        shape = outline_of(inside, smoothing=0, small_part=0)
        assert (shape is None) == (not inside.any())
        if shape is not None:
            assert (raster.mask(shape, 12, 17) == inside).all()


def test_an_outline_lies_where_the_mask_lies_in_the_picture() -> None:
    inside = np.zeros((4, 6), bool)
    inside[1:3, 2:5] = True
    shape = outline_of(inside, left=100, top=50, scale=(2, 3))
    assert shape is not None
    assert raster.bounds(shape) == (104, 53, 110, 59)


def test_a_ring_keeps_its_hole_and_an_island_in_it() -> None:
    ring = disc(100, 48) & ~disc(100, 30) | disc(100, 14)
    shape = outline_of(ring)
    assert isinstance(shape, MultiPolygon)
    assert [len(part) for part in shape.parts] == [2, 1]
    assert iou(raster.mask(shape, 100, 100), ring) > 0.97


def test_specks_and_pinholes_are_left_out() -> None:
    inside = disc(100, 40)
    inside[50, 50] = False
    inside[0, 0] = True
    assert isinstance(outline_of(inside), Polygon)


@pytest.mark.parametrize("radius", [3, 12, 90, 240])
def test_a_simplified_outline_has_few_vertices_and_is_close(radius: int) -> None:
    inside = disc(500, radius)
    shape = outline_of(inside)
    assert shape is not None
    simple = simplified_outline(shape)
    assert vertex_count(simple) <= 40
    assert iou(raster.mask(simple, 500, 500), inside) >= 0.95
