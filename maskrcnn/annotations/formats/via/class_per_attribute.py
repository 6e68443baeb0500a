"""VIA files with one attribute for each class: `{"mango": "mango"}` on some regions, `{"orange": "orange"}` on others.

No single attribute is the class in such a file. `rival_attributes` finds these attributes. `own_names` returns the
class names that a region's attributes suggest. `class_change.joined` combines them to one attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskrcnn.annotations.formats.via import attribute_definitions, class_rule
from maskrcnn.annotations.formats.via.attribute_tally import MARKS, MOST_SETS, Tally, class_of, form_of
from maskrcnn.annotations.regions import Dataset, Region


def own_names(region: Region) -> dict[str, str]:
    """Return the class names that a region's attributes suggest: attribute -> class, for each attribute with a value.
    The region's current class is not included.

    Empty if nothing on the region contradicts giving it some class. The doctor checks this before it offers the only
    class of the dataset for a region without a class.
    """
    return {
        name: class_name
        for name, value in region.attributes.items()
        if name not in MARKS
        and (class_name := class_of(value)) is not None
        and form_of(name, value, class_name) != "no"
    }


def rival_attributes(dataset: Dataset) -> tuple[str, ...]:
    """Return the attributes that each name the class of different regions, those with the most regions first.

    Empty if one attribute names all classes, or if no attribute does. The attributes are never set together on one
    region, and are of one kind: each has its own name as its value (`{"mango": "mango"}`), or each only a yes
    (`{"mango": "1"}`, one on every region), or each is a usual name for the class, a list of options or the class
    attribute (`class` on some regions, `Class` on others). The doctor and the import page report them: "several
    attributes name classes: mango, orange". Works for a dataset of any format.
    """
    return rivals_of(*class_rule.tally_and_definitions(dataset), class_rule.current_class_attribute(dataset))


def rivals_of(tally: Tally, definitions: Mapping[str, Any], chosen: str | None) -> tuple[str, ...]:
    """Return `rival_attributes` for regions that are already counted, with their classes among their attributes."""
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
