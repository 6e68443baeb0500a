"""The path along an edge of the picture between two points ("intelligent scissors").

Mortensen and Barrett 1995: the path with the lowest cost between two points, where pixels on an edge cost little.
OpenCV computes the costs of all paths from a start point once, and then each path in a moment. Costs are computed on a
scaled copy of the surroundings of the start point, so that their time does not depend on the size of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from maskrcnn.annotations.regions import Points

WORKING_SIDE = 640
"""Maximum side in pixels of the copy on which paths are computed."""

SHORTEST_REACH = 64.0
"""Smallest distance from the start point that a copy contains, in picture pixels."""

SMOOTHING = 1.0
"""Vertices of a path are removed where it moves by at most this many pixels of the copy."""

_CANNY = (16, 100)
"""Lower and upper threshold of OpenCV's edge detector."""

_STEEPEST = 200.0
"""Gradient from which an edge does not become cheaper, in grey values."""


@dataclass(frozen=True)
class EdgePaths:
    """The paths from one start point to the points around it, as far as `reach` picture pixels in x and y.

    `left`, `top` and `scale` give the place of the copy in the picture and the size of its pixels.
    """

    start: tuple[float, float]
    reach: float
    left: int
    top: int
    scale: tuple[float, float]
    size: tuple[int, int]
    _tool: Any

    def reaches(self, point: tuple[float, float]) -> bool:
        """Whether a point (x, y) is near enough for `path_to`."""
        return max(abs(point[0] - self.start[0]), abs(point[1] - self.start[1])) <= self.reach

    def path_to(self, point: tuple[float, float]) -> Points:
        """Return the path from the start point to a point, both included, in picture pixels with 2 decimals.

        Raises `ValueError` for a point that is out of reach.
        """
        if not self.reaches(point):
            raise ValueError(f"the point {point} is more than {self.reach} px from {self.start}")
        pixels = self._tool.getContour(self._pixel_of(point), backward=False).reshape(-1, 2)
        # Vertices of OpenCV are numbers of pixels; the pixel n has its centre at n + 0.5.
        places = cv2.approxPolyDP(pixels.astype(np.int32), SMOOTHING, False).reshape(-1, 2) + 0.5
        inner = (places * self.scale + (self.left, self.top))[1:-1]
        ends = [(round(x, 2), round(y, 2)) for x, y in (self.start, point)]
        return ends[0], *((round(x, 2), round(y, 2)) for x, y in inner.tolist()), ends[1]

    def _pixel_of(self, point: tuple[float, float]) -> tuple[int, int]:
        """Return the pixel of the copy at a point of the picture, or the nearest one."""
        x, y = (point[0] - self.left) / self.scale[0], (point[1] - self.top) / self.scale[1]
        return min(max(int(x), 0), self.size[0] - 1), min(max(int(y), 0), self.size[1] - 1)


def needed_reach(start: tuple[float, float], point: tuple[float, float]) -> float:
    """Return a reach with which `edge_paths` contains a point and some surroundings: a power of two.

    Powers of two, so that the same copy serves until the cursor is twice as far away.

    >>> needed_reach((0, 0), (100, 20)), needed_reach((0, 0), (120, 20))
    (128.0, 256.0)
    """
    distance = 1.25 * max(abs(point[0] - start[0]), abs(point[1] - start[1]))
    return max(SHORTEST_REACH, 2.0 ** math.ceil(math.log2(max(distance, 1.0))))


def edge_paths(picture: np.ndarray, start: tuple[float, float], reach: float) -> EdgePaths:
    """Compute the paths from a start point (x, y) to the points at most `reach` pixels away in x and y.

    `picture`: uint8 `(H, W, 3)`, RGB. A start point outside the picture counts as the nearest pixel.
    """
    height, width = picture.shape[:2]
    x, y = min(max(start[0], 0), width - 1), min(max(start[1], 0), height - 1)
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    part = picture[top : max(top + 1, math.ceil(y + reach)), left : max(left + 1, math.ceil(x + reach))]
    shrink = min(1.0, WORKING_SIDE / max(part.shape[:2]))
    size = max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink))
    copy = cv2.resize(part, size, interpolation=cv2.INTER_AREA) if shrink < 1 else np.ascontiguousarray(part)
    tool = cv2.segmentation.IntelligentScissorsMB()
    tool.setEdgeFeatureCannyParameters(*_CANNY)
    tool.setGradientMagnitudeMaxLimit(_STEEPEST)
    tool.applyImage(copy)
    scale = part.shape[1] / size[0], part.shape[0] / size[1]
    paths = EdgePaths(start, reach, left, top, scale, size, tool)
    tool.buildMap(paths._pixel_of(start))
    return paths
