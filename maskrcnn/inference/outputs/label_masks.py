"""Label masks: a PNG for each picture in which every pixel has the number of its object, and a legend of all objects.

0 is the background. Objects are numbered from 1, the best score first, as in all outputs. Where objects overlap, a
pixel belongs to the one with the better score. So an object may have fewer pixels here than in its own mask, or none;
the legend has both numbers. The PNG has 8 bits per pixel for up to 255 objects, else 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from maskrcnn.inference.outputs.csv_files import write_csv
from maskrcnn.inference.outputs.found_picture import FoundPicture, class_name
from maskrcnn.inference.outputs.object_pixels import object_pixels

MASKS = "masks"
"""The folder of the label masks."""

LEGEND = "legend.csv"
"""The name of the table of the objects in the label masks, in their folder."""

_HEADER = ("mask", "picture", "value", "class", "score", "area_px", "shown_px")


def label_mask(found: FoundPicture) -> np.ndarray:
    """The label mask of a picture: uint8 `(H, W)`, or uint16 if there are more than 255 objects.

    >>> two = ({"bbox": [0, 0, 2, 1]}, {"bbox": [1, 0, 3, 1]})  # they overlap in one pixel
    >>> label_mask(FoundPicture("a.png", 5, 1, two))
    array([[1, 1, 2, 2, 0]], dtype=uint8)
    """
    values = np.zeros((found.height, found.width), np.uint8 if len(found.detections) < 256 else np.uint16)
    for number in range(len(found.detections), 0, -1):  # the best last, on top
        inside, left, top = object_pixels(found.detections[number - 1], found.height, found.width)
        height, width = inside.shape
        values[top : top + height, left : left + width][inside] = number
    return values


def write_legend(found: Iterable[FoundPicture], stems: Sequence[str], classes: Sequence[str], folder: Path) -> Path:
    """Write `masks/legend.csv`: mask file, picture, the value of each object, its class and score, and its pixels.

    `area_px` are the pixels of the object's own mask, `shown_px` those that have its value in the PNG.
    """

    def rows() -> Iterator[tuple[object, ...]]:
        for picture, stem in zip(found, stems, strict=True):
            shown = np.bincount(label_mask(picture).ravel(), minlength=len(picture.detections) + 1).tolist()
            for number, entry in enumerate(picture.detections, start=1):
                area = int(object_pixels(entry, picture.height, picture.width)[0].sum())
                about = (class_name(entry, classes), round(entry["score"], 4))
                yield (f"{stem}.png", picture.name, number, *about, area, shown[number])

    return write_csv(folder / MASKS / LEGEND, _HEADER, rows())
