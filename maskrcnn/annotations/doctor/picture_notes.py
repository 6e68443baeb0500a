"""Notes about each picture: facts that the doctor reads and collects for the checks that need all pictures.

The checks are in the other modules.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from maskrcnn.annotations import duplicate_pictures, pictures
from maskrcnn.annotations.duplicate_pictures import Likeness
from maskrcnn.annotations.picture_files.exif import SWAPPING_SIDES
from maskrcnn.annotations.picture_files.tonal_range import Tones
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Region
from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class PictureFileNotes:
    """Facts read from a picture's file.

    - `size`: (width, height) of the displayed frame; None if the picture is missing or unreadable (see `problem`).
    - `orientation`: EXIF orientation.
    - `bytes`, `changed`: size and modification time (ns) of the file, to detect changes.
    - `likeness`: set only on request.
    - `tones`: the tonal range; None if the values are stretched while loading.
    """

    size: tuple[int, int] | None
    problem: str | None = None
    orientation: int = 1
    bytes: int | None = None
    changed: int | None = None
    likeness: Likeness | None = None
    tones: Tones | None = None

    @property
    def stored(self) -> tuple[int, int] | None:
        """(width, height) of the pixels as they are stored, before the rotation by the EXIF orientation."""
        if self.size is None or self.orientation not in SWAPPING_SIDES:
            return self.size
        return self.size[1], self.size[0]


class NumberedRegion(NamedTuple):
    """A region with its number on the picture (from 1) and its mask as run-length code (None: no mask).

    `is_settled` is False if the region extends outside the picture and no fix is chosen; the mask is then only a part.
    """

    number: int
    region: Region
    encoded: dict[str, Any] | None
    is_settled: bool = True


class RegionPair(NamedTuple):
    """Two regions at the same place, with the IoU of their masks: the one to keep, and the other."""

    kept: NumberedRegion
    other: NumberedRegion
    iou: float


class CornerBox(NamedTuple):
    """A rectangle whose four numbers may be two corners.

    `number`: its number on the picture (from 1). `read`: (x, y, width, height) if interpreted as two corners.
    `extends_outside`: whether the rectangle, read as (x, y, width, height), extends outside the picture.
    """

    number: int
    region: Region
    read: tuple[float, float, float, float]
    extends_outside: bool


@dataclass
class PictureNotes:
    """Facts about one picture and its regions.

    - `left_out`: whether an automatic fix removes the picture.
    - `classes`: number of kept regions by class (None: regions without a class).
    - `objects`: number of those that training uses, by class.
    - `skipped_classes`: {region number (from 1): class} of its crowds, lines and points, which training skips.
    - `pairs`: regions at the same place.
    - `labels`: a hash of all regions.
    - `around`: bounding box of all labels in the `frame` (None: no labels, or not in pixels).
    - `is_beyond`: whether a label extends outside by more than a small drawing error.
    - `boxes`: rectangles that may be two corners; None if one cannot be (`box_checks.corner_boxes`).
    """

    file_name: str
    split: str | None = None
    path: Path | None = None
    likeness: Likeness | None = None
    left_out: bool = False
    classes: Counter[str | None] = field(default_factory=Counter)
    pairs: list[RegionPair] = field(default_factory=list)
    objects: Counter[str | None] = field(default_factory=Counter)
    skipped_classes: dict[int, str | None] = field(default_factory=dict)
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


def read_file_notes(path: Path, *, with_likeness: bool, before: PictureFileNotes | None = None) -> PictureFileNotes:
    """Read the notes about a picture's file, with its `likeness` on request.

    Return the earlier notes `before` if the file is unchanged and they have all that is wanted. Notes about an
    unreadable picture can have no likeness, so none is missing there.
    """
    try:
        status = path.stat()
    except OSError:
        return PictureFileNotes(None, "there is no such file")
    facts = status.st_size, status.st_mtime_ns
    if before is not None:
        is_unchanged = (before.bytes, before.changed) == facts
        lacks_likeness = with_likeness and before.size is not None and before.likeness is None
        if is_unchanged and not lacks_likeness:
            return before
    try:
        orientation, size = pictures.orientation(path), pictures.size(path)
        pixels, used = pictures.reduced_with_tones(path, duplicate_pictures.SIDE)
        seen = duplicate_pictures.of_pixels(pixels, size) if with_likeness else None
        return PictureFileNotes(size, None, orientation, *facts, seen, used)
    except StudioError as error:
        # The message is `file: problem; remedy`. Only the problem is needed here.
        return PictureFileNotes(None, str(error).removeprefix(f"{path}: ").split(";")[0], 1, *facts)
