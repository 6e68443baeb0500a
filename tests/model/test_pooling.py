"""What each kind of RoI pooling reads, in numbers worked by hand, and what moving the box does."""

import math

import pytest
import torch
from torch import Tensor

from maskrcnn.model.pooling import RoIPooler, whole_cells

STEPS = torch.arange(25, dtype=torch.float32).reshape(1, 1, 5, 5)
"""Detectron2's test map: rises by 1 from cell to cell along a row and by 5 along a column."""

BOX = torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]])

POOLINGS = ("align", "align-legacy", "pool", "warp")


def read(pooling: str, size: int, samples: int, mode: str, feature_map: Tensor, box: Tensor, stride: int) -> Tensor:
    return RoIPooler(pooling, size, samples, mode).pool(feature_map, box, stride)


@pytest.mark.parametrize(
    ("pooling", "mode", "samples", "columns"),
    # The value at column c and row r is 5 r + c, so a grid is 5 * (its rows) + (its columns), and rows are as columns.
    # align: bins of the box are 0.5 wide, their centres at 1.25, 1.75, ...; a cell's value sits at its centre, + 0.5,
    # so those are columns 0.75, 1.25, ... With two samples a side, they lie 0.125 to either side of the centre.
    [
        ("align", "average", 1, [0.75, 1.25, 1.75, 2.25]),
        ("align", "average", 2, [0.75, 1.25, 1.75, 2.25]),
        ("align", "max", 1, [0.75, 1.25, 1.75, 2.25]),
        ("align", "max", 2, [0.875, 1.375, 1.875, 2.375]),
        # legacy: a cell's value sits at its corner, so 1.25 is column 1.25.
        ("align-legacy", "average", 1, [1.25, 1.75, 2.25, 2.75]),
        ("align-legacy", "max", 2, [1.375, 1.875, 2.375, 2.875]),
        # pool: the box is cells 1, 2, 3; four bins of 0.75 cells, rounded outwards: {1}, {1, 2}, {2, 3}, {3}.
        ("pool", "auto", 0, [1.0, 2.0, 3.0, 3.0]),
        ("pool", "average", 0, [1.0, 1.5, 2.5, 3.0]),
        # warp: the same cells, so the box is [1, 4]; bins of 0.75, centres 1.375, 2.125, ..., less 0.5. Two samples a
        # side lie 0.1875 to either side.
        ("warp", "auto", 1, [0.875, 1.625, 2.375, 3.125]),
        ("warp", "max", 2, [1.0625, 1.8125, 2.5625, 3.3125]),
    ],
)
def test_a_ramp_is_read_where_the_bins_lie(pooling: str, mode: str, samples: int, columns: list[float]) -> None:
    grid = read(pooling, 4, samples, mode, STEPS, BOX, 1)
    assert grid[0, 0].tolist() == [pytest.approx([5 * row + column for column in columns]) for row in columns]


@pytest.mark.parametrize(
    ("pooling", "first_row"), [("align", [4.5, 5.0, 5.5, 6.0]), ("align-legacy", [7.5, 8.0, 8.5, 9.0])]
)
def test_detectron2s_values(pooling: str, first_row: list[float]) -> None:
    assert RoIPooler(pooling, 4, 1).pool(STEPS, BOX, 1)[0, 0, 0].tolist() == pytest.approx(first_row)


def test_roi_pool_takes_the_maximum_of_whole_cells() -> None:
    # Rounded, the box covers cells 1..3 (its last cell is included); two bins share the middle row and column:
    # rows 1-2 and 2-3, columns alike, whose maxima are the bottom right cells 12, 13, 17, 18.
    assert RoIPooler("pool", 2, 0).pool(STEPS, BOX, 1)[0, 0].tolist() == [[12.0, 13.0], [17.0, 18.0]]


def test_the_mean_of_roi_pool_counts_the_cells_on_the_map_and_is_0_where_there_are_none() -> None:
    # Cells 3..6 of a map of 5, in two bins: {3, 4} and, both beyond the map, {5, 6}. Rows 0 and 1 in a bin each.
    box = torch.tensor([[0.0, 3.0, 0.0, 6.0, 1.0]])
    grid = RoIPooler("pool", 2, 0, "average").pool(STEPS - 100, box, 1)
    assert grid[0, 0].tolist() == [[3.5 - 100, 0.0], [8.5 - 100, 0.0]]


def test_boxes_are_rounded_to_cells_as_c_rounds() -> None:
    just_below = 0.49999997  # the largest float32 below a half: + 0.5 would make 1 of it
    rois = torch.tensor([[3, -2.5, -1.5, -0.5, 0.5], [0, 1.5, 2.5, 3.49, just_below], [0, 2.0, 2, 2, 2]])
    edges = whole_cells(rois, 1.0)
    # Half goes away from zero; the last cell belongs to the box; a reversed or empty box keeps one cell.
    assert edges.tolist() == [[3, -3, -2, 0, 2], [0, 2, 3, 4, 4], [0, 2, 2, 3, 3]]


def rounded(x: float) -> int:
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


@pytest.mark.parametrize("mode", ["average", "max"])
def test_roi_warp_is_roi_align_of_the_rounded_box(mode: str) -> None:
    feature_map = torch.rand(1, 2, 9, 11, dtype=torch.float64)
    for box in ([3.0, 5, 40, 30], [-11.0, -6, 20, 50], [17.3, 2.1, 19.9, 33.3], [14, 14, 9, 14]):
        left, top, right, bottom = (rounded(x / 4) for x in box)
        cells = [left, top, max(left, right) + 1, max(top, bottom) + 1]
        warped = read("warp", 3, 2, mode, feature_map, torch.tensor([[0, *box]], dtype=torch.float64), 4)
        aligned = read("align", 3, 2, mode, feature_map, torch.tensor([[0, *cells]], dtype=torch.float64), 1)
        assert torch.equal(warped, aligned)


@pytest.mark.parametrize("mode", ["average", "max"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_box_moved_by_a_whole_cell_moves_the_grid_by_a_whole_cell(pooling: str, mode: str) -> None:
    feature_map = torch.rand(1, 2, 12, 12, dtype=torch.float64)
    # Bins one cell wide. 10.5 is not on a cell of 4 pixels, so align reads between cells. RoIPool and RoIWarp count
    # the last cell in, so the box ends a cell earlier for the same number of cells.
    side = 16 if pooling in ("pool", "warp") else 20
    box = torch.tensor([[0, 10.5, 6.5, 10.5 + side, 6.5 + side]], dtype=torch.float64)
    moved = box + torch.tensor([0, 4, 4, 4, 4])
    here, there = (read(pooling, 5, 2, mode, feature_map, b, 4) for b in (box, moved))
    assert here.std() > 0.1
    assert torch.allclose(there[..., :4, :4], here[..., 1:, 1:], atol=1e-12)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_moving_map_and_box_by_a_cell_changes_nothing(pooling: str) -> None:
    feature_map = torch.rand(1, 2, 12, 12)
    moved = torch.roll(feature_map, shifts=(1, 1), dims=(2, 3))
    box = torch.tensor([[0.0, 9.0, 13.0, 27.0, 22.0]])
    pooler = RoIPooler(pooling, 3, 2)
    here, there = pooler.pool(feature_map, box, 4), pooler.pool(moved, box + torch.tensor([0.0, 4, 4, 4, 4]), 4)
    assert torch.allclose(here, there, atol=1e-6)


def test_half_a_cell_moves_roi_align_by_half_a_cell_and_the_rounding_ones_by_none_or_one() -> None:
    # A map whose value is the column, read by boxes that go right by half a cell (2 pixels) at a time.
    ramp = torch.arange(12.0).expand(1, 1, 12, 12).contiguous()
    boxes = torch.tensor([[0.0, 9.0 + 2 * step, 9.0, 25.0 + 2 * step, 25.0] for step in range(6)])
    steps = {p: RoIPooler(p, 3, 2).pool(ramp, boxes, 4).diff(dim=0) for p in POOLINGS}
    assert torch.allclose(steps["align"], torch.tensor(0.5))
    assert torch.allclose(steps["align-legacy"], torch.tensor(0.5))
    # 9 / 4 = 2.25, 2.75, 3.25, ...: rounded 2, 3, 3, 4, 4, 5. The right edge, 6.25, 6.75, ..., jumps with it.
    jumps = torch.tensor([1.0, 0, 1, 0, 1]).reshape(5, 1, 1, 1).expand(5, 1, 3, 3)
    assert torch.allclose(steps["pool"], jumps)
    assert torch.allclose(steps["warp"], jumps, atol=1e-6)
