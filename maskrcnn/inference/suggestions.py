"""Suggestions: the detections of a network in a picture as regions that a person accepts, corrects or throws away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.hints.detection_outline import detection_keypoints, detection_shape
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Region
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN

MIN_SCORE = 0.1
"""Detections with a lower score are not suggested."""

SAME_OBJECT = 0.5
"""IoU with a drawn region from which a suggestion is the same object."""


def suggested_regions(
    model: StudioRCNN,
    picture: np.ndarray,
    min_score: float = MIN_SCORE,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = bool,
) -> list[Region]:
    """Return the detections of a network in a uint8 `(H, W, 3)` RGB picture as regions, best first.

    The regions have the source "model" and a score. A mask becomes an outline with few vertices
    (`hints.detection_outline`). A detection without a mask becomes its box. `progress(done,
    total)` counts detections; if `stopped()` is true, `HintStopped` is raised.
    """
    found = [entry for entry in detect(model, picture) if entry["score"] >= min_score]
    regions = []
    for number, entry in enumerate(found, start=1):
        if stopped():
            raise HintStopped
        if (shape := detection_shape(entry)) is not None:
            name = model.config.names[entry["category_id"] - 1]
            score = round(entry["score"], 4)
            regions.append(Region(shape, name, source="model", score=score, keypoints=detection_keypoints(entry)))
        if progress is not None:
            progress(number, len(found))
    return regions


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
