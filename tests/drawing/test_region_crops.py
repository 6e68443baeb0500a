"""Which piece of a picture is cut out: numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maskrcnn.annotations.raster import Box, from_mask
from maskrcnn.annotations.regions import Circle, Keypoints, Point, Polygon, Polyline, Rect, Region, Shape
from maskrcnn.drawing.region_crops import SIDE, boxed_crop, crop, window


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        # 100 px wide with 35 % on both sides of the longer side: 170 px around the middle.
        ((400, 300, 500, 360), (365, 245, 535, 415)),
        # A point is shown with 48 px around it.
        ((500, 300, 500, 300), (476, 276, 524, 324)),
        # At the edge the piece is moved, and shows nothing beyond the picture.
        ((0, 0, 100, 100), (0, 0, 170, 170)),
        # 20 px beyond the left edge: the overhang and 15 % of half the piece, 0.15 * 85 = 12.75, are shown there.
        ((-20, 300, 80, 360), (-33, 245, 138, 415)),
        # Larger than the picture: all of it.
        ((0, 0, 1000, 600), (0, 0, 1000, 600)),
    ],
)
def test_the_window(around: Box, expected: tuple[int, int, int, int]) -> None:
    assert window(around, 1000, 600) == expected


@pytest.mark.parametrize("value", [1e308, -1e308, math.inf, math.nan])
def test_a_place_far_away_gives_a_window_of_bearable_size(value: float) -> None:
    left, top, right, bottom = window((10, 10, value, 20), 1000, 600)
    assert 0 < right - left <= 5000
    assert 0 < bottom - top <= 5000


@pytest.mark.parametrize(
    "shape",
    [
        Rect(10, 10, 20, 10),
        Circle(30, 20, 9),
        Point(5, 5),
        Polyline(((1, 1), (50, 30))),
        Polygon(((-5, -5), (1e9, 10), (10, 1e300))),
        Polygon(((3, 3), (9, 9))),
        Polygon(()),
        Keypoints(((5, 5, 2), (0, 0, 0))),
        from_mask(np.eye(48, 64, dtype=bool)),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_every_shape_can_be_shown(shape: Shape) -> None:
    shown = crop(np.full((48, 64, 3), 200, np.uint8), Region(shape, "cell"), (0, 0, 40, 30), "#e69f00")
    assert max(shown.shape[:2]) == SIDE


def test_what_lies_outside_is_grey_and_the_region_is_in_its_colour() -> None:
    picture = np.full((100, 100, 3), 255, np.uint8)
    shown = crop(picture, Region(Rect(-40, 20, 80, 60), "cell"), (-40, 20, 40, 80), "#0000ff")
    height, width = shown.shape[:2]
    red, green, blue = shown[height // 2, 5].astype(int)  # left of the picture and of the region
    assert max(blue, green, red) - min(blue, green, red) < 40
    assert 90 < green < 160
    red, green, blue = shown[height // 2, width // 2].astype(int)  # in the region
    assert blue > green + 30
    assert shown[5, width - 5].min() > 240  # the picture


def test_a_boxed_crop_stays_within_the_picture_and_shows_the_box() -> None:
    picture = np.zeros((70, 100, 3), np.uint8)
    picture[:20, 60:80] = 255
    piece = boxed_crop(picture, [60, 0, 20, 20], 168, "#3b82f6")
    assert max(piece.shape[:2]) == 168
    white, blue = (piece == 255).all(axis=2), (piece == (0x3B, 0x82, 0xF6)).all(axis=2)
    rows, columns = np.nonzero(blue)
    # The white square fills the blue one, but for its line.
    inside = white[rows.min() : rows.max(), columns.min() : columns.max()]
    assert inside.mean() > 0.85
    assert white.sum() == inside.sum()
