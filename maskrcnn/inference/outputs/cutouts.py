"""Cut-outs: one PNG with transparency for each object, cropped to it, and a table of where each was cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskrcnn.inference.outputs.csv_files import write_csv
from maskrcnn.inference.outputs.file_stems import cutout_name
from maskrcnn.inference.outputs.found_picture import FoundPicture, class_name
from maskrcnn.inference.outputs.object_pixels import object_pixels

CUTOUTS = "cutouts"
"""The folder of the cut-outs, and the name of their table."""

_HEADER = ("file", "picture", "object", "class", "score", "x", "y", "width", "height", "area_px")


@dataclass(frozen=True)
class Cutout:
    """One object to cut out. `inside`, bool `(h, w)`, are its pixels; the first one is (`left`, `top`) of the picture.

    `file` is its file name relative to the folder of cut-outs, `number` that of the object in its picture, from 1.
    """

    file: str
    number: int
    inside: np.ndarray
    left: int
    top: int

    def pixels(self, picture: np.ndarray) -> np.ndarray:
        """The cut-out, uint8 `(h, w, 4)` RGBA: opaque where the object is, else transparent and black.

        `picture` is the whole picture, uint8 `(H, W, 3)` RGB.
        """
        height, width = self.inside.shape
        made = np.zeros((height, width, 4), np.uint8)
        window = picture[self.top : self.top + height, self.left : self.left + width]
        made[..., :3] = window * self.inside[..., None]
        made[..., 3] = self.inside * np.uint8(255)
        return made


def cutouts(found: FoundPicture, classes: Sequence[str], stem: str) -> Iterator[Cutout]:
    """The cut-outs of a picture, one for each detection with a pixel in the picture. `stem` begins their file names.

    A detection without a mask is cut out with its box. Placed at (`left`, `top`), the opaque pixels of a cut-out are
    those of the mask, without exception.

    >>> found = FoundPicture("a.png", 8, 8, ({"category_id": 1, "bbox": [1, 2, 3, 2], "score": 0.9},))
    >>> [(cut.file, cut.left, cut.top, cut.inside.shape) for cut in cutouts(found, ["nut"], "a")]
    [('a_001_nut.png', 1, 2, (2, 3))]
    """
    for number, detection in enumerate(found.detections, start=1):
        inside, left, top = object_pixels(detection, found.height, found.width)
        if inside.size:
            yield Cutout(cutout_name(stem, number, class_name(detection, classes)), number, inside, left, top)


def write_cutouts_table(
    found: Iterable[FoundPicture], stems: Sequence[str], classes: Sequence[str], folder: Path
) -> Path:
    """Write `cutouts/cutouts.csv`: the file of each cut-out, its object, and its place in the picture in pixels."""

    def rows() -> Iterator[tuple[object, ...]]:
        for picture, stem in zip(found, stems, strict=True):
            for cut in cutouts(picture, classes, stem):
                entry = picture.detections[cut.number - 1]
                high, wide = cut.inside.shape
                about = (class_name(entry, classes), round(entry["score"], 4))
                place = (cut.left, cut.top, wide, high, int(cut.inside.sum()))
                yield (cut.file, picture.name, cut.number, *about, *place)

    return write_csv(folder / CUTOUTS / f"{CUTOUTS}.csv", _HEADER, rows())
