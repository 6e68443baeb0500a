"""The measures of an evaluation and COCO's constants: IoU thresholds, recalls, size ranges, limits."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

IouType = Literal["bbox", "segm", "keypoints"]
Summary = dict[str, float | None]
"""Name of a figure -> its value; None if it is not defined."""

KINDS: tuple[IouType, ...] = get_args(IouType)

KIND_OF_TASK: dict[str, IouType] = {"box": "bbox", "mask": "segm", "keypoints": "keypoints"}
"""Task of a network -> COCO's name of its measure."""

DEFAULT_MIN_SCORE = 0.5
DEFAULT_IOU = 0.5

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""COCO's IoU thresholds: .50, .55, ..., .95."""

RECALLS = np.linspace(0, 1, 101)
"""The recalls at which COCO samples the precision."""

MAX_DETECTIONS = 100
"""Maximum number of evaluated detections of a class in one picture (those with the best scores), as in COCO."""

MAX_POSES = 20
"""The same limit for keypoints."""

_HUGE = 1e5**2
SIZES: dict[str, tuple[float, float]] = {
    "all": (0, _HUGE),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, _HUGE),
}
"""Size ranges: name -> least and largest area in pixels, both included."""

KEYPOINT_SIZES = {name: SIZES[name] for name in ("all", "medium", "large")}
"""The size ranges of keypoints."""
