"""Suggestions: the detections of a network in a picture as regions that a person accepts, corrects or throws away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.hints.mask_outline import outline_of, simplified_outline
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Keypoints, Rect, Region, Shape
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN

MIN_SCORE = 0.1
"""Detections with a lower score are not suggested."""

SMALL_PART = 0.02
"""Parts and holes that are smaller than this share of the mask are left out."""

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
    (`simplified_outline`). A detection without a mask becomes its box. `progress(done,
    total)` counts detections; if `stopped()` is true, `HintStopped` is raised.
    """
    found = [entry for entry in detect(model, picture) if entry["score"] >= min_score]
    regions = []
    for number, entry in enumerate(found, start=1):
        if stopped():
            raise HintStopped
        if (shape := _shape(entry)) is not None:
            name = model.config.names[entry["category_id"] - 1]
            score = round(entry["score"], 4)
            regions.append(Region(shape, name, source="model", score=score, keypoints=_keypoints(entry)))
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


def _shape(detection: dict[str, Any]) -> Shape | None:
    """Return the outline of a detection, else its box; None for a detection without a pixel."""
    x, y, width, height = detection["bbox"]
    code = detection.get("segmentation")
    if code is None:
        return Rect(round(x, 2), round(y, 2), round(width, 2), round(height, 2)) if width > 0 and height > 0 else None
    left, top, columns, rows = (int(side) for side in coco_mask.toBbox(code))
    inside = coco_mask.decode(code)[top : top + rows, left : left + columns].astype(bool)
    outline = outline_of(inside, left, top, small_part=SMALL_PART)
    return None if outline is None else simplified_outline(outline)


def _keypoints(detection: dict[str, Any]) -> Keypoints | None:
    """Return the keypoints of a detection, all as visible; None if the network finds none."""
    values = detection.get("keypoints")
    if values is None:
        return None
    return Keypoints(tuple((round(x, 2), round(y, 2), 2) for x, y in zip(values[::3], values[1::3], strict=True)))
