"""Write mask PNGs: the pixels of every object, with `classes.json` and the pictures under `images/`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from maskrcnn.annotations import file_names, raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.file_names import label_file_name, path_inside
from maskrcnn.annotations.formats import writer_checks
from maskrcnn.annotations.formats.dropped_info import DroppedInfo, count_dataset_info, count_region_info
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import Json, json_bytes
from maskrcnn.annotations.formats.masks.class_list import CLASSES, DIVISOR, LARGEST_VALUE
from maskrcnn.annotations.formats.masks.mask_files import PICTURES
from maskrcnn.annotations.regions import RLE, Region
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

_MASK = "_mask"


def encode(dataset: Dataset) -> Encoded:
    """Return the dataset as a 16-bit PNG for each picture and `classes.json`, with a warning for each kind of loss.

    Raises `StudioError` for a picture of unknown size, for a region without a class, and if a picture has more objects
    of one class than there are numbers.
    """
    dropped = DroppedInfo(dataset.source)
    count_dataset_info(dataset, dropped, "the PNG mask", keypoint_names=True, unused_classes=False)
    divisor = min(DIVISOR, (LARGEST_VALUE + 1) // (len(dataset.classes) + 1))
    numbers = {name: number for number, name in enumerate(dataset.classes, start=1)}
    if divisor < 2:
        raise StudioError(f"{dropped.source}: {len(numbers)} classes are more than 16-bit masks can number; use COCO")
    files: dict[str, bytes] = {}
    listed: Json = {}
    places: dict[str, Path] = {}
    names = UnusedNames([CLASSES])
    n_regions = 0
    for record in dataset.images:
        name = names.take(_mask_file(record.file_name))
        listed[name] = {"file_name": record.file_name} | ({"split": record.split} if record.split else {})
        if record.attributes:
            dropped.add("{pictures} lost their attributes because PNG masks have none")
        buffer = io.BytesIO()
        painted = _painted_mask(record, dataset, numbers, divisor, dropped)
        n_regions += int(np.count_nonzero(np.unique(painted)))
        Image.fromarray(painted).save(buffer, "PNG")
        files[name] = buffer.getvalue()
        if record.path is not None:
            places[f"{PICTURES}/{path_inside(record.file_name)}"] = record.path
    classes = {str(number): name for name, number in numbers.items()}
    settings = {"divisor": divisor, "classes": classes, "pictures": listed}
    return Encoded({CLASSES: json_bytes(settings, dropped.source), **files}, n_regions, dropped.warnings(), places)


def _mask_file(picture: str) -> str:
    """Return the name of a picture's mask. It differs from the picture's name, so that a mask never overwrites a
    photo, and is not in the folder of pictures: `images/a.jpg` -> `a.png`, `a.png` -> `a_mask.png`."""
    is_png = file_names.suffix(picture) == ".png"
    folders = file_names.parts(label_file_name(picture, f"{_MASK}.png" if is_png else ".png"))
    while len(folders) > 1 and folders[0].lower() == PICTURES:
        folders = folders[1:]
    return "/".join(folders)


def _painted_mask(
    record: ImageRecord, dataset: Dataset, numbers: Mapping[str, int], divisor: int, dropped: DroppedInfo
) -> np.ndarray:
    """Return the mask of a picture, uint16 `(H, W)`. A pixel has class number * `divisor` + object number, and 0 if it
    belongs to no object. Objects are numbered from 1 in each class; a crowd has the object number 0."""
    width, height = writer_checks.required_picture_size(record, dropped.source, "a PNG mask")
    values = np.zeros((height, width), dtype=np.uint16)
    objects: dict[str, int] = {}
    crowds: dict[str, np.ndarray] = {}
    painted: dict[int, int] = {}
    for position, region in enumerate(record.regions, start=1):
        here = f'{dropped.source}: region {position} of "{record.file_name}"'
        if not raster.has_area(region.shape):
            dropped.add("{regions} without area (points, lines) left out because PNG masks are pixels")
            continue
        class_number = writer_checks.required_class_number(region, numbers, dataset, here)
        writer_checks.require_mask_of_picture_size(region, width, height, here)
        pixels = raster.mask(region.shape, height, width)
        if not pixels.any():
            dropped.add("{regions} left out because PNG masks are pixels, and theirs has none inside the picture")
            continue
        _count_dropped(region, dropped)
        assert region.class_name is not None
        value = class_number * divisor
        if region.iscrowd:
            if region.class_name in crowds:
                dropped.add("{regions} became one crowd with another because PNG masks have one crowd for each class")
            crowds[region.class_name] = pixels = pixels | crowds.get(region.class_name, False)
        else:
            objects[region.class_name] = objects.get(region.class_name, 0) + 1
            value += objects[region.class_name]
            if objects[region.class_name] >= divisor:
                raise StudioError(
                    f'{here} is object {divisor} of class "{region.class_name}"; PNG masks with '
                    f"{counted(len(numbers), 'class', 'classes')} hold {divisor - 1}; use COCO"
                )
        values[pixels] = value
        painted[value] = int(pixels.sum())
    left = dict(zip(*(array.tolist() for array in np.unique(values, return_counts=True)), strict=True))
    dropped.add(
        "{regions} lost pixels to another above them because PNG masks have one object for each pixel",
        sum(0 < left.get(value, 0) < before for value, before in painted.items()),
    )
    dropped.add(
        "{regions} left out because others cover them whole, and PNG masks have one object for each pixel",
        sum(value not in left for value in painted),
    )
    return values


def _count_dropped(region: Region, dropped: DroppedInfo) -> None:
    """Count what the mask of a region loses."""
    if not isinstance(region.shape, RLE):
        dropped.add("{regions} drawn as outlines became their pixels because PNG masks have no outlines")
    count_region_info(region, dropped, "PNG masks have")
