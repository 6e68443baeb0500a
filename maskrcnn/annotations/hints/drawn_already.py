"""Which suggestions are for objects that somebody has drawn already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Region

SAME_OBJECT = 0.5
"""IoU with a drawn region from which a suggestion is the same object."""


def without_drawn(suggestions: Sequence[Region], drawn: Sequence[Region], height: int, width: int) -> list[Region]:
    """Return the suggestions for objects that nobody has drawn yet: their IoU with each drawn region is below 0.5.

    A region of any class counts, because a person may have given the object another class.
    """
    codes = [raster.encoded(region.shape, height, width) for region in drawn if raster.has_area(region.shape)]
    if not codes or not suggestions:
        return list(suggestions)
    own = [raster.encoded(region.shape, height, width) for region in suggestions]
    overlap = np.asarray(coco_mask.iou(own, codes, [0] * len(codes))).max(axis=1)
    return [region for region, iou in zip(suggestions, overlap.tolist(), strict=True) if iou < SAME_OBJECT]
