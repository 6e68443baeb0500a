"""Checks of the classes of a dataset: misspelt and rare classes, regions without a class, attributes that name classes.

They need all regions of the dataset, without those that are dropped as duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.doctor.duplicate_regions import (
    copies_to_drop,
    duplicate_findings,
    undecided_duplicates,
)
from maskrcnn.annotations.doctor.findings import DROP_REGION, Finding, Fix, Symptom
from maskrcnn.annotations.doctor.picture_notes import NumberedRegion, PictureNotes
from maskrcnn.annotations.formats.via import attribute_definitions, class_attributes, class_values
from maskrcnn.annotations.regions import Point, Polyline, Region
from maskrcnn.annotations.similar_class_names import RARE, misspelt_classes, respelled_classes
from maskrcnn.words import counted, first_names

_LISTED = 5
"""Maximum number of classes or attributes that a message lists by name."""

_YES = ("1", "1.0", "yes", "y", "true", "x", "on")
"""Values of an attribute that mean that its name is the class."""

DroppedCopies = Mapping[int, Mapping[int, NumberedRegion]]
"""The duplicates that are dropped automatically: {picture index: {region number: region}}."""


class ClassNames(NamedTuple):
    """The class names of a dataset.

    - `respelled`: {name: intended name} for names that look identical on a screen. The fix is automatic.
    - `misspelt`: {name: class that it may be a misspelling of}. The user must decide.
    - `n_regions`: number of regions of each class, after respelled names are fixed.
    - `rivals`: attributes of regions of which each could give the class; empty if there are fewer than two.
    """

    respelled: Mapping[str, str]
    misspelt: Mapping[str, str]
    n_regions: Mapping[str, int]
    rivals: tuple[str, ...]


def duplicates_and_classes(dataset: Dataset, noted: Sequence[PictureNotes]) -> list[Finding]:
    """Return the findings about regions drawn twice, and about misspelt, rare and missing classes.

    Duplicates that are dropped automatically (`_respelled_and_dropped`) have no findings about their class.
    """
    declared = _choices_of_class_attribute(dataset)
    respelled, dropped, counts = _respelled_and_dropped(noted, declared)
    n_without_class = counts[None]
    n_regions: Counter[str] = Counter()
    for name, count in counts.items():
        if name is not None:
            n_regions[respelled.get(name, name)] += count
    misspelt = misspelt_classes(n_regions, declared)
    # Several attributes that could give the class are a problem only if a region has no class.
    rivals = class_attributes.rival_attributes(dataset) if n_without_class else ()
    names = ClassNames(respelled, misspelt, n_regions, rivals)

    found = [
        finding
        for number, entry in enumerate(noted)
        for finding in duplicate_findings(entry.pairs, dropped.get(number, {}), respelled, (number, entry.file_name))
    ]
    found += imbalance(_objects_by_class(noted, dropped, names))
    if rivals:
        found.append(_several_attributes(dataset, rivals))
    if respelled or misspelt or n_without_class:
        found += _class_findings(dataset, noted, dropped, names)
    return found


def counts_in_class_checks(region: Region) -> bool:
    """Whether the checks of classes include a region. They include all except points and lines without a class."""
    return region.class_name is not None or not isinstance(region.shape, Point | Polyline)


def imbalance(counts: Mapping[str, int]) -> list[Finding]:
    """Return a finding if a class has at most a tenth of the objects of the most common class; else an empty list.

    `counts`: number of objects of each class.
    """
    used = {name: count for name, count in counts.items() if count}
    most = max(used.values(), default=0)
    rare = sorted((count, name) for name, count in used.items() if count * RARE <= most)
    if not rare:
        return []
    common = min(name for name, count in used.items() if count == most)
    listed = first_names([f'"{name}" {count}' for count, name in rare], _LISTED)
    return [Finding("class-imbalance", "hint", f'"{common}" has {counted(most, "object")}, but {listed}')]


def _respelled_and_dropped(
    noted: Sequence[PictureNotes], declared: Collection[str]
) -> tuple[dict[str, str], DroppedCopies, Counter[str | None]]:
    """Return `ClassNames.respelled`, the dropped duplicates, and the numbers of the other regions by class.

    The first two depend on each other. Two regions are duplicates only if their intended classes are equal. The
    intended spelling is the most common one, and duplicates do not count. So both are computed in rounds until a round
    finds no new respelled name; the dropped duplicates and the numbers are those of this last round.
    """
    respelled: dict[str, str] = {}
    while True:
        dropped = {n: copies_to_drop(entry.pairs, respelled) for n, entry in enumerate(noted) if not entry.left_out}
        counts: Counter[str | None] = Counter()
        for number, copies in dropped.items():
            counts += noted[number].classes
            counts -= Counter(copy.region.class_name for copy in copies.values() if counts_in_class_checks(copy.region))
        found = respelled_classes({name: count for name, count in counts.items() if name is not None}, declared)
        has_new_name = not found.keys() <= respelled.keys()
        if not has_new_name:
            return respelled, dropped, counts
        # Names of earlier rounds stay: if all regions of a respelled name are dropped now, it is not found again.
        respelled = {name: found.get(other, other) for name, other in respelled.items()} | found


def _objects_by_class(noted: Sequence[PictureNotes], dropped: DroppedCopies, names: ClassNames) -> Counter[str]:
    """Return the number of objects of each class, without dropped duplicates.

    A name counts for its intended class: first the respelled names are replaced, then the misspelt ones.
    """
    objects: Counter[str] = Counter()
    for number, copies in dropped.items():
        of_copies = Counter(copy.region.class_name for copy in copies.values() if not copy.region.iscrowd)
        for class_name, count in (noted[number].objects - of_copies).items():
            if class_name is not None:
                respelled = names.respelled.get(class_name, class_name)
                intended = names.misspelt.get(respelled, respelled)
                objects[intended] += count
    return objects


def _several_attributes(dataset: Dataset, rivals: tuple[str, ...]) -> Finding:
    """Return the finding that several attributes of the regions (`rivals`) each name classes."""
    listed = first_names(rivals, _LISTED, '"{}"'.format)
    chosen = f'the class is read from "{dataset.class_attribute}" alone' if dataset.class_attribute else "none is read"
    return Finding("several-attributes", "warning", f"the attributes {listed} each name classes, and {chosen}")


def _class_findings(
    dataset: Dataset, noted: Sequence[PictureNotes], dropped: DroppedCopies, names: ClassNames
) -> list[Finding]:
    """Return the findings about misspelt and missing classes, from a second iteration over all regions.

    Dropped duplicates are skipped. A region that may be a duplicate (the user must decide) gets no class automatically.
    """
    classes = list(dict.fromkeys(names.respelled.get(name, name) for name in (*dataset.classes, *names.n_regions)))
    found = []
    for number, record in enumerate(dataset.images):
        copies = dropped.get(number, {})
        may_be_duplicates = undecided_duplicates(noted[number].pairs, copies)
        for place, region in enumerate(record.regions, start=1):
            if place in copies or not counts_in_class_checks(region):
                continue
            symptom: Symptom | None
            if region.class_name is None:
                symptom = _without_class(dataset, region, classes, names.rivals, may_fix=place not in may_be_duplicates)
            else:
                symptom = _misspelt_class(region.class_name, names)
            if symptom is not None:
                found.append(symptom.at(number, record.file_name, place, region, raster.bounds(region.shape)))
    return found


def _misspelt_class(class_name: str, names: ClassNames) -> Symptom | None:
    """Return the symptom of a class name that is respelled (automatic fix) or misspelt (choice); else None."""
    name = names.respelled.get(class_name, class_name)
    other = names.misspelt.get(name)
    if name != class_name:
        words = (
            f'its class is "{class_name}", and {counted(names.n_regions[name], "region is", "regions are")} "{name}"'
        )
        return Symptom("class-typo", "warning", words, Fix(f'call it "{name}"', "rename", name))
    if other is None:
        return None
    words = f'its class is "{class_name}", which looks like "{other}" ({counted(names.n_regions[other], "region")})'
    return Symptom("class-typo", "warning", words, None, (Fix(f'call it "{other}"', "rename", other),))


def _without_class(
    dataset: Dataset, region: Region, classes: list[str], rivals: tuple[str, ...], *, may_fix: bool
) -> Symptom:
    """Return the symptom of a region without a class.

    If the dataset has a single class, this class is the automatic fix. There is no automatic fix if an attribute of the
    region names another class or is a group of values, if several attributes of the dataset could give the class
    (`rivals`), if the region has a COCO category without a name, or without `may_fix`.
    """
    named_by_attributes = {  # {attribute: class that its value names}
        name: name if value.strip().casefold() in _YES else value
        for name, value in class_values.classes_named_by_values(region).items()
        if not rivals or name in rivals
    }
    has_group = any(isinstance(value, Mapping) and value for value in region.attributes.values())
    # In a COCO file each object has a category, so a category without a name is not the one with a name.
    has_nameless_category = "coco" in region.extras
    if len(classes) == 1 and may_fix and not (named_by_attributes or has_group or rivals or has_nameless_category):
        fix = Fix(f'call it "{classes[0]}", the only class there is', "rename", classes[0])
        return Symptom("no-class", "error", "it has no class", fix)
    choices = [
        Fix(f'call it "{called}", as its attribute "{name}" says', "rename", called, "own-attribute")
        for name, called in named_by_attributes.items()
    ][:1]
    words = "it has no class"
    if named_by_attributes:
        says = " and ".join(f'"{name}" says "{called}"' for name, called in list(named_by_attributes.items())[:_LISTED])
        words += f"; its attribute {says}" if len(named_by_attributes) == 1 else f"; its attributes {says}"
    if len(classes) <= _LISTED:
        choices += [
            Fix(f'call it "{name}"', "rename", name, name)
            for name in classes
            if name not in named_by_attributes.values()
        ]
    return Symptom("no-class", "error", words, None, (*choices, DROP_REGION))


def _choices_of_class_attribute(dataset: Dataset) -> Collection[str]:
    """Return the classes that VIA offers in a list. They are not typed, so none of them is a misspelling."""
    definitions = dataset.extras.get("via_attributes", {}).get("region", {})
    definition = definitions.get(dataset.class_attribute) if isinstance(definitions, Mapping) else None
    return (
        attribute_definitions.options_of_definition(definition)
        if attribute_definitions.is_choice_of_options(definition)
        else ()
    )
