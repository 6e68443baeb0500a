"""The drawings of a soft mask and of the pasted one."""

from __future__ import annotations

import numpy as np

from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.drawing.soft_masks import LINE, ramp, soft_and_pasted


def test_cells_lie_over_the_box_and_the_line_is_at_one_half() -> None:
    """The box is 60 px wide and high, so each of 3 x 3 cells has 20 px. Only the middle cell is 1.

    The window has 21 px on each side of the box: 102 px, drawn in 408: 4 pixels for one of the picture. Between the
    middles of two cells the mask falls from 1 to 0, so the line is 10 px of the picture from the middle of the box.
    """
    picture = np.full((200, 200, 3), 128, np.uint8)
    soft = np.zeros((3, 3), np.float32)
    soft[1, 1] = 1
    pasted = np.zeros((200, 200), bool)
    pasted[90:110, 90:110] = True
    cells, cut_out = soft_and_pasted(picture, soft, pasted, np.array([70.0, 70, 130, 130]), 408)
    assert cells.shape == cut_out.shape == (408, 408, 3)
    middle = 204
    assert np.abs(cells[middle, middle].astype(int) - (0.38 * 128 + 0.62 * ramp(np.array(1.0)))).max() <= 1
    assert np.abs(cells[100, 100].astype(int) - (0.38 * 128 + 0.62 * ramp(np.array(0.0)))).max() <= 1
    assert (cells[5, 5] == 128).all()  # outside of the box
    line = np.flatnonzero((cells[middle] == rgb(LINE)).all(axis=1))
    assert np.abs(np.abs(line - middle) - 40).max() <= 2
    assert (cut_out[middle, middle] == 128).all()
    assert (cut_out[10, 10] == 70).all()  # 0.55 of the grey
    edge = np.flatnonzero((cut_out[middle] == rgb(LINE)).all(axis=1))
    assert np.abs(np.abs(edge - middle) - 40).max() <= 2


def test_a_box_at_the_edge_and_a_mask_of_nothing() -> None:
    picture, soft = np.zeros((40, 60, 3), np.uint8), np.zeros((28, 28), np.float32)
    pasted = np.zeros((40, 60), bool)
    for box in ([-5.0, -5, 10, 12], [50.0, 30, 60, 40], [20.0, 20, 20, 20]):
        for drawing in soft_and_pasted(picture, soft, pasted, np.array(box), 100):
            assert drawing.dtype == np.uint8
            assert max(drawing.shape[:2]) == 100
            assert not (drawing == rgb(LINE)).all(axis=2).any()
