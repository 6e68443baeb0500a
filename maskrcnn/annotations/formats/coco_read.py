"""Reading COCO documents; see `coco` for what becomes what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats.coco_rle import LARGEST_SIDE, run_lengths
from maskrcnn.annotations.formats.json_values import (
    Complaint,
    Json,
    brief,
    coordinate,
    mapping,
    numbers,
    plain,
    require_few_regions,
    text,
)
from maskrcnn.annotations.regions import (
    Dataset,
    ImageRecord,
    Keypoints,
    MultiPolygon,
    Points,
    Polygon,
    Rect,
    Region,
    Shape,
    Skeleton,
)

IMAGE_FIELDS = ("id", "file_name", "width", "height")
ANNOTATION_FIELDS = (
    *("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "attributes"),
    *("keypoints", "num_keypoints"),
)
CATEGORY_FIELDS = ("id", "name", "keypoints", "skeleton")
DOCUMENT_FIELDS = ("images", "annotations", "categories")

_MEND = "mend or remove that entry"


@dataclass(frozen=True)
class _Category:
    id: int | str
    name: str
    skeleton: Skeleton | None
    further: Json


def parse(document: Json, source: Path | str) -> Dataset:
    """The dataset that a COCO document holds; `source` is its file, for messages.

    Raises `StudioError` naming the annotation for anything that does not fit.
    """
    complain = Complaint(str(source), "the file", _MEND)
    categories = _categories(document, complain)
    images = _images(document, complain)
    regions: dict[Any, list[Region]] = {image_id: [] for image_id in images}
    used: Counter[Any] = Counter()
    annotations = _entries(document, "annotations", complain)
    _require_few_on_each(annotations, images, complain)
    for position, annotation in enumerate(annotations, start=1):
        here = complain.at(f"annotation {brief(annotation.get('id', position))}")
        image_id, category_id = _id(annotation, "image_id", here), _id(annotation, "category_id", here)
        if image_id not in images:
            raise here(f"belongs to image {brief(image_id)}, which is not in the file")
        if category_id not in categories:
            raise here(f"has category {brief(category_id)}, which is not in the file")
        used[category_id] += 1
        regions[image_id].append(_region(annotation, categories[category_id], images[image_id], here))

    extras: Json = {"flavour": "coco", "coco_categories": _kept_categories(categories, used)}
    if other := {key: value for key, value in document.items() if key not in DOCUMENT_FIELDS}:
        extras["coco"] = plain(other, "information", complain)
    return Dataset(
        tuple(replace(record, regions=tuple(regions[image_id])) for image_id, record in images.items()),
        tuple(dict.fromkeys(category.name for category in categories.values())),
        source=Path(source),
        extras=extras,
        skeletons={category.name: category.skeleton for category in categories.values() if category.skeleton},
    )


def _require_few_on_each(annotations: list[Json], images: dict[Any, ImageRecord], complain: Complaint) -> None:
    """See to it that no image has too many annotations, before the first region is made."""
    ids = (annotation.get("image_id") for annotation in annotations)
    for image_id, count in Counter(id for id in ids if isinstance(id, int | float | str)).most_common(1):
        if image_id in images:
            require_few_regions(count, complain.at(f"image {brief(images[image_id].file_name, 80)}"))


def _entries(document: Json, key: str, complain: Complaint) -> list[Json]:
    entries = document.get(key, [])
    if not isinstance(entries, list):
        raise complain(f'has {brief(entries)} as "{key}", not a list')
    return [
        entry if isinstance(entry, dict) else mapping(entry, "its entry", complain.at(f'entry {n} of "{key}"'))
        for n, entry in enumerate(entries, start=1)
    ]


def _id(holder: Json, key: str, complain: Complaint) -> int | str:
    """An id; table programs write whole numbers as 3.0."""
    value = holder.get(key)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return text(value, f'"{key}"', complain)
    if isinstance(value, bool) or not isinstance(value, int):
        raise complain(f'has {brief(value)} as "{key}", which is no id')
    return value


# Categories


def _categories(document: Json, complain: Complaint) -> dict[Any, _Category]:
    found = {}
    for position, entry in enumerate(_entries(document, "categories", complain), start=1):
        here = complain.at(f"category {position}")
        category_id, name = _id(entry, "id", here), text(entry.get("name"), '"name"', here)
        if category_id in found:
            raise here(f"has the id {brief(category_id)} of a category before it")
        further = {key: value for key, value in entry.items() if key not in CATEGORY_FIELDS}
        plain(further, "information", here)
        found[category_id] = _Category(category_id, name, _skeleton(entry, here), further)
    try:
        return dict(sorted(found.items()))
    except TypeError:  # ids of several types have no order
        return found


def _skeleton(entry: Json, complain: Complaint) -> Skeleton | None:
    names, bones = entry.get("keypoints") or [], entry.get("skeleton") or []
    if not isinstance(names, list) or not isinstance(bones, list):
        raise complain('has a "keypoints" or a "skeleton" that is not a list')
    named = tuple(text(name, '"keypoints"', complain) for name in names)
    edges = []
    for bone in bones:
        if not isinstance(bone, list) or len(bone) != 2 or not all(type(end) is int for end in bone):
            raise complain(f'has {brief(bone)} in its "skeleton", not a pair of keypoints')
        if not all(1 <= end <= len(named) for end in bone):
            raise complain(f'has a "skeleton" from keypoint {brief(bone[0])} to {brief(bone[1])} of {len(named)}')
        edges.append((bone[0] - 1, bone[1] - 1))
    return Skeleton(named, tuple(edges)) if named else None


def _kept_categories(categories: dict[Any, _Category], used: Counter[Any]) -> dict[str, Json]:
    """What to write back of each class: of two categories with one name, the id of the one that is used more."""
    kept: dict[str, Json] = {}
    for category in sorted(categories.values(), key=lambda category: -used[category.id]):
        kept.setdefault(category.name, {**category.further, "id": category.id})
    return kept


# Images


def _images(document: Json, complain: Complaint) -> dict[Any, ImageRecord]:
    images = {}
    for position, entry in enumerate(_entries(document, "images", complain), start=1):
        here = complain.at(f"image {position}")
        image_id, file_name = _id(entry, "id", here), text(entry.get("file_name"), '"file_name"', here)
        if not file_name.strip():
            raise here('has an empty "file_name"')
        if image_id in images:
            raise here(f"has the id {brief(image_id)} of an image before it")
        width, height = (_side(entry, side, here) for side in ("width", "height"))
        further = plain({key: value for key, value in entry.items() if key not in IMAGE_FIELDS}, "attributes", here)
        split = further.pop("split") if further.get("split") in ("train", "val") else None
        images[image_id] = ImageRecord(
            file_name, (), None, width, height, None, further, split, {"coco": {"id": image_id}}
        )
    return images


def _side(entry: Json, side: str, complain: Complaint) -> int | None:
    value = entry.get(side)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < LARGEST_SIDE:
        raise complain(f'has {brief(value)} as "{side}", not a number of pixels')
    return value


# Annotations


def _region(annotation: Json, category: _Category, record: ImageRecord, complain: Complaint) -> Region:
    keypoints = _keypoints(annotation, category.skeleton, complain)
    shape = _shape(annotation, keypoints, record, complain)
    if shape is keypoints or (category.skeleton and keypoints and not any(v for _, _, v in keypoints.points)):
        keypoints = None

    kept: Json = {"id": _id(annotation, "id", complain)} if annotation.get("id") is not None else {}
    if annotation.get("area") is not None:
        kept["area"] = _area(annotation["area"], complain)
    if annotation.get("bbox"):
        kept["bbox"] = _box(annotation, complain)
    if isinstance(shape, Rect | Keypoints):
        kept["segmentation"] = annotation.get("segmentation")

    further = {key: value for key, value in annotation.items() if key not in ANNOTATION_FIELDS}
    is_ours = further.get("source") == "model"
    score = further.get("score") if is_ours else None
    if is_ours:
        del further["source"]
        if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
            del further["score"]
        else:
            score = None
    nested = mapping(annotation.get("attributes") or {}, '"attributes"', complain)
    if further:
        kept["fields"] = {key: value if key in nested else None for key, value in further.items()}
    return Region(
        shape,
        category.name,
        plain(further | nested, "attributes", complain),
        annotation.get("iscrowd") in (1, True),
        "model" if is_ours else "human",
        score,
        keypoints,
        {"coco": kept} if kept else {},
    )


def _area(value: Any, complain: Complaint) -> float:
    """A finite number of pixels, not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST_SIDE**2:
        raise complain(f'has {brief(value)} as "area", not a number of pixels')
    return value


def _box(annotation: Json, complain: Complaint) -> list[float]:
    box = numbers(annotation, "bbox", complain)
    if len(box) != 4 or box[2] < 0 or box[3] < 0:
        raise complain('has a "bbox" that is not x, y, width, height')
    return box


def _keypoints(annotation: Json, skeleton: Skeleton | None, complain: Complaint) -> Keypoints | None:
    if not annotation.get("keypoints"):
        return None
    flat = numbers(annotation, "keypoints", complain)
    if len(flat) % 3:
        raise complain('has "keypoints" that are not x, y, visibility, ...')
    if skeleton is not None and len(flat) != 3 * len(skeleton.names):
        raise complain(f"has {len(flat) // 3} keypoints, but its category has {len(skeleton.names)}")
    if wrong := [visibility for visibility in flat[2::3] if visibility not in (0, 1, 2)]:
        raise complain(f"has a keypoint of visibility {brief(wrong[0])}, not 0, 1 or 2")
    return Keypoints(
        tuple((x, y, int(visibility)) for x, y, visibility in zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
    )


def _shape(annotation: Json, keypoints: Keypoints | None, record: ImageRecord, complain: Complaint) -> Shape:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        return run_lengths(segmentation, record, complain)
    if segmentation is not None and not isinstance(segmentation, list):
        raise complain(f'has {brief(segmentation)} as "segmentation"')
    if outlines := [_outline(outline, complain) for outline in segmentation or () if outline != []]:
        return Polygon(outlines[0]) if len(outlines) == 1 else MultiPolygon(tuple((outline,) for outline in outlines))
    box = Rect(*_box(annotation, complain)) if annotation.get("bbox") else None
    if keypoints is not None and any(visibility for _, _, visibility in keypoints.points):
        around = raster.bounds(keypoints)
        says_more = box is not None and box.width and box.height
        if box is None or not says_more or np.allclose(raster.bounds(box), around, rtol=0, atol=1e-6):
            return keypoints
    if box is not None:
        return box
    raise complain('has neither "segmentation" nor "bbox"')


def _outline(values: Any, complain: Complaint) -> Points:
    if not isinstance(values, list) or len(values) % 2 or not values:
        raise complain('has a "segmentation" outline that is not a list of x, y, x, y, ...')
    flat = [coordinate(value, "segmentation", complain) for value in values]
    return tuple(zip(flat[0::2], flat[1::2], strict=True))
