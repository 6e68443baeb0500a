"""Checks that need the whole dataset: what is said at the end of the walk, from what was noted of each picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn.annotations import likeness, raster
from maskrcnn.annotations.doctor import class_names
from maskrcnn.annotations.doctor.duplicates import Drawn, Pair
from maskrcnn.annotations.doctor.findings import Finding, Fix, Severity, Symptom
from maskrcnn.annotations.formats import via_classes
from maskrcnn.annotations.likeness import Likeness
from maskrcnn.annotations.regions import Dataset, Point, Polyline, Region


@dataclass
class Noted:
    """What is remembered of one picture until the end of the walk.

    `classes` counts the regions that are not dropped, by class; None those that need one and have none. `pairs` are
    regions of one place.
    """

    file_name: str
    split: str | None = None
    path: Path | None = None
    likeness: Likeness | None = None
    left_out: bool = False
    classes: Counter[str | None] = field(default_factory=Counter)
    pairs: list[Pair] = field(default_factory=list)


def counts(region: Region) -> bool:
    """Whether a region counts for its class: points and lines only if they have one."""
    return region.class_name is not None or not isinstance(region.shape, Point | Polyline)


def without_any_picture(found: list[Finding], noted: list[Noted]) -> list[Finding]:
    """Where no picture at all was found, that is one finding, and leaving all of them out is no mend."""
    missing = [finding for finding in found if finding.check == "picture-missing"]
    if not missing or len(missing) < len(noted):
        return found
    for entry in noted:
        entry.left_out = False
    words = "the picture was" if len(noted) == 1 else f"none of the {len(noted)} pictures was"
    others = [finding for finding in found if finding.check != "picture-missing"]
    return [*others, Finding("picture-missing", "error", f"{words} not found" if len(noted) == 1 else f"{words} found")]


def in_both_splits(noted: list[Noted]) -> list[Finding]:
    """Validation pictures that training has too.

    They leave validation: training keeps all it can learn from, and what is left in validation is what the network has
    never seen. Their `left_out` is set.
    """
    training = [entry for entry in noted if entry.split == "train" and entry.likeness is not None]
    validation = [(n, entry) for n, entry in enumerate(noted) if entry.split == "val" and entry.likeness is not None]
    alike = likeness.pairs(
        [entry.likeness for _, entry in validation if entry.likeness],
        [entry.likeness for entry in training if entry.likeness],
    )
    twins: dict[int, list[Noted]] = {}
    for i, j in alike:
        twins.setdefault(i, []).append(training[j])
    found = []
    digests: dict[Path, str] = {}
    fix = Fix("take it out of validation, with its regions", "leave-out")
    for i, others in twins.items():
        number, entry = validation[i]
        exact = [other for other in others if _same_pixels(entry, other, digests)]
        severity: Severity = "error" if exact else "warning"
        if exact:
            words = f'it is the same picture as "{exact[0].file_name}" in training'
        else:
            words = f'it looks like a copy of "{others[0].file_name}" in training, saved anew or scaled'
        found.append(Symptom("in-both-splits", severity, words, fix).at(number, entry.file_name))
        entry.left_out = True
    return found


def duplicates_and_classes(dataset: Dataset, noted: list[Noted]) -> list[Finding]:
    """Regions drawn twice, and what concerns classes.

    Which regions are one depends on how classes are called, and how they are called on how many regions each has: both
    are worked out in turn until no more names turn out to be slips.
    """
    declared = _choices(dataset)
    meant: dict[str, str] = {}
    while True:
        twice = {number: _too_many(entry.pairs, meant) for number, entry in enumerate(noted) if not entry.left_out}
        left: Counter[str | None] = Counter()
        for number, dropped in twice.items():
            left += noted[number].classes
            left -= Counter(drawn.region.class_name for drawn in dropped.values() if counts(drawn.region))
        named = {name: count for name, count in left.items() if name is not None}
        slips = class_names.slips(named, declared)
        if slips.keys() <= meant.keys():
            break
        # A name whose last region goes as a duplicate is still the slip that made it one.
        meant = {name: slips.get(other, other) for name, other in meant.items()} | slips

    by_name: Counter[str] = Counter()
    for name, count in named.items():
        by_name[meant.get(name, name)] += count
    found = [*_drawn_twice(noted, meant), *class_names.imbalance(by_name)]
    if meant or left[None]:
        found += _names(dataset, noted, twice, meant, by_name)
    return found


def _same_pixels(one: Noted, other: Noted, digests: dict[Path, str]) -> bool:
    assert one.path is not None
    assert other.path is not None
    for path in (one.path, other.path):
        if path not in digests:
            digests[path] = likeness.digest(path)
    return digests[one.path] == digests[other.path]


def _too_many(pairs: list[Pair], meant: Mapping[str, str]) -> dict[int, Drawn]:
    """The regions to drop, by number: those of one class with one that stays, or of none."""
    dropped: dict[int, Drawn] = {}
    for pair in pairs:
        if pair.kept.number not in dropped and _is_one(pair, meant):
            dropped[pair.other.number] = pair.other
    return dropped


def _is_one(pair: Pair, meant: Mapping[str, str]) -> bool:
    one, other = (drawn.region.class_name for drawn in (pair.kept, pair.other))
    return other is None or (one is not None and meant.get(one, one) == meant.get(other, other))


def _drawn_twice(noted: list[Noted], meant: Mapping[str, str]) -> list[Finding]:
    found = []
    for number, entry in enumerate(noted):
        said: set[int] = set()
        dropped = _too_many(entry.pairs, meant)
        for pair in entry.pairs:
            kept, other = pair.kept, pair.other
            is_one = _is_one(pair, meant)
            if kept.number in dropped or other.number in said or (other.number in dropped and not is_one):
                continue
            said.add(other.number)
            words = f"it lies on region {kept.number} (IoU {pair.iou:.2f})"
            fix = Fix(f"drop it, and keep region {kept.number}", "drop") if is_one else None
            if not is_one:
                words += f', which is a "{kept.region.class_name}", and it is a "{other.region.class_name}"'
            box = raster.bounds(other.region.shape)
            symptom = Symptom("duplicate", "warning", words, fix)
            found.append(symptom.at(number, entry.file_name, other.number, other.region, box))
    return found


def _names(
    dataset: Dataset,
    noted: list[Noted],
    twice: Mapping[int, Mapping[int, Drawn]],
    meant: Mapping[str, str],
    by_name: Mapping[str, int],
) -> list[Finding]:
    """A second walk, to where the class names are that need mending."""
    every = {meant.get(name, name) for name in (*dataset.classes, *by_name)}
    only = every.pop() if len(every) == 1 else None
    found = []
    for number, record in enumerate(dataset.images):
        for place, region in enumerate(record.regions, start=1):
            if place in twice.get(number, ()):
                continue
            if (old := region.class_name) is not None and old in meant:
                name = meant[old]
                words = f'its class is "{old}", and {by_name[name]} regions are "{name}"'
                symptom = Symptom("class-typo", "warning", words, Fix(f'call it "{name}"', "rename", name))
            elif region.class_name is None and counts(region):
                fix = Fix(f'call it "{only}", the only class there is', "rename", only) if only else None
                symptom = Symptom("no-class", "error", "it has no class", fix)
            else:
                continue
            found.append(symptom.at(number, record.file_name, place, region, raster.bounds(region.shape)))
    return found


def _choices(dataset: Dataset) -> Collection[str]:
    """The classes that a person chooses from a list in VIA: chosen, not typed, so no letter of them is a slip."""
    definitions = dataset.extras.get("via_attributes", {}).get("region", {})
    definition = definitions.get(dataset.class_attribute) if isinstance(definitions, Mapping) else None
    return via_classes.options(definition) if via_classes.is_choice(definition) else ()
