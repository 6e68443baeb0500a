"""Checks that need all regions: regions drawn twice, misspelt classes, regions without a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import class_name_checks, duplicate_regions
from maskrcnn.annotations.doctor.duplicate_regions import Drawn, Pair
from maskrcnn.annotations.doctor.findings import Finding, Fix, Symptom
from maskrcnn.annotations.doctor.picture_notes import PictureNotes, counts
from maskrcnn.annotations.formats.via import attribute_definitions, class_attributes, class_values
from maskrcnn.annotations.regions import Dataset, Region
from maskrcnn.words import counted

_LISTED = 5
"""Classes or attributes that are named one by one."""

_YES = ("1", "1.0", "yes", "y", "true", "x", "on")


def duplicates_and_classes(dataset: Dataset, noted: list[PictureNotes]) -> list[Finding]:
    """Return the findings about regions drawn twice and about classes.

    Duplicates depend on the intended class names, and the intended names depend on the numbers of regions without
    duplicates. So both are computed in turn until no more misspelt names are found.
    """
    declared = _choices(dataset)
    intended: dict[str, str] = {}
    while True:
        twice = {number: _copies(entry.pairs, intended) for number, entry in enumerate(noted) if not entry.left_out}
        left: Counter[str | None] = Counter()
        for number, dropped in twice.items():
            left += noted[number].classes
            left -= Counter(drawn.region.class_name for drawn in dropped.values() if counts(drawn.region))
        named = {name: count for name, count in left.items() if name is not None}
        odd = class_name_checks.respelled(named, declared)
        if odd.keys() <= intended.keys():
            break
        # A name whose last region goes as a duplicate is still the odd one.
        intended = {name: odd.get(other, other) for name, other in intended.items()} | odd

    by_name: Counter[str] = Counter()
    for name, count in named.items():
        by_name[intended.get(name, name)] += count
    slips = class_name_checks.slips(by_name, declared)
    objects: Counter[str] = Counter()  # of each class, what looks like a slip of it included
    for number, dropped in twice.items():
        copies = Counter(drawn.region.class_name for drawn in dropped.values() if not drawn.region.iscrowd)
        for class_name, count in (noted[number].objects - copies).items():
            if class_name is not None:
                name = intended.get(class_name, class_name)
                objects[slips.get(name, name)] += count
    found = [*_drawn_twice(noted, intended), *class_name_checks.imbalance(objects)]
    rivals = class_attributes.rival_attributes(dataset) if left[None] else ()
    if rivals:
        found.append(_several_attributes(dataset, rivals))
    if intended or slips or left[None]:
        found += _names(dataset, noted, twice, _Names(intended, slips, by_name, rivals))
    return found


class _Names(NamedTuple):
    """Results about class names.

    `intended`: {misspelt name: certain class}. `slips`: {name: class that it may be a misspelling of}. `numbers`:
    regions of each class. `rivals`: attributes that each name classes.
    """

    intended: Mapping[str, str]
    slips: Mapping[str, str]
    numbers: Mapping[str, int]
    rivals: tuple[str, ...]


def _several_attributes(dataset: Dataset, rivals: tuple[str, ...]) -> Finding:
    listed = ", ".join(f'"{name}"' for name in rivals[:_LISTED])
    more = f" and {len(rivals) - _LISTED} more" if len(rivals) > _LISTED else ""
    chosen = f'the class is read from "{dataset.class_attribute}" alone' if dataset.class_attribute else "none is read"
    return Finding("several-attributes", "warning", f"the attributes {listed}{more} each name classes, and {chosen}")


def _copies(pairs: list[Pair], intended: Mapping[str, str]) -> dict[int, Drawn]:
    """The regions that are surely dropped, by number: they say nothing that one that stays does not."""
    dropped: dict[int, Drawn] = {}
    for pair in pairs:
        if pair.kept.number not in dropped and duplicate_regions.is_copy(pair, intended):
            dropped[pair.other.number] = pair.other
    return dropped


def _drawn_twice(noted: list[PictureNotes], intended: Mapping[str, str]) -> list[Finding]:
    found = []
    for number, entry in enumerate(noted):
        reported: set[int] = set()
        dropped = {} if entry.left_out else _copies(entry.pairs, intended)
        for pair in entry.pairs:
            kept, other = pair.kept, pair.other
            is_copy = duplicate_regions.is_copy(pair, intended)
            # What lies on a region that may go itself is asked about once that is decided.
            if kept.number in dropped or kept.number in reported or other.number in reported:
                continue
            if other.number in dropped and not is_copy:
                continue
            reported.add(other.number)
            words = f"it lies on region {kept.number} (IoU {pair.iou:.2f})"
            drop = Fix(f"drop it, and keep region {kept.number}", "drop")
            if is_copy:
                symptom = Symptom("duplicate", "warning", words, drop)
            else:
                if difference := _difference(kept.region, other.region):
                    words += f", {difference}"
                drop_other = Fix(f"drop region {kept.number}, and keep it", "drop-other", (kept.number, kept.region.id))
                symptom = Symptom("duplicate", "warning", words, None, (drop, drop_other))
            box = raster.bounds(other.region.shape)
            found.append(symptom.at(number, entry.file_name, other.number, other.region, box))
    return found


def _undecided(pairs: list[Pair], dropped: Mapping[int, Drawn]) -> set[int]:
    """The numbers of the regions that may be duplicates, which a person must decide."""
    numbers = [{pair.kept.number, pair.other.number} for pair in pairs]
    return set().union(*(pair for pair in numbers if not pair & dropped.keys()))


def _difference(kept: Region, other: Region) -> str:
    """What two regions of one place say differently, in words."""
    if kept.class_name != other.class_name:
        one, two = (f'a "{name}"' if name else "without a class" for name in (kept.class_name, other.class_name))
        return f"which is {one}, and it is {two}"
    if kept.attributes != other.attributes:
        return "which has other attributes"
    return "which has other keypoints" if kept.keypoints != other.keypoints else ""


def _names(
    dataset: Dataset, noted: list[PictureNotes], twice: Mapping[int, Mapping[int, Drawn]], names: _Names
) -> list[Finding]:
    """Findings about class names, from a second pass over the regions."""
    classes = list(dict.fromkeys(names.intended.get(name, name) for name in (*dataset.classes, *names.numbers)))
    found = []
    for number, record in enumerate(dataset.images):
        dropped = twice.get(number, {})
        undecided = _undecided(noted[number].pairs, dropped)
        for place, region in enumerate(record.regions, start=1):
            if place in dropped:
                continue
            if (old := region.class_name) is None:
                is_sure = place not in undecided
                symptom = _without_class(dataset, region, classes, names.rivals, is_sure) if counts(region) else None
            else:
                symptom = _misspelt(old, names)
            if symptom is not None:
                found.append(symptom.at(number, record.file_name, place, region, raster.bounds(region.shape)))
    return found


def _misspelt(old: str, names: _Names) -> Symptom | None:
    """A class name that is an odd spelling of another (sure), or that looks like a slip of one (not sure)."""
    name = names.intended.get(old, old)
    other = names.slips.get(name)
    if name != old:
        words = f'its class is "{old}", and {counted(names.numbers[name], "region is", "regions are")} "{name}"'
        return Symptom("class-typo", "warning", words, Fix(f'call it "{name}"', "rename", name))
    if other is None:
        return None
    words = f'its class is "{old}", which looks like "{other}" ({counted(names.numbers[other], "region")})'
    return Symptom("class-typo", "warning", words, None, (Fix(f'call it "{other}"', "rename", other),))


def _without_class(
    dataset: Dataset, region: Region, classes: list[str], rivals: tuple[str, ...], is_sure: bool
) -> Symptom:
    """Return the symptom of a region without a class.

    The only class of the dataset is an automatic fix if nothing in the label file contradicts it. `is_sure` False: the
    region may be a duplicate of another one, so there is no automatic fix.
    """
    own = {
        name: name if value.strip().casefold() in _YES else value
        for name, value in class_values.classes_named_by_values(region).items()
        if not rivals or name in rivals
    }
    several = any(isinstance(value, Mapping) and value for value in region.attributes.values())
    # In a COCO file each object has a category: one without a name is another one than that which has.
    is_of_another = "coco" in region.extras
    if len(classes) == 1 and is_sure and not (own or several or rivals or is_of_another):
        fix = Fix(f'call it "{classes[0]}", the only class there is', "rename", classes[0])
        return Symptom("no-class", "error", "it has no class", fix)
    choices = [
        Fix(f'call it "{called}", as its attribute "{name}" says', "rename", called, "own-attribute")
        for name, called in own.items()
    ][:1]
    words = "it has no class"
    if own:
        says = " and ".join(f'"{name}" says "{called}"' for name, called in list(own.items())[:_LISTED])
        words += f"; its attribute {says}" if len(own) == 1 else f"; its attributes {says}"
    if len(classes) <= _LISTED:
        choices += [Fix(f'call it "{name}"', "rename", name, name) for name in classes if name not in own.values()]
    return Symptom("no-class", "error", words, None, (*choices, Fix("drop the region", "drop")))


def _choices(dataset: Dataset) -> Collection[str]:
    """The classes that a person chooses from a list in VIA: chosen, not typed, so no letter of them is a slip."""
    definitions = dataset.extras.get("via_attributes", {}).get("region", {})
    definition = definitions.get(dataset.class_attribute) if isinstance(definitions, Mapping) else None
    return (
        attribute_definitions.options_of_definition(definition)
        if attribute_definitions.is_choice_of_options(definition)
        else ()
    )
