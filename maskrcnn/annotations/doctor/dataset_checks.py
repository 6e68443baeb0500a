"""Checks that need the whole dataset: what is said at the end of the walk, from what was noted of each picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from maskrcnn.annotations import duplicate_pictures, raster
from maskrcnn.annotations.doctor import class_name_checks, duplicate_regions, shape_checks
from maskrcnn.annotations.doctor.duplicate_regions import Drawn, Pair
from maskrcnn.annotations.doctor.findings import Finding, Fix, Severity, Symptom
from maskrcnn.annotations.doctor.shape_checks import CornerBox
from maskrcnn.annotations.duplicate_pictures import Likeness
from maskrcnn.annotations.formats.via import attribute_definitions, class_per_attribute
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Dataset, Point, Polyline, Region
from maskrcnn.words import counted

_LISTED = 5
"""Classes or attributes that are named one by one."""

_CORNER, _LEAST_PICTURES, _LEAST_REGIONS = 0.6, 3, 8
"""Labels lie in one corner if none reaches beyond this share of width and height, on at least so many pictures and with
so many regions."""

_WHOLES, _NEARLY, _OVER = (100, 1000), 0.2, 0.01
"""Labels are percent, or thousandths, if they reach to all but so much of that, and over it by no more than a hair."""

_MANY = 0.25
"""Labels leave many pictures if they leave this share of them, and at least `_LEAST_PICTURES`."""

_LEAST_BOXES = 3

_YES = ("1", "1.0", "yes", "y", "true", "x", "on")


@dataclass
class Noted:
    """What is remembered of one picture until the end of the walk.

    `classes` counts the regions that are not dropped, by class; None those that need one and have none. `objects` are
    those of them that are learned from; `passed` are the crowds, lines and points, by number, with their class.
    `pairs` are regions of one place. `labels` is equal for pictures with equal regions. `around` is the box around
    all labels in the `frame` of the picture (None: there are no labels, or they are surely no pixels), `is_beyond`
    says whether one leaves it by more than a slip, and `boxes` are the rectangles that could be two corners
    (`shape_checks.corner_boxes`).
    """

    file_name: str
    split: str | None = None
    path: Path | None = None
    likeness: Likeness | None = None
    left_out: bool = False
    classes: Counter[str | None] = field(default_factory=Counter)
    pairs: list[Pair] = field(default_factory=list)
    objects: Counter[str | None] = field(default_factory=Counter)
    passed: dict[int, str | None] = field(default_factory=dict)
    labels: int = 0
    n_regions: int = 0
    frame: tuple[int, int] | None = None
    around: Box | None = None
    is_beyond: bool = False
    boxes: tuple[CornerBox, ...] | None = ()

    @property
    def reach(self) -> tuple[float, float] | None:
        """How far to the right and down its labels reach, as shares of its width and height."""
        if self.frame is None or self.around is None:
            return None
        return self.around[2] / self.frame[0], self.around[3] / self.frame[1]


def counts(region: Region) -> bool:
    """Whether a region counts for its class: points and lines only if they have one."""
    return region.class_name is not None or not isinstance(region.shape, Point | Polyline)


def without_any_picture(found: list[Finding], noted: list[Noted]) -> list[Finding]:
    """Where no picture at all was found, that is one finding, and leaving all of them out is no mend."""
    missing = [finding for finding in found if finding.check == "picture-missing"]
    if not missing or len(missing) < len(noted):
        return found
    words = (
        f'the only picture, "{missing[0].file_name}", was'
        if len(noted) == 1
        else f"none of the {len(noted)} pictures was"
    )
    others = [finding for finding in found if finding.check != "picture-missing"]
    return [*others, Finding("picture-missing", "error", f"{words} not found" if len(noted) == 1 else f"{words} found")]


def passed_over(found: list[Finding], noted: list[Noted]) -> list[Finding]:
    """The findings, where those of crowds, lines and points say what is lost with them: a class of which nothing is
    learned, a picture that is learned as background."""
    learned: Counter[str | None] = Counter()
    for entry in noted:
        learned += entry.objects

    def weighed(finding: Finding) -> Finding:
        if finding.check not in ("crowd", "line-or-point") or finding.picture is None:
            return finding
        entry = noted[finding.picture]
        name = entry.passed.get(finding.region_number or 0)
        words, severity = finding.what, finding.severity
        if name is not None and not learned[name]:
            words, severity = f'{words}; no region of "{name}" is learned', "warning"
        if not entry.objects:
            words, severity = f"{words}; the picture has nothing else and is learned as background", "warning"
        return replace(finding, what=words, severity=severity)

    return [weighed(finding) for finding in found]


def in_one_corner(noted: list[Noted]) -> list[Finding]:
    """Labels of many pictures that all lie in the top left part: they may have been drawn on smaller copies."""
    reaches = [entry.reach for entry in noted if entry.reach is not None]
    regions = sum(entry.n_regions for entry in noted if entry.reach is not None)
    if len(reaches) < _LEAST_PICTURES or regions < _LEAST_REGIONS:
        return []
    across, down = max(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
    if max(across, down) > _CORNER or min(across, down) <= 0:
        return []
    words = (
        f"the {counted(regions, 'region')} of {counted(len(reaches), 'picture')} reach over the left {across:.0%} and "
        f"the upper {down:.0%} of their pictures at most; if they were drawn on smaller copies, import them with those"
    )
    return [Finding("one-corner", "hint", words)]


def in_parts(noted: list[Noted]) -> list[Finding]:
    """Labels of many pictures that fit none of them, and all lie from 0 to 100, or to 1000: they are shares."""
    known = [(number, entry) for number, entry in enumerate(noted) if entry.reach is not None]
    if len(known) < _LEAST_PICTURES or sum(entry.n_regions for _, entry in known) < _LEAST_REGIONS:
        return []
    left, upper, right, lower = zip(*(entry.around for _, entry in known if entry.around), strict=True)
    ends = max(right), max(lower)
    whole = next((n for n in _WHOLES if min(ends) >= n * (1 - _NEARLY) and max(ends) <= n * (1 + _OVER)), None)
    if whole is None or min(*left, *upper) < -whole * _OVER:
        return []
    reaches = [reach for _, entry in known if (reach := entry.reach)]
    if max(map(max, reaches)) > _CORNER and sum(entry.is_beyond for _, entry in known) < 2:
        return []
    found = []
    for number, entry in known:
        assert entry.frame is not None
        width, height = entry.frame
        words = (
            f"the labels of all pictures lie from 0 to {whole:,}, as shares of {whole:,} do; this picture has "
            f"{width:,} x {height:,} px"
        )
        scale = Fix("take them as shares of the width and the height", "scale", (whole, whole, width, height))
        found.append(Symptom("normalised", "warning", words, None, (scale,)).at(number, entry.file_name))
    return found


def beyond_the_edges(noted: list[Noted]) -> list[Finding]:
    """Labels that leave many of their pictures: not all by a slip, so all may be meant for copies of another size."""
    drawn_on = [entry for entry in noted if not entry.left_out and entry.around is not None]
    beyond = sum(entry.is_beyond for entry in drawn_on)
    if beyond < max(_LEAST_PICTURES, _MANY * len(drawn_on)):
        return []
    words = (
        f"the labels of {beyond:,} of {counted(len(drawn_on), 'picture')} leave them by more than a slip: they may "
        "have been drawn on copies that were larger or turned, or mean other numbers, so none is cut off unasked"
    )
    return [Finding("size-mismatch", "warning", words)]


def as_corners(noted: list[Noted]) -> list[Finding]:
    """Boxes that lie in their pictures, of labels whose boxes can all be two corners and partly must be."""
    several = [(number, entry, box) for number, entry in enumerate(noted) for box in entry.boxes or ()]
    if any(entry.boxes is None for entry in noted) or len(several) < _LEAST_BOXES:
        return []
    if not any(box.leaves for _, _, box in several):
        return []
    found = []
    for number, entry, box in several:
        if shape_checks.outside(box.region.shape, entry.frame) is None:
            words = "it lies in the picture, but as others leave theirs, its four numbers may be two corners"
            read = Fix("read its four numbers as two corners", "corners", box.read)
            symptom = Symptom("outside-picture", "warning", words, None, (read,))
            around = raster.bounds(box.region.shape)
            found.append(symptom.at(number, entry.file_name, box.number, box.region, around))
    return found


def in_both_splits(noted: list[Noted]) -> list[Finding]:
    """Validation pictures that training has too.

    They leave validation: training keeps all it can learn from, and what is left in validation is what the network has
    never seen. That is sure where pixels and labels are the same, and then their `left_out` is set.
    """
    training = [entry for entry in noted if entry.split == "train" and entry.likeness is not None]
    validation = [(n, entry) for n, entry in enumerate(noted) if entry.split == "val" and entry.likeness is not None]
    alike = duplicate_pictures.pairs(
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
        entry.left_out = any(other.labels == entry.labels for other in exact)
        if entry.left_out:
            symptom = Symptom("in-both-splits", severity, words, fix)
        else:
            if exact:
                words += f"; its labels differ ({counted(entry.n_regions, 'region')}, {exact[0].n_regions:,} there)"
            symptom = Symptom("in-both-splits", severity, words, None, (fix,))
        found.append(symptom.at(number, entry.file_name))
    return found


def duplicates_and_classes(dataset: Dataset, noted: list[Noted]) -> list[Finding]:
    """Regions drawn twice, and what concerns classes.

    Which regions are surely one depends on how classes are surely called, and how they are called on how many regions
    each has: both are worked out in turn until no more names turn out to be odd spellings.
    """
    declared = _choices(dataset)
    meant: dict[str, str] = {}
    while True:
        twice = {number: _copies(entry.pairs, meant) for number, entry in enumerate(noted) if not entry.left_out}
        left: Counter[str | None] = Counter()
        for number, dropped in twice.items():
            left += noted[number].classes
            left -= Counter(drawn.region.class_name for drawn in dropped.values() if counts(drawn.region))
        named = {name: count for name, count in left.items() if name is not None}
        odd = class_name_checks.respelled(named, declared)
        if odd.keys() <= meant.keys():
            break
        # A name whose last region goes as a duplicate is still the odd one.
        meant = {name: odd.get(other, other) for name, other in meant.items()} | odd

    by_name: Counter[str] = Counter()
    for name, count in named.items():
        by_name[meant.get(name, name)] += count
    slips = class_name_checks.slips(by_name, declared)
    objects: Counter[str] = Counter()  # of each class, what looks like a slip of it included
    for number, dropped in twice.items():
        copies = Counter(drawn.region.class_name for drawn in dropped.values() if not drawn.region.iscrowd)
        for class_name, count in (noted[number].objects - copies).items():
            if class_name is not None:
                name = meant.get(class_name, class_name)
                objects[slips.get(name, name)] += count
    found = [*_drawn_twice(noted, meant), *class_name_checks.imbalance(objects)]
    rivals = class_per_attribute.rival_attributes(dataset) if left[None] else ()
    if rivals:
        found.append(_several_attributes(dataset, rivals))
    if meant or slips or left[None]:
        found += _names(dataset, noted, twice, _Names(meant, slips, by_name, rivals))
    return found


class _Names(NamedTuple):
    """How classes are called: `meant` are odd spellings with what was surely meant, `slips` others that look like one,
    `numbers` the regions of each class, `rivals` the attributes that each name classes."""

    meant: Mapping[str, str]
    slips: Mapping[str, str]
    numbers: Mapping[str, int]
    rivals: tuple[str, ...]


def _several_attributes(dataset: Dataset, rivals: tuple[str, ...]) -> Finding:
    listed = ", ".join(f'"{name}"' for name in rivals[:_LISTED])
    more = f" and {len(rivals) - _LISTED} more" if len(rivals) > _LISTED else ""
    chosen = f'the class is read from "{dataset.class_attribute}" alone' if dataset.class_attribute else "none is read"
    return Finding("several-attributes", "warning", f"the attributes {listed}{more} each name classes, and {chosen}")


def _same_pixels(one: Noted, other: Noted, digests: dict[Path, str]) -> bool:
    assert one.path is not None
    assert other.path is not None
    for path in (one.path, other.path):
        if path not in digests:
            digests[path] = duplicate_pictures.digest(path)
    return digests[one.path] == digests[other.path]


def _copies(pairs: list[Pair], meant: Mapping[str, str]) -> dict[int, Drawn]:
    """The regions that are surely dropped, by number: they say nothing that one that stays does not."""
    dropped: dict[int, Drawn] = {}
    for pair in pairs:
        if pair.kept.number not in dropped and duplicate_regions.is_copy(pair, meant):
            dropped[pair.other.number] = pair.other
    return dropped


def _drawn_twice(noted: list[Noted], meant: Mapping[str, str]) -> list[Finding]:
    found = []
    for number, entry in enumerate(noted):
        said: set[int] = set()
        dropped = {} if entry.left_out else _copies(entry.pairs, meant)
        for pair in entry.pairs:
            kept, other = pair.kept, pair.other
            is_copy = duplicate_regions.is_copy(pair, meant)
            # What lies on a region that may go itself is asked about once that is decided.
            if kept.number in dropped or kept.number in said or other.number in said:
                continue
            if other.number in dropped and not is_copy:
                continue
            said.add(other.number)
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
    """The regions, by number, of which a person must say whether they are one with another."""
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
    dataset: Dataset, noted: list[Noted], twice: Mapping[int, Mapping[int, Drawn]], names: _Names
) -> list[Finding]:
    """A second walk, to where the class names are that need mending."""
    classes = list(dict.fromkeys(names.meant.get(name, name) for name in (*dataset.classes, *names.numbers)))
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
    name = names.meant.get(old, old)
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
    """A region that needs a class and has none. It surely is of the only class there is only if nothing that the label
    file says of it, or of others, speaks against that; with `is_sure` False it may be another region, drawn again."""
    own = {
        name: name if value.strip().casefold() in _YES else value
        for name, value in class_per_attribute.own_names(region).items()
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
    return attribute_definitions.options(definition) if attribute_definitions.is_choice(definition) else ()
