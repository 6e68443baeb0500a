"""Masks stored as outlines. A `PolygonOutline` can be scaled and moved cheaply and is rasterised only when needed.

The masks of a training picture of 12 megapixels with 50 objects need 600 MB as bitmaps, but a few kilobytes as
vertices. The network needs only 28 x 28 cells around each proposal.
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
"""Samples per cell side in `PolygonOutline.coverage`."""


@dataclass(frozen=True)
class PolygonOutline:
    """The mask of one object as polygons, in continuous pixel coordinates (x, y) of its picture.

    `parts`: the object is the union of its parts. A part is a tuple of rings, float `(V, 2)`, filled by the even-odd
    rule. `hidden_by`: outlines in front of the object, such as pasted objects; they are subtracted from it.
    """

    parts: tuple[tuple[np.ndarray, ...], ...]
    hidden_by: tuple[PolygonOutline, ...] = ()

    @classmethod
    def of(cls, segmentation: Any, full: tuple[int, int], size: tuple[int, int]) -> PolygonOutline:
        """Make an outline from a COCO `segmentation`, scaled from `full` to `size` (both height, width).

        Polygons are scaled directly. A run-length code is resized as a mask, and the outline follows the pixels that
        are covered by at least half.
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

    def moved(self, scale: tuple[float, float], offset: tuple[float, float] = (0.0, 0.0)) -> PolygonOutline:
        """Return the outline with every vertex multiplied by `scale` plus `offset`, both (x, y). Negative: flip."""
        parts = tuple(tuple(ring * scale + offset for ring in part) for part in self.parts)
        return PolygonOutline(parts, tuple(over.moved(scale, offset) for over in self.hidden_by))

    def under(self, others: Sequence[PolygonOutline]) -> PolygonOutline:
        """Return this outline with `others` in front of it."""
        return replace(self, hidden_by=(*self.hidden_by, *others))

    def coverage(self, box: Sequence[float], side: int) -> np.ndarray:
        """Return the covered share of each cell of a `side` x `side` grid over `box` (xyxy), float32 in [0, 1].

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
        """Return the visible pixels as uint8 `(height, width)` with values 0 and 1."""
        seen = raster.fill(self.parts, height, width)
        for over in self.hidden_by:
            seen &= 1 - over.bitmap(height, width)
        return seen

    def box(self, height: int, width: int) -> tuple[float, float, float, float] | None:
        """Return the bounding box (xyxy) of the visible part in a picture of this size; None if nothing is visible.

        The box is exact if `hidden_by` is empty, else it is rounded to whole pixels.
        """
        if self.hidden_by:
            rows, columns = np.nonzero(self.bitmap(height, width))
            if not len(rows):
                return None
            return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
        rings = [ring for part in self.parts for ring in part if len(ring) >= 3]
        seen = shapely.clip_by_rect(shapely.MultiPolygon([(ring,) for ring in rings]), 0, 0, width, height)
        return None if seen.is_empty else tuple(seen.bounds)


def stacked_outlines(outlines: Sequence[PolygonOutline], height: int, width: int) -> np.ndarray:
    """Return the bitmaps of all outlines as uint8 `(N, height, width)`."""
    return np.stack([outline.bitmap(height, width) for outline in outlines] or [np.zeros((0, 0))]).reshape(
        len(outlines), height, width
    )
