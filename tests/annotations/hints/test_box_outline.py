"""GrabCut from a box and from strokes, on pictures whose objects are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints.box_outline import (
    ITERATIONS,
    WORKING_SIDE,
    HintStopped,
    SoftMask,
    Strokes,
    _crop,
    box_outline,
    resampled,
)
from maskrcnn.annotations.regions import Shape

BACKGROUND, OBJECT, OTHER = (70, 110, 70), (200, 60, 40), (50, 60, 190)


def noisy(pixels: np.ndarray) -> np.ndarray:
    """The picture with noise and soft edges, as a camera has them."""
    noise = np.random.default_rng(0).normal(0, 8, pixels.shape)
    return np.clip(cv2.GaussianBlur(pixels, (3, 3), 0) + noise, 0, 255).astype(np.uint8)


def star(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a five-pointed star, and its mask."""
    angles = np.arange(10) * np.pi / 5 - np.pi / 2
    radii = np.where(np.arange(10) % 2, 0.2, 0.42) * min(height, width)
    points = np.stack([width / 2 + radii * np.cos(angles), height / 2 + radii * np.sin(angles)], axis=1)
    inside = raster.fill([[points]], height, width).astype(bool)
    pixels = np.full((height, width, 3), BACKGROUND, np.uint8)
    pixels[inside] = OBJECT
    return noisy(pixels), inside


def box_of(inside: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def iou(shape: Shape | None, inside: np.ndarray) -> float:
    assert shape is not None
    found = raster.mask(shape, *inside.shape)
    return float((found & inside).sum() / (found | inside).sum())


def test_a_box_becomes_the_outline_of_the_object_in_it() -> None:
    picture, inside = star(300, 400)
    assert iou(box_outline(picture, box_of(inside)), inside) > 0.93


def test_the_same_box_gives_the_same_outline() -> None:
    picture, inside = star(150, 150)
    assert box_outline(picture, box_of(inside)) == box_outline(picture, box_of(inside))


def test_a_box_that_leaves_the_picture_counts_as_its_part_within() -> None:
    picture, inside = star(200, 200)
    cut, rest = picture[:, 100:], inside[:, 100:]
    x0, y0, x1, y1 = box_of(rest)
    assert iou(box_outline(cut, (x0 - 80, y0, x1, y1)), rest) > 0.9


@pytest.mark.parametrize("box", [(300.0, 0.0, 320.0, 20.0), (10.0, 10.0, 10.0, 30.0), (-50.0, -50.0, 0.0, 0.0)])
def test_a_box_without_a_pixel_of_the_picture_gives_nothing(box: tuple[float, float, float, float]) -> None:
    assert box_outline(star(100, 100)[0], box) is None


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 50), (300, 2)])
def test_a_tiny_picture_and_one_of_a_single_colour_do_no_harm(size: tuple[int, int]) -> None:
    picture = np.full((*size, 3), 128, np.uint8)
    box_outline(picture, (0, 0, size[1], size[0]))
    box_outline(picture, (0, 0, 1, 1), Strokes(inside=(((0.5, 0.5),),), outside=(((0.5, 0.5),),)))


def test_clicks_take_away_and_add_parts() -> None:
    """Two discs of different colours in one box: a person says which of them belong to the object."""
    rows, columns = np.mgrid[:200, :300] + 0.5
    left = (rows - 100) ** 2 + (columns - 90) ** 2 <= 60**2
    right = (rows - 100) ** 2 + (columns - 210) ** 2 <= 60**2
    pixels = np.full((200, 300, 3), BACKGROUND, np.uint8)
    pixels[left], pixels[right] = OBJECT, OTHER
    picture, box = noisy(pixels), (30.0, 40.0, 270.0, 160.0)
    on_left, on_right = (((60.0, 100.0), (120.0, 100.0)),), (((180.0, 100.0), (240.0, 100.0)),)
    assert iou(box_outline(picture, box, Strokes(inside=on_left, outside=on_right)), left) > 0.9
    assert iou(box_outline(picture, box, Strokes(inside=(*on_left, *on_right))), left | right) > 0.9


def test_a_click_outside_the_box_lets_the_outline_grow() -> None:
    picture, inside = star(300, 300)
    x0, y0, x1, y1 = box_of(inside)
    half = (x0, y0, x1, (y0 + y1) / 2)
    legs = (((104.0, 210.0),), ((196.0, 210.0),))
    before, after = box_outline(picture, half), box_outline(picture, half, Strokes(inside=legs))
    assert iou(after, inside) > 0.9 > iou(before, inside)


def test_a_soft_mask_is_the_first_guess() -> None:
    """An equal object lies beside the one that the soft mask shows."""
    rows, columns = np.mgrid[:200, :300] + 0.5
    left = (rows - 100) ** 2 + (columns - 90) ** 2 <= 50**2
    right = (rows - 100) ** 2 + (columns - 210) ** 2 <= 50**2
    pixels = np.full((200, 300, 3), BACKGROUND, np.uint8)
    pixels[left | right] = OBJECT
    values = np.zeros((28, 28), np.float32)
    values[8:20, 5:12] = 0.95
    guess = SoftMask(values, (0, 0, 300, 200))
    assert iou(box_outline(noisy(pixels), (40, 50, 140, 150), first_guess=guess), left) > 0.85


def test_where_colours_say_nothing_the_first_guess_remains() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    values = np.full((28, 28), 0.3, np.float32)
    values[7:21, 7:21] = 0.7
    shape = box_outline(picture, (30, 30, 70, 70), first_guess=SoftMask(values, (10, 10, 90, 90)))
    inside = np.zeros((100, 100), bool)
    inside[30:70, 30:70] = True
    assert iou(shape, inside) > 0.6


def test_a_first_guess_that_does_not_fill_the_box_is_given_up() -> None:
    picture, inside = star(200, 200)
    values = np.zeros((28, 28), np.float32)
    values[:6, :6] = 1  # a corner, without the star
    box = box_of(inside)
    assert iou(box_outline(picture, box, first_guess=SoftMask(values, box)), inside) > 0.9


def test_a_soft_mask_is_resampled_at_the_centres_of_pixels() -> None:
    values = np.array([[0, 1]], np.float32)  # over [0, 4]: 0 at x = 1, 1 at x = 3
    found = resampled(SoftMask(values, (0, 0, 4, 1)), np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5]))
    assert found.tolist() == [[0, 0.5, 1, 0.5]]


def test_progress_is_told_and_a_stop_obeyed() -> None:
    picture, inside = star(100, 100)
    steps: list[tuple[int, int]] = []
    box_outline(picture, box_of(inside), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(number, ITERATIONS) for number in range(1, ITERATIONS + 1)]
    with pytest.raises(HintStopped):
        box_outline(picture, box_of(inside), stopped=lambda: True)


def test_the_copy_does_not_grow_with_the_picture() -> None:
    picture, inside = star(1200, 1600)
    crop = _crop(picture, box_of(inside))
    assert crop is not None
    assert max(crop.pixels.shape) == WORKING_SIDE
    assert iou(box_outline(picture, box_of(inside)), inside) > 0.93
