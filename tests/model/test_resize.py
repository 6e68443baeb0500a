"""Bringing a bitmap to the size that the network works at."""

import numpy as np

from maskrcnn.model.resize import resize_mask


def test_a_pixel_that_is_half_covered_belongs_to_the_mask() -> None:
    # Each of the four pixels stands for 2 x 2: four, two, one and none of them are in.
    bitmap = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], bool)
    assert resize_mask(bitmap, (2, 2)).tolist() == [[1, 1], [0, 0]]


def test_its_size_is_height_and_width() -> None:
    small = resize_mask(np.ones((30, 60), np.uint8), (10, 20))
    assert (small.shape, small.dtype, small.min()) == ((10, 20), np.uint8, 1)
