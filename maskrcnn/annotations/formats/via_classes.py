"""Which of VIA's region attributes is the class: a VIA file does not say, so a rule does.

An attribute counts where at least one region has a value for it. Of those, the first that fits:

1. one named class, name, label, type or category (in any case, tried in this order) that is defined as a list to choose
   from (dropdown or radio);
2. one of those names whose values repeat from region to region;
3. the only one defined as dropdown or radio;
4. one of those names at all;
5. the only one that more than half of the regions have, if its values are texts and few (at most half as many as
   regions, at most 50).

Where regions have no values at all, the only attribute defined as dropdown or radio is the class, and no region has
one yet. Without such a definition (the classic balloon set) there is no class attribute, and every region is of the one
class "object". Where regions have attributes but none fits, no region gets a class, and training says so.

The class is the value as text: for dropdown and radio the option's id, for a checkbox `{option: true}` the one option
that is true (none if several are).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskrcnn.annotations.regions import Dataset, Region
from maskrcnn.errors import StudioError

USUAL_NAMES: tuple[str, ...] = ("class", "name", "label", "type", "category")
THE_ONLY_CLASS = "object"

CROWD = "iscrowd"
"""The attribute that marks a crowd, where a COCO file became a VIA file; it is never the class."""

Attributes = Mapping[str, Any]


def class_attribute(regions: Sequence[Attributes], definitions: Mapping[str, Any]) -> str | None:
    """The name of the attribute that is the class, by the rule above, or None.

    `regions` are the regions' attributes; `definitions` is what VIA calls `_via_attributes.region`.
    """
    values: dict[str, list[str]] = {}
    plain: dict[str, bool] = {}
    for attributes in regions:
        for name, value in attributes.items():
            if name != CROWD and (class_name := class_of(value)) is not None:
                values.setdefault(name, []).append(class_name)
                plain[name] = plain.get(name, True) and not isinstance(value, int | float)
    choices = [name for name, definition in definitions.items() if is_choice(definition)]
    if not values:
        return choices[0] if len(choices) == 1 else None

    carried_choices = [name for name in choices if name in values]
    usual = [name for wanted in USUAL_NAMES for name in values if name.strip().lower() == wanted]
    repeating = [name for name in usual if len(set(values[name])) < len(values[name]) or len(values[name]) == 1]
    if found := [name for name in usual if name in carried_choices] or repeating:
        return found[0]
    if len(carried_choices) == 1:
        return carried_choices[0]
    if usual:
        return usual[0]
    common = [
        name
        for name, names in values.items()
        if plain[name] and len(names) > len(regions) / 2 and len(set(names)) <= min(50, max(1, len(names) // 2))
    ]
    return common[0] if len(common) == 1 else None


def class_of(value: Any) -> str | None:
    """The class that an attribute's value names, None where it names none."""
    if isinstance(value, Mapping):
        chosen = [option for option, is_on in value.items() if is_on is True]
        return class_of(chosen[0]) if len(chosen) == 1 else None
    if isinstance(value, str):
        return value if value.strip() else None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def says_something(attributes: Attributes) -> bool:
    """Whether any attribute of a region has a value that could be a class."""
    return any(name != CROWD and class_of(value) is not None for name, value in attributes.items())


def no_class(place: str, dataset: Dataset, region: Region) -> StudioError:
    """What to say of a region that needs a class and has none."""
    if dataset.class_attribute is not None:
        return StudioError(f'{place} has no value for "{dataset.class_attribute}"; give it one, or remove the region')
    if region.attributes:
        carried = ", ".join(f'"{name}"' for name in region.attributes)
        return StudioError(f'{place} has no class that can be told from {carried}; name the attribute "class" in VIA')
    return StudioError(f"{place} has no class; give it one, or remove the region")


def is_choice(definition: Any) -> bool:
    """Whether VIA shows the attribute as a list of which one option is chosen."""
    return isinstance(definition, Mapping) and definition.get("type") in ("dropdown", "radio")


def options(definition: Any) -> tuple[str, ...]:
    """The option ids of a definition, in its order; empty for a text attribute."""
    if not isinstance(definition, Mapping) or not isinstance(definition.get("options"), Mapping):
        return ()
    return tuple(str(option) for option in definition["options"] if str(option).strip())


def defined(definitions: Mapping[str, Any], name: str, classes: Sequence[str]) -> dict[str, Any]:
    """The definitions with attribute `name` able to hold all `classes`: options are added, nothing is taken away."""
    definition = definitions.get(name)
    if definition is None:
        listed = {class_name: class_name for class_name in classes}
        return {**definitions, name: {"type": "dropdown", "description": "", "options": listed, "default_options": {}}}
    missing = [class_name for class_name in classes if class_name not in options(definition)]
    if not missing or not isinstance(definition, Mapping) or not isinstance(definition.get("options"), Mapping):
        return dict(definitions)
    widened = {**definition["options"], **{class_name: class_name for class_name in missing}}
    return {**definitions, name: {**definition, "options": widened}}
