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

Some files have an attribute for each class (`class_per_attribute`), and no attribute alone is the class; `joined`
makes one of them. A person asks for that with their names, separated by commas: "mango, orange".

`candidates` lists what could be the class, `reclassified` changes it. The value of a class as it stood in its file is
kept where it is not just the name: in `Dataset.extras["class_values"]` for the class, and in
`Region.extras["via"]["class_value"]` for a region that wrote it differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maskrcnn.annotations.formats.lazy_records import each
from maskrcnn.annotations.formats.via.attribute_tally import (
    CROWD,
    Attributes,
    Tally,
    class_of,
    form_of,
    parts_of,
    ticked,
)
from maskrcnn.annotations.regions import Dataset, ImageRecord, Region, classes_in
from maskrcnn.errors import ArgumentError, StudioError

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


def no_class(place: str, dataset: Dataset, region: Region) -> StudioError:
    """What to say of a region that needs a class and has none."""
    if dataset.class_attribute is not None:
        if (several := ticked(region.attributes.get(dataset.class_attribute))) > 1:
            return StudioError(f'{place} has {several} boxes ticked for "{dataset.class_attribute}"; leave one of them')
        forms = {name: form_of(name, value, class_of(value)) for name, value in region.attributes.items()}
        if names := [name for name, form in forms.items() if form == "own"]:
            asked = ",".join((dataset.class_attribute, *names))
            return StudioError(
                f'{place} has no value for "{dataset.class_attribute}", but for "{names[0]}"; give it a class, or take '
                f'each of these for one: --class-attribute "{asked}"'
            )
        return StudioError(f'{place} has no value for "{dataset.class_attribute}"; give it one, or remove the region')
    from maskrcnn.annotations.formats.via import class_per_attribute

    if len(rivals := class_per_attribute.rival_attributes(dataset)) > 1:
        return StudioError(
            f"{place} has no class: several attributes name classes; take each of them for one, or say which is the "
            f'class (--class-attribute "{",".join(rivals)}", or Dataset > Classes)'
        )
    if region.attributes:
        carried = ", ".join(f'"{name}"' for name in region.attributes)
        return StudioError(
            f"{place} has no class that can be told from {carried}; say which is the class (--class-attribute NAME, or "
            "Dataset > Classes)"
        )
    return StudioError(f"{place} has no class; give it one, or remove the region")


# The choice


def candidates(dataset: Dataset) -> tuple[Candidate, ...]:
    """The attributes that are or could be the class: the chosen one first, then by how many regions it would name.

    Attributes that are defined (in a VIA project) or empty everywhere are among them. A dataset of any origin will do.
    """
    chosen = standing(dataset)
    return candidates_of(_tally(dataset, chosen), _definitions(dataset), chosen)


def said(dataset: Dataset) -> tuple[Tally, Mapping[str, Any]]:
    """What the attributes of all regions say, their class among them, and the definitions of the attributes."""
    return _tally(dataset, standing(dataset)), _definitions(dataset)


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


def reclassified(dataset: Dataset, name: str | None) -> Dataset:
    """The dataset with another attribute as the class; None makes every region of the one class "object".

    The old class goes back among the attributes, as its file wrote it; going back gives an equal dataset. Classes
    without a region are remembered under their attribute. Raises `ArgumentError` for an attribute that is not known.
    """
    if name is not None and name == dataset.class_attribute:
        return dataset
    old, definitions = standing(dataset), _definitions(dataset)
    tally = _tally(dataset, old)
    if name is not None and (parts := parts_of(name, tally)):
        return joined(dataset, parts)
    if name is not None:
        require_known(name, tally, definitions, dataset.source or "the dataset")

    extras = {key: value for key, value in dataset.extras.items() if key not in ("class_values", "classes_of")}
    remembered = dict(dataset.extras.get("classes_of", {}))
    if old is not None and dataset.classes != classes_of(tally, definitions, old):
        remembered[old] = list(dataset.classes)
    classes = (THE_ONLY_CLASS,) if name is None and tally.n_regions else classes_of(tally, definitions, name)
    if name is not None and name in remembered:
        kept = remembered.pop(name)
        classes = (*kept, *(class_name for class_name in classes if class_name not in kept))
    if remembered:
        extras["classes_of"] = remembered
    values = dict(tally.of(name).forms)
    if values:
        extras["class_values"] = values

    def change(record: ImageRecord) -> ImageRecord:
        given_back = (_given_back(region, old, dataset.extras) for region in record.regions)
        only_class = THE_ONLY_CLASS if name is None else None
        return replace(record, regions=tuple(classified(region, name, only_class, values) for region in given_back))

    return replace(dataset, images=each(dataset.images, change), classes=classes, class_attribute=name, extras=extras)


def unclassed(dataset: Dataset, name: str) -> Dataset:
    """The dataset with attribute `name`, which none of its regions has, as the class: no region has a class then."""
    old = standing(dataset)

    def change(record: ImageRecord) -> ImageRecord:
        return replace(record, regions=tuple(_given_back(region, old, dataset.extras) for region in record.regions))

    extras = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    return replace(dataset, images=each(dataset.images, change), classes=(), class_attribute=name, extras=extras)


def joined(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The dataset with one more attribute as the class: of a region on which one alone of the attributes `names` is
    set, what that one says, its own name where it says only yes.

    These attributes stay as they are; their names are kept in `Dataset.extras["class_from"]`.
    """
    tally, _ = said(dataset)
    numbered = (f"maskrcnn_class{number or ''}" for number in range(len(tally.names) + 1))
    fresh = next(name for name in (*USUAL_NAMES, *numbered) if name not in tally.names)
    old = standing(dataset)

    def change(record: ImageRecord) -> ImageRecord:
        regions = (_given_back(region, old, dataset.extras) for region in record.regions)
        return replace(record, regions=tuple(_with_joined(region, names, fresh) for region in regions))

    classless = replace(dataset, images=each(dataset.images, change), classes=(), class_attribute=None)
    counted = Tally()
    for record in classless.images:
        for region in record.regions:
            counted.add(region.attributes)
    classes = classes_of(counted, _definitions(dataset), fresh)

    def classify(record: ImageRecord) -> ImageRecord:
        return replace(record, regions=tuple(classified(region, fresh, None, {}) for region in record.regions))

    kept = {key: value for key, value in dataset.extras.items() if key != "class_values"}
    extras = {**kept, "class_from": list(names)}
    return replace(
        classless, images=each(classless.images, classify), classes=classes, class_attribute=fresh, extras=extras
    )


def _with_joined(region: Region, names: Sequence[str], fresh: str) -> Region:
    """A region whose class, by the one attribute that is set, stands among its attributes."""
    found = []
    for name in names:
        value = region.attributes.get(name)
        form = form_of(name, value, class_name := class_of(value))
        if form not in ("", "no"):
            found.append(name if form in ("own", "yes") else class_name)
    if len(found) != 1 or found[0] is None:
        return region
    return replace(region, attributes={**region.attributes, fresh: found[0]})


def classes_of(tally: Tally, definitions: Mapping[str, Any], name: str | None) -> tuple[str, ...]:
    """The classes under an attribute: its options in their order, then what regions have beside them, sorted."""
    declared = options(definitions.get(name)) if name is not None else ()
    return (*declared, *sorted(set(tally.of(name).counts) - set(declared)))


def classified(region: Region, name: str | None, only_class: str | None, values: Mapping[str, Any]) -> Region:
    """A region whose class still stands among its attributes, with its class; `only_class` where `name` is None."""
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
    # Not `replace`, which takes twice as long; this runs for every region of a large file.
    further = region.iscrowd, region.source, region.score, region.keypoints, extras, region.id
    return Region(region.shape, class_name, attributes, *further)


def class_value(region: Region, name: str, extras: Mapping[str, Any]) -> Any:
    """A region's class as it is to be written under attribute `name`; `extras` are those of its dataset."""
    if "class_value" in (kept := region.extras.get("via", {})) and class_of(kept["class_value"]) == region.class_name:
        return kept["class_value"]
    values = extras.get("class_values", {})
    if region.class_name in values:
        return values[region.class_name]
    definition = extras.get("via_attributes", {}).get("region", {}).get(name)
    is_checkbox = isinstance(definition, Mapping) and definition.get("type") == "checkbox"
    return {region.class_name: True} if is_checkbox else region.class_name


def _given_back(region: Region, name: str | None, extras: Mapping[str, Any]) -> Region:
    """The region without a class, its class among its attributes (lost if no attribute is named)."""
    if region.class_name is None:
        return region
    attributes = dict(region.attributes)
    if name is not None:
        attributes[name] = class_value(region, name, extras)
    kept = {key: value for key, value in region.extras.get("via", {}).items() if key != "class_value"}
    others = {key: value for key, value in region.extras.items() if key != "via"}
    return replace(region, class_name=None, attributes=attributes, extras=others | ({"via": kept} if kept else {}))


def standing(dataset: Dataset) -> str | None:
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
            tally.add(_given_back(region, name, dataset.extras).attributes)
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


# Definitions


def _definitions(dataset: Dataset) -> Mapping[str, Any]:
    return dataset.extras.get("via_attributes", {}).get("region", {})


def is_choice(definition: Any) -> bool:
    """Whether VIA shows the attribute as a list of which one option is chosen (of an "image", by its picture)."""
    return isinstance(definition, Mapping) and definition.get("type") in ("dropdown", "radio", "image")


def options(definition: Any) -> tuple[str, ...]:
    """The option ids of a definition, in its order; empty for a text attribute."""
    if not isinstance(definition, Mapping) or not isinstance(definition.get("options"), Mapping):
        return ()
    return tuple(str(option) for option in definition["options"] if str(option).strip())


def defined(
    definitions: Mapping[str, Any], name: str, classes: Sequence[str], kind: str = "dropdown"
) -> dict[str, Any]:
    """The definitions with attribute `name` able to hold all `classes`: options are added, nothing is taken away."""
    definition = definitions.get(name)
    if definition is None:
        listed = {class_name: class_name for class_name in classes}
        return {**definitions, name: {"type": kind, "description": "", "options": listed, "default_options": {}}}
    known = set(options(definition))
    missing = [class_name for class_name in classes if class_name not in known]
    if not missing or not isinstance(definition, Mapping) or not isinstance(definition.get("options"), Mapping):
        return dict(definitions)
    widened = {**definition["options"], **{class_name: class_name for class_name in missing}}
    return {**definitions, name: {**definition, "options": widened}}
