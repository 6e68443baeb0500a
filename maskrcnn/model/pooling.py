"""RoI pooling from one map or a pyramid of maps: RoIAlign, RoIPool and RoIWarp.

Pixel model: cell i of a map covers [i, i + 1), and its value belongs to its centre i + 0.5. An image coordinate x is at
x / stride on the map. The Config field `pooling` chooses the method:

- `align` samples at exact positions (He et al. 2017, "Mask R-CNN", sec. 3, with the half-cell shift that Detectron2
  added).
- `align-legacy` assumes that the value of cell i belongs to position i, so all samples are half a cell too far to the
  bottom right; torchvision's COCO weights were trained with it.
- `pool` rounds the box, and each of its bins, to whole cells (Girshick 2015, "Fast R-CNN", sec. 2.1).
- `warp` rounds the box as `pool` does and then samples as `align` does. The Mask R-CNN paper calls this RoIWarp (Dai et
  al. 2016, "Instance-aware Semantic Segmentation via Multi-task Network Cascades", sec. 3.2). Compared with `align` it
  shows the effect of rounding the box alone.

The field `pooling_mode` chooses how the values in a bin are combined: `max` (Fast R-CNN) or `average` (Mask R-CNN).
`tests/model/test_pooling.py` checks numbers, `test_pooling_oracles.py` compares with slow loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import MultiScaleRoIAlign, roi_align, roi_pool
from torchvision.ops.poolers import LevelMapper

CHANNELS_AT_ONCE = 32
"""Number of channels that `roi_average` processes together. Its sums are float64, four for each bin."""

MOST_SAMPLES = 4
"""Maximum number of samples per bin side for `roi_align_channels_last`, which lists the cells of all samples."""


class RoIPooler(MultiScaleRoIAlign):
    """Pools a `size` x `size` grid for every box, from the map of the level that fits the size of the box.

    `pooling` is `align`, `align-legacy`, `pool` or `warp`. `mode` is `max`, `average` or `auto`, which is max for
    `pool` and average for the others. `sampling_ratio` is the number of samples per bin side; 0 means as many as the
    bin has cells (only for the average). `pool` has no samples.

    Map "0", "1", ... has `strides[0]`, `strides[1]`, ... image pixels per cell, finest first. With several maps, a box
    of w x h image pixels is pooled from level floor(roi_level + log2(sqrt(w h) / 224)), limited to the levels that
    exist; level l has stride 2^l (Lin et al. 2017, "Feature Pyramid Networks", eq. 1).

    It is a subclass of `MultiScaleRoIAlign` only because torchvision's constructors require that. Only the attributes
    `output_size` and `featmap_names` of that class are used.
    """

    def __init__(
        self,
        pooling: str,
        size: int,
        sampling_ratio: int,
        mode: str = "auto",
        strides: Sequence[int] = (4, 8, 16, 32),
        roi_level: int = 4,
    ) -> None:
        super().__init__([str(level) for level in range(len(strides))], size, sampling_ratio)
        self.pooling = pooling
        self.mode = mode if mode != "auto" else "max" if pooling == "pool" else "average"
        self.strides = tuple(strides)
        self.level_of = LevelMapper(
            int(math.log2(self.strides[0])), int(math.log2(self.strides[-1])), canonical_level=roi_level
        )

    def pool(self, feature_map: Tensor, rois: Tensor, stride: int) -> Tensor:
        """The grids `(K, C, size, size)` of `rois (K, 5)` from one map `(N, C, H, W)`.

        A row of `rois` is the picture index, then xyxy in image pixels. The grids have the map's dtype. With a map in
        half precision, boxes stay in float32, which is exact enough: bfloat16 has no number between 512 and 516. A box
        whose second corner is before the first is treated as an empty box at the first corner. Gradients flow to the
        map, not to the boxes.
        """
        dtype = feature_map.dtype
        exact = torch.promote_types(dtype, torch.float32)
        rois, scale = rois.detach().to(exact), 1 / stride
        # torchvision's operator fails for a reversed box, with a negative number of samples.
        rois = torch.cat([rois[:, :3], torch.maximum(rois[:, 1:3], rois[:, 3:])], dim=1)

        size, samples = self.output_size[0], self.sampling_ratio
        if self.pooling == "pool":
            operator = roi_pool if self.mode == "max" else roi_average
            return operator(feature_map.to(exact), rois, size, scale).to(dtype)
        if self.pooling == "warp":
            rois, scale = whole_cells(rois, scale), 1.0
        align: Callable[..., Tensor] = roi_align_channels_last  # it takes a map in half precision
        if not (0 < samples <= MOST_SAMPLES and is_channels_last_on_cpu(feature_map)):
            align, feature_map = roi_align, feature_map.to(exact)
        aligned = self.pooling != "align-legacy"
        if self.mode == "max":
            # A finer grid with one sample per cell has its samples at the same positions as `samples` per bin.
            return functional.max_pool2d(align(feature_map, rois, size * samples, scale, 1, aligned), samples).to(dtype)
        return align(feature_map, rois, size, scale, samples, aligned).to(dtype)

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """The grids `(sum of K_i, C, size, size)` of the boxes `[(K_i, 4), ...]` of every picture, in their order."""
        maps = [x[level] for level in self.featmap_names]
        rois = torch.cat([torch.cat([b.new_full((len(b), 1), i), b], dim=1) for i, b in enumerate(boxes)])
        if len(maps) == 1:
            return self.pool(maps[0], rois, self.strides[0])
        levels = self.level_of(boxes)
        grids = maps[0].new_zeros((len(rois), maps[0].shape[1], *self.output_size))
        if is_channels_last_on_cpu(maps[0]):
            grids = grids.to(memory_format=torch.channels_last)
        for level, (feature_map, stride) in enumerate(zip(maps, self.strides, strict=True)):
            chosen = torch.where(levels == level)[0]
            if len(chosen) == len(rois):
                return self.pool(feature_map, rois, stride)
            if len(chosen):
                # With autocast the maps of a pyramid can have different dtypes.
                grids[chosen] = self.pool(feature_map, rois[chosen], stride).to(grids.dtype)
        return grids

    def __repr__(self) -> str:
        return (
            f"RoIPooler({self.pooling}, size={self.output_size[0]}, sampling_ratio={self.sampling_ratio}, "
            f"mode={self.mode}, strides={self.strides})"
        )


def whole_cells(rois: Tensor, scale: float) -> Tensor:
    """Rois `(K, 5)` in image pixels, rounded to whole cells of a map as in RoIPool: xyxy edges in cells.

    Halves are rounded away from zero, as `round` of C does. The cells of both corners belong to the box, so it has at
    least one cell.

    On a map of stride 8, pixels 10 to 27 are 1.25 to 3.375 in cells. Rounded these are cells 1 to 3, with edges 1 and
    4:

    >>> whole_cells(torch.tensor([[0.0, 10.0, 10.0, 27.0, 27.0]]), scale=1 / 8).tolist()
    [[0.0, 1.0, 1.0, 4.0, 4.0]]
    """
    corners = rois[:, 1:] * scale
    whole = corners.abs().floor() * corners.sign()  # `trunc`, which ONNX lacks
    # Not floor(x + 0.5): for the largest float below 0.5 the sum is rounded to 1.
    whole = whole + (corners - whole).abs().ge(0.5) * corners.sign()
    first, last = whole[:, :2], whole[:, 2:]
    return torch.cat([rois[:, :1], first, torch.maximum(first, last) + 1], dim=1)


def is_channels_last_on_cpu(feature_map: Tensor) -> bool:
    """Whether a map is on the CPU and stored channels last. Then `roi_align_channels_last` is faster than torchvision.

    torchvision's operator copies such a map first and then processes its channels one by one, in one thread. It takes
    four times as long forward, and eight times as long forward and backward.
    """
    is_channels_last = feature_map.is_contiguous(memory_format=torch.channels_last) and not feature_map.is_contiguous()
    return is_channels_last and feature_map.device.type == "cpu"


def roi_align_channels_last(
    feature_map: Tensor, rois: Tensor, size: int, scale: float, samples: int, aligned: bool
) -> Tensor:
    """`torchvision.ops.roi_align` for a map that is stored channels last, with a fixed number of samples.

    The result is equal up to rounding. Each bin is a weighted sum of cells, four for each sample, and the channels of a
    cell are one row in memory, so `embedding_bag` can add them up. The map may be in half precision; positions are
    computed in the dtype of `rois`.
    """
    channels, height, width = feature_map.shape[1:]
    corners = rois[:, 1:] * scale - (0.5 if aligned else 0)
    first, last = corners[:, :2], corners[:, 2:]
    if not aligned:
        last = torch.maximum(last, first + 1)
    columns, column_weights = cells_and_weights(first[:, 0], last[:, 0], size, samples, width)
    rows, row_weights = cells_and_weights(first[:, 1], last[:, 1], size, samples, height)
    row_starts = (rois[:, 0].int()[:, None, None] * height + rows) * width
    # Numbers and weights of the cells of each bin: (K, row of the bin, column of the bin, row of the cell, column).
    cells = row_starts[:, :, None, :, None] + columns[:, None, :, None, :]
    weights = (row_weights[:, :, None, :, None] * column_weights[:, None, :, None, :]).to(feature_map.dtype)
    table = feature_map.permute(0, 2, 3, 1).reshape(-1, channels)  # one row for each cell of the map
    cells_per_bin = cells.shape[3] * cells.shape[4]
    grids = functional.embedding_bag(
        cells.reshape(-1, cells_per_bin), table, mode="sum", per_sample_weights=weights.reshape(-1, cells_per_bin)
    )
    return grids.view(len(rois), size, size, channels).permute(0, 3, 1, 2)


def cells_and_weights(first: Tensor, last: Tensor, size: int, samples: int, cells: int) -> tuple[Tensor, Tensor]:
    """The cells that each bin of RoIAlign reads along one axis, and their weights: both `(K, size, 2 samples)`.

    A sample at 1.25 is between the values of cells 1 and 2; it reads 0.75 of the first and 0.25 of the second:

    >>> cells, weights = cells_and_weights(torch.tensor([1.0]), torch.tensor([1.5]), size=1, samples=1, cells=8)
    >>> cells.tolist(), weights.tolist()
    ([[[1, 2]]], [[[0.75, 0.25]]])

    `first` and `last` `(K,)` are the ends of the boxes in cells, where the value of cell i is at i. A box has `size`
    bins with `samples` samples each; the map has `cells` cells along the axis. A sample is interpolated linearly
    between its two neighbour cells. Outside the map it reads the outermost cell, and nothing if it is more than one
    cell outside.
    """
    length = ((last - first) / size)[:, None, None]
    bins, steps = torch.arange(size, device=first.device)[:, None], torch.arange(samples, device=first.device)
    # The order of operations is that of torchvision's operator, so that the samples are rounded alike.
    at = first[:, None, None] + bins * length + (steps + 0.5) * length / samples
    counts = ((at >= -1) & (at <= cells)).to(first.dtype) / samples
    at = at.clamp(0, cells - 1)
    lower = at.floor()
    part = at - lower
    neighbours = torch.stack([lower, (lower + 1).clamp(max=cells - 1)], dim=-1)
    return neighbours.int().flatten(2), torch.stack([(1 - part) * counts, part * counts], dim=-1).flatten(2)


def roi_average(feature_map: Tensor, rois: Tensor, size: int, scale: float) -> Tensor:
    """RoIPool with the mean instead of the maximum of each bin's cells; otherwise as `torchvision.ops.roi_pool`.

    Returns the grids `(K, C, size, size)` of `rois (K, 5)` in image pixels from a map `(N, C, H, W)` with `scale` cells
    per pixel. Rois have the map's dtype. Bins consist of whole cells, and neighbour bins can share cells. A bin outside
    the map has no cells and is 0.
    """
    height, width = feature_map.shape[2:]
    pictures, edges = rois[:, 0].long()[:, None, None], whole_cells(rois, scale)
    left, right = bin_cells(edges[:, 1], edges[:, 3], size, width)
    top, bottom = bin_cells(edges[:, 2], edges[:, 4], size, height)
    cells = (bottom - top)[:, :, None] * (right - left)[:, None, :]
    top, bottom, left, right = top[:, :, None], bottom[:, :, None], left[:, None, :], right[:, None, :]

    def average(channels: Tensor) -> Tensor:
        """The bin means of some channels. The sum of a bin is computed from four values of the summed-area table."""
        sums = functional.pad(channels.double().cumsum(2).cumsum(3), (1, 0, 1, 0)).permute(0, 2, 3, 1)
        total = sums[pictures, bottom, right] - sums[pictures, top, right]
        total = total - sums[pictures, bottom, left] + sums[pictures, top, left]
        return (total / cells.clamp(min=1)[..., None]).to(channels.dtype).permute(0, 3, 1, 2)

    return torch.cat([average(channels) for channels in feature_map.split(CHANNELS_AT_ONCE, dim=1)], dim=1)


def bin_cells(start: Tensor, end: Tensor, size: int, cells: int) -> tuple[Tensor, Tensor]:
    """First cell of every bin of `roi_average` along one axis, and the cell after its last: both `(K, size)`.

    The two are equal for an empty bin.

    A box `[start, end)` of whole cells, `(K,)`, is divided into `size` equal bins. Their ends are rounded outwards and
    clipped to the map, which has `cells` cells. It is computed in the dtype of the box as in RoIPool, because rounding
    can add a cell to a bin.

    Five cells in two bins of 2.5 cells are cells 0 to 2 and cells 2 to 4:

    >>> first, after = bin_cells(torch.tensor([0.0]), torch.tensor([5.0]), size=2, cells=8)
    >>> first.tolist(), after.tolist()
    ([[0, 2]], [[3, 5]])
    """
    length = ((end - start) / size)[:, None]
    steps = torch.arange(size, dtype=start.dtype, device=start.device)
    first = (start[:, None] + (steps * length).floor()).clamp(0, cells).long()
    after = (start[:, None] + ((steps + 1) * length).ceil()).clamp(0, cells).long()
    return first, after
