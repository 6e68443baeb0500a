"""One box on one feature map, and the result of each pooling method for it."""

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

    `feature_map` is float32 (h, w). `network_box` is the box (xyxy) in pixels of the network input. The network input
    is the original picture scaled by `picture_scale` (sx, sy). A cell of the map is `stride` network pixels wide. The
    pooled grid has `size` x `size` bins. Methods that sample use `sampling` x `sampling` points per bin.

    >>> roi = RoiOnMap(np.zeros((8, 10), np.float32), (36, 40, 96, 84), 16, (1.0, 1.0), 3, 2)
    >>> roi.cells
    (2.25, 2.5, 6.0, 5.25)
    >>> roi.pool_bins.cells
    (2, 3, 7, 6)
    >>> roi.cell_width
    16.0
    """

    feature_map: np.ndarray
    network_box: Box
    stride: int
    picture_scale: tuple[float, float]
    size: int
    sampling: int

    @property
    def scale(self) -> float:
        """Cells per pixel of the network input."""
        return 1 / self.stride

    @property
    def cells(self) -> Box:
        """The box (xyxy) in cells of the map."""
        x1, y1, x2, y2 = self.network_box
        return x1 * self.scale, y1 * self.scale, x2 * self.scale, y2 * self.scale

    @property
    def cell_width(self) -> float:
        """Width of a cell in pixels of the original picture."""
        return self.stride / self.picture_scale[0]

    @cached_property
    def pool_bins(self) -> PoolBins:
        """The cells and bins of RoIPool after rounding."""
        return roi_pooling.roi_pool_bins(self.network_box, self.scale, self.size, self._map_size)

    def samples(self, method: str) -> AlignSamples:
        """Return the sample points and bins of a method of `roi_pooling.METHODS`, except "pool"."""
        return roi_pooling.samples_of(method, self.network_box, self.scale, self.size, self.sampling)

    def grid(self, method: str) -> np.ndarray:
        """Return the pooled grid of a method, float32 (size, size)."""
        return roi_pooling.grid_of(method, self.feature_map, self.network_box, self.scale, self.size, self.sampling)

    def deviation(self, method: str) -> tuple[Box, float]:
        """Return the difference between the box that the method reads and this box.

        The first value has the left, top, right and bottom edges of the box that is read minus those of this box, in
        pixels of the original picture. The second value is the IoU of the two boxes.
        """
        error = roi_pooling.quantisation(self.network_box, self.scale, method, self._map_size)
        left, top, right, bottom = error.shifts
        sx, sy = self.picture_scale
        return (left / sx, top / sy, right / sx, bottom / sy), error.iou

    def shifted_grids(self, method: str, steps: Sequence[int]) -> np.ndarray:
        """Return the pooled grids, float32 (N, size, size), after moving the box right by each of `steps` (N,).

        Steps are in pixels of the original picture.
        """
        shifts = [step * self.picture_scale[0] for step in steps]
        return roi_pooling.grids_of_shifted_boxes(
            method, self.feature_map, self.network_box, self.scale, self.size, self.sampling, shifts
        )

    @property
    def _map_size(self) -> tuple[int, int]:
        """Height and width of the map in cells."""
        height, width = self.feature_map.shape
        return height, width
