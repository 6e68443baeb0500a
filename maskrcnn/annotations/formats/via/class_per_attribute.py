"""VIA files with an attribute for each class: `{"mango": "mango"}` here, `{"orange": "orange"}` there.

No attribute alone is then the class. `rival_attributes` names them, `own_names` says what a region's own attributes
would call it; `class_change.joined` makes one attribute of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskrcnn.annotations.formats.via import attribute_definitions, class_rule
from maskrcnn.annotations.formats.via.attribute_tally import MARKS, MOST_SETS, Tally, class_of, form_of
from maskrcnn.annotations.regions import Dataset, Region


def own_names(region: Region) -> dict[str, str]:
    """What the attributes of a region would call it: attribute -> class, for each that has a value; the class it has is
    not among them.

    Empty where nothing on the region itself speaks against giving it some class. The doctor asks this before it offers
    the only class there is to a region without one.
    """
    return {
        name: class_name
        for name, value in region.attributes.items()
        if name not in MARKS
        and (class_name := class_of(value)) is not None
        and form_of(name, value, class_name) != "no"
    }


def rival_attributes(dataset: Dataset) -> tuple[str, ...]:
    """The attributes that each name the class of other regions, in the order of how many; empty where one attribute
    names all, and where none does.

    They are never set on one region together, and alike: each holds its own name (`{"mango": "mango"}`), or each only a
    yes (`{"mango": "1"}`, one on every region), or each is a usual name of the class, a list to choose from or the
    class attribute itself (`class` here, `Class` there). The doctor and the import page say so of them: "several
    attributes name classes: mango, orange". A dataset of any origin will do.
    """
    return rivals_of(*class_rule.tally_and_definitions(dataset), class_rule.current_class_attribute(dataset))


def rivals_of(tally: Tally, definitions: Mapping[str, Any], chosen: str | None) -> tuple[str, ...]:
    """`rival_attributes` of regions that were counted already, with their classes among their attributes."""
    if len(tally.sets) > MOST_SETS:
        return ()
    kinds: dict[str, list[str]] = {}
    for name in sorted(tally.names, key=lambda name: (name != chosen, -tally.of(name).n_set)):
        forms = tally.of(name).forms_of_mark - {"", "no"}
        if name in MARKS or not forms:
            continue
        if forms == {"own"} or forms == {"yes"}:
            kinds.setdefault(forms.pop(), []).append(name)
        elif (
            name == chosen
            or name.strip().lower() in class_rule.USUAL_NAMES
            or attribute_definitions.is_choice(definitions.get(name))
        ):
            kinds.setdefault("list", []).append(name)
    found = []
    for kind, names in kinds.items():
        apart: list[str] = []
        for name in names:
            if not any(name in together and not together.isdisjoint(apart) for together in tally.sets):
                apart.append(name)
        covers = all(not together.isdisjoint(apart) for together in tally.sets)
        if len(apart) > 1 and (chosen in (None, *apart)) and (kind != "yes" or covers):
            found.append(apart)
    most: list[str] = max(found, key=len, default=[])
    return tuple(most)
