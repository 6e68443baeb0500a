"""The scale between picture pixels and canvas pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class View:
    """The size of a picture, and the size of the canvas that it is stretched over.

    Both coordinate systems are continuous, with (0, 0) at the top left corner.

    >>> view = View.fit(2000, 1000, 700, 560)
    >>> view.canvas_width, view.canvas_height
    (700, 350)
    >>> view.to_canvas([(1000, 500)]).tolist()
    [[350.0, 175.0]]
    """

    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @classmethod
    def fit(cls, width: int, height: int, max_width: float, max_height: float, zoom: float = 1.0) -> View:
        """Return the view with the largest canvas that fits into the maximum size, then enlarged by `zoom`.

        The canvas has the aspect ratio of the picture (`width` x `height`).
        """
        scale = min(max_width / width, max_height / height) * zoom
        return cls(width, height, max(1, round(width * scale)), max(1, round(height * scale)))

    @property
    def scale(self) -> np.ndarray:
        """Canvas pixels per picture pixel along x and y, float `(2,)`."""
        return np.array([self.canvas_width / self.width, self.canvas_height / self.height])

    def to_canvas(self, points: Sequence[Sequence[float]]) -> np.ndarray:
        """Convert points from picture to canvas pixels, float `(N, 2)`."""
        return np.asarray(points, dtype=float).reshape(-1, 2) * self.scale

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Convert points from canvas to picture pixels, float `(N, 2)`."""
        return np.asarray(points, dtype=float).reshape(-1, 2) / self.scale
