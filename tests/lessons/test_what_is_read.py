"""How far the box that a method reads is from the drawn one: worked by hand, and found out from the grids themselves.

A cell is read if the grid changes with its value. So which cells RoIPool reads, and from where to where, is asked of
the network's own RoIPool, one cell at a time; the IoU is counted pixel by pixel.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision import ops

from maskrcnn.lessons.roi_pooling import METHODS, Box, grid_of, pyramid_level, quantisation, roi_align_samples
from maskrcnn.model.pooling import RoIPooler

MAP = (6, 8)
"""Rows and columns; at stride 16 a picture of 128 x 96 pixels."""

AT_THE_BORDER: dict[str, tuple[Box, Box, float, float]] = {
    # box, what RoIPool reads, off by, IoU. One cell is 16 px.
    # (100, 20, 128, 60) / 16 = (6.25, 1.25, 8, 3.75): cells 6..8 by 1..4, of which 8 is not there: (96, 16, 128, 80).
    # 28 * 40 = 1120 of 32 * 64 = 2048.
    "right": ((100, 20, 128, 60), (96, 16, 128, 80), 20, 1120 / 2048),
    # The same turned: 40 * 28 of 64 * 32.
    "bottom": ((20, 68, 60, 96), (16, 64, 80, 96), 20, 1120 / 2048),
    # (88, 40, 128, 96) / 16 = (5.5, 2.5, 8, 6): halves go up, so 6..8 by 3..6, less 8 and 6: (96, 48, 128, 96).
    # Shared: all of it, 32 * 48 = 1536 of 40 * 56 = 2240.
    "right and bottom": ((88, 40, 128, 96), (96, 48, 128, 96), 8, 1536 / 2240),
    # 127.9 / 16 = 7.99 goes to 8, which is not there; 0 stays 0.
    "all of it": ((0, 0, 127.9, 95.9), (0, 0, 128, 96), 0.1, 127.9 * 95.9 / (128 * 96)),
    # (120, 88, 128, 96) / 16 = (7.5, 5.5, 8, 6): cells 8 and 6, neither there. Nothing is read.
    "nothing is left": ((120, 88, 128, 96), (128, 96, 128, 96), 8, 0),
    # Beyond the left and top: (-40, -24, 40, 40) / 16 = (-2.5, -1.5, 2.5, 2.5): -3..3 by -2..3, from 0: (0, 0, 64, 64).
    # Shared 40 * 40 = 1600 of 80 * 64 + 64 * 64 - 1600 = 7616.
    "left and top": ((-40, -24, 40, 40), (0, 0, 64, 64), 40, 1600 / 7616),
    # Away from the border nothing is new: (20, 20, 60, 60) / 16 = 1.25, 3.75: cells 1..4, 1600 of 64 * 64.
    "inside": ((20, 20, 60, 60), (16, 16, 80, 80), 20, 1600 / 4096),
}


@pytest.mark.parametrize("kind", AT_THE_BORDER)
@pytest.mark.parametrize("method", ["pool", "warp"])
def test_cells_off_the_map_are_not_read(kind: str, method: str) -> None:
    box, read, off, iou = AT_THE_BORDER[kind]
    found = quantisation(box, 1 / 16, method, MAP)
    assert found.snapped == read
    assert found.shifts == pytest.approx(np.subtract(read, box))
    assert found.largest == pytest.approx(off)
    assert found.iou == pytest.approx(iou)


@pytest.mark.parametrize(
    ("box", "read", "iou"),
    [
        # Half a cell, 8 px, right and down.
        ((20, 20, 60, 60), (28, 28, 68, 68), 32 * 32 / (2 * 1600 - 1024)),
        # At the right border the far edge stays, and so the box becomes narrower: 20 * 32 shared of 28 * 40 + 20 * 40.
        ((100, 20, 128, 60), (108, 28, 128, 68), 640 / (1120 + 800 - 640)),
        ((20, 68, 60, 96), (28, 76, 68, 96), 640 / (1120 + 800 - 640)),
        ((88, 56, 128, 96), (96, 64, 128, 96), 1024 / 1600),
        # 4 px become a whole cell: (114, 40) to (130, 56), less 2 px.
        ((106, 32, 110, 36), (114, 40, 128, 56), 0),
    ],
)
def test_the_first_roi_align_at_the_border(box: Box, read: Box, iou: float) -> None:
    found = quantisation(box, 1 / 16, "align-legacy", MAP)
    assert found.snapped == pytest.approx(read)
    assert found.iou == pytest.approx(iou)


@pytest.mark.parametrize("kind", AT_THE_BORDER)
def test_roi_align_is_never_off(kind: str) -> None:
    box, *_ = AT_THE_BORDER[kind]
    assert quantisation(box, 1 / 16, "align", MAP) == quantisation(box, 1 / 16, "align")
    # Its bins fill the drawn box exactly.
    samples = roi_align_samples(box, 1 / 16, 3)
    assert np.multiply(samples.box, 16) == pytest.approx(box, abs=1e-4)


def cells_read(box: Box, size: int, stride: int) -> np.ndarray:
    """Which cells torchvision's RoIPool looks at, bool of the map's shape."""
    roi = torch.tensor([[0, *box]], dtype=torch.float32)

    def pooled(values: torch.Tensor) -> torch.Tensor:
        return ops.roi_pool(values, roi, size, 1 / stride)

    read = np.zeros(MAP, bool)
    below = pooled(torch.full((1, 1, *MAP), -1.0))
    for row, column in np.ndindex(*MAP):
        values = torch.full((1, 1, *MAP), -1.0)
        values[0, 0, row, column] = 1
        read[row, column] = not torch.equal(pooled(values), below)
    return read


def counted_iou(first: Box, second: Box) -> float:
    """Over the pixels of a grid that both boxes' whole-numbered edges lie on."""
    x, y = np.meshgrid(np.arange(-64, 192) + 0.5, np.arange(-64, 192) + 0.5)
    inside = [(x > x1) & (x < x2) & (y > y1) & (y < y2) for x1, y1, x2, y2 in (first, second)]
    return float((inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum())


def boxes_at_the_border(count: int) -> list[Box]:
    """Whole-numbered boxes in the picture; two in three touch its border."""
    rng = np.random.default_rng(7)
    found = []
    while len(found) < count:
        x1, x2 = np.sort(rng.integers(0, 129, 2)).tolist()
        y1, y2 = np.sort(rng.integers(0, 97, 2)).tolist()
        if rng.random() < 0.4:
            x2 = 128
        if rng.random() < 0.4:
            y2 = 96
        if x2 - x1 > 2 and y2 - y1 > 2:
            found.append((float(x1), float(y1), float(x2), float(y2)))
    return found


@pytest.mark.parametrize("box", boxes_at_the_border(24))
def test_the_box_that_is_read_is_that_of_the_cells_that_torchvision_looks_at(box: Box) -> None:
    read = cells_read(box, 1, 16)
    found = quantisation(box, 1 / 16, "pool", MAP)
    if not read.any():
        assert found.iou == 0
        return
    rows, columns = np.flatnonzero(read.any(axis=1)), np.flatnonzero(read.any(axis=0))
    around = tuple(16.0 * edge for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    assert found.snapped == around
    assert found.largest == max(abs(a - b) for a, b in zip(around, box, strict=True))
    assert found.iou == pytest.approx(counted_iou(box, around), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", AT_THE_BORDER)
def test_the_grids_at_the_border_are_the_networks(method: str, kind: str) -> None:
    box, *_ = AT_THE_BORDER[kind]
    values = np.random.default_rng(1).normal(size=MAP).astype(np.float32)
    roi = torch.tensor([[0, *box]], dtype=torch.float32)
    expected = RoIPooler(method, 3, 2).pool(torch.from_numpy(values)[None, None], roi, 16)[0, 0].numpy()
    np.testing.assert_allclose(grid_of(method, values, box, 1 / 16, 3, 2), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("near", "far"),
    # Of a cell: the near edge is rounded, the far one is rounded and its cell read whole.
    [(0.0, 1.0), (0.49, 0.51), (0.5, 1.5), (0.51, 1.49), (0.99, 1.01)],
)
def test_how_far_an_edge_can_end_up(near: float, far: float) -> None:
    """What the page says: up to half a cell at the near edges (8 px at stride 16), one and a half at the far ones."""
    box = (16 * (2 + near), 16.0, 16 * (4 + near), 16 * 2.0)
    left, _, right, _ = quantisation(box, 1 / 16, "pool").shifts
    assert abs(left) == pytest.approx(16 * min(near, 1 - near), abs=1e-4)
    assert right == pytest.approx(16 * far, abs=1e-4)


@pytest.mark.parametrize("side", [28, 55, 56, 57, 111, 112, 113, 224, 447, 448, 900])
def test_the_level_that_is_named_is_the_one_that_the_network_reads(side: float) -> None:
    """floor(4 + log2(side / 224)), from 2 to 5; a side of 224 and its halves belong to the upper level."""
    expected = min(5, max(2, 4 + (side >= 224) - 1 + (side >= 448) - (side < 112)))
    assert pyramid_level((3, 5, 3 + side, 5 + side)) == expected
