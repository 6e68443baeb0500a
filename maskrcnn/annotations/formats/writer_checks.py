"""Checks before COCO, YOLO or mask files are written: the size of a picture, the class of a region, and the size of
a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.via import missing_class
from maskrcnn.annotations.regions import RLE, Region
from maskrcnn.errors import StudioError

Number = TypeVar("Number")


def required_picture_size(record: ImageRecord, source: str, format: str) -> tuple[int, int]:
    """Return `(width, height)` of a picture, which the format to write needs. Raises `StudioError` if it is unknown."""
    if record.width is not None and record.height is not None:
        return record.width, record.height
    if record.path is None:
        raise StudioError(
            f'{source}: image "{record.file_name}" not found beside it, and {format} needs its size; pass --images DIR'
        )
    return pictures.size(record.path)


def required_class_number(region: Region, numbers: Mapping[str, Number], dataset: Dataset, here: str) -> Number:
    """Return the number of the region's class in the format to write. Raises `StudioError` if the region has no class
    or the class has no number."""
    if region.class_name is None:
        raise missing_class.missing_class_error(here, dataset, region)
    if region.class_name not in numbers:
        raise StudioError(f'{here} is a "{region.class_name}"; the classes are {", ".join(numbers) or "none"}')
    return numbers[region.class_name]


def require_mask_of_picture_size(region: Region, width: int, height: int, here: str) -> None:
    """Raise `StudioError` if the region's mask was drawn on a picture of another size."""
    if isinstance(region.shape, RLE) and region.shape.size != (height, width):
        high, wide = region.shape.size
        raise StudioError(
            f"{here}: the mask is {wide} x {high} px, the picture {width} x {height} px; use the one that was labelled"
        )
