"""RoIPool, RoIWarp and RoIAlign for one box on one feature map, in NumPy, with all intermediate results.

All three turn the part of a feature map inside a box into a small grid of fixed size. RoIPool (Girshick, Fast R-CNN,
2015) rounds the box to whole cells, divides it into bins of whole cells and takes the maximum of each bin. RoIAlign (He
et al., Mask R-CNN, 2017, section 3) rounds nothing: it places sampling points evenly in each bin, reads the map at
these points by bilinear interpolation, and averages. RoIWarp (Dai et al., Instance-aware Semantic Segmentation via
Multi-task Network Cascades, 2016) rounds the box as RoIPool does and then samples it as RoIAlign does. The results
equal `torchvision.ops.roi_pool` and `roi_align`, and those of `maskrcnn.model.pooling`
(tests/lessons/test_roi_pooling.py checks this).

Coordinates: a box is xyxy in continuous picture pixels, in which the top-left pixel covers [0, 1] x [0, 1]. "Map units"
are picture pixels times `scale` (1 / stride, the same for both axes). Cell (row, column) of a map covers
[column, column + 1] x [row, row + 1], and its value belongs to its centre (column + 0.5, row + 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]

METHODS = {"pool": "RoIPool", "warp": "RoIWarp", "align-legacy": "RoIAlign (legacy)", "align": "RoIAlign"}
"""Config value `pooling` -> name of the method; "align-legacy" is the first published version of RoIAlign."""


@dataclass(frozen=True)
class PoolBins:
    """The rounded box and the bins of RoIPool.

    `cells` is the rounded box, xyxy in whole map units; x2, y2 are the right and bottom edges of its last cells.
    `x_edges` and `y_edges` (size, 2) int64 hold the first cell of each bin and the cell after its last one. Neighbour
    bins can share a cell. A bin outside the map is empty.
    """

    cells: tuple[int, int, int, int]
    x_edges: np.ndarray
    y_edges: np.ndarray


@dataclass(frozen=True)
class AlignSamples:
    """The sampling points of RoIAlign or RoIWarp.

    `box` is the box that is sampled, xyxy in map units; RoIWarp rounds it first. `x_edges` and `y_edges` (size + 1,)
    float64 are the bin edges. `points` (size * size * ny * nx, 2) float64 are the sampling points (x, y) in map units,
    ordered by bin (row by row), then within the bin (row by row). `per_bin` is (ny, nx), the points of a bin.
    """

    box: Box
    x_edges: np.ndarray
    y_edges: np.ndarray
    points: np.ndarray
    per_bin: tuple[int, int]


@dataclass(frozen=True)
class Quantisation:
    """The difference between a box and the box that a pooling method really reads (quantisation error).

    `snapped` is the box that is read, clipped to the map, xyxy in picture pixels. `shifts` are its left, top, right and
    bottom edges minus those of the given box, in picture pixels; `largest` is the largest absolute shift. `iou` is the
    IoU of the two boxes, in [0, 1].
    """

    snapped: Box
    shifts: Box
    largest: float
    iou: float


def roi_pool_bins(box: Box, scale: float, size: int, map_shape: tuple[int, int] | None = None) -> PoolBins:
    """The box rounded to whole cells, and the bins of a `size` x `size` grid in it, as RoIPool computes them.

    Halves are rounded away from zero. The cells of both corners belong to the box, so it is at least one cell wide.
    With `map_shape` (H, W), bins are clipped to the map.

    Example: corners at 20 / 16 = 1.25 and 50 / 16 = 3.125 cells are rounded to 1 and 3. The box includes cell 3, so its
    right and bottom edges are at 4.

    >>> roi_pool_bins((20, 20, 50, 50), scale=1 / 16, size=1).cells
    (1, 1, 4, 4)
    """
    # Float32 as in the network: with float64, rounding could give other cells.
    scaled = np.asarray(box, dtype=np.float32) * np.float32(scale)
    x1, y1, x2, y2 = (int(value) for value in _round_half_away(scaled))
    height, width = map_shape if map_shape is not None else (None, None)
    x_edges = _bin_edges(x1, x2, size, width)
    y_edges = _bin_edges(y1, y2, size, height)
    return PoolBins((x1, y1, max(x2, x1) + 1, max(y2, y1) + 1), x_edges, y_edges)


def roi_pool(feature_map: np.ndarray, box: Box, scale: float, size: int) -> np.ndarray:
    """RoIPool of a box on a map (H, W): the (size, size) float32 grid of bin maxima; 0 in bins outside the map.

    >>> cells = np.arange(16, dtype=np.float32).reshape(4, 4)
    >>> roi_pool(cells, (0, 0, 48, 48), scale=1 / 16, size=2).tolist()  # 48 / 16 = 3: the box includes cell 3
    [[5.0, 7.0], [13.0, 15.0]]
    """
    bins = roi_pool_bins(box, scale, size, feature_map.shape)
    pooled = np.zeros((size, size), dtype=np.float32)
    for row, (top, bottom) in enumerate(bins.y_edges):
        for column, (left, right) in enumerate(bins.x_edges):
            cells = feature_map[top:bottom, left:right]
            if cells.size:
                pooled[row, column] = cells.max()
    return pooled


def roi_align_samples(box: Box, scale: float, size: int, sampling_ratio: int = 2, aligned: bool = True) -> AlignSamples:
    """The bins of a `size` x `size` grid in the box, and their sampling points, as RoIAlign computes them.

    Each bin has `sampling_ratio` x `sampling_ratio` points. With 0, the number per axis is the bin size in cells,
    rounded up. `aligned=False` is the first published version: it does not subtract half a cell, so all points lie half
    a cell too far to the right and down, and boxes smaller than one cell are enlarged to one cell.

    >>> roi_align_samples((0, 0, 4, 4), scale=1, size=1).points.tolist()  # 2 x 2 points at 1/4 and 3/4 of the box
    [[1.0, 1.0], [3.0, 1.0], [1.0, 3.0], [3.0, 3.0]]
    """
    # Float32, and operations in the order of the network: else points on the border of the map could differ.
    half_cell = 0.5 if aligned else 0.0
    corners = np.asarray(box, dtype=np.float32) * np.float32(scale) - np.float32(half_cell)
    width, height = corners[2:] - corners[:2]
    if not aligned:
        width, height = max(width, np.float32(1)), max(height, np.float32(1))
    nx = sampling_ratio or max(int(np.ceil(width / np.float32(size))), 0)
    ny = sampling_ratio or max(int(np.ceil(height / np.float32(size))), 0)
    xs, ys = (_positions(*axis, size) for axis in ((corners[0], width, nx), (corners[1], height, ny)))
    x1, y1 = (float(corner) + 0.5 for corner in corners[:2])
    x_edges = x1 + np.linspace(0, float(width), size + 1)
    y_edges = y1 + np.linspace(0, float(height), size + 1)
    shape = (size, size, ny, nx)
    grid_x = np.broadcast_to(xs[None, :, None, :], shape)
    grid_y = np.broadcast_to(ys[:, None, :, None], shape)
    points = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
    return AlignSamples((x1, y1, x_edges[-1].item(), y_edges[-1].item()), x_edges, y_edges, points, (ny, nx))


def roi_align(
    feature_map: np.ndarray, box: Box, scale: float, size: int, sampling_ratio: int = 2, aligned: bool = True
) -> np.ndarray:
    """RoIAlign of a box on a map (H, W): the (size, size) float32 grid of bin means.

    Example: on this map the value at a point is its x coordinate, so the mean of a bin is the x of its centre.

    >>> ramp = np.tile(np.arange(4, dtype=np.float32) + 0.5, (4, 1))
    >>> roi_align(ramp, (16, 16, 48, 48), scale=1 / 16, size=2)[0].tolist()  # x from 1 to 3: bin centres 1.5 and 2.5
    [1.5, 2.5]
    """
    return _bin_means(feature_map, roi_align_samples(box, scale, size, sampling_ratio, aligned))


def roi_warp_samples(box: Box, scale: float, size: int, sampling_ratio: int = 2) -> AlignSamples:
    """The bins and sampling points of RoIWarp: those of `roi_align_samples` for the box rounded as in RoIPool."""
    x1, y1, x2, y2 = roi_pool_bins(box, scale, 1).cells
    return roi_align_samples((x1, y1, x2, y2), 1, size, sampling_ratio)


def roi_warp(feature_map: np.ndarray, box: Box, scale: float, size: int, sampling_ratio: int = 2) -> np.ndarray:
    """RoIWarp of a box on a map (H, W): the (size, size) float32 grid of bin means.

    >>> ramp = np.tile(np.arange(4, dtype=np.float32) + 0.5, (4, 1))
    >>> roi_warp(ramp, (20, 20, 40, 40), scale=1 / 16, size=1).tolist()  # 1.25 to 2.5 is read as 1 to 4: centre 2.5
    [[2.5]]
    """
    return _bin_means(feature_map, roi_warp_samples(box, scale, size, sampling_ratio))


def samples_of(method: str, box: Box, scale: float, size: int, sampling_ratio: int = 2) -> AlignSamples:
    """The sampling points of one of `METHODS`, but not of "pool", which has none."""
    if method == "warp":
        return roi_warp_samples(box, scale, size, sampling_ratio)
    return roi_align_samples(box, scale, size, sampling_ratio, aligned=method == "align")


def grid_of(
    method: str, feature_map: np.ndarray, box: Box, scale: float, size: int, sampling_ratio: int = 2
) -> np.ndarray:
    """The pooled (size, size) float32 grid of a box by one of `METHODS`."""
    if method == "pool":
        return roi_pool(feature_map, box, scale, size)
    if method == "warp":
        return roi_warp(feature_map, box, scale, size, sampling_ratio)
    return roi_align(feature_map, box, scale, size, sampling_ratio, aligned=method == "align")


def bilinear(feature_map: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bilinear interpolation of a map (H, W) at points (x, y) (N, 2) in map units: (N,) float64.

    A value is interpolated between the four nearest cell centres. Outside the centres of the border cells the border
    value is used, and more than one cell outside them the value is 0.

    Example: x = 1.25 lies 1/4 cell left of the centre of cell 1, so the value is 3/4 of cell 1 plus 1/4 of cell 0.

    >>> bilinear(np.array([[0.0, 8.0]]), np.array([[1.25, 0.5], [1.0, 0.5]])).tolist()
    [6.0, 4.0]
    """
    height, width = feature_map.shape
    values = feature_map.astype(np.float64)
    # From map units to array indices: the centre of cell 0 is at 0.5.
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    outside = (x < -1) | (x > width) | (y < -1) | (y > height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, y - top
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
    return np.where(outside, 0.0, upper * (1 - down) + lower * down)


def quantisation(
    box: Box, scale: float, method: str = "pool", map_shape: tuple[int, int] | None = None
) -> Quantisation:
    """The box that one of `METHODS` reads instead of the given box, and how far the two differ (quantisation error).

    With `map_shape` (H, W) the box that is read is clipped to the map. (Outside it, RoIPool has empty bins. The other
    methods read the border value up to one cell outside the centres of the border cells, and 0 farther out.)

    Example: at stride 16 a box from 20 to 40 is read as cells 1 to 3 (2.5 is rounded up), that is 16 to 64 pixels.

    >>> found = quantisation((20, 20, 40, 40), scale=1 / 16)
    >>> found.snapped, found.largest
    ((16.0, 16.0, 64.0, 64.0), 24.0)
    """
    if method == "align":
        return Quantisation(box, (0.0, 0.0, 0.0, 0.0), 0.0, 1.0)
    read: Box = roi_pool_bins(box, scale, 1).cells if method == "pool" else samples_of(method, box, scale, 1).box
    if map_shape is not None:
        height, width = map_shape
        x1, y1, x2, y2 = read
        read = min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height)
    snapped = (read[0] / scale, read[1] / scale, read[2] / scale, read[3] / scale)
    shifts = (snapped[0] - box[0], snapped[1] - box[1], snapped[2] - box[2], snapped[3] - box[3])
    return Quantisation(snapped, shifts, max(abs(shift) for shift in shifts), snapped_box_iou(box, snapped))


def grids_of_shifted_boxes(
    method: str,
    feature_map: np.ndarray,
    box: Box,
    scale: float,
    size: int,
    sampling_ratio: int,
    shifts: Sequence[float],
) -> np.ndarray:
    """The pooled grids of the box moved right by `shifts` (picture pixels): (len(shifts), size, size) float32."""
    moved = [(box[0] + shift, box[1], box[2] + shift, box[3]) for shift in shifts]
    return np.stack([grid_of(method, feature_map, place, scale, size, sampling_ratio) for place in moved])


def pyramid_level(box: Box, lowest: int = 2, highest: int = 5, roi_level: int = 4) -> int:
    """The level of the feature pyramid that Mask R-CNN pools this box (pixels of the resized picture) from.

    A box of 224 x 224 pixels (the picture size of ImageNet) uses `roi_level`. A box with half that side uses one level
    less, and so on, within `lowest` and `highest` (Lin et al., Feature Pyramid Networks, 2017, equation 1).

    >>> [pyramid_level((0, 0, side, side)) for side in (32, 112, 224, 448)]
    [2, 3, 4, 5]
    """
    area = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
    level = np.floor(roi_level + np.log2(np.sqrt(area) / 224 + 1e-6))
    return int(np.clip(level, lowest, highest))


def snapped_box_iou(box: Box, snapped: Box) -> float:
    """IoU of a box and the box that a pooling method reads (see `Quantisation`), both xyxy: in [0, 1].

    >>> snapped_box_iou((0, 0, 2, 2), (1, 0, 3, 2))  # 2 of 6 pixels
    0.3333333333333333
    """
    width = max(0.0, min(box[2], snapped[2]) - max(box[0], snapped[0]))
    height = max(0.0, min(box[3], snapped[3]) - max(box[1], snapped[1]))
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (box, snapped)]
    union = sum(areas) - width * height
    return width * height / union if union > 0 else 0.0


def _bin_means(feature_map: np.ndarray, samples: AlignSamples) -> np.ndarray:
    """The mean of the interpolated values in each bin: (size, size) float32; 0 in bins without points."""
    size, per_bin = len(samples.x_edges) - 1, samples.per_bin[0] * samples.per_bin[1]
    if per_bin == 0:
        return np.zeros((size, size), dtype=np.float32)
    values = bilinear(feature_map, samples.points)
    return values.reshape(size, size, per_bin).mean(axis=2).astype(np.float32)


def _round_half_away(values: np.ndarray) -> np.ndarray:
    """Round halves away from zero, as `round` of C does. NumPy rounds halves to even."""
    exact = values.astype(np.float64)
    return np.trunc(exact + np.copysign(0.5, exact))


def _bin_edges(first: int, last: int, size: int, map_cells: int | None) -> np.ndarray:
    """The first cell of each of `size` bins along one axis, and the cell after its last: (size, 2) int64.

    The bins divide the cells from `first` to `last`. They are clipped to a map of `map_cells` cells, if it is given.
    """
    cells = max(last - first + 1, 1)
    bin_size = np.float32(cells) / np.float32(size)
    steps = np.arange(size + 1, dtype=np.float32) * bin_size
    edges = np.stack([np.floor(steps[:-1]), np.ceil(steps[1:])], axis=1).astype(np.int64) + first
    return edges if map_cells is None else edges.clip(0, map_cells)


def _positions(first: np.float32, length: np.float32, count: int, size: int) -> np.ndarray:
    """The centres of `count` equal parts of each of `size` bins along one axis: (size, count) float64, in map units.

    The bins divide a box that starts at `first` (in map units, minus half a cell) and has `length` cells.
    """
    bin_size = length / np.float32(size)
    steps, parts = np.arange(size, dtype=np.float32)[:, None], np.arange(count, dtype=np.float32)[None, :]
    at = first + steps * bin_size + (parts + np.float32(0.5)) * bin_size / np.float32(max(count, 1))
    return at.astype(np.float64) + 0.5  # adds the half cell again, in float64
