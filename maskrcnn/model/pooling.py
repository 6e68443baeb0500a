"""RoI pooling over the levels of a feature pyramid, with one word to choose how.

Pixel model: cell i of a map covers [i, i + 1) and its value sits at i + 0.5. An image coordinate x lies at x / stride
on the map. `align` samples there exactly; `align-legacy` takes the value of cell i to sit at i, which reads everything
half a cell too far to the bottom right (what torchvision's COCO weights were trained with); `pool` rounds the box, and
each bin of it, to whole cells and takes the maximum (Girshick 2015, "Fast R-CNN", sec. 2.1). `align` is He et al.
2017, "Mask R-CNN", sec. 3, with the half-cell shift that Detectron2 added. `tests/model/test_pooling.py` pins the
numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign, roi_align, roi_pool
from torchvision.ops.poolers import LevelMapper

LEVELS = ("0", "1", "2", "3")
"""The pyramid maps that RoIs are read from: P2..P5, strides 4, 8, 16, 32."""

STRIDES = (4, 8, 16, 32)


class RoIPooler(MultiScaleRoIAlign):
    """Reads a `size` x `size` grid for every box from the pyramid level that fits the box.

    Level of a box of w x h image pixels: floor(4 + log2(sqrt(w h) / 224)), clamped to P2..P5 (Lin et al. 2017, eq. 1).

    It is a `MultiScaleRoIAlign` only because torchvision's constructors insist on one; nothing of it but the attributes
    `output_size` and `featmap_names` is used.
    """

    def __init__(self, pooling: str, size: int, sampling_ratio: int) -> None:
        super().__init__(list(LEVELS), size, sampling_ratio)
        self.pooling = pooling
        self.level_of = LevelMapper(2, 5)

    def pool(self, feature_map: Tensor, rois: Tensor, stride: int) -> Tensor:
        """`(K, C, size, size)` from one map `(N, C, H, W)` and rois `(K, 5)`: picture index, then xyxy image pixels."""
        size = self.output_size[0]
        if self.pooling == "pool":
            return roi_pool(feature_map, rois, size, 1 / stride)
        aligned = self.pooling == "align"
        return roi_align(feature_map, rois, size, 1 / stride, self.sampling_ratio, aligned)

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """`(sum of K_i, C, size, size)` for the boxes `[(K_i, 4), ...]` of every picture, in their order."""
        maps = [x[level] for level in LEVELS]
        rois = torch.cat([torch.cat([b.new_full((len(b), 1), i), b], dim=1) for i, b in enumerate(boxes)])
        levels = self.level_of(boxes)
        grids = maps[0].new_zeros((len(rois), maps[0].shape[1], *self.output_size))
        for level, (feature_map, stride) in enumerate(zip(maps, STRIDES, strict=True)):
            chosen = torch.where(levels == level)[0]
            if len(chosen):
                # Under autocast a map can be bfloat16 while the boxes are float32; the operators want one dtype.
                pooled = self.pool(feature_map, rois[chosen].to(feature_map.dtype), stride)
                grids[chosen] = pooled.to(grids.dtype)
        return grids

    def __repr__(self) -> str:
        return f"RoIPooler({self.pooling}, size={self.output_size[0]}, sampling_ratio={self.sampling_ratio})"
