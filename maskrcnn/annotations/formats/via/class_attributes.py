"""The VIA region attribute that is the class: the rule that chooses it, the candidates, and the change to another one.

A VIA file does not say which attribute is the class. A rule chooses it; a user can choose another one.

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

Some files have an attribute for each class: `{"mango": "mango"}` on some regions, `{"orange": "orange"}` on others. No
single attribute is the class then. `rival_attributes` finds these attributes, the user can choose several of them
("mango, orange"), and `with_combined_class` combines them to one.

If a class's value in the file differs from its name, it is kept: in `Dataset.extras["class_values"]` for the class, and
in `Region.extras["via"]["class_value"]` for a region that has a different value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maskrcnn.annotations.dataset import Dataset, ImageRecord, classes_in
from maskrcnn.annotations.formats.json_values import Complaint, brief, text
from maskrcnn.annotations.formats.lazy_records import change_each
from maskrcnn.annotations.formats.via.attribute_definitions import (
    definitions_of,
    is_choice_of_options,
    options_of_definition,
)
from maskrcnn.annotations.formats.via.attribute_tally import MOST_COMBINATIONS, Tally, tally_of_records
from maskrcnn.annotations.formats.via.class_values import (
    CROWD,
    MARKS,
    class_named_by_value,
    has_class_like_value,
    kind_of_value,
    with_class_as_value,
    with_class_of_value,
)
from maskrcnn.annotations.regions import Region
from maskrcnn.errors import ArgumentError
from maskrcnn.words import first_names

USUAL_NAMES: tuple[str, ...] = ("class", "name", "label", "type", "category")
THE_ONLY_CLASS = "object"


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


def class_attribute_of_tally(tally: Tally, definitions: Mapping[str, Any]) -> str | None:
    """Return the name of the class attribute by the rule of this module, for the regions counted in `tally`; None if no
    attribute fits. `definitions` is VIA's `_via_attributes.region`."""
    values = tally.valued
    choices = [name for name, definition in definitions.items() if name != CROWD and is_choice_of_options(definition)]
    if not values:
        return choices[0] if len(choices) == 1 else None

    carried_choices = [name for name in choices if name in values]
    usual = [name for wanted in USUAL_NAMES for name in values if name.strip().lower() == wanted]
    repeating = [
        name for name in usual if values[name].n_regions > len(values[name].counts) or values[name].n_regions == 1
    ]
    usual_choices = [name for name in usual if name in carried_choices]
    if usual_choices:
        return usual_choices[0]
    if repeating:
        return repeating[0]
    if len(carried_choices) == 1:
        return carried_choices[0]
    if usual:
        return usual[0]
    common = [
        name
        for name, value in values.items()
        if value.has_no_number
        and value.n_regions > tally.n_regions / 2
        and len(value.counts) <= min(50, max(1, value.n_regions // 2))
    ]
    return common[0] if len(common) == 1 else None


def class_candidates(dataset: Dataset) -> tuple[Candidate, ...]:
    """Return the attributes that are or could be the class: the chosen one first, then by number of regions with a
    class.

    Attributes that are only defined (in a VIA project) or always empty are included. Works for a dataset of any format.
    """
    chosen = current_class_attribute(dataset)
    return class_candidates_of_tally(_tally_with_class(dataset, chosen), definitions_of(dataset), chosen)


def tally_and_definitions(dataset: Dataset) -> tuple[Tally, Mapping[str, Any]]:
    """Return the tally of all regions' attributes, including their class, and the attribute definitions."""
    return _tally_with_class(dataset, current_class_attribute(dataset)), definitions_of(dataset)


def class_candidates_of_tally(
    tally: Tally, definitions: Mapping[str, Any], chosen: str | None
) -> tuple[Candidate, ...]:
    """Return the attributes that are or could be the class, for the regions counted in `tally`. `chosen` is the current
    class attribute; its values are counted in `tally` like those of any other attribute."""
    names = dict.fromkeys((*tally.names, *(name for name in definitions if name != CROWD)))
    listed = [
        Candidate(
            name,
            tally.of(name).n_regions,
            dict(sorted(tally.of(name).counts.items(), key=lambda entry: -entry[1])),
            name == chosen,
            tally.of(name).n_several_ticked,
        )
        for name in names
    ]
    return tuple(sorted(listed, key=lambda candidate: (not candidate.chosen, -candidate.n_regions)))


def require_class_attribute(name: str, tally: Tally, definitions: Mapping[str, Any], source: object) -> None:
    """Raise `ArgumentError`, which lists the choices, if no region has the attribute and it is not defined."""
    names = sorted({*tally.names, *(known for known in definitions if known != CROWD)})
    if name in names:
        return
    listed = first_names(names, written=lambda known: f'"{known[:40]}"')
    mend = f"choose {listed}" if names else "its regions have no attributes, so leave it out"
    if name == CROWD:
        raise ArgumentError(f'{source}: the attribute "{CROWD}" marks crowds and is no class; {mend}')
    raise ArgumentError(f'{source}: no region has the attribute "{name[:40]}"; {mend}')


def classes_of_attribute(tally: Tally, definitions: Mapping[str, Any], name: str | None) -> tuple[str, ...]:
    """Return the classes of an attribute: its options in their order, then other values of regions, sorted."""
    declared = options_of_definition(definitions.get(name)) if name is not None else ()
    return (*declared, *sorted(set(tally.of(name).counts) - set(declared)))


def current_class_attribute(dataset: Dataset) -> str | None:
    """Return the attribute that is the class now. None also if the user made all regions one class."""
    if dataset.class_attribute is None and set(classes_in(dataset.images)) <= {THE_ONLY_CLASS}:
        return None
    return class_attribute_to_write(dataset)


def _tally_with_class(dataset: Dataset, name: str | None) -> Tally:
    """Return the tally of the regions' attributes, with their class counted as attribute `name`."""
    counted = getattr(dataset.images, "tally", None)  # large files are already counted
    if isinstance(counted, Tally):
        return counted
    tally = Tally()
    for record in dataset.images:
        for region in record.regions:
            tally.add(with_class_as_value(region, name, dataset.extras).attributes)
    return tally


def class_attribute_to_write(dataset: Dataset) -> str | None:
    """Return the region attribute that holds the class when the dataset is written.

    None if the class need not be written: no attribute was chosen, and every region has the class "object".
    """
    if dataset.class_attribute is not None:
        return dataset.class_attribute
    classes: set[str | None] = set()
    taken: set[str] = set()
    have_values = False
    for record in dataset.images:
        for region in record.regions:
            classes.add(region.class_name)
            taken.update(region.attributes)
            have_values = have_values or has_class_like_value(region.attributes)
    return new_class_attribute(classes, taken, have_values)


def new_class_attribute(classes: set[str | None], taken: Collection[str], have_values: bool) -> str | None:
    """Return a name for a new class attribute of a dataset that is written without a chosen one.

    `classes` are the classes of the regions, `taken` the names of their attributes. None if the class need not be
    written: every region has the class "object", and no attribute has a value that could be a class (`have_values`).
    """
    classes = classes - {None}
    if not classes or (classes == {THE_ONLY_CLASS} and not have_values):
        return None
    return _unused_class_attribute(taken)


def _unused_class_attribute(taken: Collection[str]) -> str:
    """Return a name for a new class attribute that is not among the attributes `taken`."""
    numbered = (f"maskrcnn_class{number or ''}" for number in range(len(taken) + 1))
    return next(name for name in (*USUAL_NAMES, *numbered) if name not in taken)


def combined_class_attributes(name: str, tally: Tally) -> tuple[str, ...]:
    """Return the attributes of a combined name such as "mango, orange", each of which is the class where it is set.
    Empty if `name` is one attribute or unknown."""
    if name in tally.names:
        return ()
    parts = tuple(dict.fromkeys(filter(None, (part.strip() for part in name.split(",")))))
    return parts if len(parts) > 1 and set(parts) <= set(tally.names) else ()


@dataclass(frozen=True)
class ClassChoice:
    """The chosen class attribute, and what is needed to set the class of every region."""

    attribute: str | None
    only_class: str | None
    classes: tuple[str, ...]
    values: Mapping[str, Any]

    def applied(self, record: ImageRecord) -> ImageRecord:
        """Return the record with the class of each region set."""
        regions = (
            with_class_of_value(region, self.attribute, self.only_class, self.values) for region in record.regions
        )
        return replace(record, regions=tuple(regions)) if record.regions else record


def chosen_class_attribute(
    tally: Tally, definitions: Mapping[str, Any], wanted: str | None, complain: Complaint
) -> ClassChoice:
    """Return the choice of the class attribute: `wanted`, or what `class_attribute_of_tally` finds if that is None.
    Raises `ArgumentError` if `wanted` does not exist."""
    if wanted is not None:
        require_class_attribute(wanted, tally, definitions, complain.source)
    name = wanted if wanted is not None else class_attribute_of_tally(tally, definitions)
    only_class = THE_ONLY_CLASS if name is None and not tally.has_class_like_values else None
    classes = classes_of_attribute(tally, definitions, name)
    for class_name in classes:
        text(class_name, f"the class {brief(class_name)}", complain.at(f"attribute {brief(name)}"))
    if only_class is not None and tally.n_regions:
        classes = (only_class,)
    return ClassChoice(name, only_class, classes, dict(tally.of(name).forms))


def rival_attributes(dataset: Dataset) -> tuple[str, ...]:
    """Return the attributes that each name the class of a part of the regions, those with the most regions first.

    Empty if one attribute names all classes, or if no attribute does. No region has two of these attributes set. They
    are all of one kind:

    - the value is the attribute's own name: `{"mango": "mango"}`, `{"orange": "orange"}`;
    - the value says yes, and every region has one: `{"mango": "1"}`, `{"orange": "1"}`;
    - the value is a class: `{"class": "mango"}`, `{"Class": "orange"}`. Their name is usual for a class
      (`USUAL_NAMES`), or they are lists of options or the current class attribute.

    The doctor and the import page report them: "several attributes name classes: mango, orange". Works for a dataset of
    any format.
    """
    return rival_attributes_of_tally(*tally_and_definitions(dataset), current_class_attribute(dataset))


def rival_attributes_of_tally(tally: Tally, definitions: Mapping[str, Any], chosen: str | None) -> tuple[str, ...]:
    """Return the attributes that each name the class of a part of the regions, for the regions counted in `tally`.

    `chosen` is the current class attribute; its values are counted like those of any other.

    The attributes are grouped by what their value is: the attribute's own name (`{"mango": "mango"}`), a yes
    (`{"mango": "1"}`) or a class (`{"class": "mango"}`). An attribute is left out of its group if a region has it set
    together with an earlier one of the group. The largest group is returned.
    """
    if len(tally.combinations) > MOST_COMBINATIONS:
        return ()
    names_by_kind: dict[str, list[str]] = {}
    for name in sorted(tally.names, key=lambda name: (name != chosen, -tally.of(name).n_regions_set)):
        kinds_of_values = tally.of(name).kinds - {"empty", "no"}
        if name in MARKS or not kinds_of_values:
            continue
        if kinds_of_values == {"own name"} or kinds_of_values == {"yes"}:
            names_by_kind.setdefault(kinds_of_values.pop(), []).append(name)
        elif name == chosen or name.strip().lower() in USUAL_NAMES or is_choice_of_options(definitions.get(name)):
            names_by_kind.setdefault("class", []).append(name)
    groups = []
    for kind, names in names_by_kind.items():
        group: list[str] = []  # attributes that are never set together
        for name in names:
            if not any(name in combination and not combination.isdisjoint(group) for combination in tally.combinations):
                group.append(name)
        if len(group) < 2 or (chosen is not None and chosen not in group):
            continue
        # Attributes that say yes are classes only if every region has one; otherwise they may be flags ("damaged").
        if kind != "yes" or all(not combination.isdisjoint(group) for combination in tally.combinations):
            groups.append(group)
    largest: list[str] = max(groups, key=len, default=[])
    return tuple(largest)


def reclassified(dataset: Dataset, name: str | None) -> Dataset:
    """Return the dataset with attribute `name` as the class. None gives every region the class "object".

    The old class becomes an attribute again, with its value in the file; changing back gives an equal dataset. For
    that, the old list of classes is stored in `extras["classes_of"]` (attribute -> classes) if the values of the
    regions do not give it again, as with a class without a region. Raises `ArgumentError` if the attribute is unknown.
    """
    if name is not None and name == dataset.class_attribute:
        return dataset
    old = current_class_attribute(dataset)
    tally, definitions = tally_and_definitions(dataset)
    if name is not None and (parts := combined_class_attributes(name, tally)):
        return with_combined_class(dataset, parts)
    if name is not None:
        require_class_attribute(name, tally, definitions, dataset.source or "the dataset")

    extras = {key: value for key, value in dataset.extras.items() if key not in ("class_values", "classes_of")}
    stored_classes = dict(dataset.extras.get("classes_of", {}))
    if old is not None and dataset.classes != classes_of_attribute(tally, definitions, old):
        stored_classes[old] = list(dataset.classes)
    classes = (THE_ONLY_CLASS,) if name is None and tally.n_regions else classes_of_attribute(tally, definitions, name)
    if name is not None and name in stored_classes:
        stored = stored_classes.pop(name)
        classes = (*stored, *(class_name for class_name in classes if class_name not in stored))
    if stored_classes:
        extras["classes_of"] = stored_classes
    values = dict(tally.of(name).forms)
    if values:
        extras["class_values"] = values

    def change(record: ImageRecord) -> ImageRecord:
        given_back = (with_class_as_value(region, old, dataset.extras) for region in record.regions)
        only_class = THE_ONLY_CLASS if name is None else None
        return replace(
            record, regions=tuple(with_class_of_value(region, name, only_class, values) for region in given_back)
        )

    return replace(
        dataset, images=change_each(dataset.images, change), classes=classes, class_attribute=name, extras=extras
    )


def without_classes(dataset: Dataset, name: str) -> Dataset:
    """Return the dataset with no class on any region, and with the class attribute `name`, which none of its regions
    has. It is for a file among several, if only the others have the attribute that the user names. The old classes
    become values of the old class attribute."""
    old = current_class_attribute(dataset)

    def change(record: ImageRecord) -> ImageRecord:
        return replace(
            record, regions=tuple(with_class_as_value(region, old, dataset.extras) for region in record.regions)
        )

    extras = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    return replace(dataset, images=change_each(dataset.images, change), classes=(), class_attribute=name, extras=extras)


def with_combined_class(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Return the dataset with a new class attribute that combines the class attributes `names`.

    If exactly one of these attributes is set on a region, its value is the class, or its name if the value is "yes",
    "1" or the like. A region with none or several of them set gets no class. The attributes are kept, and
    `Dataset.extras["class_from"]` has their names.
    """
    tally, _ = tally_and_definitions(dataset)
    old_attribute = current_class_attribute(dataset)
    new_attribute = _unused_class_attribute(tally.names)

    def combine(record: ImageRecord) -> ImageRecord:
        regions = (with_class_as_value(region, old_attribute, dataset.extras) for region in record.regions)
        return replace(record, regions=tuple(_with_combined_value(region, names, new_attribute) for region in regions))

    def classify(record: ImageRecord) -> ImageRecord:
        regions = (with_class_of_value(region, new_attribute, None, {}) for region in record.regions)
        return replace(record, regions=tuple(regions))

    # Two passes: the classes are known when the new attribute is set on every region.
    combined = replace(dataset, images=change_each(dataset.images, combine), classes=(), class_attribute=None)
    classes = classes_of_attribute(tally_of_records(combined.images), definitions_of(dataset), new_attribute)
    kept = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    return replace(
        combined,
        images=change_each(combined.images, classify),
        classes=classes,
        class_attribute=new_attribute,
        extras={**kept, "class_from": list(names)},
    )


def _with_combined_value(region: Region, names: Sequence[str], new_attribute: str) -> Region:
    """Return the region with its class as the value of the combined class attribute `new_attribute`. Unchanged unless
    exactly one of the attributes `names` is set.

    The class is the name of that attribute if the value only repeats it or says yes, else what the value names.
    """
    found: list[str | None] = []
    for name in names:
        value = region.attributes.get(name)
        class_name = class_named_by_value(value)
        match kind_of_value(name, value, class_name):
            case "own name" | "yes":
                found.append(name)
            case "other":
                found.append(class_name)
    if len(found) != 1 or found[0] is None:
        return region
    return replace(region, attributes={**region.attributes, new_attribute: found[0]})
