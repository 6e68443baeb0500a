"""RoIAlign and RoIPool against numbers worked by hand and against slow, obvious twins."""

import math

import numpy as np
import pytest
import torch

from maskrcnn.model.pooling import RoIPooler

STEPS = torch.arange(25, dtype=torch.float32).reshape(1, 1, 5, 5)
BOX = torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]])


@pytest.mark.parametrize(
    ("pooling", "first_row"),
    # The map rises by 1 per column and 5 per row. Bins of the box [1, 3] x [1, 3] are half a cell wide; their centres
    # lie at 1.25, 1.75, ... With values at cell centres (align) that reads 5 * 0.75 + 0.75 = 4.5; with values at cell
    # corners (legacy) 5 * 1.25 + 1.25 = 7.5.
    [("align", [4.5, 5.0, 5.5, 6.0]), ("align-legacy", [7.5, 8.0, 8.5, 9.0])],
)
def test_roi_align_reads_a_ramp_at_the_bin_centres(pooling: str, first_row: list[float]) -> None:
    grid = RoIPooler(pooling, 4, 1).pool(STEPS, BOX, 1)
    assert grid[0, 0, 0].tolist() == pytest.approx(first_row)


def test_roi_pool_takes_the_maximum_of_whole_cells() -> None:
    # Rounded, the box covers cells 1..3 (its last cell is included); two bins share the middle row and column:
    # rows 1-2 and 2-3, columns alike, whose maxima are the bottom right cells 12, 13, 17, 18.
    grid = RoIPooler("pool", 2, 0).pool(STEPS, BOX, 1)
    assert grid[0, 0].tolist() == [[12.0, 13.0], [17.0, 18.0]]


def slow_roi_align(
    feature_map: np.ndarray, box: np.ndarray, stride: int, size: int, samples: int, shift: float
) -> np.ndarray:
    """One channel, one box, every sample on its own."""
    height, width = feature_map.shape

    def value(y: float, x: float) -> float:
        if y < -1 or y > height or x < -1 or x > width:
            return 0.0
        y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
        top, left = math.floor(y), math.floor(x)
        bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
        dy, dx = y - top, x - left
        upper = feature_map[top, left] * (1 - dx) + feature_map[top, right] * dx
        lower = feature_map[bottom, left] * (1 - dx) + feature_map[bottom, right] * dx
        return upper * (1 - dy) + lower * dy

    x1, y1, x2, y2 = box / stride - shift
    if shift == 0:  # the legacy operator makes every box at least one cell large
        x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    grid = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            total = 0.0
            for i in range(samples):
                for j in range(samples):
                    y = y1 + (row + (i + 0.5) / samples) * (y2 - y1) / size
                    x = x1 + (column + (j + 0.5) / samples) * (x2 - x1) / size
                    total += value(y, x)
            grid[row, column] = total / samples**2
    return grid


@pytest.mark.parametrize(("pooling", "shift"), [("align", 0.5), ("align-legacy", 0.0)])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_roi_align_equals_its_slow_twin(pooling: str, shift: float, samples: int) -> None:
    random = np.random.default_rng(0)
    feature_map = random.normal(size=(9, 11))
    boxes = [[3, 5, 40, 30], [-10, -6, 20, 50], [30, 20, 60, 45], [8, 8, 8, 8], [17.3, 2.1, 19.9, 33.3]]
    rois = torch.tensor([[0.0, *box] for box in boxes], dtype=torch.float64)
    grids = RoIPooler(pooling, 3, samples).pool(torch.from_numpy(feature_map)[None, None], rois, 4)
    for grid, box in zip(grids, boxes, strict=True):
        expected = slow_roi_align(feature_map, np.array(box, float), 4, 3, samples, shift)
        assert grid[0].numpy() == pytest.approx(expected, abs=1e-9)


def test_each_box_is_read_from_the_level_that_fits_its_size() -> None:
    # floor(4 + log2(side / 224)): 112 -> level 3, 223 -> 3, 224 -> 4, 500 -> 5, 20 -> 0, clamped to 2.
    pyramid = {str(i): torch.full((1, 1, 512 // s, 512 // s), float(i + 2)) for i, s in enumerate((4, 8, 16, 32))}
    sides = [20, 112, 223, 224, 500]
    boxes = torch.tensor([[0.0, 0.0, side, side] for side in sides])
    grids = RoIPooler("align", 2, 2)(pyramid, [boxes], [(512, 512)])
    assert grids.mean(dim=(1, 2, 3)).tolist() == pytest.approx([2, 3, 3, 4, 5])


def test_boxes_keep_their_order_over_pictures_and_levels() -> None:
    pyramid = {
        str(i): torch.stack([torch.full((1, 64 // 2**i, 64 // 2**i), value) for value in (1.0, 2.0)]) for i in range(4)
    }
    first, second = torch.tensor([[0.0, 0, 250, 250], [0, 0, 30, 30]]), torch.tensor([[10.0, 10, 200, 200]])
    grids = RoIPooler("pool", 1, 0)(pyramid, [first, second], [(256, 256)] * 2)
    assert grids.flatten().tolist() == [1.0, 1.0, 2.0]


def test_no_boxes_give_an_empty_grid() -> None:
    pyramid = {str(i): torch.zeros(1, 3, 8, 8) for i in range(4)}
    assert RoIPooler("align", 7, 2)(pyramid, [torch.zeros(0, 4)], [(32, 32)]).shape == (0, 3, 7, 7)


@pytest.mark.parametrize("pooling", ["align", "pool"])
def test_moving_map_and_box_by_a_cell_changes_nothing(pooling: str) -> None:
    feature_map = torch.rand(1, 2, 12, 12)
    moved = torch.roll(feature_map, shifts=(1, 1), dims=(2, 3))
    box = torch.tensor([[0.0, 9.0, 13.0, 27.0, 22.0]])
    pooler = RoIPooler(pooling, 3, 2)
    here, there = pooler.pool(feature_map, box, 4), pooler.pool(moved, box + torch.tensor([0.0, 4, 4, 4, 4]), 4)
    assert torch.allclose(here, there, atol=1e-6)
