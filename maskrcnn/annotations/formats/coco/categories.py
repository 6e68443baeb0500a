"""The categories of a COCO file: their names, skeletons and ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from maskrcnn.annotations.formats.coco.ids import ByCocoId, are_same_coco_entry, id_of
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.json_values import (
    Complaint,
    Json,
    as_number,
    as_whole_number,
    brief,
    checked_depth,
    text,
)
from maskrcnn.annotations.regions import (
    Skeleton,
)

CATEGORY_FIELDS = ("id", "name", "keypoints", "skeleton")
_CLASS_NAMES = ("category_name", "category", "class_name", "class", "label")
"""Fields in which an annotation without a `category_id` may name its class."""
UNKNOWN: tuple[Any, ...] = (None, "", [], {})
"""Values that programs write for unknown values."""


@dataclass(frozen=True)
class Category:
    """A category: its id and name (each None if missing), its skeleton, and its other fields."""

    id: int | str | None
    name: str | None
    skeleton: Skeleton | None
    further: Json


NO_CATEGORY = Category(None, None, None, {})


def read_categories(entries: list[Json], complain: Complaint, dropped: DroppedInfo) -> ByCocoId[Category]:
    """Return the categories by id, in order of their ids. Raises `StudioError` that names the invalid entry."""
    found: ByCocoId[Category] = ByCocoId()
    seen: ByCocoId[Json] = ByCocoId()
    for position, entry in enumerate(entries, start=1):
        here = complain.at(f"category {position}")
        category_id = id_of(entry, "id", here)
        if category_id in seen and are_same_coco_entry(seen[category_id], entry, ("name", "keypoints")):
            continue
        name = as_whole_number(entry.get("name"))
        name = None if name is None else text(str(name) if type(name) in (int, float) else name, '"name"', here)
        name = name if name is not None and name.strip() else None
        found.require_new(category_id, "a category", here)
        further = {key: value for key, value in entry.items() if key not in CATEGORY_FIELDS}
        checked_depth(further, "information", here)
        found[category_id] = Category(category_id, name, _category_skeleton(entry, dropped), further)
        seen[category_id] = entry
    return found.in_order()


def _category_skeleton(entry: Json, dropped: DroppedInfo) -> Skeleton | None:
    """Return the names of the keypoints and the bones between them, as indices from 0. Both are only displayed, so
    invalid ones are left out with a warning instead of an error. The file counts keypoints from 1, or from 0 if a bone
    has keypoint 0 and all bones then fit."""
    names, bones = entry.get("keypoints") or [], entry.get("skeleton") or []
    if not isinstance(names, list) or not all(isinstance(name, str | int) and _is_utf8_name(name) for name in names):
        dropped.add("the names of the keypoints of {classes} left out because they are no texts")
        return None
    named = tuple(str(name) for name in names)
    if not isinstance(bones, list):
        dropped.add("the bones of the skeleton of {classes} left out because they are no list of pairs")
        return Skeleton(named) if named else None
    ends = [_skeleton_bone(bone, named) for bone in bones]
    has_zero = any(bone and 0 in bone for bone in ends)
    all_fit_from_zero = all(bone and set(bone) <= {*range(len(named))} for bone in ends)
    if has_zero and all_fit_from_zero:
        dropped.add("the skeleton of {classes} read as counted from 0, as no bone fits otherwise (COCO counts from 1)")
        return Skeleton(named, tuple(bone for bone in ends if bone)) if named else None
    edges = tuple((a - 1, b - 1) for a, b in filter(None, ends) if 1 <= a <= len(named) and 1 <= b <= len(named))
    if named:
        dropped.add(
            "bones of a skeleton left out because they join keypoints that there are not", len(bones) - len(edges)
        )
    return Skeleton(named, edges) if named else None


def _is_utf8_name(name: str | int) -> bool:
    """Whether a name of a COCO category or keypoint is a text or number that can be written as UTF-8."""
    if isinstance(name, bool):  # Python counts true and false as numbers
        return False
    try:
        str(name).encode("utf-8")
    except (UnicodeEncodeError, ValueError):  # a lone surrogate; a number with thousands of digits
        return False
    return True


def _skeleton_bone(bone: Any, named: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the two keypoints of a bone as numbers from 1. The file has numbers or names. None if it is not a pair."""
    if not isinstance(bone, list) or len(bone) != 2:
        return None
    ends = [as_number(end) for end in bone]
    if all(isinstance(end, str) and end in named for end in bone):
        ends = [named.index(end) + 1 for end in bone]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) and end == end // 1 for end in ends):
        return None
    return int(ends[0]), int(ends[1])


def categories_by_name(categories: ByCocoId[Category], annotations: list[Json]) -> dict[str, Category]:
    """Return the categories by name, with those that only annotations name."""
    found = {category.name: category for category in categories.values() if category.name is not None}
    for annotation in annotations:
        if annotation.get("category_id") is None and (name := _class_name_of_annotation(annotation)) is not None:
            found.setdefault(name, Category(None, name, None, {}))
    return found


def _class_name_of_annotation(annotation: Json) -> str | None:
    """Return the class name that an annotation without a `category_id` has itself; None if it has none."""
    names = (annotation.get(key) for key in _CLASS_NAMES)
    return next((name for name in names if isinstance(name, str) and name.strip() and _is_utf8_name(name)), None)


def category_of(
    annotation: Json,
    categories: ByCocoId[Category],
    by_name: dict[str, Category],
    complain: Complaint,
    dropped: DroppedInfo,
) -> Category:
    """Return the category of an annotation, by its `category_id` or by its own class name; `NO_CATEGORY` if it has
    neither. Raises `StudioError` if the category is not in the file."""
    if annotation.get("category_id") in UNKNOWN:
        name = _class_name_of_annotation(annotation)
        if name is not None:
            return by_name[name]
        dropped.add("{regions} without a class because the file gives them no category")
        return NO_CATEGORY
    category_id = id_of(annotation, "category_id", complain)
    if category_id in categories:
        if categories[category_id].name is None:
            dropped.add("{regions} without a class because their category has no name")
        return categories[category_id]
    if isinstance(category_id, str) and category_id in by_name:  # a name instead of an id
        return by_name[category_id]
    raise complain(f"has category {brief(category_id)}, which is not in the file")


def kept_categories(categories: Iterable[Category], used: Counter[Any]) -> dict[str, Json]:
    """Return class name -> the fields to write back. If two categories have the same name, the one that is used more
    is kept."""
    kept: dict[str, Json] = {}
    for category in sorted(categories, key=lambda category: -used[category.id]):
        if category.name is not None:
            kept.setdefault(category.name, {**category.further, "id": category.id})
    return kept
