"""The table of all objects, `detections.csv`: one row for each, with its class, score, place and size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.outputs.csv_files import write_csv
from maskrcnn.inference.outputs.found_picture import FoundPicture, class_name
from maskrcnn.inference.outputs.object_pixels import object_area

TABLE = "detections.csv"
"""The file name of the table."""


@dataclass(frozen=True)
class Scale:
    """How large a pixel is: `per_pixel` units of length, such as 0.5 for half a `unit` "mm".

    Raises `ArgumentError` unless `per_pixel` is a number above 0.
    """

    per_pixel: float
    unit: str

    def __post_init__(self) -> None:
        if not 0 < self.per_pixel < float("inf"):
            raise ArgumentError(f"{self.per_pixel} {self.unit} per pixel is no scale; give a number above 0")


def table_header(config: Config, scale: Scale | None = None) -> list[str]:
    """The column names of the table.

    >>> table_header(Config.preset("classroom"), Scale(0.5, "mm"))[-4:]
    ['area_px', 'width_mm', 'height_mm', 'area_mm2']
    """
    names = ["picture", "object", "class", "score", "x", "y", "width", "height", "area_px"]
    if "keypoints" in config.tasks:
        names.append("pose_score")
    if scale is not None:
        names += [f"width_{scale.unit}", f"height_{scale.unit}", f"area_{scale.unit}2"]
    return names


def table_rows(found: Iterable[FoundPicture], config: Config, scale: Scale | None = None) -> Iterator[list[object]]:
    """The rows of the table, picture by picture, best score first. A picture without objects has none.

    `object` counts the objects of a picture from 1. The box `x`, `y`, `width`, `height` is the network's, in pixels;
    `area_px` is the number of pixels of the mask (of the box, for a network without masks). With a scale, width, height
    and area follow in its unit.
    """
    for picture in found:
        for number, entry in enumerate(picture.detections, start=1):
            x, y, wide, high = entry["bbox"]
            area = object_area(entry)
            box = [round(value, 2) for value in (x, y, wide, high)]
            row = [picture.name, number, class_name(entry, config.names), round(entry["score"], 4), *box, area]
            if "keypoints" in config.tasks:
                pose = entry.get("pose_score")
                row.append("" if pose is None else round(pose, 4))
            if scale is not None:
                each = scale.per_pixel
                row += [_to_digits(wide * each), _to_digits(high * each), _to_digits(area * each * each)]
            yield row


def write_table(found: Iterable[FoundPicture], config: Config, folder: Path, scale: Scale | None = None) -> Path:
    """Write `detections.csv` into the folder. Raises `ArgumentError` if it cannot be written."""
    return write_csv(folder / TABLE, table_header(config, scale), table_rows(found, config, scale))


def _to_digits(value: float) -> float:
    """A length or an area to 6 significant digits: a scale may be micrometres or kilometres."""
    return float(f"{value:.6g}")
