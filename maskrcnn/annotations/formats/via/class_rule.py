"""Which of VIA's region attributes is the class: a VIA file does not say, so a rule does; a person may say otherwise.

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
that is true. Where several are, the region has no class; which of them was meant is never guessed (`Candidate.several`
counts such regions).

Some files have an attribute for each class (`class_per_attribute`), and no attribute alone is the class. Then a person
may ask for several of them, "mango, orange" (`class_change.joined`).
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

    `n_regions` have a class there; `values` counts them by class, most frequent first. `several` more have a checkbox
    with more than one option ticked, which names no class.
    """

    name: str
    n_regions: int
    values: Mapping[str, int]
    chosen: bool
    several: int = 0


# The rule


def class_attribute(regions: Iterable[Attributes], definitions: Mapping[str, Any]) -> str | None:
    """The name of the attribute that is the class, by the rule above, or None.

    `regions` are the regions' attributes; `definitions` is what VIA calls `_via_attributes.region`.
    """
    tally = Tally()
    for attributes in regions:
        tally.add(attributes)
    return by_rule(tally, definitions)


def by_rule(tally: Tally, definitions: Mapping[str, Any]) -> str | None:
    """`class_attribute` of regions that were counted already."""
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
    """The attributes that are or could be the class: the chosen one first, then by how many regions it would name.

    Attributes that are defined (in a VIA project) or empty everywhere are among them. A dataset of any origin will do.
    """
    chosen = current_class_attribute(dataset)
    return candidates_of(_tally(dataset, chosen), definitions_of(dataset), chosen)


def tally_and_definitions(dataset: Dataset) -> tuple[Tally, Mapping[str, Any]]:
    """What the attributes of all regions say, their class among them, and the definitions of the attributes."""
    return _tally(dataset, current_class_attribute(dataset)), definitions_of(dataset)


def candidates_of(tally: Tally, definitions: Mapping[str, Any], chosen: str | None) -> tuple[Candidate, ...]:
    """`candidates` of regions that were counted already, with their classes among their attributes."""
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
    """`ArgumentError` naming the choices for an attribute that no region has and that is not defined."""
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
    """The classes under an attribute: its options in their order, then what regions have beside them, sorted."""
    declared = options(definitions.get(name)) if name is not None else ()
    return (*declared, *sorted(set(tally.of(name).counts) - set(declared)))


def current_class_attribute(dataset: Dataset) -> str | None:
    """The attribute that stands for the class now; None also where somebody made all regions one class."""
    if dataset.class_attribute is None and set(classes_in(dataset.images)) <= {THE_ONLY_CLASS}:
        return None
    return class_attribute_for(dataset)


def _tally(dataset: Dataset, name: str | None) -> Tally:
    """What the regions' attributes say, their class counted as attribute `name`."""
    counted = getattr(dataset.images, "tally", None)  # a large file was counted when it was read
    if isinstance(counted, Tally):
        return counted
    tally = Tally()
    for record in dataset.images:
        for region in record.regions:
            tally.add(class_given_back(region, name, dataset.extras).attributes)
    return tally


def class_attribute_for(dataset: Dataset) -> str | None:
    """The region attribute that will hold the class when the dataset is written.

    None where no class needs saying: nobody named an attribute, and every region is of the one class "object".
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
    """`class_attribute_for` where nobody named one, from the classes and attributes that regions have."""
    used = used - {None}
    if not used or (used == {THE_ONLY_CLASS} and not something):
        return None
    numbered = (f"maskrcnn_class{number or ''}" for number in range(len(taken) + 1))
    return next(name for name in (*USUAL_NAMES, *numbered) if name not in taken)
