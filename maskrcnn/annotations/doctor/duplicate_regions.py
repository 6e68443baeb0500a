"""Find regions of one picture that were drawn twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pycocotools import mask as coco_mask

from maskrcnn.annotations.regions import Region

SAME = 0.95
"""Masks with an IoU above this may be the same object drawn twice. Two careful drawings of a small object have an IoU
of about 0.9."""

SURELY_SAME = 0.999
"""Masks with an IoU above this are copies of one drawing. Between `SAME` and this value, there may be two objects."""


class Drawn(NamedTuple):
    """A region with its number on the picture (from 1) and its mask as run-length code (None: no mask).

    `is_settled` is False if the region extends outside the picture and no fix is chosen; the mask is then only a part.
    """

    number: int
    region: Region
    encoded: dict[str, Any] | None
    is_settled: bool = True


class Pair(NamedTuple):
    """Two regions at the same place, with the IoU of their masks: the one to keep, and the other."""

    kept: Drawn
    other: Drawn
    iou: float


def pairs(drawn: Sequence[Drawn]) -> list[Pair]:
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
    """Whether the other region has no information that the kept one lacks, so that it can be dropped.

    It must have the same place, class, attributes and keypoints, or neither class nor attributes. `called`: {misspelt
    class: intended class}.
    """
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
