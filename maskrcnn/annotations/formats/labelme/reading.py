"""Read labelme files; see `labelme` for the conversion."""

from __future__ import annotations

import base64
import binascii
import io
import math
import posixpath
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord, classes_in
from maskrcnn.annotations.formats.json_values import (
    LARGEST_SIDE,
    Complaint,
    Json,
    as_whole_number,
    brief,
    checked_depth,
    coordinate,
    mapping,
    picture_side,
    require_few_regions,
    text,
)
from maskrcnn.annotations.formats.via.class_values import is_crowd_value
from maskrcnn.annotations.picture_files.pixel_budget import DECODING
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)
from maskrcnn.words import counted

MOST_IMAGE_DATA = 32_000_000
"""Maximum number of characters of all pictures inside labelme files that are kept, to limit the memory."""

_MEND = "mend it in labelme, or take it out of the file"
DOCUMENT_FIELDS = ("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth", "split")
_SHAPE_FIELDS = ("label", "points", "group_id", "shape_type", "flags", "description", "mask")
_OUTLINES = ("polygon", "oriented_rectangle", "rotation", "quadrilateral")
_LARGEST_MASK = 170_000_000
_MOST_MASK_PIXELS = 400_000_000
"""Maximum number of pixels of all masks on one picture together; these take a few seconds."""


def is_labelme(document: Any) -> bool:
    """Whether a parsed JSON document is a labelme file."""
    return isinstance(document, dict) and isinstance(document.get("shapes"), list) and "imagePath" in document


def parse(documents: Mapping[str, Json] | Iterable[tuple[str, Json]], source: Path | str) -> Dataset:
    """Return the dataset of labelme documents, given by file name relative to the folder `source`.

    `source` may also be the single file itself. Documents are read one by one, so that a folder of large files need not
    be in memory as a whole. Picture names are relative to `source`. The pictures inside the files (`imageData`) are all
    left out if they have more than `MOST_IMAGE_DATA` characters together. Raises `StudioError` that names file and
    shape if a document is invalid.
    """
    source = Path(source)
    records: list[ImageRecord] = []
    n_characters = 0  # of all `imageData`
    for name, document in documents.items() if isinstance(documents, Mapping) else documents:
        file = source if source.name == name else source / name
        records.append(_record(name, document, Complaint(str(file), "the file", _MEND)))
        n_characters += len(records[-1].extras["labelme"].get("imageData", ""))
        if n_characters > MOST_IMAGE_DATA:
            records = [_without_image_data(record) for record in records]
            n_characters = MOST_IMAGE_DATA  # so that the next `imageData` is left out too
    return Dataset(tuple(records), classes_in(records), source=source, extras={"flavour": "labelme"})


def _without_image_data(record: ImageRecord) -> ImageRecord:
    """Return the record of a labelme file without its `imageData`, and with a note that it was left out. `parse` uses
    this to limit the memory."""
    kept = record.extras["labelme"]
    if "imageData" not in kept:
        return record
    others = {key: value for key, value in kept.items() if key != "imageData"}
    return replace(record, extras={"labelme": {**others, "imageData_left_out": True}})


def _record(name: str, document: Json, complain: Complaint) -> ImageRecord:
    """Return the record of one document with its regions."""
    image_path = text(document.get("imagePath"), '"imagePath"', complain)
    if not image_path.strip():
        raise complain('has an empty "imagePath"')
    width, height = _picture_size(document)
    kept: Json = {
        "file": name,
        "document": {key: value for key, value in document.items() if key not in ("shapes", "imageData")},
    }
    if isinstance(document.get("imageData"), str):
        kept["imageData"] = document["imageData"]
    split = document.get("split")
    return ImageRecord(
        picture_name(name, image_path),
        _regions(document.get("shapes"), width, height, complain),
        width=width,
        height=height,
        attributes=attributes_of(_storable_entry(kept["document"], complain), DOCUMENT_FIELDS),
        split=split if split in ("train", "val") else None,
        extras={"labelme": kept},
    )


def picture_name(name: str, image_path: str) -> str:
    """Return the picture's name relative to the folder of the dataset if it lies inside, else unchanged."""
    written = image_path.replace("\\", "/")
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), written))
    leads_out = joined.startswith(("/", "..")) or re.match(r"[A-Za-z][\w+.-]*:", written)
    return image_path if leads_out or joined == "." else joined


def _picture_size(document: Json) -> tuple[int | None, int | None]:
    """Return width and height. Both are None if either is unknown or invalid; the picture file then gives the size."""
    width, height = (picture_side(document.get(key)) for key in ("imageWidth", "imageHeight"))
    return (width, height) if width is not None and height is not None else (None, None)


def attributes_of(entry: Json, known: tuple[str, ...]) -> Json:
    """Return the attributes of a labelme shape or document: `group_id`, `flags` and `description` if they are not
    empty, the fields that are not in `known`, and the entries of the field `attributes`. If this field is no JSON
    object, it is an attribute like any other."""
    standard = {key: entry[key] for key in ("group_id", "flags", "description") if entry.get(key) not in (None, "", {})}
    nested = entry.get("attributes") or {}
    is_object = isinstance(nested, dict)
    no_further = {*known, *standard, *(["attributes"] if is_object else [])}
    further = {key: value for key, value in entry.items() if key not in no_further and value is not None}
    return {**standard, **further, **(nested if is_object else {})}


def _storable_entry(entry: Json, complain: Complaint) -> Json:
    """Return an entry of a labelme file unchanged. Raises `StudioError` if it is nested too deeply to be stored."""
    return checked_depth(entry, "attributes", complain)  # the error calls the entry "attributes"


def _regions(shapes: Any, width: int | None, height: int | None, complain: Complaint) -> tuple[Region, ...]:
    """Return the regions of a picture. Polygons with the same label and group become one region."""
    if not isinstance(shapes, list):
        raise complain(f'has {brief(shapes)} as "shapes", not a list')
    require_few_regions(len(shapes), complain)
    regions: list[Region] = []
    groups: dict[Any, int] = {}
    if sum(map(_mask_pixels, shapes)) > _MOST_MASK_PIXELS:
        raise complain(f"has masks of more than {_MOST_MASK_PIXELS // 1_000_000} megapixels together")
    for position, entry in enumerate(shapes):
        here = complain.at(f"shape {position + 1}")
        region = _region(mapping(entry, "its entry", here), position, width, height, here)
        group = entry.get("group_id")
        if isinstance(region.shape, Polygon) and isinstance(group, int | str):
            first = groups.setdefault((region.class_name, group), len(regions))
            if first < len(regions):
                regions[first] = _with_part(regions[first], region)
                continue
        regions.append(region)
    return tuple(regions)


def _mask_pixels(entry: Any) -> float:
    """Return the number of pixels of an entry's mask, by its corners; 0 if there is no mask or it is invalid."""
    match entry:
        case {"shape_type": "mask", "points": [[x0, y0], [x1, y1]]}:
            corners = (x0, y0, x1, y1)
            if all(type(value) in (int, float) and 0 <= value < LARGEST_SIDE for value in corners):
                return abs(x1 + 1 - x0) * abs(y1 + 1 - y0)
    return 0


def _with_part(first: Region, part: Region) -> Region:
    """Return a labelme object with one more polygon as a part."""
    assert isinstance(part.shape, Polygon)
    assert isinstance(first.shape, Polygon | MultiPolygon)
    before = first.shape.parts if isinstance(first.shape, MultiPolygon) else ((first.shape.points,),)
    kept, more = first.extras["labelme"], part.extras["labelme"]
    extras = {"labelme": {key: [*kept[key], *more[key]] for key in kept}}
    return replace(first, shape=MultiPolygon((*before, (part.shape.points,))), extras=extras)


@dataclass(frozen=True)
class RegionFacts:
    """The information of an entry about its object, except label and outline."""

    attributes: Json
    iscrowd: bool
    source: Literal["human", "model"]
    score: float | None
    keypoints: Keypoints | None


def region_facts(entry: Json) -> RegionFacts:
    """Return the information of an entry, in the form in which `labelme.writing` writes it.

    `iscrowd`, `source`, `score` and `keypoints` are fields of the entry itself. Inside its "attributes" they are
    ordinary attributes.
    """
    is_crowd, is_model = is_crowd_value(entry.get("iscrowd")), entry.get("source") == "model"
    keypoints = _studio_keypoints(entry.get("keypoints"))
    score = entry.get("score") if is_model else None
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        score = None
    taken = {"iscrowd": is_crowd, "source": is_model, "score": score is not None, "keypoints": keypoints is not None}
    others = attributes_of({key: value for key, value in entry.items() if not taken.get(key)}, _SHAPE_FIELDS)
    return RegionFacts(others, is_crowd, "model" if is_model else "human", score, keypoints)


def _region(entry: Json, position: int, width: int | None, height: int | None, complain: Complaint) -> Region:
    """Return the region of one entry of `shapes`."""
    label = as_whole_number(entry.get("label"))
    label = text(str(label) if type(label) in (int, float) else label, '"label"', complain)
    facts = region_facts(_storable_entry(entry, complain))
    shape = _shape(entry, facts.keypoints, width, height, complain)
    kept = {"entries": [{key: value for key, value in entry.items() if key != "label"}], "at": [position]}
    return Region(
        shape,
        label if label.strip() else None,
        facts.attributes,
        facts.iscrowd,
        facts.source,
        facts.score,
        None if shape is facts.keypoints else facts.keypoints,
        {"labelme": kept},
    )


def _studio_keypoints(value: Any) -> Keypoints | None:
    """Return keypoints in the form that the studio writes; None for any other value, for example of another program."""
    if not isinstance(value, list) or not value:
        return None
    for place in value:
        if not isinstance(place, list) or len(place) != 3 or not all(type(number) in (int, float) for number in place):
            return None
        if place[2] not in (0, 1, 2) or not all(abs(number) < 1e6 for number in place):
            return None
    return Keypoints(tuple((x, y, int(visibility)) for x, y, visibility in value))


def _shape(
    entry: Json, keypoints: Keypoints | None, width: int | None, height: int | None, complain: Complaint
) -> Shape:
    """Return the shape of an entry. Raises `StudioError` if its type is unknown or its points do not fit the type."""
    kind, points = entry.get("shape_type") or "polygon", _points(entry.get("points"), complain)
    wanted = {"circle": (2,), "point": (1,), "mask": (2,), "rectangle": (2, 4)}.get(str(kind))
    if wanted is not None and len(points) not in wanted:
        raise complain(f"is a {kind} of {counted(len(points), 'point')}")
    match kind:
        case "rectangle":
            return _rectangle(points)
        case "circle":
            (cx, cy), (x, y) = points
            return Circle(cx, cy, math.hypot(x - cx, y - cy))
        case "line" | "linestrip":
            return Polyline(points)
        case "point":
            return Point(*points[0])
        case "points":
            return keypoints or Keypoints(tuple((x, y, 2) for x, y in points))
        case "mask":
            return _mask(entry.get("mask"), points, width, height, complain)
        case _ if kind in _OUTLINES:
            return Polygon(points)
    raise complain(
        f"has the type {brief(kind)}; labelme's types are polygon, rectangle, circle, line, linestrip, point, points "
        "and mask"
    )


def _points(values: Any, complain: Complaint) -> Points:
    """Return the points of an entry. Raises `StudioError` if they are not a list of x, y."""
    if not isinstance(values, list) or not values:
        raise complain(f'has {brief(values)} as "points", not a list of x, y')
    for value in values:
        if not isinstance(value, list) or len(value) != 2:
            raise complain(f'has {brief(value)} in its "points", not x, y')
    return tuple((coordinate(x, "points", complain), coordinate(y, "points", complain)) for x, y in values)


def _rectangle(points: Points) -> Rect | Polygon:
    """Return the Rect of two opposite corners, or of four corners; a Polygon if the four corners form no upright
    rectangle."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if len(points) == 4:
        # In an upright rectangle, the x of one corner and the y of the next give a corner again.
        corners = set(points)
        is_upright = {(xs[0], ys[1]), (xs[2], ys[3])} <= corners or {(xs[1], ys[0]), (xs[3], ys[2])} <= corners
        if not is_upright or len(set(xs)) > 2 or len(set(ys)) > 2:
            return Polygon(points)
    return Rect(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def _mask(value: Any, points: Points, width: int | None, height: int | None, complain: Complaint) -> Shape:
    """Return the mask of an entry, placed in its picture. Raises `StudioError` if it does not fit between its
    corners."""
    if width is None or height is None:
        raise complain('is a mask, but the file has no "imageWidth" and "imageHeight"')
    if width * height > _LARGEST_MASK:
        raise complain(f"is a mask for a picture of {width} x {height} px, which is far too large")
    (x0, y0), (x1, y1) = ((int(x), int(y)) for x, y in points)
    inside = _decoded_mask(value, complain)
    if not (0 <= x0 <= x1 < width and 0 <= y0 <= y1 < height):
        raise complain(f"is a mask from {x0}, {y0} to {x1}, {y1} in a picture of {width} x {height} px")
    if inside.shape != (y1 + 1 - y0, x1 + 1 - x0):
        raise complain(
            f"is a mask of {inside.shape[1]} x {inside.shape[0]} px between corners that are "
            f"{x1 + 1 - x0} x {y1 + 1 - y0} px apart"
        )
    return _mask_in_picture(inside, x0, y0, height, width)


def _mask_in_picture(inside: np.ndarray, x0: int, y0: int, height: int, width: int) -> RLE:
    """Return a bool mask `(h, w)` at its place in a picture as RLE. The full picture, which may be many times
    larger, is never allocated."""
    high, wide = inside.shape
    columns = np.zeros(
        (wide, high + 2), np.int8
    )  # an empty pixel at both ends of a column, so that no run continues in the next
    columns[:, 1:-1] = inside.T
    steps = np.diff(columns, axis=1)
    (column, row), (end_column, end_row) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    return raster.from_runs((x0 + column) * height + y0 + row, (x0 + end_column) * height + y0 + end_row, height, width)


def _decoded_mask(value: Any, complain: Complaint) -> np.ndarray:
    """Return the bool mask of a base64 PNG. Raises `StudioError` if it is not one."""
    if not isinstance(value, str):
        raise complain(f'is a mask, but has {brief(value)} as "mask"')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(base64.b64decode(value, validate=True)), formats=("PNG",)) as picture:
                if picture.width * picture.height > _LARGEST_MASK:
                    raise complain(f"has a mask of {picture.width} x {picture.height} px, which is far too large")
                with DECODING.of(picture.width * picture.height):
                    pixels = np.asarray(picture)
    except (binascii.Error, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError):
        raise complain('has a "mask" that is no PNG picture') from None
    if pixels.ndim != 2:
        raise complain('has a "mask" of several colours')
    return pixels.astype(bool)


def names_of_labelme_files(records: Sequence[ImageRecord]) -> dict[str, str]:
    """Return picture name -> name of the labelme file from which the picture was read, as noted by `parse` of this
    module. A picture that was renamed together with its labelme file has the name of that file."""
    notes = {record.file_name: record.extras.get("labelme") for record in records}
    return {name: str(kept["file"]) for name, kept in notes.items() if isinstance(kept, dict) and kept.get("file")}
