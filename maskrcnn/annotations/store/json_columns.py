"""Read and write the JSON columns of `project.db`, except regions (see `region_json`).

A text that is read may come from an untrusted source, so it is validated. A written text passes the same checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from maskrcnn.annotations.formats.json_values import DEEPEST
from maskrcnn.errors import StudioError

_DEEPEST = DEEPEST + 16
"""Maximum nesting depth of a JSON text: that of label files plus the levels that the store adds."""

RESTORE = "restore the project folder from a copy"


def parsed(text: object, words: str) -> Any:
    """Parse a JSON text. Raises `StudioError` that begins with `words` if it is invalid or nested too deep."""
    if not isinstance(text, str):
        raise StudioError(f"{words} is no text; {RESTORE}")
    try:
        value = json.loads(text)
    except RecursionError:
        raise StudioError(f"{words} is nested too deep; {RESTORE}") from None
    except ValueError as error:
        raise StudioError(f"{words} is not readable JSON ({str(error)[:80]}); {RESTORE}") from None
    if is_deep(value):
        raise StudioError(f"{words} is nested more than {_DEEPEST} deep; {RESTORE}")
    return value


def parsed_dict(text: object, words: str) -> dict[str, Any]:
    """Parse a JSON text that must be an object, to a dict. Raises `StudioError` that begins with `words` if invalid."""
    return require_dict(parsed(text, words), words)


def require_dict(value: object, words: str) -> dict[str, Any]:
    """Return the value if it is a dict, else raise `StudioError` that begins with `words`."""
    if not isinstance(value, dict):
        raise StudioError(f"{words} is not a group of named values; {RESTORE}")
    return value


def dumped(value: object, words: str) -> str:
    """Convert a value to JSON text for `parsed`. Raises `StudioError` if it is nested too deep."""
    if is_deep(value):
        raise StudioError(f"{words} is nested more than {_DEEPEST} deep; take it out")
    return json.dumps(value)


def is_deep(value: object) -> bool:
    """Whether a JSON value is nested deeper than `_DEEPEST` levels. Works without recursion."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for holder in level
            if isinstance(holder, Mapping | list | tuple)
            for inner in (holder.values() if isinstance(holder, Mapping) else holder)
            if isinstance(inner, Mapping | list | tuple)
        ]
        if not level:
            return False
    return True


# Validation of values


_DICTS = ("via", "via_settings", "via_attributes", "via_other", "coco", "coco_categories", "labelme", "yolo", "origin")
"""Keys of extras whose values must be dicts, because the label file writers read them."""


def require_extras(value: object, words: str) -> dict[str, Any]:
    """Validate and return the `extras` of a region, a picture or a dataset. Raises `StudioError`."""
    extras = require_dict(value, words)
    for name in (*_DICTS, "class_values", "classes_of"):
        if name in extras:
            require_dict(extras[name], f'{words}: "{name}"')
    via = extras.get("via", {})
    for name in ("fields", "project", "csv"):
        if name in via:
            require_dict(via[name], f'{words}: "via": "{name}"')
    if "region" in extras.get("via_attributes", {}):
        require_dict(extras["via_attributes"]["region"], f'{words}: "via_attributes": "region"')
    for names in extras.get("classes_of", {}).values():
        if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
            raise StudioError(f'{words}: "classes_of" has no list of names; {RESTORE}')
    flavour = extras.get("flavour")
    if flavour is not None and not isinstance(flavour, str):
        raise StudioError(f'{words}: "flavour" is no text; {RESTORE}')
    return extras


def meta_value(key: object, text: object, words: str) -> Any:
    """Parse and validate the value of a row in the table `meta`. Raises `StudioError`."""
    value = parsed(text, words)
    if key == "extras":
        return require_extras(value, words)
    if key == "renamed_classes" and not all(isinstance(name, str) for name in require_dict(value, words).values()):
        raise StudioError(f"{words} has a name that is no text; {RESTORE}")
    if (key == "name" and not isinstance(value, str)) or (
        key == "class_attribute" and not isinstance(value, str | None)
    ):
        raise StudioError(f"{words} is no text; {RESTORE}")
    return value
