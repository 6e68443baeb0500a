"""The dataset: pictures with their regions, splits and classes.

All objects are immutable, as in `regions`; an edit makes a new object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from maskrcnn.annotations.regions import Region, Skeleton
from maskrcnn.errors import ArgumentError

Split = Literal["train", "val"]
"""The split of a picture: training or validation."""

SPLITS: tuple[Split, ...] = ("train", "val")


def require_split(split: str) -> Split:
    """Return the split. Raises `ArgumentError` if it is neither `train` nor `val`."""
    for known in SPLITS:
        if split == known:
            return known
    raise ArgumentError(f'split "{split}" is unknown; choose {" or ".join(SPLITS)}')


@dataclass(frozen=True)
class ImageRecord:
    """One picture and the regions on it.

    - `path` is the picture file (None: not found).
    - `width` and `height` are those of the displayed frame in pixels, None if unknown.
    - `file_size` is the size in bytes that the label file states (None or -1: unknown).
    - `attributes` are VIA's file attributes.
    - `split` is set if the source has splits (a project, a YOLO folder).
    - `extras` is further data of the source by format, as in `Region`; a project stores
      `{"project": {"id", "revision"}}` there.
    """

    file_name: str
    regions: tuple[Region, ...] = ()
    path: Path | None = None
    width: int | None = None
    height: int | None = None
    file_size: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    split: Split | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of the displayed frame in pixels; None if unknown."""
        return None if self.width is None or self.height is None else (self.width, self.height)


@dataclass(frozen=True)
class Dataset:
    """Pictures with regions, and their classes.

    - `class_attribute` is the VIA region attribute that gives the class (None: no attribute does, and all regions have
      one class).
    - `extras` are the parts of a label file that the studio does not interpret (VIA settings, attribute definitions,
      COCO info). They are kept for export.
    - `skeletons` has the skeleton of each class with keypoints.
    - `warnings` are messages for the user about content that the reader skipped or did not find. They are ignored when
      two datasets are compared.
    """

    images: Sequence[ImageRecord]
    classes: tuple[str, ...] = ()
    class_attribute: str | None = None
    source: Path | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    skeletons: Mapping[str, Skeleton] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def n_regions(self) -> int:
        """The number of regions on all pictures of the dataset."""
        return sum(len(image.regions) for image in self.images)


def classes_in(images: Iterable[ImageRecord]) -> tuple[str, ...]:
    """Return the sorted class names of all regions.

    >>> from maskrcnn.annotations.regions import Rect
    >>> classes_in([ImageRecord("a.png", regions=(Region(Rect(0, 0, 2, 2), "nut"), Region(Rect(4, 4, 2, 2), "bolt")))])
    ('bolt', 'nut')
    """
    return tuple(sorted({region.class_name for image in images for region in image.regions if region.class_name}))
