"""Regions of one picture that were drawn twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pycocotools import mask as coco_mask

from maskrcnn.annotations.regions import Region

SAME = 0.95
"""Masks with an IoU above this may be one object drawn twice: two careful drawings of a small one reach about 0.9."""

SURELY_SAME = 0.999
"""Masks with an IoU above this are one drawing; between the two somebody may have drawn it twice, or one thing lies
exactly on another."""


class Drawn(NamedTuple):
    """A region with its number on the picture (from 1) and its mask, if it has one. `is_settled` is False where it
    leaves the picture and nobody has decided what becomes of that: its mask is then not all of it."""

    number: int
    region: Region
    encoded: dict[str, Any] | None
    is_settled: bool = True


class Pair(NamedTuple):
    """Two regions at one place: the one that is kept, and the other one."""

    kept: Drawn
    other: Drawn
    iou: float


def pairs(drawn: Sequence[Drawn]) -> list[Pair]:
    """Each region that lies on one before it, with that one.

    A region that has a class comes before one that has none, else the order is the picture's. Crowds are compared with
    crowds only: single objects may well be drawn inside a crowd. What has no area is the same if all of it is equal.
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
                Pair(masked[i], masked[j], float(ious[i, j]))
                for j in range(1, len(masked))
                for i in range(j)
                if ious[i, j] > SAME
            ]
        alike: dict[Any, list[Drawn]] = {}
        for entry in several:
            if entry.encoded is None:
                before = alike.setdefault((entry.region.shape, entry.region.keypoints), [])
                found += [Pair(other, entry, 1.0) for other in before]
                before.append(entry)
    return found


def is_copy(pair: Pair, called: Mapping[str, str]) -> bool:
    """Whether the other region says nothing that the kept one does not: the same place, class, attributes and
    keypoints, or no class and no attributes at all. `called` is how classes with an odd spelling are surely meant."""
    kept, other = pair.kept.region, pair.other.region
    if pair.iou < SURELY_SAME or other.keypoints not in (None, kept.keypoints):
        return False
    if not (pair.kept.is_settled and pair.other.is_settled) and kept.shape != other.shape:
        return False
    says = {name: value for name, value in other.attributes.items() if value not in (None, "", {}, False)}
    if other.class_name is None:
        return not says
    if kept.class_name is None:
        return False
    same_class = called.get(kept.class_name, kept.class_name) == called.get(other.class_name, other.class_name)
    return same_class and all(kept.attributes.get(name) == value for name, value in says.items())
