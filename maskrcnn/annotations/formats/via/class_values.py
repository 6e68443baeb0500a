"""Convert between a region's class and the value of its class attribute, so that a file is written as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maskrcnn.annotations.formats.via.attribute_tally import class_of
from maskrcnn.annotations.regions import Region


def classified(region: Region, name: str | None, only_class: str | None, values: Mapping[str, Any]) -> Region:
    """Return the region with the value of attribute `name` as its class; with `only_class` if `name` is None.

    `values` maps classes to values that differ from their name (`Dataset.extras["class_values"]`). A value that differs
    from that too is kept in `Region.extras["via"]["class_value"]`.
    """
    if name is None:
        return region if region.class_name == only_class else replace(region, class_name=only_class)
    value = region.attributes.get(name)
    class_name = class_of(value)
    if class_name is None:
        return region
    attributes = {key: value for key, value in region.attributes.items() if key != name}
    extras = region.extras
    if value != values.get(class_name, class_name):
        extras = {**extras, "via": {**extras.get("via", {}), "class_value": value}}
    # `replace` would take twice as long, and this runs for every region of a large file.
    further = region.iscrowd, region.source, region.score, region.keypoints, extras, region.id
    return Region(region.shape, class_name, attributes, *further)


def class_value(region: Region, name: str, extras: Mapping[str, Any]) -> Any:
    """Return the value to write under attribute `name` for the region's class. `extras` are those of the dataset."""
    if "class_value" in (kept := region.extras.get("via", {})) and class_of(kept["class_value"]) == region.class_name:
        return kept["class_value"]
    values = extras.get("class_values", {})
    if region.class_name in values:
        return values[region.class_name]
    definition = extras.get("via_attributes", {}).get("region", {}).get(name)
    is_checkbox = isinstance(definition, Mapping) and definition.get("type") == "checkbox"
    return {region.class_name: True} if is_checkbox else region.class_name


def class_given_back(region: Region, name: str | None, extras: Mapping[str, Any]) -> Region:
    """Return the region without a class: its class becomes the value of attribute `name` again, or is dropped if
    that is None."""
    if region.class_name is None:
        return region
    attributes = dict(region.attributes)
    if name is not None:
        attributes[name] = class_value(region, name, extras)
    kept = {key: value for key, value in region.extras.get("via", {}).items() if key != "class_value"}
    others = {key: value for key, value in region.extras.items() if key != "via"}
    return replace(region, class_name=None, attributes=attributes, extras=others | ({"via": kept} if kept else {}))
