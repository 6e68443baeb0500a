"""Find regions of one picture that were drawn twice, and which of the two can be dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor.findings import Finding, Fix, Symptom
from maskrcnn.annotations.doctor.picture_notes import NumberedRegion, RegionPair
from maskrcnn.annotations.regions import Region

SAME = 0.95
"""Masks with an IoU above this may be the same object drawn twice. Two careful drawings of a small object have an IoU
of about 0.9."""

SURELY_SAME = 0.999
"""Masks with an IoU above this are copies of one drawing. Between `SAME` and this value, there may be two objects."""


def region_pairs(drawn: Sequence[NumberedRegion]) -> list[RegionPair]:
    """Return all pairs of regions at the same place (IoU above `SAME`).

    The region to keep is the first on the picture, but a region with a class is preferred. Crowds are compared only
    with crowds, because single objects may be drawn inside a crowd. Regions without a mask must have equal shapes.
    """
    found = []
    for crowd in (False, True):
        several = sorted(
            (entry for entry in drawn if entry.region.iscrowd == crowd),
            key=lambda entry: entry.region.class_name is None,
        )
        masked = [entry for entry in several if entry.encoded is not None]
        if len(masked) > 1:
            codes = [entry.encoded for entry in masked]
            ious = coco_mask.iou(codes, codes, [0] * len(codes))
            found += [
                RegionPair(masked[i], masked[j], float(ious[i, j]))
                for j in range(1, len(masked))
                for i in range(j)
                if ious[i, j] > SAME
            ]
        alike: dict[Any, list[NumberedRegion]] = {}
        for entry in several:
            if entry.encoded is None:
                before = alike.setdefault((entry.region.shape, entry.region.keypoints), [])
                found += [RegionPair(other, entry, 1.0) for other in before]
                before.append(entry)
    return found


def is_copy(pair: RegionPair, intended: Mapping[str, str]) -> bool:
    """Whether the other region tells nothing that the kept one does not, so that it can be dropped.

    Their masks must be the same. The other region must have the class, the attributes and the keypoints of the kept
    one; it may also have no keypoints, fewer attributes, or neither class nor attributes. `intended`: {misspelt class:
    intended class}.
    """
    kept, other = pair.kept.region, pair.other.region
    if pair.iou < SURELY_SAME or other.keypoints not in (None, kept.keypoints):
        return False
    are_whole_masks = pair.kept.is_settled and pair.other.is_settled  # else they are cut off at the picture's edge
    if not are_whole_masks and kept.shape != other.shape:
        return False
    attributes = {name: value for name, value in other.attributes.items() if value not in (None, "", {}, False)}
    if other.class_name is None:
        return not attributes
    if kept.class_name is None:
        return False
    same_class = intended.get(kept.class_name, kept.class_name) == intended.get(other.class_name, other.class_name)
    return same_class and all(kept.attributes.get(name) == value for name, value in attributes.items())


def copies_to_drop(pairs: Sequence[RegionPair], intended: Mapping[str, str]) -> dict[int, NumberedRegion]:
    """Return {number: region} for the regions of a picture that are dropped automatically (`is_copy`).

    A copy is dropped only if the other region of its pair stays. `intended`: {misspelt class: intended class}.
    """
    dropped: dict[int, NumberedRegion] = {}
    for pair in pairs:
        if pair.kept.number not in dropped and is_copy(pair, intended):
            dropped[pair.other.number] = pair.other
    return dropped


def undecided_duplicates(pairs: Sequence[RegionPair], dropped: Mapping[int, NumberedRegion]) -> set[int]:
    """Return the numbers of the regions that may be duplicates of each other, so that the user must decide."""
    numbers = [{pair.kept.number, pair.other.number} for pair in pairs]
    return set().union(*(pair for pair in numbers if not pair & dropped.keys()))


def duplicate_findings(
    pairs: Sequence[RegionPair], dropped: Mapping[int, NumberedRegion], intended: Mapping[str, str], at: tuple[int, str]
) -> list[Finding]:
    """Return one finding for each region of a picture that lies on another one.

    `dropped`: the result of `copies_to_drop`; their fix is automatic. `intended`: {misspelt class: intended class}.
    `at`: index and name of the picture.
    """
    found = []
    reported: set[int] = set()
    for pair in pairs:
        kept, other = pair.kept, pair.other
        copied = is_copy(pair, intended)
        # If one of the two may be dropped because of another pair, ask about this pair only after that decision.
        if kept.number in dropped or kept.number in reported or other.number in reported:
            continue
        if other.number in dropped and not copied:
            continue
        reported.add(other.number)
        words = f"it lies on region {kept.number} (IoU {pair.iou:.2f})"
        drop = Fix(f"drop it, and keep region {kept.number}", "drop")
        if copied:
            symptom = Symptom("duplicate", "warning", words, drop)
        else:
            if difference := _difference_of_duplicates(kept.region, other.region):
                words += f", {difference}"
            drop_other = Fix(f"drop region {kept.number}, and keep it", "drop-other", (kept.number, kept.region.id))
            symptom = Symptom("duplicate", "warning", words, None, (drop, drop_other))
        found.append(symptom.at(*at, other.number, other.region, raster.bounds(other.region.shape)))
    return found


def _difference_of_duplicates(kept: Region, other: Region) -> str:
    """Describe how two regions at the same place differ, for a message; empty if they do not."""
    if kept.class_name != other.class_name:
        one, two = (f'a "{name}"' if name else "without a class" for name in (kept.class_name, other.class_name))
        return f"which is {one}, and it is {two}"
    if kept.attributes != other.attributes:
        return "which has other attributes"
    return "which has other keypoints" if kept.keypoints != other.keypoints else ""
