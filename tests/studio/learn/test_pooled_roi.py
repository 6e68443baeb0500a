"""A box on a feature map of a picture that the network sees at another size: numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.studio.learn.pooled_roi import RoiOnMap

# The network sees a picture of 80 x 64 at twice the width and half the height: 160 x 32, 10 x 2 cells of 16 pixels.
MAP = np.arange(20, dtype=np.float32).reshape(2, 10)
ROI = RoiOnMap(MAP, (36, 4, 96, 28), 16, (2.0, 0.5), 2, 1)


def test_cells() -> None:
    assert ROI.cells == (2.25, 0.25, 6, 1.75)
    assert ROI.cell_width == 8


def test_the_deviation_is_told_in_pixels_of_the_picture() -> None:
    """RoIPool reads cells 2..6 by 0..1: (32, 0, 112, 32) as the network sees the picture, off by (-4, -4, 16, 4) there
    and by (-2, -8, 8, 8) on the picture. The box, 60 x 24, lies inside these 80 x 32 pixels."""
    off, iou = ROI.deviation("pool")
    assert off == (-2, -8, 8, 8)
    assert iou == pytest.approx(60 * 24 / (80 * 32))
    assert ROI.deviation("align") == ((0, 0, 0, 0), 1)


def test_a_nudge_of_one_picture_pixel_is_two_as_the_network_sees_it() -> None:
    """RoIAlign on a ramp of 1 a cell reads 2 / 16 more."""
    grids = ROI.shifted_grids("align", [0, 1])
    assert grids.shape == (2, 2, 2)
    assert grids[1] - grids[0] == pytest.approx(np.full((2, 2), 2 / 16), abs=1e-5)
