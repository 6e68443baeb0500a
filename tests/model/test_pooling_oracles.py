"""Every kind of RoI pooling against slow, obvious loops over one channel, one box, one bin, one sample at a time."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from maskrcnn.model.pooling import MOST_SAMPLES, RoIPooler
from tests.sweeps import examples

POOLINGS = ("align", "align-legacy", "pool", "warp")
MODES = ("average", "max")
KINDS = [
    (pooling, mode, samples)
    for pooling in POOLINGS
    for mode in MODES
    for samples in ((0,) if pooling == "pool" else (0, 1, 2, 3, MOST_SAMPLES + 1))
    if samples or mode == "average" or pooling == "pool"
]

BOXES = {
    "inside": [3.0, 5, 40, 30],
    "between pixels": [17.3, 2.1, 19.9, 33.3],
    "over the top left": [-10, -6, 20, 50],
    "over the bottom right": [30, 20, 60, 45],
    "over all sides": [-20, -20, 90, 90],
    "left of the map": [-60, 3, -30, 20],
    "below the map": [5, 60, 20, 90],
    "a point": [8, 8, 8, 8],
    "no width": [8, 3, 8, 30],
    "turned round": [33, 28, 12, 5],
    "turned round in y": [12, 28, 33, 5],
}
"""Image pixels; the map of 11 x 9 cells at stride 4 covers 44 x 36 of them."""


def rounded(x: Any) -> int:
    """C's round."""
    return int(math.copysign(math.floor(abs(float(x)) + 0.5), x))


def cells_of(box: Any, scale: Any) -> tuple[int, int, int, int]:
    """First cell and the cell after the last, across and down; at least one cell."""
    left, top, right, bottom = (rounded(x * scale) for x in box)
    return left, top, max(left, right) + 1, max(top, bottom) + 1


def slow_pool(feature_map: np.ndarray, box: np.ndarray, scale: Any, size: int, mode: str) -> np.ndarray:
    height, width = feature_map.shape
    left, top, right, bottom = cells_of(box, scale)
    kind = box.dtype.type
    tall, wide = kind(bottom - top) / kind(size), kind(right - left) / kind(size)
    grid = np.zeros((size, size), feature_map.dtype)
    for row in range(size):
        for column in range(size):
            values = [
                feature_map[y, x]
                for y in range(top + math.floor(row * tall), top + math.ceil((row + 1) * tall))
                for x in range(left + math.floor(column * wide), left + math.ceil((column + 1) * wide))
                if 0 <= y < height and 0 <= x < width
            ]
            if values:
                grid[row, column] = max(values) if mode == "max" else sum(map(float, values)) / len(values)
    return grid


def slow_value(feature_map: np.ndarray, y: Any, x: Any) -> float:
    """Bilinear interpolation where the value of cell i sits at i; nothing more than one cell beyond the map."""
    height, width = feature_map.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = math.floor(y), math.floor(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    upper = feature_map[top, left] * (1 - (x - left)) + feature_map[top, right] * (x - left)
    lower = feature_map[bottom, left] * (1 - (x - left)) + feature_map[bottom, right] * (x - left)
    return float(upper * (1 - (y - top)) + lower * (y - top))


def slow_align(
    feature_map: np.ndarray, box: np.ndarray, scale: Any, size: int, samples: int, mode: str, aligned: bool
) -> np.ndarray:
    left, top, right, bottom = box * scale - (box.dtype.type(0.5) if aligned else 0)
    least = 0 if aligned else 1
    wide, tall = max(right - left, least), max(bottom - top, least)
    wide, tall = wide / size, tall / size
    across, down = samples or math.ceil(wide), samples or math.ceil(tall)
    grid = np.zeros((size, size), feature_map.dtype)
    for row in range(size):
        for column in range(size):
            values = [
                slow_value(
                    feature_map,
                    top + row * tall + (i + 0.5) * tall / down,
                    left + column * wide + (j + 0.5) * wide / across,
                )
                for i in range(down)
                for j in range(across)
            ]
            if values:
                grid[row, column] = max(values) if mode == "max" else sum(values) / len(values)
    return grid


def slow(
    pooling: str, mode: str, samples: int, size: int, feature_map: np.ndarray, box: np.ndarray, stride: int
) -> np.ndarray:
    scale = box.dtype.type(1 / stride)
    if pooling == "pool":
        return slow_pool(feature_map, box, scale, size, mode)
    if pooling == "warp":
        box, scale = np.array(cells_of(box, scale), box.dtype), box.dtype.type(1)
    return slow_align(feature_map, box, scale, size, samples, mode, aligned=pooling != "align-legacy")


def compare(
    kind: tuple[str, str, int], size: int, feature_map: Tensor, rois: Tensor, stride: int, **close: Any
) -> None:
    """Ours on `(N, C, H, W)` and `(K, 5)` beside the loops, which calculate in the dtype of the rois."""
    pooling, mode, samples = kind
    grids = RoIPooler(pooling, size, samples, mode).pool(feature_map, rois, stride)
    assert grids.dtype == feature_map.dtype
    values = feature_map.to(rois.dtype).numpy()
    for grid, (picture, *_), box in zip(grids, rois.tolist(), rois[:, 1:].numpy(), strict=True):
        for channel, ours in enumerate(grid.to(rois.dtype).numpy()):
            expected = slow(pooling, mode, samples, size, values[int(picture), channel], box, stride)
            np.testing.assert_allclose(ours, expected, err_msg=str(box), **close)


def maps_and_rois(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two pictures of two channels, and every box of `BOXES` in the first or the second of them."""
    random = np.random.default_rng(0)
    feature_map = torch.from_numpy(random.normal(size=(2, 2, 9, 11)))
    rois = torch.tensor([[i % 2, *box] for i, box in enumerate(BOXES.values())], dtype=torch.float64)
    return feature_map.to(dtype), rois.to(torch.float64 if dtype == torch.float64 else torch.float32)


@pytest.mark.parametrize("by_cell", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_loops_say_the_same(kind: tuple[str, str, int], dtype: torch.dtype, close: float, by_cell: bool) -> None:
    feature_map, rois = maps_and_rois(dtype)
    if by_cell:
        feature_map = feature_map.to(memory_format=torch.channels_last)
    compare(kind, 3, feature_map, rois, 4, rtol=close, atol=close)


@pytest.mark.parametrize("by_cell", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize(("dtype", "step"), [(torch.bfloat16, 2**-8), (torch.float16, 2**-11)])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[2] in (0, 2)], ids=str)
def test_half_precision_rounds_values_but_no_places(
    kind: tuple[str, str, int], dtype: torch.dtype, step: float, by_cell: bool
) -> None:
    # The boxes stay float32: 17.3 px would be 17.25 in bfloat16, and RoIAlign's grid another. A contiguous map is read
    # in float32 and only the result is rounded; one in channels_last as it is, where the weights of the cells are too.
    feature_map, rois = maps_and_rois(dtype)
    if by_cell:
        compare(kind, 3, feature_map.to(memory_format=torch.channels_last), rois, 4, rtol=step, atol=3 * step)
    else:
        compare(kind, 3, feature_map, rois, 4, rtol=step, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [7, 14])
def test_bins_of_roi_pool_in_float32_for_every_length(size: int, mode: str) -> None:
    # A length that is no multiple of the bins is rounded in float32, and 7 * (41 / 7) need not be 41: RoIPool then
    # counts one cell more. The average must take the cells that the maximum takes.
    feature_map = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 1, 64, 2))).float()
    rois = torch.tensor([[0, 0, 2, 1, 2 + length] for length in range(62)]).float()
    compare(("pool", mode, 0), size, feature_map, rois, 1, rtol=1e-5, atol=1e-5)


quarters = st.integers(-80, 240).map(lambda n: n / 4)


# Quarter pixels, strides and sizes of powers of two: no sum is rounded, so that a sample or a cell edge which lies
# exactly on a border does so for both.
@settings(max_examples=examples(40))
@given(
    kind=st.sampled_from([kind for kind in KINDS if kind[2] in (0, 1, 2)]),
    boxes=st.lists(st.tuples(quarters, quarters, quarters, quarters), min_size=1, max_size=4),
    size=st.sampled_from([1, 2, 4]),
    stride=st.sampled_from([4, 8]),
    by_cell=st.booleans(),
)
def test_the_loops_say_the_same_of_any_boxes(
    kind: tuple[str, str, int], boxes: list[tuple[float, ...]], size: int, stride: int, by_cell: bool
) -> None:
    feature_map = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 2, 7, 6)))
    if by_cell:
        feature_map = feature_map.to(memory_format=torch.channels_last)
    rois = torch.tensor([[0.0, *box] for box in boxes], dtype=torch.float64)
    compare(kind, size, feature_map, rois, stride, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("by_cell", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[2] in (0, 2)], ids=str)
def test_gradients_reach_the_map_as_finite_differences_say(kind: tuple[str, str, int], by_cell: bool) -> None:
    pooling, mode, samples = kind
    pooler = RoIPooler(pooling, 2, samples, mode)
    # No two values are near each other beside the steps of the finite differences: no maximum is a tie.
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 2, 3, 3)))
    rois = [[0, 1, 2, 9.3, 10], [1, -6, 3, 9, 20], [1, 6, 6, 6, 6]]
    form = torch.channels_last if by_cell else torch.contiguous_format

    def pooled(feature_map: Tensor) -> Tensor:
        return pooler.pool(feature_map.contiguous(memory_format=form), torch.tensor(rois, dtype=torch.float64), 4)

    assert torch.autograd.gradcheck(pooled, values.requires_grad_())
