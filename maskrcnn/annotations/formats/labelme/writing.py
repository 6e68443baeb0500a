"""Write labelme files; see `labelme` for the conversion."""

from __future__ import annotations

import base64
import io
import posixpath
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskrcnn.annotations import file_names, pictures, raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.file_names import label_file_name, path_inside
from maskrcnn.annotations.formats.dropped_info import DroppedInfo, count_dataset_info
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import Json, json_bytes
from maskrcnn.annotations.formats.labelme.reading import DOCUMENT_FIELDS, attributes_of, picture_name, region_facts
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
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
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.errors import StudioError

_VERSION = "5.5.0"
"""The labelme version that our files imitate."""


def encode(dataset: Dataset) -> Encoded:
    """Return the dataset as one file for each picture, with its name and folders, and a warning for each kind of loss.

    Raises `StudioError` for a mask that does not have its picture's size, and for a mask on a picture of unknown size.
    """
    dropped = DroppedInfo(dataset.source)
    files: dict[str, bytes] = {}
    places: dict[str, Path] = {}
    names = UnusedNames()
    n_regions = 0
    count_dataset_info(dataset, dropped, "labelme", keypoint_names=True, unused_classes=True)
    for record in dataset.images:
        kept = record.extras.get("labelme", {})
        as_read = kept.get("document", {})
        if not kept or picture_name(kept["file"], as_read["imagePath"]) != record.file_name:
            kept, as_read = {}, {}  # the record now has another picture
        name = names.take(label_file_name(kept.get("file", record.file_name), ".json"))
        document, written = _document(record, as_read, kept.get("imageData"), dropped)
        n_regions += written
        files[name] = json_bytes(document, dropped.source)
        if record.path is not None:
            places[_labelme_picture_place(document["imagePath"], name)] = record.path
        if kept.get("imageData_left_out"):
            dropped.add("{pictures} left out of their labelme files because they are large; keep them beside the files")
    return Encoded(files, n_regions, dropped.warnings(), places)


def _document(record: ImageRecord, as_read: Json, data: str | None, dropped: DroppedInfo) -> tuple[Json, int]:
    """Return the labelme document of a picture, and the number of regions in it.

    `as_read` are the fields of the document that the picture was read from; they are written unchanged if split and
    attributes are unchanged. `data` is the picture inside the file (`imageData`).
    """
    width, height = record.width, record.height
    if (width is None or height is None) and record.path is not None:
        width, height = pictures.size(record.path)
    is_same_split = as_read and as_read.get("split") == record.split
    if is_same_split and attributes_of(as_read, DOCUMENT_FIELDS) == dict(record.attributes):
        document = {"imageHeight": height, "imageWidth": width, **as_read}
    else:
        others = dict(record.attributes)
        document = {
            "version": as_read.get("version", _VERSION),
            "flags": others.pop("flags", {}),
            "imagePath": as_read.get("imagePath") or file_names.last_part(record.file_name),
            "imageHeight": height,
            "imageWidth": width,
        }
        document |= {"attributes": others} if others else {}
        document |= {"split": record.split} if record.split else {}
    shapes, n_regions = _shapes(record, width, height, dropped)
    return {**document, "shapes": shapes, "imageData": data}, n_regions


def _labelme_picture_place(image_path: str, name: str) -> str:
    """Return where a picture is written beside its labelme file `name`, so that labelme opens it: at the `imagePath` of
    the file. If that leads out of the written folder, it is beside the labelme file."""
    place = picture_name(name, image_path)
    if place == path_inside(place):
        return place
    return posixpath.join(posixpath.dirname(name), posixpath.basename(path_inside(image_path)))


def _shapes(record: ImageRecord, width: int | None, height: int | None, dropped: DroppedInfo) -> tuple[list[Json], int]:
    """Return the labelme shapes of a picture's regions, and the number of regions that have any.

    A region can have several entries (polygons). They share a `group_id`, because polygons with the same label and
    group are one object, here and in labelme's converters. A new `group_id` is given if there is none, or if a region
    of the same class before has the same. Entries are in the order of the file; those of a new region follow the region
    before.
    """
    numbers = [value for region in record.regions if type(value := region.attributes.get("group_id")) is int]
    new_groups = count(max([0, *numbers]) + 1)
    groups_of_classes: set[tuple[str, Any]] = set()  # (class, group) of the regions before
    placed: list[tuple[int, Json]] = []
    place = -1
    n_regions = 0
    for number, region in enumerate(record.regions, start=1):
        here = f'{dropped.source}: region {number} of "{record.file_name}"'
        kept = region.extras.get("labelme", {})
        drawn = kept.get("entries") or _shape_entries(region.shape, width, height, here, dropped)
        entries = _region_entries(region, drawn, as_read=bool(kept))
        n_regions += bool(entries)
        group = entries[0]["group_id"] if entries and "group_id" in entries[0] else None
        outlines = [entry for entry in entries if entry.get("shape_type") == "polygon"]
        if (outlines and isinstance(group, int | str)) or len(entries) > 1:
            key = (region.class_name or "", group)
            if group is None or key in groups_of_classes:
                group = next(new_groups)
                entries = [{**entry, "group_id": group} for entry in entries]
            groups_of_classes.add((region.class_name or "", group))
        for index, entry in enumerate(entries):
            if kept:
                place = kept["at"][index]  # the position in the file
            placed.append((place, entry))
    return [entry for _, entry in sorted(placed, key=lambda item: item[0])], n_regions


def _region_entries(region: Region, drawn: list[Json], as_read: bool) -> list[Json]:
    """Return the entries of a region: unchanged if the region is unchanged since it was read."""
    if not drawn:
        return []
    label = region.class_name or ""
    whole = region.any_keypoints
    if as_read:
        facts = region_facts(drawn[0])
        same_keypoints = facts.keypoints in (region.keypoints, whole)
        now = (dict(region.attributes), region.iscrowd, region.source, region.score)
        if same_keypoints and now == (facts.attributes, facts.iscrowd, facts.source, facts.score):
            return [{**entry, "label": label} for entry in drawn]
    others = dict(region.attributes)
    fields: Json = {
        "group_id": others.pop("group_id", None),
        "description": others.pop("description", ""),
        "flags": others.pop("flags", {}),
    }
    fields |= {"attributes": others} if others else {}
    fields |= {"iscrowd": True} if region.iscrowd else {}
    fields |= {"source": "model"} if region.source == "model" else {}
    fields |= {"score": region.score} if region.score is not None and region.source == "model" else {}
    fields |= {"keypoints": [list(point) for point in whole.points]} if whole is not None else {}
    return [
        {
            "label": label,
            "points": entry["points"],
            "shape_type": entry.get("shape_type") or "polygon",
            "mask": entry.get("mask"),
            **fields,
        }
        for entry in drawn
    ]


def _shape_entries(shape: Shape, width: int | None, height: int | None, here: str, dropped: DroppedInfo) -> list[Json]:
    """Return the entries of a shape, without label; none if labelme cannot hold the shape."""
    match shape:
        case Polygon(points=()) | Polyline(points=()) | Keypoints(points=()):
            dropped.add("{regions} left out because nothing is drawn: an outline without a vertex")
            return []
        case Polygon():
            return [_shape_entry("polygon", shape.points)]
        case Rect():
            x0, y0, x1, y1 = raster.bounds(shape)
            return [_shape_entry("rectangle", ((x0, y0), (x1, y1)))]
        case Circle():
            return [_shape_entry("circle", ((shape.cx, shape.cy), (shape.cx + shape.r, shape.cy)))]
        case Polyline():
            return [_shape_entry("line" if len(shape.points) == 2 else "linestrip", shape.points)]
        case Point():
            return [_shape_entry("point", ((shape.cx, shape.cy),))]
        case Keypoints():
            return [_shape_entry("points", tuple((x, y) for x, y, _ in shape.points))]
        case Ellipse():
            dropped.add("{regions} drawn as ellipses became polygons because labelme has none")
            return [_shape_entry("polygon", raster.rings(shape)[0])]
        case MultiPolygon() if all(len(part) == 1 for part in shape.parts):
            return [_shape_entry("polygon", part[0]) for part in shape.parts]
        case MultiPolygon():
            dropped.add("{regions} with holes became masks because labelme polygons have no holes")
            return _mask_entry(shape, width, height, here, dropped)
        case RLE():
            return _mask_entry(shape, width, height, here, dropped)


def _shape_entry(kind: str, points: Points) -> Json:
    """Return an entry of this type with these points."""
    return {"shape_type": kind, "points": [list(point) for point in points]}


def _mask_entry(shape: Shape, width: int | None, height: int | None, here: str, dropped: DroppedInfo) -> list[Json]:
    """Return the entry of a shape as a mask; none if it has no pixel inside the picture."""
    if width is None or height is None:
        if not isinstance(shape, RLE):
            raise StudioError(f"{here} has holes, and labelme needs the size of its picture; pass --images DIR")
        height, width = shape.size
    try:
        pixels = raster.mask(shape, height, width)
    except ValueError as error:
        raise StudioError(f"{here}: {error}; use the picture that was labelled") from None
    ys, xs = np.nonzero(pixels)
    if not len(xs):
        dropped.add("{regions} left out because their mask has no pixel inside the picture")
        return []
    x0, x1, y0, y1 = int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())
    buffer = io.BytesIO()
    Image.fromarray(pixels[y0 : y1 + 1, x0 : x1 + 1].astype(np.uint8)).save(buffer, "PNG")
    drawing = _shape_entry("mask", ((x0, y0), (x1, y1)))
    return [{**drawing, "mask": base64.b64encode(buffer.getvalue()).decode("ascii")}]
