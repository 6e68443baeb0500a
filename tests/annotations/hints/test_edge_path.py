"""Intelligent scissors follow the edge of a disc that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maskrcnn.annotations.hints.edge_path import WORKING_SIDE, edge_paths, needed_reach


def disc(height: int, width: int, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width] + 0.5
    pixels = np.full((height, width, 3), 60, np.uint8)
    pixels[(rows - height / 2) ** 2 + (columns - width / 2) ** 2 <= radius**2] = (210, 180, 40)
    return pixels + np.random.default_rng(0).integers(0, 12, pixels.shape, np.uint8)


def test_a_path_follows_the_edge_and_has_both_ends() -> None:
    start, end = (180.0, 100.0), (100.0, 20.0)
    points = edge_paths(disc(200, 200, 80), start, needed_reach(start, end)).path_to(end)
    assert points[0] == start
    assert points[-1] == end
    assert 5 <= len(points) <= 60
    assert max(abs(math.hypot(x - 100, y - 100) - 80) for x, y in points) <= 1.5


def test_on_a_large_picture_a_path_is_as_exact_as_the_copy() -> None:
    picture = disc(3000, 4000, 1000)
    start, end = (3000.0, 1500.0), (2000.0, 500.0)
    paths = edge_paths(picture, start, needed_reach(start, end))
    points = paths.path_to(end)
    assert max(paths.size) == WORKING_SIDE
    assert max(abs(math.hypot(x - 2000, y - 1500) - 1000) for x, y in points) <= 2 * paths.scale[0]


def test_a_point_out_of_reach_is_refused() -> None:
    paths = edge_paths(disc(100, 100, 30), (50, 50), 64)
    with pytest.raises(ValueError, match="64"):
        paths.path_to((50, 120))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
@pytest.mark.parametrize("start", [(0.5, 0.5), (-30.0, 500.0)])
def test_tiny_pictures_and_points_outside_give_a_straight_line_at_worst(
    size: tuple[int, int], start: tuple[float, float]
) -> None:
    paths = edge_paths(np.zeros((*size, 3), np.uint8), start, 64)
    points = paths.path_to((start[0] + 1, start[1] + 1))
    assert points[0] == start
    assert points[-1] == (start[0] + 1, start[1] + 1)
