"""What a browser is sent of a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from maskrcnn.drawing.jpeg import jpeg, square_jpeg


def decoded(content: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_a_picture_travels_small_and_keeps_its_colours() -> None:
    picture = np.zeros((1500, 3000, 3), np.uint8)
    picture[:, :1500] = (200, 30, 30)
    data = jpeg(picture, 1280)
    back = decoded(data)
    assert back.shape == (640, 1280, 3)
    assert np.abs(back[320, 300].astype(int) - (200, 30, 30)).max() < 6
    assert len(data) < 100_000


def test_a_small_picture_is_not_enlarged() -> None:
    assert decoded(jpeg(np.zeros((30, 40, 3), np.uint8), 1280)).shape == (30, 40, 3)


@pytest.mark.parametrize(("height", "width"), [(40, 100), (100, 40)])
def test_the_middle_is_cut_to_a_square(height: int, width: int) -> None:
    """White in the middle 40 of 100 pixels, black at both ends, which go."""
    picture = np.zeros((height, width, 3), np.uint8)
    (picture[:, 30:70] if width > height else picture[30:70])[:] = 255
    square = decoded(square_jpeg(jpeg(picture, 100)))
    assert square.shape == (40, 40, 3)
    assert square[4:-4, 4:-4].min() > 240
