"""Facts about each picture, collected for the checks that need all pictures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn.annotations.doctor.duplicate_regions import Pair
from maskrcnn.annotations.doctor.frame_checks import CornerBox
from maskrcnn.annotations.duplicate_pictures import Likeness
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Point, Polyline, Region


@dataclass
class PictureNotes:
    """Facts about one picture for the checks at the end of the pass.

    - `classes`: number of kept regions by class (None: regions without a class).
    - `objects`: number of those that training uses, by class.
    - `passed`: crowds, lines and points: {region number: class}.
    - `pairs`: regions at the same place.
    - `labels`: a hash of all regions.
    - `around`: bounding box of all labels in the `frame` (None: no labels, or not in pixels).
    - `is_beyond`: whether a label extends outside by more than a small drawing error.
    - `boxes`: rectangles that may be two corners (`frame_checks.corner_boxes`).
    """

    file_name: str
    split: str | None = None
    path: Path | None = None
    likeness: Likeness | None = None
    left_out: bool = False
    classes: Counter[str | None] = field(default_factory=Counter)
    pairs: list[Pair] = field(default_factory=list)
    objects: Counter[str | None] = field(default_factory=Counter)
    passed: dict[int, str | None] = field(default_factory=dict)
    labels: int = 0
    n_regions: int = 0
    frame: tuple[int, int] | None = None
    around: Box | None = None
    is_beyond: bool = False
    boxes: tuple[CornerBox, ...] | None = ()

    @property
    def reach(self) -> tuple[float, float] | None:
        """How far to the right and down its labels reach, as shares of its width and height."""
        if self.frame is None or self.around is None:
            return None
        return self.around[2] / self.frame[0], self.around[3] / self.frame[1]


def counts(region: Region) -> bool:
    """Whether a region counts in the class statistics. Points and lines count only if they have a class."""
    return region.class_name is not None or not isinstance(region.shape, Point | Polyline)
