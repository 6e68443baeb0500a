"""Reading COCO documents; see `coco` for what becomes what.

Many programs write this format, each in its own way, so values are taken as they are meant: ids as numbers or as texts
(`coco_ids`), numbers as texts, an outline that is not nested, an empty list for what is not known. What only informs
(area, a box beside an outline, bones of a skeleton, the mark of a crowd) never keeps an object from being read: where
it cannot be right it is left out, with a line in `Dataset.warnings`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats.coco.ids import ById, id_of
from maskrcnn.annotations.formats.coco.run_lengths import LARGEST_SIDE, run_lengths
from maskrcnn.annotations.formats.dropped_info import Losses
from maskrcnn.annotations.formats.json_values import (
    FARTHEST,
    Complaint,
    Json,
    as_id,
    as_number,
    brief,
    coordinate,
    is_too_deep,
    mapping,
    numbers,
    plain,
    require_few_regions,
    text,
)
from maskrcnn.annotations.formats.via.attribute_tally import is_no, is_yes
from maskrcnn.annotations.regions import (
    Dataset,
    ImageRecord,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Rect,
    Region,
    Shape,
    Skeleton,
)
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

IMAGE_FIELDS = ("id", "file_name", "width", "height")
ANNOTATION_FIELDS = (
    *("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "attributes"),
    *("keypoints", "num_keypoints"),
)
CATEGORY_FIELDS = ("id", "name", "keypoints", "skeleton")
_SIDES = ("width", "height")
DOCUMENT_FIELDS = ("images", "annotations", "categories")

_MEND = "mend or remove that entry"
_NAMES = ("file_name", "filename", "path", "coco_url", "flickr_url")
"""Where an image's entry may say what its file is called, the first that says something."""
_CLASS_NAMES = ("category_name", "category", "class_name", "class", "label")
"""Where an annotation may name its class, if it has no `category_id`."""
_UNKNOWN: tuple[Any, ...] = (None, "", [], {})
"""What programs write where they know nothing."""


@dataclass(frozen=True)
class _Category:
    id: int | str | None
    name: str | None
    skeleton: Skeleton | None
    further: Json


_NO_CATEGORY = _Category(None, None, None, {})


def is_coco(document: Any) -> bool:
    """Whether a parsed JSON document is a COCO file of instances or keypoints."""
    lists = isinstance(document, dict) and isinstance(document.get("images"), list)
    return lists and ("annotations" in document or "categories" in document)  # without annotations: a set to label


def parse(document: Json, source: Path | str) -> Dataset:
    """The dataset that a COCO document holds; `source` is its file, for messages.

    The ids of its images and categories are kept as the lists `images` and `categories` have them, number or text:
    `ImageRecord.extras["coco"]["id"]` and `Dataset.extras["coco_categories"][class_name]["id"]`. Annotations may name
    them either way. Raises `StudioError` naming the annotation for anything that does not fit.
    """
    complain, losses = Complaint(str(source), "the file", _MEND), Losses(source)
    entries = {key: _entries(document, key, complain) for key in DOCUMENT_FIELDS}
    categories = _categories(entries["categories"], complain, losses)
    by_name = _by_name(categories, entries["annotations"])
    images = _images(entries["images"], complain, losses)
    regions: dict[int | str, list[Region]] = {image_id: [] for image_id in images}
    used: Counter[Any] = Counter()
    _require_few_on_each(entries["annotations"], images, complain)
    for position, annotation in enumerate(entries["annotations"], start=1):
        here = complain.at(f"annotation {brief(annotation.get('id', position))}")
        image_id = id_of(annotation, "image_id", here)
        if image_id not in images:
            raise here(f"belongs to image {brief(image_id)}, which is not in the file")
        category = _category_of(annotation, categories, by_name, here, losses)
        used[category.id] += 1
        regions[images.same(image_id)].append(_region(annotation, category, images[image_id], here, losses))

    every = [*categories.values(), *(category for category in by_name.values() if category.id is None)]
    extras: Json = {"flavour": "coco", "coco_categories": _kept_categories(categories.values(), used)}
    if other := {key: value for key, value in document.items() if key not in DOCUMENT_FIELDS}:
        extras["coco"] = {key: value for key, value in other.items() if not is_too_deep(value)}
        losses("information about the file left out because it is nested too deep", len(other) - len(extras["coco"]))
    return Dataset(
        tuple(replace(record, regions=tuple(regions[image_id])) for image_id, record in images.items()),
        tuple(dict.fromkeys(category.name for category in every if category.name is not None)),
        source=Path(source),
        extras=extras,
        skeletons={category.name: category.skeleton for category in every if category.name and category.skeleton},
        warnings=losses.warnings(),
    )


def _require_few_on_each(annotations: list[Json], images: ById[ImageRecord], complain: Complaint) -> None:
    """See to it that no image has too many annotations, before the first region is made."""
    ids = (annotation.get("image_id") for annotation in annotations)
    for image_id, count in Counter(id for id in ids if isinstance(id, int | float | str)).most_common(1):
        if image_id in images:
            require_few_regions(count, complain.at(f"image {brief(images[image_id].file_name, 80)}"))


def _entries(document: Json, key: str, complain: Complaint) -> list[Json]:
    entries = document.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise complain(f'has {brief(entries)} as "{key}", not a list')
    return [
        entry if isinstance(entry, dict) else mapping(entry, "its entry", complain.at(f'entry {n} of "{key}"'))
        for n, entry in enumerate(entries, start=1)
    ]


# Categories


def _categories(entries: list[Json], complain: Complaint, losses: Losses) -> ById[_Category]:
    found: ById[_Category] = ById()
    seen: ById[Json] = ById()
    for position, entry in enumerate(entries, start=1):
        here = complain.at(f"category {position}")
        category_id = id_of(entry, "id", here)
        if category_id in seen and _alike(seen[category_id], entry, ("name", "keypoints")):
            continue
        name = as_id(entry.get("name"))
        name = None if name is None else text(str(name) if type(name) in (int, float) else name, '"name"', here)
        name = name if name is not None and name.strip() else None
        found.require_new(category_id, "a category", here)
        further = {key: value for key, value in entry.items() if key not in CATEGORY_FIELDS}
        plain(further, "information", here)
        found[category_id] = _Category(category_id, name, _skeleton(entry, losses), further)
        seen[category_id] = entry
    return found.in_order()


def _alike(one: Json, other: Json, keys: tuple[str, ...]) -> bool:
    """Whether two entries of one id are the same in all that matters; colours and dates do not."""
    return all(one.get(key) == other.get(key) for key in keys)


def _skeleton(entry: Json, losses: Losses) -> Skeleton | None:
    """The names of the keypoints and the bones between them; both are only told and drawn, so neither may keep a file
    from being read."""
    names, bones = entry.get("keypoints") or [], entry.get("skeleton") or []
    if not isinstance(names, list) or not all(isinstance(name, str | int) and _is_writable(name) for name in names):
        losses("the names of the keypoints of {classes} left out because they are no texts")
        return None
    named = tuple(str(name) for name in names)
    if not isinstance(bones, list):
        losses("the bones of the skeleton of {classes} left out because they are no list of pairs")
        return Skeleton(named) if named else None
    ends = [_bone(bone, named) for bone in bones]
    from_zero = any(bone and 0 in bone for bone in ends)
    if from_zero and all(bone and set(bone) <= {*range(len(named))} for bone in ends):
        losses("the skeleton of {classes} read as counted from 0, as no bone fits otherwise (COCO counts from 1)")
        return Skeleton(named, tuple(bone for bone in ends if bone)) if named else None
    edges = tuple((a - 1, b - 1) for a, b in filter(None, ends) if 1 <= a <= len(named) and 1 <= b <= len(named))
    if named:
        losses("bones of a skeleton left out because they join keypoints that there are not", len(bones) - len(edges))
    return Skeleton(named, edges) if named else None


def _is_writable(name: str | int) -> bool:
    try:
        str(name).encode("utf-8")
    except (UnicodeEncodeError, ValueError):  # half a character; a number of thousands of digits
        return False
    return not isinstance(name, bool)


def _bone(bone: Any, named: tuple[str, ...]) -> tuple[int, int] | None:
    """Which keypoints a bone joins, as numbers from 1, or as their names; None for what is no pair."""
    if not isinstance(bone, list) or len(bone) != 2:
        return None
    ends = [as_number(end) for end in bone]
    if all(isinstance(end, str) and end in named for end in bone):
        ends = [named.index(end) + 1 for end in bone]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) and end == end // 1 for end in ends):
        return None
    return int(ends[0]), int(ends[1])


def _by_name(categories: ById[_Category], annotations: list[Json]) -> dict[str, _Category]:
    """The categories by name, and those that only annotations name."""
    found = {category.name: category for category in categories.values() if category.name is not None}
    for annotation in annotations:
        if annotation.get("category_id") is None and (name := _class_name(annotation)) is not None:
            found.setdefault(name, _Category(None, name, None, {}))
    return found


def _class_name(annotation: Json) -> str | None:
    """The class that an annotation without a `category_id` names itself."""
    names = (annotation.get(key) for key in _CLASS_NAMES)
    return next((name for name in names if isinstance(name, str) and name.strip() and _is_writable(name)), None)


def _category_of(
    annotation: Json, categories: ById[_Category], by_name: dict[str, _Category], complain: Complaint, losses: Losses
) -> _Category:
    if annotation.get("category_id") in _UNKNOWN:
        name = _class_name(annotation)
        if name is not None:
            return by_name[name]
        losses("{regions} without a class because the file gives them no category")
        return _NO_CATEGORY
    category_id = id_of(annotation, "category_id", complain)
    if category_id in categories:
        if categories[category_id].name is None:
            losses("{regions} without a class because their category has no name")
        return categories[category_id]
    if isinstance(category_id, str) and category_id in by_name:  # a name where an id belongs
        return by_name[category_id]
    raise complain(f"has category {brief(category_id)}, which is not in the file")


def _kept_categories(categories: Iterable[_Category], used: Counter[Any]) -> dict[str, Json]:
    """What to write back of each class: of two categories with one name, the id of the one that is used more."""
    kept: dict[str, Json] = {}
    for category in sorted(categories, key=lambda category: -used[category.id]):
        if category.name is not None:
            kept.setdefault(category.name, {**category.further, "id": category.id})
    return kept


# Images


def _images(entries: list[Json], complain: Complaint, losses: Losses) -> ById[ImageRecord]:
    images: ById[ImageRecord] = ById()
    seen: ById[Json] = ById()
    for position, entry in enumerate(entries, start=1):
        here = complain.at(f"image {position}")
        image_id = id_of(entry, "id", here)
        file_name = _file_name(entry, here)
        if image_id in seen and images[image_id].file_name == file_name and _alike(seen[image_id], entry, _SIDES):
            losses("{pictures} in the file twice, alike, and read once")
            continue
        images.require_new(image_id, "an image", here)
        width, height = _size(entry, losses)
        further = plain({key: value for key, value in entry.items() if key not in IMAGE_FIELDS}, "attributes", here)
        split = further.pop("split") if further.get("split") in ("train", "val") else None
        images[image_id] = ImageRecord(
            file_name, (), None, width, height, None, further, split, {"coco": {"id": image_id}}
        )
        seen[image_id] = entry
    return images


def _file_name(entry: Json, complain: Complaint) -> str:
    """What the picture's file is called; of an address (COCO's and LVIS' `coco_url`) its last part."""
    key = next((key for key in _NAMES if isinstance(entry.get(key), str) and entry[key].strip()), "file_name")
    name = text(entry.get(key), f'"{key}"', complain)
    if not name.strip():
        raise complain('has an empty "file_name"')
    if key.endswith("url"):
        with contextlib.suppress(ValueError):  # of what is no address after all
            name = unquote(urlsplit(name).path).rsplit("/", 1)[-1] or name
    return name


def _size(entry: Json, losses: Losses) -> tuple[int | None, int | None]:
    """Width and height; both None where one of them is not known, as the picture itself tells both.

    VIA writes -1 for a picture that was not loaded.
    """
    width, height = (as_number(entry.get(side)) for side in _SIDES)
    sides = [int(side) if isinstance(side, float) and side.is_integer() else side for side in (width, height)]
    if all(map(_is_good_side, sides)):
        return sides[0], sides[1]
    if any(side not in _UNKNOWN and side not in (-1, 0) and not _is_good_side(side) for side in sides):
        losses("the size of {pictures} left out because it is no number of pixels; it is measured instead")
    return None, None


def _is_good_side(side: Any) -> bool:
    return type(side) is int and 0 < side < LARGEST_SIDE


# Annotations


def _region(annotation: Json, category: _Category, record: ImageRecord, complain: Complaint, losses: Losses) -> Region:
    keypoints = _keypoints(annotation, category.skeleton, complain)
    box = _box(annotation.get("bbox"))
    shape = _shape(annotation, keypoints, box, category.skeleton, record, complain)
    if shape is keypoints or (category.skeleton and keypoints and not any(v for _, _, v in keypoints.points)):
        keypoints = None

    kept: Json = {}
    if annotation.get("id") is not None:
        try:
            kept["id"] = id_of(annotation, "id", complain)
        except StudioError:  # nothing refers to it
            losses("the id of {regions} left out because it is neither a whole number nor a text")
    if (area := _area(annotation.get("area"))) is not None:
        kept["area"] = area
    elif annotation.get("area") not in _UNKNOWN:
        losses("the area of {regions} left out because it is no number of pixels; it is measured instead")
    if box is not None:
        kept["bbox"] = box
    elif annotation.get("bbox") not in _UNKNOWN:
        losses("the box of {regions} left out because it is not x, y, width, height; it is measured instead")
    if isinstance(shape, Rect | Keypoints):
        written = annotation.get("segmentation")
        is_box = isinstance(shape, Rect) and isinstance(written, list) and any(written)
        kept["segmentation"] = [] if is_box else written
    if isinstance(shape, Point):
        kept |= {"segmentation": annotation.get("segmentation"), "keypoints": annotation["keypoints"]}
        keypoints = None

    further = {key: value for key, value in annotation.items() if key not in ANNOTATION_FIELDS}
    is_ours = further.get("source") == "model"
    score = further.get("score") if is_ours else None
    if is_ours:
        del further["source"]
        if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
            del further["score"]
        else:
            score = None
    nested = annotation.get("attributes") or {}
    if not isinstance(nested, dict):
        losses("the attributes of {regions} left out because they are not names and values")
        nested = {}
    if further:
        kept["fields"] = {key: value if key in nested else None for key, value in further.items()}
    return Region(
        shape,
        category.name,
        plain(further | nested, "attributes", complain),
        _is_crowd(annotation.get("iscrowd"), losses),
        "model" if is_ours else "human",
        score,
        keypoints,
        {"coco": kept} if kept else {},
    )


def _is_crowd(value: Any, losses: Losses) -> bool:
    if is_yes(value):
        return True
    if value not in _UNKNOWN and not is_no(value):
        losses("{regions} read as no crowd because iscrowd is neither 0 nor 1 there")
    return False


def _area(value: Any) -> float | None:
    """A finite number of pixels, not negative; None for anything else."""
    area = as_number(value)
    if isinstance(area, bool) or not isinstance(area, int | float) or not 0 <= area <= LARGEST_SIDE**2:
        return None
    return area


def _box(value: Any) -> list[float] | None:
    """The box x, y, width, height; None for anything else."""
    box = list(map(as_number, value)) if isinstance(value, list) and len(value) == 4 else []
    if not all(type(side) in (int, float) and -FARTHEST <= side <= FARTHEST for side in box):
        return None
    return box if box and box[2] >= 0 and box[3] >= 0 else None


def _keypoints(annotation: Json, skeleton: Skeleton | None, complain: Complaint) -> Keypoints | None:
    if not annotation.get("keypoints"):
        return None
    flat = numbers({**annotation, "keypoints": _numbers_in(annotation["keypoints"])}, "keypoints", complain)
    if len(flat) % 3:
        raise complain('has "keypoints" that are not x, y, visibility, ...')
    if skeleton is not None and len(flat) != 3 * len(skeleton.names):
        raise complain(f"has {counted(len(flat) // 3, 'keypoint')}, but its category has {len(skeleton.names)}")
    if wrong := [visibility for visibility in flat[2::3] if visibility not in (0, 1, 2)]:
        raise complain(f"has a keypoint of visibility {brief(wrong[0])}, not 0, 1 or 2")
    return Keypoints(
        tuple((x, y, int(visibility)) for x, y, visibility in zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
    )


def _numbers_in(values: Any) -> Any:
    """A list with texts that are numbers as numbers; anything else as it is."""
    return list(map(as_number, values)) if isinstance(values, list) and str in map(type, values) else values


def _shape(
    annotation: Json,
    keypoints: Keypoints | None,
    around: list[float] | None,
    skeleton: Skeleton | None,
    record: ImageRecord,
    complain: Complaint,
) -> Shape:
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, list) and len(segmentation) == 1 and isinstance(segmentation[0], dict):
        segmentation = segmentation[0]
    if segmentation and isinstance(segmentation, dict):
        return run_lengths(segmentation, record, complain)
    if segmentation not in _UNKNOWN and not isinstance(segmentation, list):
        raise complain(f'has {brief(segmentation)} as "segmentation"')
    outlines = _outlines(segmentation or [], complain)
    if outlines and not _is_the_box(outlines, around):
        return Polygon(outlines[0]) if len(outlines) == 1 else MultiPolygon(tuple((outline,) for outline in outlines))
    box = Rect(*around) if around is not None else None
    if keypoints is not None and any(visibility for _, _, visibility in keypoints.points):
        says_more = box is not None and box.width and box.height
        if box is None or not says_more or np.allclose(raster.bounds(box), raster.bounds(keypoints), rtol=0, atol=1e-6):
            is_point = skeleton is None and len(keypoints.points) == 1  # VIA exports its points so
            return Point(*keypoints.points[0][:2]) if is_point else keypoints
    if box is not None:
        return box
    if annotation.get("bbox") not in _UNKNOWN:
        raise complain('has no outline, and a "bbox" that is not x, y, width, height')
    raise complain('has neither "segmentation" nor "bbox"')


def _is_the_box(outlines: list[Points], around: list[float] | None) -> bool:
    """Whether the one "outline" is the annotation's own box, x, y, width, height, which some converters repeat there.
    From the picture's corner these numbers are also the two ends of a line, so nobody knows."""
    if around is None or len(outlines) != 1 or len(outlines[0]) != 2:
        return False
    return [value for point in outlines[0] for value in point] == around and around[:2] != [0, 0]


def _outlines(segmentation: list[Any], complain: Complaint) -> list[Points]:
    """The outlines of a `segmentation`: lists of x, y, x, y, ...; also one that is not nested, and lists of [x, y]."""
    first = segmentation[0] if segmentation else None
    if not isinstance(first, list | dict) and first is not None:
        return [_outline(segmentation, complain)]
    if len(segmentation) > 2 and all(map(_is_pair, segmentation)):  # no outline has one vertex
        return [_outline([value for pair in segmentation for value in pair], complain)]
    parts = [
        [value for pair in part for value in pair]
        if isinstance(part, list) and part and all(map(_is_pair, part))
        else part
        for part in segmentation
        if part not in ([], None)
    ]
    # What cannot enclose a pixel is no part, unless it is all there is.
    whole = [part for part in parts if not (isinstance(part, list) and len(part) < 6 and len(part) % 2)]
    return [_outline(part, complain) for part in whole or parts]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and not isinstance(value[0], list | dict)


def _outline(values: Any, complain: Complaint) -> Points:
    if not isinstance(values, list) or len(values) % 2 or not values:
        raise complain('has a "segmentation" outline that is not a list of x, y, x, y, ...')
    flat = [coordinate(value, "segmentation", complain) for value in _numbers_in(values)]
    return tuple(zip(flat[0::2], flat[1::2], strict=True))
