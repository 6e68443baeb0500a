"""Solid parts: covered areas and depths against formulas, the nearer one on top."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maskrcnn.toys.body_geometry import Part
from maskrcnn.toys.body_rendering import Layer, render


def painted(*parts: Part, light: tuple[float, float, float] = (0, 0, 1)) -> Layer:
    def red_green(name: str, along: np.ndarray, around: np.ndarray) -> np.ndarray:
        return np.broadcast_to([200.0, 0, 0] if name == "red" else [0, 200.0, 0], around.shape)

    return render(parts, red_green, np.array(light), 100, 120)


def ball(name: str, x: float, y: float, z: float, radius: float) -> Part:
    place = np.array([x, y, z])
    return Part(name, place, place, radius * np.eye(3))


def test_a_ball_is_a_disc_and_nearest_in_its_middle() -> None:
    layer = painted(ball("red", 50.5, 40.5, 7, 20))
    assert (layer.part == 0).sum() == pytest.approx(math.pi * 20**2, rel=0.01)
    assert layer.near[40, 50] == pytest.approx(7 + 20)
    assert layer.near[40, 62] == pytest.approx(7 + 16)  # 12-16-20
    assert layer.part[40, 71] == -1
    assert np.isneginf(layer.near[40, 71])


def test_a_swept_ball_is_a_capsule() -> None:
    layer = painted(Part("red", np.array([30.0, 30, 0]), np.array([70.0, 60, 50]), 10 * np.eye(3)))
    assert (layer.part == 0).sum() == pytest.approx(2 * 10 * 50 + math.pi * 10**2, rel=0.01)
    assert layer.near[45, 50] == pytest.approx(25 + 10, abs=1)  # half-way


def test_a_turned_ellipsoid_covers_its_shadow() -> None:
    # half axes 30 across, 10 and 12; turned by 60 degrees about the vertical: sqrt(15^2 + (10 sin 60)^2) across
    c, s = 0.5, math.sqrt(0.75)
    axes = np.array([[30 * c, 0, -30 * s], [10 * s, 0, 10 * c], [0, -12, 0]])
    place = np.array([60.0, 50, 0])
    layer = painted(Part("red", place, place, axes))
    across = math.sqrt(15**2 + (10 * s) ** 2)
    assert (layer.part == 0).sum() == pytest.approx(math.pi * across * 12, rel=0.01)
    left, right = layer.near[50, 48], layer.near[50, 71]
    assert left > right + 10  # its left end comes towards us


def test_the_nearer_part_is_on_top_whatever_the_order() -> None:
    near, far = ball("red", 50, 50, 30, 10), ball("green", 56, 50, 0, 10)
    for parts in ((near, far), (far, near)):
        layer = painted(*parts)
        assert parts[layer.part[50, 53]].name == "red"
        assert parts[layer.part[50, 63]].name == "green"
        assert layer.colour[50, 53, 0] > 0 == layer.colour[50, 53, 1]


def test_what_points_at_us_shows_its_nearer_end() -> None:
    low, high = np.array([50.0, 50, 0]), np.array([50.0, 50, 40])
    for start, end, growth in ((low, high, 0.5), (high, low, 2.0)):  # the nearer end is half as thick, or as thick
        layer = painted(Part("red", start, end, 10 * np.eye(3), growth))
        assert layer.near[50, 50] == pytest.approx(40 + 10 * (0.5 if growth < 1 else 1.0), abs=0.1)


def test_light_falls_from_where_it_comes() -> None:
    layer = painted(ball("red", 50, 50, 0, 20), light=(1, 0, 0))
    assert layer.colour[50, 65, 0] > 1.3 * layer.colour[50, 35, 0]


def test_parts_outside_the_canvas_are_cut_off() -> None:
    layer = painted(ball("red", 0, 50, 0, 10), ball("green", -50, 50, 0, 10))
    assert (layer.part == 0).sum() == pytest.approx(math.pi * 50, rel=0.03)
    assert not (layer.part == 1).any()
