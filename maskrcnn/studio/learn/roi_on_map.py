"""One box on one feature map, and what each pooling method makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskrcnn.lessons import roi_pooling
from maskrcnn.lessons.roi_pooling import AlignSamples, Box, PoolBins


@dataclass(frozen=True)
class RoiOnMap:
    """A region of interest on one channel of a feature map.

    `feature_map` is (h, w) float32; `seen` is the box, xyxy, in pixels of the picture as the network sees it: the
    original times `picture_scale` (sx, sy). A cell of the map is `stride` such pixels wide. The pooled grid has
    `size` x `size` bins, each of `sampling` x `sampling` points where a method samples.

    >>> roi = RoiOnMap(np.zeros((8, 10), np.float32), (36, 40, 96, 84), 16, (1.0, 1.0), 3, 2)
    >>> roi.cells
    (2.25, 2.5, 6.0, 5.25)
    >>> roi.pool_bins.cells
    (2, 3, 7, 6)
    >>> roi.cell_width
    16.0
    """

    feature_map: np.ndarray
    seen: Box
    stride: int
    picture_scale: tuple[float, float]
    size: int
    sampling: int

    @property
    def scale(self) -> float:
        """Cells per pixel of the picture as the network sees it."""
        return 1 / self.stride

    @property
    def cells(self) -> Box:
        """The box in cells of the map."""
        x1, y1, x2, y2 = self.seen
        return x1 * self.scale, y1 * self.scale, x2 * self.scale, y2 * self.scale

    @property
    def cell_width(self) -> float:
        """Width of a cell in pixels of the original picture."""
        return self.stride / self.picture_scale[0]

    @cached_property
    def pool_bins(self) -> PoolBins:
        """The cells and the bins that RoIPool rounds the box to."""
        return roi_pooling.roi_pool_bins(self.seen, self.scale, self.size, self._map_size)

    def samples(self, method: str) -> AlignSamples:
        """Where one of `roi_pooling.METHODS` reads the map; not for "pool"."""
        return roi_pooling.samples_of(method, self.seen, self.scale, self.size, self.sampling)

    def grid(self, method: str) -> np.ndarray:
        """The pooled grid, float32 (size, size)."""
        return roi_pooling.grid_of(method, self.feature_map, self.seen, self.scale, self.size, self.sampling)

    def deviation(self, method: str) -> tuple[Box, float]:
        """How far the box that the method reads lies from this one.

        Left, top, right and bottom edge minus those of this one, in pixels of the original picture, and the IoU of the
        two boxes.
        """
        error = roi_pooling.quantisation(self.seen, self.scale, method, self._map_size)
        left, top, right, bottom = error.shifts
        sx, sy = self.picture_scale
        return (left / sx, top / sy, right / sx, bottom / sy), error.iou

    def nudged(self, method: str, steps: Sequence[int]) -> np.ndarray:
        """The grids of the box moved right by so many pixels of the original picture, float32 (N, size, size)."""
        shifts = [step * self.picture_scale[0] for step in steps]
        return roi_pooling.grids_of_shifted_boxes(
            method, self.feature_map, self.seen, self.scale, self.size, self.sampling, shifts
        )

    @property
    def _map_size(self) -> tuple[int, int]:
        height, width = self.feature_map.shape
        return height, width
