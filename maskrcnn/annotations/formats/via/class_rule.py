"""The rule that chooses which VIA region attribute is the class. A VIA file does not say it; a user can choose another
one.

Only attributes with a value on at least one region are considered. The first of these that fits is chosen:

1. an attribute called class, name, label, type or category (ignoring case, in this order) that is defined as a list of
options (dropdown or radio);
2. an attribute with one of those names whose values repeat across regions;
3. the only attribute defined as dropdown or radio;
4. any attribute with one of those names;
5. the only attribute that more than half of the regions have, if its values are texts and few (at most half the number
of regions, at most 50).

If regions have no values at all, the only attribute defined as dropdown or radio is the class, and no region has a
class yet. Without such a definition (the classic balloon dataset) there is no class attribute, and every region has the
class "object". If regions have attributes but none fits, no region gets a class, and training reports it.

The class is the value as text. For dropdown and radio it is the option's id, for a checkbox `{option: true}` the only
option that is true. If several options are true, the region has no class (`Candidate.several` counts such regions).

Some files have an attribute for each class (`class_per_attribute`), and no single attribute is the class. The user can
then choose several of them, "mango, orange" (`class_change.joined`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maskrcnn.annotations.formats.via.attribute_definitions import definitions_of, is_choice, options
from maskrcnn.annotations.formats.via.attribute_tally import CROWD, Attributes, Tally, class_of
from maskrcnn.annotations.formats.via.class_values import class_given_back
from maskrcnn.annotations.regions import Dataset, classes_in
from maskrcnn.errors import ArgumentError

USUAL_NAMES: tuple[str, ...] = ("class", "name", "label", "type", "category")
THE_ONLY_CLASS = "object"

_AT_MOST_LISTED = 8


@dataclass(frozen=True)
class Candidate:
    """An attribute that is or could be the class.

    `n_regions` is the number of regions with a class in it. `values` counts them by class, most frequent first.
    `several` is the number of further regions with more than one ticked option of a checkbox, which names no class.
    """

    name: str
    n_regions: int
    values: Mapping[str, int]
    chosen: bool
    several: int = 0


# The rule


def class_attribute(regions: Iterable[Attributes], definitions: Mapping[str, Any]) -> str | None:
    """Return the name of the class attribute by the rule of this module, or None.

    `regions` are the regions' attributes; `definitions` is VIA's `_via_attributes.region`.
    """
    tally = Tally()
    for attributes in regions:
        tally.add(attributes)
    return by_rule(tally, definitions)


def by_rule(tally: Tally, definitions: Mapping[str, Any]) -> str | None:
    """Return `class_attribute` for regions that are already counted."""
    values = tally.valued
    choices = [name for name, definition in definitions.items() if name != CROWD and is_choice(definition)]
    if not values:
        return choices[0] if len(choices) == 1 else None

    carried_choices = [name for name in choices if name in values]
    usual = [name for wanted in USUAL_NAMES for name in values if name.strip().lower() == wanted]
    repeating = [
        name for name in usual if values[name].n_regions > len(values[name].counts) or values[name].n_regions == 1
    ]
    if found := [name for name in usual if name in carried_choices] or repeating:
        return found[0]
    if len(carried_choices) == 1:
        return carried_choices[0]
    if usual:
        return usual[0]
    common = [
        name
        for name, value in values.items()
        if value.is_plain
        and value.n_regions > tally.n_regions / 2
        and len(value.counts) <= min(50, max(1, value.n_regions // 2))
    ]
    return common[0] if len(common) == 1 else None


def says_something(attributes: Attributes) -> bool:
    """Whether any attribute of a region has a value that could be a class."""
    return any(name != CROWD and class_of(value) is not None for name, value in attributes.items())


# The choice


def candidates(dataset: Dataset) -> tuple[Candidate, ...]:
    """Return the attributes that are or could be the class: the chosen one first, then by number of regions with a
    class.

    Attributes that are only defined (in a VIA project) or always empty are included. Works for a dataset of any format.
    """
    chosen = current_class_attribute(dataset)
    return candidates_of(_tally(dataset, chosen), definitions_of(dataset), chosen)


def tally_and_definitions(dataset: Dataset) -> tuple[Tally, Mapping[str, Any]]:
    """Return the tally of all regions' attributes, including their class, and the attribute definitions."""
    return _tally(dataset, current_class_attribute(dataset)), definitions_of(dataset)


def candidates_of(tally: Tally, definitions: Mapping[str, Any], chosen: str | None) -> tuple[Candidate, ...]:
    """Return `candidates` for regions that are already counted, with their classes among their attributes."""
    names = dict.fromkeys((*tally.names, *(name for name in definitions if name != CROWD)))
    listed = [
        Candidate(
            name,
            tally.of(name).n_regions,
            dict(sorted(tally.of(name).counts.items(), key=lambda entry: -entry[1])),
            name == chosen,
            tally.of(name).several,
        )
        for name in names
    ]
    return tuple(sorted(listed, key=lambda candidate: (not candidate.chosen, -candidate.n_regions)))


def require_known(name: str, tally: Tally, definitions: Mapping[str, Any], source: object) -> None:
    """Raise `ArgumentError`, which lists the choices, if no region has the attribute and it is not defined."""
    names = sorted({*tally.names, *(known for known in definitions if known != CROWD)})
    if name in names:
        return
    listed = ", ".join(f'"{known[:40]}"' for known in names[:_AT_MOST_LISTED])
    rest = f" and {len(names) - _AT_MOST_LISTED} more" if len(names) > _AT_MOST_LISTED else ""
    mend = f"choose {listed}{rest}" if names else "its regions have no attributes, so leave it out"
    if name == CROWD:
        raise ArgumentError(f'{source}: the attribute "{CROWD}" marks crowds and is no class; {mend}')
    raise ArgumentError(f'{source}: no region has the attribute "{name[:40]}"; {mend}')


def classes_of(tally: Tally, definitions: Mapping[str, Any], name: str | None) -> tuple[str, ...]:
    """Return the classes of an attribute: its options in their order, then other values of regions, sorted."""
    declared = options(definitions.get(name)) if name is not None else ()
    return (*declared, *sorted(set(tally.of(name).counts) - set(declared)))


def current_class_attribute(dataset: Dataset) -> str | None:
    """Return the attribute that is the class now. None also if the user made all regions one class."""
    if dataset.class_attribute is None and set(classes_in(dataset.images)) <= {THE_ONLY_CLASS}:
        return None
    return class_attribute_for(dataset)


def _tally(dataset: Dataset, name: str | None) -> Tally:
    """Return the tally of the regions' attributes, with their class counted as attribute `name`."""
    counted = getattr(dataset.images, "tally", None)  # large files are already counted
    if isinstance(counted, Tally):
        return counted
    tally = Tally()
    for record in dataset.images:
        for region in record.regions:
            tally.add(class_given_back(region, name, dataset.extras).attributes)
    return tally


def class_attribute_for(dataset: Dataset) -> str | None:
    """Return the region attribute that holds the class when the dataset is written.

    None if the class need not be written: no attribute was chosen, and every region has the class "object".
    """
    if dataset.class_attribute is not None:
        return dataset.class_attribute
    used: set[str | None] = set()
    taken: set[str] = set()
    something = False
    for record in dataset.images:
        for region in record.regions:
            used.add(region.class_name)
            taken.update(region.attributes)
            something = something or says_something(region.attributes)
    return unnamed_class_attribute(used, taken, something)


def unnamed_class_attribute(used: set[str | None], taken: set[str], something: bool) -> str | None:
    """Return `class_attribute_for` if no attribute was chosen. `used` are the regions' classes, `taken` their
    attributes."""
    used = used - {None}
    if not used or (used == {THE_ONLY_CLASS} and not something):
        return None
    numbered = (f"maskrcnn_class{number or ''}" for number in range(len(taken) + 1))
    return next(name for name in (*USUAL_NAMES, *numbered) if name not in taken)
