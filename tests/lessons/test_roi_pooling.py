"""RoIPool, RoIWarp and RoIAlign written out, against numbers worked by hand and against torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision import ops

from maskrcnn.lessons.roi_pooling import (
    METHODS,
    Box,
    bilinear,
    grid_of,
    grids_of_shifted_boxes,
    pyramid_level,
    quantisation,
    roi_align,
    roi_align_samples,
    roi_pool,
    roi_pool_bins,
    roi_warp,
    roi_warp_samples,
    snapped_box_iou,
)
from maskrcnn.model.pooling import RoIPooler

COUNTING = np.arange(25, dtype=np.float32).reshape(5, 5)


def random_case(rng: np.random.Generator) -> tuple[np.ndarray, Box, float, int]:
    """A map, a box that often sticks out of it and sometimes misses it, a scale and a grid size."""
    height, width = (int(side) for side in rng.integers(1, 16, 2))
    scale = float(rng.choice([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 0.3]))
    x1, x2 = np.sort(rng.uniform(-12, width / scale + 12, 2)).astype(np.float32).tolist()
    y1, y2 = np.sort(rng.uniform(-12, height / scale + 12, 2)).astype(np.float32).tolist()
    return (
        rng.normal(size=(height, width)).astype(np.float32),
        (x1, y1, x2, y2),
        scale,
        int(rng.choice([1, 2, 3, 5, 7])),
    )


def as_torch(feature_map: np.ndarray, box: Box) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(feature_map)[None, None], torch.tensor([[0, *box]], dtype=torch.float32)


def test_roi_pool_equals_torchvision() -> None:
    rng = np.random.default_rng(0)
    for _ in range(400):
        feature_map, box, scale, size = random_case(rng)
        expected = ops.roi_pool(*as_torch(feature_map, box), size, scale)[0, 0].numpy()
        np.testing.assert_array_equal(roi_pool(feature_map, box, scale, size), expected, str((box, scale, size)))


def test_roi_pool_equals_torchvision_where_boxes_end_on_half_cells() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        feature_map, box, _, size = random_case(rng)
        box = tuple(round(edge / 2) * 2.0 for edge in box)
        expected = ops.roi_pool(*as_torch(feature_map, box), size, 1 / 4)[0, 0].numpy()
        np.testing.assert_array_equal(roi_pool(feature_map, box, 1 / 4, size), expected, str((box, size)))


@pytest.mark.parametrize("cells", [29, 31, 57, 58])
def test_roi_pool_rounds_its_bins_in_single_precision(cells: int) -> None:
    """Seven bins of cells / 7: in double precision, other bin edges come out whole than in torchvision's arithmetic."""
    feature_map = np.random.default_rng(3).normal(size=(64, 64)).astype(np.float32)
    box = (0.0, 0.0, cells - 1.0, cells - 1.0)
    expected = ops.roi_pool(*as_torch(feature_map, box), 7, 1.0)[0, 0].numpy()
    np.testing.assert_array_equal(roi_pool(feature_map, box, 1.0, 7), expected)
    bins = roi_pool_bins(box, 1.0, 7).x_edges
    single = np.arange(8, dtype=np.float32) * (np.float32(cells) / np.float32(7))
    assert bins[:, 1].tolist() == np.ceil(single[1:]).tolist()


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2, 3])
def test_roi_align_equals_torchvision(sampling_ratio: int, aligned: bool) -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        feature_map, box, scale, size = random_case(rng)
        expected = ops.roi_align(*as_torch(feature_map, box), size, scale, sampling_ratio, aligned)[0, 0].numpy()
        ours = roi_align(feature_map, box, scale, size, sampling_ratio, aligned)
        np.testing.assert_allclose(ours, expected, atol=1e-4, err_msg=str((box, scale, size)))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_the_one_of_the_network(method: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(100):
        feature_map, box, _, size = random_case(rng)
        values, roi = as_torch(feature_map, box)
        expected = RoIPooler(method, size, 2).pool(values, roi, 8)[0, 0].numpy()
        ours = grid_of(method, feature_map, box, 1 / 8, size, 2)
        np.testing.assert_allclose(ours, expected, atol=1e-4, err_msg=str((box, size)))


def test_roi_warp_rounds_the_box_and_then_reads_between_the_cells() -> None:
    """Box [1, 1, 3, 3] is rounded to cells 1..3, so [1, 4]; two bins of 1.5 with one point each, at 1.75 and 3.25.

    1.75 lies a quarter of a cell beyond the middle of cell 1, 3.25 a quarter before that of cell 3: columns 1.25 and
    2.75, rows alike, and the value is 5 times the row plus the column.
    """
    samples = roi_warp_samples((1, 1, 3, 3), 1, 2, sampling_ratio=1)
    assert samples.box == (1, 1, 4, 4)
    assert samples.points.tolist() == [[1.75, 1.75], [3.25, 1.75], [1.75, 3.25], [3.25, 3.25]]
    grid = roi_warp(COUNTING, (1, 1, 3, 3), 1, 2, sampling_ratio=1)
    assert grid.tolist() == [[5 * row + column for column in (1.25, 2.75)] for row in (1.25, 2.75)]


@pytest.mark.parametrize(("aligned", "first_row"), [(False, [7.5, 8, 8.5, 9]), (True, [4.5, 5, 5.5, 6])])
def test_roi_align_on_the_counting_map(aligned: bool, first_row: list[float]) -> None:
    """Box [1, 1, 3, 3] into 4 x 4 bins of half a cell, one point each.

    Aligned, the first point is (1.25, 1.25): a quarter of a cell left of and above the middle (1.5, 1.5) of the cell
    with value 6, where one to the left is 1 less and one up is 5 less: 6 - .25 - 1.25 = 4.5. The next bins add .5 each.
    """
    assert roi_align(COUNTING, (1, 1, 3, 3), 1, 4, 0, aligned)[0].tolist() == first_row


def test_where_roi_align_samples() -> None:
    """Box (8, 16, 24, 32) at stride 8 is (1, 2, 3, 4) in cells; two bins of one cell, points at their quarters."""
    samples = roi_align_samples((8, 16, 24, 32), 1 / 8, 2, sampling_ratio=2)
    assert samples.box == (1, 2, 3, 4)
    assert samples.x_edges.tolist() == [1, 2, 3]
    assert samples.y_edges.tolist() == [2, 3, 4]
    assert samples.points.shape == (2 * 2 * 2 * 2, 2)
    assert samples.points[:4].tolist() == [[1.25, 2.25], [1.75, 2.25], [1.25, 2.75], [1.75, 2.75]]
    assert samples.points[-1].tolist() == [2.75, 3.75]


def test_the_first_version_reads_half_a_cell_further() -> None:
    now, then = (roi_align_samples((8, 16, 24, 32), 1 / 8, 2, 2, aligned) for aligned in (True, False))
    np.testing.assert_array_equal(then.points - now.points, np.full((16, 2), 0.5))


def test_adaptive_sampling_follows_the_box() -> None:
    """5 cells wide and 2 high in 2 x 2 bins: 3 points across and 1 down."""
    samples = roi_align_samples((0, 0, 5, 2), 1, 2, sampling_ratio=0)
    assert samples.per_bin == (1, 3)
    assert len(samples.points) == 4 * 3


def test_the_bins_of_roi_pool() -> None:
    """(9, 17, 31, 43) / 8 = (1.125, 2.125, 3.875, 5.375) rounds to cells 1..4 and 2..5, both ends in.

    Four cells in three bins of 4/3: from floor to ceil these are 0..2, 1..3 and 2..4, so neighbours share a cell.
    """
    bins = roi_pool_bins((9, 17, 31, 43), 1 / 8, 3)
    assert bins.cells == (1, 2, 5, 6)
    assert bins.x_edges.tolist() == [[1, 3], [2, 4], [3, 5]]
    assert bins.y_edges.tolist() == [[2, 4], [3, 5], [4, 6]]


@pytest.mark.parametrize(("edge", "cell"), [(0.5, 1), (1.5, 2), (2.5, 3), (2.49, 2), (-0.5, -1), (-0.4, 0)])
def test_halves_round_away_from_zero(edge: float, cell: int) -> None:
    assert roi_pool_bins((edge, 0, 9, 9), 1, 1).cells[0] == cell


def test_roi_pool_takes_the_largest_and_leaves_bins_off_the_map_at_zero() -> None:
    """Cells 3..6 across a map of 5: the first of two bins holds columns 3 and 4, the second nothing."""
    assert roi_pool(COUNTING - 100, (3, 0, 6, 1), 1, 2).tolist() == [[4 - 100, 0], [9 - 100, 0]]


def test_how_far_the_cells_are_from_the_box() -> None:
    """(9, 17, 31, 43) becomes (8, 16, 40, 48): 22 x 26 = 572 of 32 x 32 = 1024 pixels."""
    found = quantisation((9, 17, 31, 43), 1 / 8)
    assert found.snapped == (8, 16, 40, 48)
    assert found.shifts == (-1, -1, 9, 5)
    assert found.largest == 9
    assert found.iou == pytest.approx(572 / 1024)
    assert quantisation((9, 17, 31, 43), 1 / 8, "warp") == found


def test_the_other_two_read_a_box_of_the_same_size() -> None:
    """(8, 16, 40, 48): aligned as it is, the first version half a cell, 4 px, on: 28 x 28 of 2 * 1024 - 784 shared."""
    assert quantisation((8, 16, 40, 48), 1 / 8, "align").shifts == (0, 0, 0, 0)
    then = quantisation((8, 16, 40, 48), 1 / 8, "align-legacy")
    assert then.shifts == (4, 4, 4, 4)
    assert then.iou == pytest.approx(784 / 1264)


@pytest.mark.parametrize(
    ("side", "level"), [(448, 5), (300, 4), (224, 4), (223, 3), (112, 3), (60, 2), (5, 2), (2000, 5)]
)
def test_the_pyramid_level_of_a_square(side: float, level: int) -> None:
    assert pyramid_level((10, 20, 10 + side, 20 + side)) == level


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("pool", [0, 0, 1, 1, 1, 1, 2, 2]),
        ("warp", [0, 0, 1, 1, 1, 1, 2, 2]),
        ("align-legacy", np.arange(8) / 4),
        ("align", np.arange(8) / 4),
    ],
)
def test_nudging_moves_some_in_steps_and_others_along(method: str, expected: list[float]) -> None:
    """On a ramp of 1 per cell, cells 4 pixels wide: RoIAlign's mean rises by 1/4 for each pixel that the box moves.

    RoIPool's edges, in cells 2 + n/4 and 4 + n/4, round up together at n = 2 and again at n = 6; so do RoIWarp's.
    """
    ramp = np.tile(np.arange(20, dtype=np.float32), (20, 1))
    grids = grids_of_shifted_boxes(method, ramp, (8, 8, 16, 16), 1 / 4, 2, 2, range(8))
    assert grids.shape == (8, 2, 2)
    assert (grids - grids[0]).mean(axis=(1, 2)) == pytest.approx(np.array(expected))


def test_bilinear_at_the_border() -> None:
    points = np.array([[0.5, 0.5], [0.0, 0.5], [-0.5, 0.5], [-0.6, 0.5], [5.0, 4.5], [5.5, 4.5], [5.6, 4.5]])
    # The border value holds for one cell beyond the last middle (4.5), then there is nothing.
    assert bilinear(COUNTING + 1, points).tolist() == [1, 1, 1, 0, 25, 25, 0]


@pytest.mark.parametrize(
    ("other", "iou"), [((0, 0, 2, 2), 1.0), ((1, 0, 3, 2), 1 / 3), ((2, 0, 4, 2), 0.0), ((5, 5, 6, 6), 0.0)]
)
def test_box_iou(other: Box, iou: float) -> None:
    assert snapped_box_iou((0, 0, 2, 2), other) == pytest.approx(iou)
