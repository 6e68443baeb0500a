"""Write YOLO datasets; see `yolo` for the conversion."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import yaml

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.file_names import path_inside
from maskrcnn.annotations.formats import exported_outline, writer_checks
from maskrcnn.annotations.formats.dropped_info import DroppedInfo, count_dataset_info, count_region_info
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.regions import RLE, Circle, Ellipse, MultiPolygon, Region
from maskrcnn.errors import StudioError

_SPLITS = ("train", "val", "test")
_DIGITS = 10
"""Decimals of a fraction: exact to 1e-4 px for pictures of up to 10^6 px per side."""


def encode(dataset: Dataset) -> Encoded:
    """Return the dataset as `data.yaml` and a text file for each picture, with a warning for each kind of loss.

    A picture without a split goes to `train`. Raises `StudioError` for a picture of unknown size, for two pictures with
    the same label file, and for a region without a class.
    """
    dropped = DroppedInfo(dataset.source)
    count_dataset_info(dataset, dropped, "YOLO segmentation", keypoint_names=True, unused_classes=False)
    files: dict[str, bytes] = {}
    places: dict[str, Path] = {}
    owners: dict[str, str] = {}
    used: set[str] = set()
    n_regions = 0
    for record in dataset.images:
        split = record.split or record.extras.get("yolo", {}).get("split")
        split = split if split in _SPLITS else "train"
        used.add(split)
        picture = f"images/{split}/{path_inside(record.file_name)}"
        name = _yolo_label_file(picture)
        if (other := owners.setdefault(name.casefold(), record.file_name)) != record.file_name or name in files:
            raise StudioError(
                f'{dropped.source}: "{record.file_name}" and "{other}" would share the label file {name}; rename one'
            )
        if record.path is not None:
            places[picture] = record.path
        else:
            dropped.add("{pictures} nowhere to be found; put them into images/<split>/, where YOLO looks for them")
        if record.attributes:
            dropped.add("{pictures} lost their attributes because YOLO has none")
        rows = _label_rows(record, dataset, dropped)
        n_regions += len(rows)
        files[name] = "".join(f"{row}\n" for row in rows).encode("ascii")
    splits = [split for split in _SPLITS if split in used]
    settings = {
        # YOLO programs require both. Without `path`, they search beside this file.
        **{split: f"images/{split}" for split in dict.fromkeys(["train", "val", *splits])},
        "names": dict(enumerate(dataset.classes)),
    }
    document = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    return Encoded({"data.yaml": document.encode("utf-8"), **files}, n_regions, dropped.warnings(), places)


def _yolo_label_file(picture: str) -> str:
    """Return the label file where YOLO programs look for it: at the picture's path with the last `images` replaced
    by `labels`."""
    *folders, _ = picture.split("/")
    last = len(folders) - 1 - folders[::-1].index("images")
    return "/".join([*folders[:last], "labels", *folders[last + 1 :], f"{PurePosixPath(picture).stem}.txt"])


def _label_rows(record: ImageRecord, dataset: Dataset, dropped: DroppedInfo) -> list[str]:
    """Return the rows of a picture's label file."""
    width, height = writer_checks.required_picture_size(record, dropped.source, "YOLO")
    numbers = {name: number for number, name in enumerate(dataset.classes)}
    rows = []
    for position, region in enumerate(record.regions, start=1):
        here = f'{dropped.source}: region {position} of "{record.file_name}"'
        if region.iscrowd:
            dropped.add("{regions} left out because YOLO has no crowds")
            continue
        if not raster.has_area(region.shape):
            dropped.add("{regions} without area (points, lines) left out because YOLO has outlines and boxes only")
            continue
        class_number = writer_checks.required_class_number(region, numbers, dataset, here)
        writer_checks.require_mask_of_picture_size(region, width, height, here)
        outline = exported_outline.single_outline(region.shape)
        if not exported_outline.is_outline_inside(outline, width, height):
            outline = exported_outline.clipped_outline(outline, width, height)
            if not outline:
                dropped.add("{regions} left out because YOLO ends at the picture's edge, and they lie outside")
                continue
            dropped.add("{regions} cut off at the picture's edge because YOLO ends there")
        _count_dropped(region, dropped)
        fractions = [f"{x / width:.{_DIGITS}f} {y / height:.{_DIGITS}f}" for x, y in outline]
        rows.append(f"{class_number} {' '.join(fractions)}")
    return rows


def _count_dropped(region: Region, dropped: DroppedInfo) -> None:
    """Count what the row of a region loses."""
    match region.shape:
        case MultiPolygon() | RLE():
            dropped.add(
                "{regions} in several parts, with holes or drawn as masks became one outline each because YOLO has "
                "no other"
            )
        case Circle() | Ellipse():
            dropped.add("{regions} drawn as circles or ellipses became polygons because YOLO has neither")
    count_region_info(region, dropped, "YOLO segmentation has")
