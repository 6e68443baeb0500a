"""Suggestions: the detections of a network in a picture as regions that a person accepts, corrects or throws away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.hints.detection_outline import detection_keypoints, detection_shape
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Region
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN

MIN_SCORE = 0.1
"""Detections with a lower score are not suggested."""


def suggested_regions(
    model: StudioRCNN,
    picture: np.ndarray,
    min_score: float = MIN_SCORE,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = bool,
) -> list[Region]:
    """Return the detections of a network in a uint8 `(H, W, 3)` RGB picture as regions, as `detected_regions` does."""
    return detected_regions(detect(model, picture), model.config.names, min_score, progress, stopped)


def detected_regions(
    detections: Iterable[dict[str, Any]],
    names: Sequence[str],
    min_score: float = MIN_SCORE,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = bool,
) -> list[Region]:
    """Return detections (COCO results, best first) as regions. `names` are those of the classes 1, 2, ...

    The regions have the source "model" and a score. A mask becomes an outline with few vertices
    (`hints.detection_outline`). A detection without a mask becomes its box. `progress(done,
    total)` counts detections; if `stopped()` is true, `HintStopped` is raised.

    >>> [region] = detected_regions([{"bbox": [2, 3, 10, 8], "score": 0.9, "category_id": 1}], ["cat"])
    >>> region.shape, region.class_name, region.source, region.score
    (Rect(x=2, y=3, width=10, height=8), 'cat', 'model', 0.9)
    """
    found = [entry for entry in detections if entry["score"] >= min_score]
    regions = []
    for number, entry in enumerate(found, start=1):
        if stopped():
            raise HintStopped
        if (shape := detection_shape(entry)) is not None:
            name = names[entry["category_id"] - 1]
            score = round(entry["score"], 4)
            regions.append(Region(shape, name, source="model", score=score, keypoints=detection_keypoints(entry)))
        if progress is not None:
            progress(number, len(found))
    return regions
