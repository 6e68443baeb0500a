"""Checks if two reports can be compared: both need evidence, and the same pictures, objects and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_ap import KINDS, IouType
from maskrcnn.evaluation.detection_evidence import Ranking, class_rankings
from maskrcnn.evaluation.report import AGAIN, PictureRow, Report

Names = tuple[str, str]
"""The names of the two reports, a and b."""


@dataclass(frozen=True)
class Side:
    """One of two reports: its name, its pictures, and the `rankings` of each measure that both reports have."""

    name: str
    pictures: tuple[PictureRow, ...]
    rankings: dict[IouType, list[Ranking]]

    @property
    def classes(self) -> list[str]:
        """The class names, sorted."""
        return sorted(ranking.name for ranking in self.rankings["bbox"])


def comparable_sides(a: Report, b: Report, names: Names) -> tuple[Side, Side]:
    """The two reports, checked and prepared for a comparison.

    Raises `StudioError` if the evidence of one is missing or damaged, if their pictures, objects or classes differ, or
    if their keypoints were evaluated with different sigmas.
    """
    for report, name in zip((a, b), names, strict=True):
        if report.evidence is None:
            raise StudioError(f"{name}: holds no evidence of each picture, which a comparison needs; {AGAIN}")
    kinds = [kind for kind in KINDS if kind in a.kinds and kind in b.kinds]
    one, other = _side(a, kinds, names[0]), _side(b, kinds, names[1])
    _require_the_same_pictures(one, other)
    if one.classes != other.classes:
        raise StudioError(
            f"the classes are {_class_list(one.classes)} in {one.name}, {_class_list(other.classes)} in {other.name}; "
            f"{AGAIN}"
        )
    _require_the_same_objects(one, other)
    if "keypoints" in kinds and a.sigmas != b.sigmas:
        raise StudioError(
            f"the two models measure keypoints by other sigmas ({one.name}, {other.name}), so their OKS means other "
            "things; train both with the same keypoint_sigmas"
        )
    return one, other


def _side(report: Report, kinds: Sequence[IouType], name: str) -> Side:
    """A report as a `Side` with its rankings. Raises `StudioError` if its evidence is damaged."""
    try:
        return Side(name, report.per_image, {kind: class_rankings(report, kind) for kind in kinds})
    except ValueError:  # evidence is missing, not numeric, or of the wrong length
        raise StudioError(f"{name}: its evidence of each picture is damaged; {AGAIN}") from None


def _require_the_same_pictures(a: Side, b: Side) -> None:
    """Raise `StudioError` if the reports do not have the same pictures in the same order."""
    files_a, files_b = ([picture.file for picture in side.pictures] for side in (a, b))
    for here, there, has, lacks in ((files_a, files_b, a, b), (files_b, files_a, b, a)):
        others = set(there)
        if missing := [file for file in here if file not in others]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise StudioError(f'picture "{missing[0]}"{more}: in {has.name}, not in {lacks.name}; {AGAIN}')
    if files_a != files_b:
        raise StudioError(f"{b.name}: holds the pictures of {a.name} in another order; {AGAIN}")


def _require_the_same_objects(a: Side, b: Side) -> None:
    """Raise `StudioError` if a picture has other numbers of objects in the two reports, also by class."""
    for one, other in zip(a.pictures, b.pictures, strict=True):
        if one.n_gt != other.n_gt:
            raise _other_objects(a, b, one.file, "objects", one.n_gt, other.n_gt)
    for kind in a.rankings:
        rankings_a, rankings_b = (sorted(side.rankings[kind], key=lambda ranking: ranking.name) for side in (a, b))
        for first, second in zip(rankings_a, rankings_b, strict=True):
            for place in np.flatnonzero(first.objects != second.objects)[:1]:
                what = f'objects of the class "{first.name}"' + " with keypoints" * (kind == "keypoints")
                raise _other_objects(a, b, a.pictures[place].file, what, first.objects[place], second.objects[place])


def _other_objects(a: Side, b: Side, file: str, what: str, in_a: int, in_b: int) -> StudioError:
    """The error for a picture with other numbers of objects in the two reports."""
    counts = f"{in_a} in {a.name}, {in_b} in {b.name}"
    return StudioError(f'picture "{file}": {what}: {counts}; the labels have changed: {AGAIN}')


def _class_list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
