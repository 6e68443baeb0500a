"""Read COCO documents; see `coco` for the conversion.

Many programs write this format, each with its own deviations. So several spellings are accepted: ids as numbers or
strings (`ids`), numbers as strings, an outline that is not nested, an empty list for an unknown value. Fields that are
not essential (area, a box in addition to an outline, bones of a skeleton, `iscrowd`) never prevent reading: an invalid
value is left out, with a line in `Dataset.warnings`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.coco.annotation_regions import region_of
from maskrcnn.annotations.formats.coco.categories import (
    UNKNOWN,
    categories_by_name,
    category_of,
    kept_categories,
    read_categories,
)
from maskrcnn.annotations.formats.coco.ids import ByCocoId, are_same_coco_entry, id_of
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.json_values import (
    Complaint,
    Json,
    as_number,
    brief,
    checked_depth,
    is_too_deep,
    mapping,
    picture_side,
    require_few_regions,
    text,
)
from maskrcnn.annotations.regions import Region

IMAGE_FIELDS = ("id", "file_name", "width", "height")
_SIDES = ("width", "height")
DOCUMENT_FIELDS = ("images", "annotations", "categories")

MEND = "mend or remove that entry"
_NAMES = ("file_name", "filename", "path", "coco_url", "flickr_url")
"""Fields that may have an image's file name. The first that is not empty is used."""


def is_coco(document: Any) -> bool:
    """Whether a parsed JSON document is a COCO file of instances or keypoints."""
    lists = isinstance(document, dict) and isinstance(document.get("images"), list)
    return lists and ("annotations" in document or "categories" in document)  # maybe not labelled yet


def parse(document: Json, source: Path | str) -> Dataset:
    """Return the dataset of a COCO document. `source` is its file, for messages.

    The ids of images and categories are kept as the lists `images` and `categories` have them, number or string:
    `ImageRecord.extras["coco"]["id"]` and `Dataset.extras["coco_categories"][class_name]["id"]`. Annotations may refer
    to them in either spelling. Raises `StudioError` that names the annotation if the document is invalid.
    """
    complain, dropped = Complaint(str(source), "the file", MEND), DroppedInfo(source)
    entries = {key: _entries(document, key, complain) for key in DOCUMENT_FIELDS}
    categories = read_categories(entries["categories"], complain, dropped)
    by_name = categories_by_name(categories, entries["annotations"])
    images = _images(entries["images"], complain, dropped)
    regions: dict[int | str, list[Region]] = {image_id: [] for image_id in images}
    used: Counter[Any] = Counter()
    _require_few_on_each(entries["annotations"], images, complain)
    for position, annotation in enumerate(entries["annotations"], start=1):
        here = complain.at(f"annotation {brief(annotation.get('id', position))}")
        image_id = id_of(annotation, "image_id", here)
        if image_id not in images:
            raise here(f"belongs to image {brief(image_id)}, which is not in the file")
        category = category_of(annotation, categories, by_name, here, dropped)
        used[category.id] += 1
        regions[images.spelling_of_entry(image_id)].append(
            region_of(annotation, category, images[image_id], here, dropped)
        )

    every = [*categories.values(), *(category for category in by_name.values() if category.id is None)]
    extras: Json = {"flavour": "coco", "coco_categories": kept_categories(categories.values(), used)}
    if other := {key: value for key, value in document.items() if key not in DOCUMENT_FIELDS}:
        extras["coco"] = {key: value for key, value in other.items() if not is_too_deep(value)}
        dropped.add(
            "information about the file left out because it is nested too deep", len(other) - len(extras["coco"])
        )
    return Dataset(
        tuple(replace(record, regions=tuple(regions[image_id])) for image_id, record in images.items()),
        tuple(dict.fromkeys(category.name for category in every if category.name is not None)),
        source=Path(source),
        extras=extras,
        skeletons={category.name: category.skeleton for category in every if category.name and category.skeleton},
        warnings=dropped.warnings(),
    )


def _require_few_on_each(annotations: list[Json], images: ByCocoId[ImageRecord], complain: Complaint) -> None:
    """Raise `StudioError` if an image has too many annotations. Called before the first region is created."""
    ids = (annotation.get("image_id") for annotation in annotations)
    for image_id, count in Counter(id for id in ids if isinstance(id, int | float | str)).most_common(1):
        if image_id in images:
            require_few_regions(count, complain.at(f"image {brief(images[image_id].file_name, 80)}"))


def _entries(document: Json, key: str, complain: Complaint) -> list[Json]:
    """Return the list of objects under `key`; empty if it is missing. Raises `StudioError` if it is anything else."""
    entries = document.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise complain(f'has {brief(entries)} as "{key}", not a list')
    return [
        entry if isinstance(entry, dict) else mapping(entry, "its entry", complain.at(f'entry {n} of "{key}"'))
        for n, entry in enumerate(entries, start=1)
    ]


def _images(entries: list[Json], complain: Complaint, dropped: DroppedInfo) -> ByCocoId[ImageRecord]:
    """Return the records of the images by id, without their regions."""
    images: ByCocoId[ImageRecord] = ByCocoId()
    seen: ByCocoId[Json] = ByCocoId()
    for position, entry in enumerate(entries, start=1):
        here = complain.at(f"image {position}")
        image_id = id_of(entry, "id", here)
        file_name = _file_name(entry, here)
        if (
            image_id in seen
            and images[image_id].file_name == file_name
            and are_same_coco_entry(seen[image_id], entry, _SIDES)
        ):
            dropped.add("{pictures} in the file twice, alike, and read once")
            continue
        images.require_new(image_id, "an image", here)
        width, height = _image_size(entry, dropped)
        further = checked_depth(
            {key: value for key, value in entry.items() if key not in IMAGE_FIELDS}, "attributes", here
        )
        split = further.pop("split") if further.get("split") in ("train", "val") else None
        images[image_id] = ImageRecord(
            file_name, (), None, width, height, None, further, split, {"coco": {"id": image_id}}
        )
        seen[image_id] = entry
    return images


def _file_name(entry: Json, complain: Complaint) -> str:
    """Return the file name of an image. For an address (`coco_url` of COCO and LVIS) this is its last part."""
    key = next((key for key in _NAMES if isinstance(entry.get(key), str) and entry[key].strip()), "file_name")
    name = text(entry.get(key), f'"{key}"', complain)
    if not name.strip():
        raise complain('has an empty "file_name"')
    if key.endswith("url"):
        with contextlib.suppress(ValueError):  # not an address
            name = unquote(urlsplit(name).path).rsplit("/", 1)[-1] or name
    return name


def _image_size(entry: Json, dropped: DroppedInfo) -> tuple[int | None, int | None]:
    """Return the width and height of an entry in COCO's list `images`. Both are None if either is unknown; the picture
    file then gives the size."""
    width, height = (picture_side(entry.get(side)) for side in _SIDES)
    if width is not None and height is not None:
        return width, height
    written = [as_number(entry.get(side)) for side in _SIDES]
    # -1 is written for a picture that was not loaded (VIA's export of COCO).
    if any(side not in (*UNKNOWN, -1, 0) and picture_side(side) is None for side in written):
        dropped.add("the size of {pictures} left out because it is no number of pixels; it is measured instead")
    return None, None
