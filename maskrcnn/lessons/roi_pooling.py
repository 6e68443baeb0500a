"""RoIPool and RoIAlign for one box on one feature map, written out so that every step can be looked at.

Both turn the part of a feature map under a box into a small grid of fixed size. RoIPool (Girshick, Fast R-CNN, 2015)
rounds the box to whole cells, cuts it into whole-cell bins and takes the largest value of each. RoIAlign (He et al.,
Mask R-CNN, 2017, section 3) rounds nothing: it places sampling points evenly in each bin, reads the map between its
cells by bilinear interpolation, and averages. The results equal `torchvision.ops.roi_pool` and `roi_align`
(tests/lessons/test_roi_pooling.py holds them to it).

Frames. A box is xyxy in continuous picture pixels, where the top-left pixel covers [0, 1] x [0, 1]. "Map units" are
picture pixels times `scale` (1 / stride): cell (row, column) covers [column, column + 1] x [row, row + 1] and its value
is thought of as sitting in the middle, at (column + 0.5, row + 0.5). `scale` below is one number for both axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PoolBins:
    """What RoIPool makes of a box.

    `cells` is the box after rounding, xyxy in whole map units (x2, y2 are the far edges of the last cells).
    `x_edges` and `y_edges` (size, 2) int64 hold the first cell of each bin and one past its last; bins may share a
    cell, and a bin off the map is empty.
    """

    cells: tuple[int, int, int, int]
    x_edges: np.ndarray
    y_edges: np.ndarray


@dataclass(frozen=True)
class AlignSamples:
    """Where RoIAlign reads the map.

    `box` is the box it works on, xyxy in map units, not rounded. `x_edges` and `y_edges` (size + 1,) float64 are the
    bin edges. `points` (size * size * ny * nx, 2) float64 are the sampling points (x, y) in map units: bins in reading
    order, and the points of a bin in reading order. `per_bin` is (ny, nx).
    """

    box: Box
    x_edges: np.ndarray
    y_edges: np.ndarray
    points: np.ndarray
    per_bin: tuple[int, int]


@dataclass(frozen=True)
class Quantisation:
    """How far RoIPool's cells are from the drawn box.

    `snapped` is xyxy in picture pixels: what the cells cover. `shifts` are its left, top, right and bottom edge minus
    the drawn ones, in picture pixels; `largest` is the largest of their sizes. `iou` is that of both boxes, in [0, 1].
    """

    snapped: Box
    shifts: Box
    largest: float
    iou: float


def roi_pool_bins(box: Box, scale: float, size: int, map_shape: tuple[int, int] | None = None) -> PoolBins:
    """The box rounded to whole cells, and the bins of a `size` x `size` grid in it.

    Rounding is half away from zero and both end cells belong to the box, so a box is at least one cell wide. With
    `map_shape` (H, W) bins are cut off at the border of the map.
    """
    # Single precision on purpose: the network computes so, and the floor and ceil below would notice.
    scaled = np.asarray(box, dtype=np.float32) * np.float32(scale)
    x1, y1, x2, y2 = (int(value) for value in _round_half_away(scaled))
    height, width = map_shape if map_shape is not None else (None, None)
    x_edges = _bin_edges(x1, x2, size, width)
    y_edges = _bin_edges(y1, y2, size, height)
    return PoolBins((x1, y1, max(x2, x1) + 1, max(y2, y1) + 1), x_edges, y_edges)


def roi_pool(feature_map: np.ndarray, box: Box, scale: float, size: int) -> np.ndarray:
    """The (size, size) grid of largest values, float32; 0 in bins that lie off the (H, W) map."""
    bins = roi_pool_bins(box, scale, size, feature_map.shape)
    pooled = np.zeros((size, size), dtype=np.float32)
    for row, (top, bottom) in enumerate(bins.y_edges):
        for column, (left, right) in enumerate(bins.x_edges):
            cells = feature_map[top:bottom, left:right]
            if cells.size:
                pooled[row, column] = cells.max()
    return pooled


def roi_align_samples(box: Box, scale: float, size: int, sampling_ratio: int = 2, aligned: bool = True) -> AlignSamples:
    """The bins of a `size` x `size` grid in the box, and the points in them where the map is read.

    Each bin has `sampling_ratio` x `sampling_ratio` points; with 0, as many as the bin has cells, rounded up.
    `aligned=False` is the first published version: it takes map position c to sit on the middle of cell c instead of
    on its near edge, so everything is read half a cell too far right and down, and boxes below one cell are enlarged.
    """
    x1, y1, x2, y2 = (float(value) * scale for value in box)
    width, height = x2 - x1, y2 - y1
    if not aligned:
        x1, y1, width, height = x1 + 0.5, y1 + 0.5, max(width, 1.0), max(height, 1.0)
    x_edges = x1 + np.linspace(0, width, size + 1)
    y_edges = y1 + np.linspace(0, height, size + 1)
    nx = sampling_ratio or max(int(np.ceil(width / size)), 0)
    ny = sampling_ratio or max(int(np.ceil(height / size)), 0)
    xs, ys = _positions(x_edges, nx), _positions(y_edges, ny)
    shape = (size, size, ny, nx)
    grid_x = np.broadcast_to(xs[None, :, None, :], shape)
    grid_y = np.broadcast_to(ys[:, None, :, None], shape)
    points = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
    return AlignSamples((x1, y1, x1 + width, y1 + height), x_edges, y_edges, points, (ny, nx))


def roi_align(
    feature_map: np.ndarray, box: Box, scale: float, size: int, sampling_ratio: int = 2, aligned: bool = True
) -> np.ndarray:
    """The (size, size) grid of bin averages, float32, from an (H, W) map."""
    samples = roi_align_samples(box, scale, size, sampling_ratio, aligned)
    per_bin = samples.per_bin[0] * samples.per_bin[1]
    if per_bin == 0:
        return np.zeros((size, size), dtype=np.float32)
    values = bilinear(feature_map, samples.points)
    return values.reshape(size, size, per_bin).mean(axis=2).astype(np.float32)


def bilinear(feature_map: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The (H, W) map read at points (N, 2) (x, y) in map units: (N,) float64.

    Between four cell middles the value is blended by distance; beyond the outermost middles the border value holds, and
    more than one cell beyond them it is 0.
    """
    height, width = feature_map.shape
    values = feature_map.astype(np.float64)
    # From map units to array indices: the middle of cell 0 is at 0.5.
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    outside = (x < -1) | (x > width) | (y < -1) | (y > height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, y - top
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
    return np.where(outside, 0.0, upper * (1 - down) + lower * down)


def quantisation(box: Box, scale: float) -> Quantisation:
    """How far the cells that RoIPool reads lie from the drawn box, in picture pixels."""
    x1, y1, x2, y2 = roi_pool_bins(box, scale, 1).cells
    snapped = (x1 / scale, y1 / scale, x2 / scale, y2 / scale)
    shifts = (snapped[0] - box[0], snapped[1] - box[1], snapped[2] - box[2], snapped[3] - box[3])
    return Quantisation(snapped, shifts, max(abs(shift) for shift in shifts), box_iou(box, snapped))


def nudged(
    feature_map: np.ndarray, box: Box, scale: float, size: int, sampling_ratio: int, shifts: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """What both make of the box moved right by each of the `shifts` (picture pixels).

    Returns RoIPool's and RoIAlign's grids, each (len(shifts), size, size) float32.
    """
    moved = [(box[0] + shift, box[1], box[2] + shift, box[3]) for shift in shifts]
    pooled = np.stack([roi_pool(feature_map, place, scale, size) for place in moved])
    aligned = np.stack([roi_align(feature_map, place, scale, size, sampling_ratio) for place in moved])
    return pooled, aligned


def pyramid_level(box: Box, lowest: int = 2, highest: int = 5) -> int:
    """The level of the feature pyramid that Mask R-CNN pools this box (pixels of the resized picture) from.

    A box of 224 x 224 pixels, the size of ImageNet's pictures, goes to P4, and each halving of its side one level down
    (Lin et al., Feature Pyramid Networks, 2017, equation 1).
    """
    area = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
    level = np.floor(4 + np.log2(np.sqrt(area) / 224 + 1e-6))
    return int(np.clip(level, lowest, highest))


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two xyxy boxes, in [0, 1]."""
    width = max(0.0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0.0, min(first[3], second[3]) - max(first[1], second[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    union = sum(areas) - width * height
    return width * height / union if union > 0 else 0.0


def _round_half_away(values: np.ndarray) -> np.ndarray:
    """Rounding as C's `round` does it; numpy's own rounds halves to even."""
    exact = values.astype(np.float64)
    return np.trunc(exact + np.copysign(0.5, exact))


def _bin_edges(first: int, last: int, size: int, limit: int | None) -> np.ndarray:
    """(size, 2) int64: from which cell to which (exclusive) each bin reaches along one axis."""
    cells = max(last - first + 1, 1)
    bin_size = np.float32(cells) / np.float32(size)
    steps = np.arange(size + 1, dtype=np.float32) * bin_size
    edges = np.stack([np.floor(steps[:-1]), np.ceil(steps[1:])], axis=1).astype(np.int64) + first
    return edges if limit is None else edges.clip(0, limit)


def _positions(edges: np.ndarray, count: int) -> np.ndarray:
    """(size, count): the middles of `count` equal parts of each bin."""
    parts = (np.arange(count) + 0.5) / max(count, 1)
    return edges[:-1, None] + np.diff(edges)[:, None] * parts[None, :]
