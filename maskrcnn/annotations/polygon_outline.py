"""A mask as its outline, which can be scaled and moved at no cost and is filled only where somebody looks.

A training picture of 12 megapixels with 50 objects would need 600 MB for its masks as bitmaps. As vertices they need a
few kilobytes, and the network wants only 28 x 28 cells around each proposal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import shapely
from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import RLE

FINENESS = 4
"""Each cell of a coverage is looked at in so many places per side."""


@dataclass(frozen=True)
class Outline:
    """What one object covers, in pixels of its picture (x, y, continuous).

    `parts`: their union is the object; each is its rings `(V, 2)` float, filled by the even-odd rule. `hidden_by`: what
    lies over it, as pasted objects do.
    """

    parts: tuple[tuple[np.ndarray, ...], ...]
    hidden_by: tuple[Outline, ...] = ()

    @classmethod
    def of(cls, segmentation: Any, full: tuple[int, int], size: tuple[int, int]) -> Outline:
        """From a COCO `segmentation` of a picture of `full` (height, width), in the frame of that picture at `size`.

        Polygons are scaled. A run-length code becomes the outline of its pixels at `size`, where a pixel belongs to it
        if at least half of it is covered.
        """
        if isinstance(segmentation, list):
            scale = np.array([size[1] / full[1], size[0] / full[0]])
            return cls(tuple((np.reshape(np.asarray(ring, float), (-1, 2)) * scale,) for ring in segmentation))
        counts = segmentation["counts"]
        if isinstance(counts, list):
            counts = coco_mask.frPyObjects(segmentation, *full)["counts"]
        code = RLE(full, counts.decode("ascii") if isinstance(counts, bytes) else counts)
        covered = cv2.resize(
            raster.mask(code, *full).astype(np.uint8) * np.uint8(255), size[::-1], interpolation=cv2.INTER_AREA
        )
        return cls((tuple(np.asarray(ring, float) for ring in raster.rings(raster.from_mask(covered >= 128))),))

    def moved(self, scale: tuple[float, float], offset: tuple[float, float] = (0.0, 0.0)) -> Outline:
        """Every vertex times `scale` plus `offset`, both (x, y). A negative scale mirrors."""
        parts = tuple(tuple(ring * scale + offset for ring in part) for part in self.parts)
        return Outline(parts, tuple(over.moved(scale, offset) for over in self.hidden_by))

    def under(self, others: Sequence[Outline]) -> Outline:
        """This object with `others` lying over it."""
        return replace(self, hidden_by=(*self.hidden_by, *others))

    def coverage(self, box: Sequence[float], side: int) -> np.ndarray:
        """How much of each of `side` x `side` cells of `box` (xyxy) is covered: float32 in [0, 1].

        All 0 for a box without width or height.
        """
        x0, y0, x1, y1 = box
        if not (x1 > x0 and y1 > y0):
            return np.zeros((side, side), np.float32)
        fine = side * FINENESS
        scale = (fine / (x1 - x0), fine / (y1 - y0))
        filled = self.moved(scale, (-x0 * scale[0], -y0 * scale[1])).bitmap(fine, fine)
        return filled.reshape(side, FINENESS, side, FINENESS).mean((1, 3), dtype=np.float32)

    def bitmap(self, height: int, width: int) -> np.ndarray:
        """The pixels that can be seen of it, uint8 `(height, width)` of 0 and 1."""
        seen = raster.fill(self.parts, height, width)
        for over in self.hidden_by:
            seen &= 1 - over.bitmap(height, width)
        return seen

    def box(self, height: int, width: int) -> tuple[float, float, float, float] | None:
        """The box xyxy around what can be seen of it in a picture of that size; None where that is nothing.

        Exact where nothing lies over it, else to the pixel.
        """
        if self.hidden_by:
            rows, columns = np.nonzero(self.bitmap(height, width))
            if not len(rows):
                return None
            return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
        rings = [ring for part in self.parts for ring in part if len(ring) >= 3]
        seen = shapely.clip_by_rect(shapely.MultiPolygon([(ring,) for ring in rings]), 0, 0, width, height)
        return None if seen.is_empty else tuple(seen.bounds)


def stacked(outlines: Sequence[Outline], height: int, width: int) -> np.ndarray:
    """All of them as bitmaps, uint8 `(N, height, width)`."""
    return np.stack([outline.bitmap(height, width) for outline in outlines] or [np.zeros((0, 0))]).reshape(
        len(outlines), height, width
    )
