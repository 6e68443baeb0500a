"""The attribute definitions of a VIA project (`_via_attributes`): the type of each attribute, and its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.json_values import Json
from maskrcnn.errors import StudioError


def definitions_of(dataset: Dataset) -> Mapping[str, Any]:
    """Return the definitions of the region attributes of a VIA project; empty for other labels."""
    return dataset.extras.get("via_attributes", {}).get("region", {})


def is_choice_of_options(definition: Any) -> bool:
    """Whether an attribute has one option of a list as its value: type dropdown, radio or image."""
    return isinstance(definition, Mapping) and definition.get("type") in ("dropdown", "radio", "image")


def options_of_definition(definition: Any) -> tuple[str, ...]:
    """Return the option ids of a definition, in order; empty for a text attribute."""
    if not isinstance(definition, Mapping) or not isinstance(definition.get("options"), Mapping):
        return ()
    return tuple(str(option) for option in definition["options"] if str(option).strip())


def with_options(
    definitions: Mapping[str, Any], name: str, classes: Sequence[str], kind: str = "dropdown"
) -> dict[str, Any]:
    """Return the definitions with all `classes` as options of attribute `name`. Options are only added, never
    removed."""
    definition = definitions.get(name)
    if definition is None:
        listed = {class_name: class_name for class_name in classes}
        return {**definitions, name: {"type": kind, "description": "", "options": listed, "default_options": {}}}
    known = set(options_of_definition(definition))
    missing = [class_name for class_name in classes if class_name not in known]
    if not missing or not isinstance(definition, Mapping) or not isinstance(definition.get("options"), Mapping):
        return dict(definitions)
    widened = {**definition["options"], **{class_name: class_name for class_name in missing}}
    return {**definitions, name: {**definition, "options": widened}}


def is_attribute_definitions(document: Any) -> bool:
    """Whether a parsed JSON document is VIA's export of attributes: definitions, and no pictures."""
    return (
        isinstance(document, dict)
        and set(document) == {"region", "file"}
        and all(isinstance(part, dict) and "filename" not in part for part in document.values())
    )


def only_definitions_error(source: Path | str) -> StudioError:
    """Return the error for a file of attribute definitions that is read as a dataset."""
    return StudioError(
        f"{source}: this holds VIA's definitions of attributes, no pictures and no regions; give the file that VIA "
        "writes with Annotation > Export, or its saved project"
    )


def add_definitions(definitions: dict[str, Json], attributes: Mapping[str, Any]) -> None:
    """Add definitions of these attributes to `definitions`: text, or checkbox if the value maps options to on and
    off."""
    for name, value in attributes.items():
        if not isinstance(value, dict):
            definitions.setdefault(name, {"type": "text", "description": "", "default_value": ""})
        elif value and all(isinstance(is_on, bool) for is_on in value.values()):
            fresh = {"type": "checkbox", "description": "", "options": {}, "default_options": {}}
            definition = definitions.setdefault(name, fresh)
            if definition["type"] == "checkbox":
                definition["options"].update({option: option for option in value})
