"""What the value of a VIA region attribute says: the class that it names, or yes or no. And the conversion between a
region's class and the value of its class attribute, so that a file is written as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maskrcnn.annotations.formats.json_values import as_whole_number
from maskrcnn.annotations.regions import Region

CROWD = "iscrowd"
"""The attribute that marks a crowd in a VIA file converted from COCO. It is never the class."""

MARKS = frozenset((CROWD, "keypoints", "maskrcnn_source", "maskrcnn_score"))
"""Attributes in which the studio stores information that VIA cannot hold (see `keypoint_and_score_attributes`). They
are never the class."""

_YES = frozenset(("1", "true", "yes", "y", "x", "on"))
_NO = frozenset(("0", "false", "no", "n", "off", "none"))

_LARGEST_NUMBER = 2**63


def class_named_by_value(value: Any) -> str | None:
    """Return the class that the value of a VIA attribute names; None if it names none."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, Mapping):
        ticked = [option for option, is_on in value.items() if is_on is True]
        return class_named_by_value(ticked[0]) if len(ticked) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST_NUMBER:
        return None
    return str(as_whole_number(value))


def n_ticked_options(value: Any) -> int:
    """Return how many options are ticked in the value of a VIA checkbox; 0 for any other value."""
    return sum(is_on is True for is_on in value.values()) if isinstance(value, Mapping) else 0


def kind_of_value(name: str, value: Any, class_name: str | None) -> str:
    """Return the kind of the value of attribute `name`: "own name" (the value is the name of the attribute), "yes",
    "no", "empty" or "other". `class_name` is the class that the value names, None if it names none."""
    if class_name is None:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "other" if n_ticked_options(value) > 1 else "empty"
    word = class_name.strip().casefold()
    if word == name.strip().casefold():
        return "own name"
    return "yes" if word in _YES else "no" if word in _NO else "other"


def is_crowd_value(value: Any) -> bool:
    """Whether the value of the attribute `iscrowd` says yes: 1, true, "yes", "iscrowd", or a ticked checkbox option
    "crowd"."""
    class_name = class_named_by_value(value)
    is_ticked_crowd = isinstance(value, Mapping) and class_name is not None and class_name.strip().casefold() == "crowd"
    return value == 1 or is_ticked_crowd or kind_of_value(CROWD, value, class_name) in ("own name", "yes")


def is_no_crowd_value(value: Any) -> bool:
    """Whether the value of the attribute `iscrowd` says no: 0, false, "no" or "off"."""
    return value == 0 or kind_of_value(CROWD, value, class_named_by_value(value)) == "no"


def has_class_like_value(attributes: Mapping[str, Any]) -> bool:
    """Whether any attribute of a region has a value that could be a class."""
    return any(name != CROWD and class_named_by_value(value) is not None for name, value in attributes.items())


def classes_named_by_values(region: Region) -> dict[str, str]:
    """Return the class names that a region's attributes suggest: attribute -> class, for each attribute with a value.
    The region's current class is not included.

    The doctor offers the only class of the dataset for a region without a class, but only if this is empty: no
    attribute then suggests another class.
    """
    return {
        name: class_name
        for name, value in region.attributes.items()
        if name not in MARKS
        and (class_name := class_named_by_value(value)) is not None
        and kind_of_value(name, value, class_name) != "no"
    }


def with_class_of_value(
    region: Region, name: str | None, only_class: str | None, usual_values: Mapping[str, Any]
) -> Region:
    """Return the region with the value of attribute `name` as its class; with `only_class` if `name` is None.

    The usual value of a class in the file is its name, or another one in `usual_values`
    (`Dataset.extras["class_values"]`). If the region has an unusual one, that is kept in
    `Region.extras["via"]["class_value"]`.
    """
    if name is None:
        return region if region.class_name == only_class else replace(region, class_name=only_class)
    value = region.attributes.get(name)
    class_name = class_named_by_value(value)
    if class_name is None:
        return region
    attributes = {key: value for key, value in region.attributes.items() if key != name}
    extras = region.extras
    if value != usual_values.get(class_name, class_name):
        extras = {**extras, "via": {**extras.get("via", {}), "class_value": value}}
    # `replace` would take twice as long, and this runs for every region of a large file.
    further = region.iscrowd, region.source, region.score, region.keypoints, extras, region.id
    return Region(region.shape, class_name, attributes, *further)


def value_of_class(region: Region, name: str, extras: Mapping[str, Any]) -> Any:
    """Return the value to write under attribute `name` for the region's class. `extras` are those of the dataset."""
    if (
        "class_value" in (kept := region.extras.get("via", {}))
        and class_named_by_value(kept["class_value"]) == region.class_name
    ):
        return kept["class_value"]
    values = extras.get("class_values", {})
    if region.class_name in values:
        return values[region.class_name]
    definition = extras.get("via_attributes", {}).get("region", {}).get(name)
    is_checkbox = isinstance(definition, Mapping) and definition.get("type") == "checkbox"
    return {region.class_name: True} if is_checkbox else region.class_name


def with_class_as_value(region: Region, name: str | None, extras: Mapping[str, Any]) -> Region:
    """Return the region without a class: its class becomes the value of attribute `name` again, or is dropped if
    that is None."""
    if region.class_name is None:
        return region
    attributes = dict(region.attributes)
    if name is not None:
        attributes[name] = value_of_class(region, name, extras)
    kept = {key: value for key, value in region.extras.get("via", {}).items() if key != "class_value"}
    others = {key: value for key, value in region.extras.items() if key != "via"}
    return replace(region, class_name=None, attributes=attributes, extras=others | ({"via": kept} if kept else {}))
