"""The stand-in maps, on pictures whose derivative is known."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.lessons.filter_maps import FILTERS, hand_made_map, hand_made_maps


def test_brightness_is_the_mean_of_the_cell() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:2, :2] = 255
    picture[:2, 2] = 255
    assert hand_made_map(picture, 2, "brightness") == pytest.approx(np.array([[1, 0.5], [0, 0]]))


def test_a_border_cell_is_filled_up_with_the_last_pixels() -> None:
    """5 pixels at stride 4: the second cell holds one real column."""
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[:, 4] = 255
    assert hand_made_map(picture, 4, "brightness") == pytest.approx(np.array([[0, 1]]))


def test_a_step_is_an_edge_in_one_direction_only() -> None:
    """Black to white between columns 3 and 4: Sobel gives 4, the most there is, in the two columns beside the step."""
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 255
    upright = hand_made_map(picture, 1, "upright edges")
    assert upright[4] == pytest.approx(np.array([0, 0, 0, 1, 1, 0, 0, 0]))
    assert hand_made_map(picture, 1, "level edges").max() == 0
    assert hand_made_map(picture, 2, "edges")[1] == pytest.approx(np.array([0, 0.5, 0.5, 0]) / np.sqrt(2))


def test_all_filters_have_the_shape_of_the_stride() -> None:
    maps = hand_made_maps(np.full((33, 65, 3), 128, np.uint8), 16)
    assert maps.shape == (len(FILTERS), 3, 5)
    assert maps.dtype == np.float32


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="choose edges"):
        hand_made_map(np.zeros((4, 4, 3), np.uint8), 2, "smell")
