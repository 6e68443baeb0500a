"""COCO instance files: polygons, several parts, run-length codes and crowds.

What is read: `segmentation` (one polygon -> Polygon, several -> MultiPolygon, run-length codes of either kind -> RLE;
where there is none, `bbox` -> Rect), category names, `iscrowd`. `area` and `bbox` are computed afresh when written.
Categories are all that the file declares, in order of their ids. Further fields of an image (`license`, `coco_url`) are
kept as its attributes, further fields of an annotation (`keypoints`) and its `attributes` as the region's; `info`,
`licenses` and further fields of the categories stay in `Dataset.extras` (`flavour`, `coco`, `coco_categories`).

What is written: ids count from 1; `area` is the number of pixels of the mask that pycocotools decodes from the
`segmentation` beside it, and `bbox` is the box around those pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.formats import via_classes
from maskrcnn.annotations.formats.encoded import Encoded, json_bytes
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, coordinate, mapping, numbers, text
from maskrcnn.annotations.regions import RLE, Dataset, ImageRecord, MultiPolygon, Points, Polygon, Rect, Region, Shape
from maskrcnn.errors import StudioError

_MEND = "mend or remove that entry"
_IMAGE_FIELDS = ("id", "file_name", "width", "height")
_ANNOTATION_FIELDS = ("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "attributes")
_KEYPOINT_FIELDS = ("keypoints", "num_keypoints")
_LARGEST_SIDE = 100_000


def is_coco(document: Any) -> bool:
    """Whether a parsed JSON document is a COCO file of instances."""
    return isinstance(document, dict) and isinstance(document.get("images"), list) and "annotations" in document


def parse(document: Json, source: Path | str) -> Dataset:
    """The dataset that a COCO document holds; `source` is its file, for messages.

    Raises `StudioError` naming the annotation for anything that does not fit.
    """
    complain = Complaint(str(source), "the file", _MEND)
    categories = _categories(document, complain)
    images = _images(document, complain)
    regions: dict[Any, list[Region]] = {image_id: [] for image_id in images}
    for position, annotation in enumerate(_entries(document, "annotations", complain), start=1):
        here = complain.at(f"annotation {brief(annotation.get('id', position))}")
        image_id, category_id = _id(annotation, "image_id", here), _id(annotation, "category_id", here)
        if image_id not in images:
            raise here(f"belongs to image {brief(image_id)}, which is not in the file")
        if category_id not in categories:
            raise here(f"has category {brief(category_id)}, which is not in the file")
        record = images[image_id]
        attributes = mapping(annotation.get("attributes") or {}, '"attributes"', here)
        further = {key: value for key, value in annotation.items() if key not in _ANNOTATION_FIELDS}
        is_crowd = annotation.get("iscrowd") in (1, True)
        shape = _shape(annotation, record, here)
        regions[image_id].append(Region(shape, categories[category_id], attributes | further, is_crowd))

    records = tuple(
        ImageRecord(r.file_name, tuple(regions[i]), None, r.width, r.height, None, r.attributes)
        for i, r in images.items()
    )
    extras: Json = {"flavour": "coco"}
    if other := {key: value for key, value in document.items() if key not in ("images", "annotations", "categories")}:
        extras["coco"] = other
    further = {
        entry["name"]: {k: v for k, v in entry.items() if k not in ("id", "name")}
        for entry in document.get("categories", [])
    }
    if any(further.values()):
        extras["coco_categories"] = further
    return Dataset(records, tuple(dict.fromkeys(categories.values())), None, Path(source), extras)


def document(dataset: Dataset, classes: Sequence[str] | None = None) -> Json:
    """The dataset as a COCO document; categories are `classes` (`dataset.classes` if not given), ids from 1.

    Regions without area, or with none inside the picture, are left out: `encode` tells which. Raises `StudioError` for
    a region without a class or with one that is not in `classes`, and for a picture whose size nobody knows.
    """
    return _document(dataset, classes)[0]


def encode(dataset: Dataset) -> Encoded:
    """`document(...)` as a file, and one warning line for each kind of region that was left out."""
    document, warnings = _document(dataset)
    return Encoded({"coco.json": json_bytes(document, dataset.source or "the dataset")}, tuple(warnings))


def _document(dataset: Dataset, classes: Sequence[str] | None = None) -> tuple[Json, list[str]]:
    source = str(dataset.source or "the dataset")
    names = tuple(classes) if classes is not None else dataset.classes
    ids = {name: number for number, name in enumerate(names, start=1)}
    images: list[Json] = []
    annotations: list[Json] = []
    without_area = outside = 0
    for image_id, record in enumerate(dataset.images, start=1):
        width, height = _size(record, source)
        further = {key: value for key, value in record.attributes.items() if key not in _IMAGE_FIELDS}
        images.append({"id": image_id, "file_name": record.file_name, "width": width, "height": height, **further})
        for number, region in enumerate(record.regions, start=1):
            if not raster.has_area(region.shape):
                without_area += 1
                continue
            here = f'{source}: region {number} of "{record.file_name}"'
            if region.class_name is None:
                raise via_classes.no_class(here, dataset, region)
            if region.class_name not in ids:
                raise StudioError(f'{here} is a "{region.class_name}"; the classes are {", ".join(names) or "none"}')
            annotation = _annotation(region, width, height, here)
            if annotation["area"] == 0:
                outside += 1
                continue
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image_id, "category_id": ids[region.class_name], **annotation}
            )
    warnings = []
    if without_area:
        warnings.append(
            f"{source}: {_regions(without_area)} without area (points, lines) left out: COCO instances have masks"
        )
    if outside:
        warnings.append(f"{source}: {_regions(outside)} left out whose mask has no pixel inside the picture")
    kept = dataset.extras.get("coco_categories", {})
    categories = [
        {"supercategory": "", **kept.get(name, {}), "id": number, "name": name} for name, number in ids.items()
    ]
    other = dataset.extras.get("coco", {})
    # pycocotools reads `info` before it uses a file as ground truth.
    return {"info": {}, **other, "images": images, "annotations": annotations, "categories": categories}, warnings


# Reading


def _entries(document: Json, key: str, complain: Complaint) -> list[Json]:
    entries = document.get(key, [])
    if not isinstance(entries, list):
        raise complain(f'has {brief(entries)} as "{key}", not a list')
    return [
        mapping(entry, "its entry", complain.at(f'entry {n} of "{key}"')) for n, entry in enumerate(entries, start=1)
    ]


def _id(holder: Json, key: str, complain: Complaint) -> int | str:
    value = holder.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise complain(f'has {brief(value)} as "{key}"')
    return value


def _categories(document: Json, complain: Complaint) -> dict[Any, str]:
    found = {}
    for position, entry in enumerate(_entries(document, "categories", complain), start=1):
        here = complain.at(f"category {position}")
        found[_id(entry, "id", here)] = text(entry.get("name"), '"name"', here)
    try:
        return dict(sorted(found.items()))
    except TypeError:  # ids of several types have no order
        return found


def _images(document: Json, complain: Complaint) -> dict[Any, ImageRecord]:
    images = {}
    for position, entry in enumerate(_entries(document, "images", complain), start=1):
        here = complain.at(f"image {position}")
        image_id, file_name = _id(entry, "id", here), text(entry.get("file_name"), '"file_name"', here)
        if not file_name.strip():
            raise here('has an empty "file_name"')
        if image_id in images:
            raise here(f"has the id {brief(image_id)} of an image before it")
        sides = []
        for side in ("width", "height"):
            value = entry.get(side)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _LARGEST_SIDE
            ):
                raise here(f'has {brief(value)} as "{side}", not a number of pixels')
            sides.append(value)
        further = {key: value for key, value in entry.items() if key not in _IMAGE_FIELDS}
        images[image_id] = ImageRecord(file_name, width=sides[0], height=sides[1], attributes=further)
    return images


def _shape(annotation: Json, record: ImageRecord, complain: Complaint) -> Shape:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        return _run_lengths(segmentation, record, complain)
    if isinstance(segmentation, list) and segmentation:
        outlines = [_outline(outline, complain) for outline in segmentation]
        return Polygon(outlines[0]) if len(outlines) == 1 else MultiPolygon(tuple((outline,) for outline in outlines))
    if segmentation:
        raise complain(f'has {brief(segmentation)} as "segmentation"')
    if "bbox" not in annotation:
        raise complain('has neither "segmentation" nor "bbox"')
    box = numbers(annotation, "bbox", complain)
    if len(box) != 4 or box[2] < 0 or box[3] < 0:
        raise complain('has a "bbox" that is not x, y, width, height')
    return Rect(*box)


def _outline(values: Any, complain: Complaint) -> Points:
    if not isinstance(values, list) or len(values) % 2 or not values:
        raise complain('has a "segmentation" outline that is not a list of x, y, x, y, ...')
    flat = [coordinate(value, "segmentation", complain) for value in values]
    return tuple(zip(flat[0::2], flat[1::2], strict=True))


def _run_lengths(segmentation: Json, record: ImageRecord, complain: Complaint) -> RLE:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(type(s) is int and 0 < s < _LARGEST_SIDE for s in size):
        raise complain(f"has a mask of size {brief(size)}, not height and width")
    height, width = size
    if (record.height, record.width) != (None, None) and (record.height, record.width) != (height, width):
        raise complain(
            f'has a mask of {width} x {height} px, but "{record.file_name}" is {record.width} x {record.height} px'
        )
    if isinstance(counts, list):
        if not all(type(count) is int and count >= 0 for count in counts) or sum(counts) != height * width:
            raise complain("has run lengths that do not add up to its size")
        counts = coco_mask.frPyObjects({"size": size, "counts": counts}, height, width)["counts"].decode("ascii")
    elif not isinstance(counts, str) or _pixels_of(counts) != height * width:
        raise complain("has a mask whose run-length code is damaged")
    return RLE((height, width), counts)


def _pixels_of(counts: str) -> int | None:
    """How many pixels a compressed run-length code covers; None for text that is none.

    pycocotools trusts its input: a code that covers more than the picture would make it write beyond its memory. The
    code is base 32 in characters from "0" on, 32 marking that more follows and 16 in the last character a negative
    number; from the third run on, a run is stored as the difference to the run two before it (pycocotools' maskApi.c,
    rleToString).
    """
    runs: list[int] = []
    position = 0
    while position < len(counts):
        value = shift = 0
        while True:
            if position == len(counts) or not 0 <= (digit := ord(counts[position]) - 48) < 64 or shift > 30:
                return None
            value |= (digit & 31) << shift
            shift += 5
            position += 1
            if not digit & 32:
                value -= (1 << shift) if digit & 16 else 0
                break
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        if runs[-1] < 0:
            return None
    return sum(runs)


# Writing


def _size(record: ImageRecord, source: str) -> tuple[int, int]:
    if record.width is not None and record.height is not None:
        return record.width, record.height
    if record.path is None:
        raise StudioError(
            f'{source}: image "{record.file_name}" not found beside it, and COCO needs its size; pass --images DIR'
        )
    return pictures.size(record.path)


def _annotation(region: Region, width: int, height: int, here: str) -> Json:
    try:
        encoded = raster.rle(region.shape, height, width)
    except ValueError as error:
        raise StudioError(f"{here}: {error}; use the picture that was labelled") from None
    outlines = raster.polygons(region.shape)
    segmentation: Any = encoded
    if outlines is not None:
        segmentation = [[value for point in outline for value in point] for outline in outlines]
    annotation: Json = {
        "segmentation": segmentation,
        "area": int(coco_mask.area({**encoded, "counts": encoded["counts"].encode("ascii")})),
        "bbox": raster.mask_box(encoded),
        "iscrowd": int(region.iscrowd),
    }
    annotation |= {key: region.attributes[key] for key in _KEYPOINT_FIELDS if key in region.attributes}
    others = {key: value for key, value in region.attributes.items() if key not in (*_KEYPOINT_FIELDS, "iscrowd")}
    return {**annotation, "attributes": others} if others else annotation


def _regions(count: int) -> str:
    return f"{count} region{'s' if count > 1 else ''}"
