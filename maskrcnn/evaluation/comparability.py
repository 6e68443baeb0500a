"""Which reports can be compared: two that are whole, of the same pictures, objects and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_ap import KINDS, IouType
from maskrcnn.evaluation.detection_evidence import Ranking, rankings

Names = tuple[str, str]

AGAIN = "evaluate both models on the same labels, with `python -m maskrcnn evaluate MODEL --data DATASET --out REPORT`"


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Picture(_Part):
    image_id: int | str
    file: str
    n_gt: int


class _Matches(_Part):
    objects: str
    found: list[str]
    ignored: list[str]
    scores: list[str] | None = None


class _Class(_Part):
    name: str
    scores: list[str]
    bbox: _Matches
    segm: _Matches | None = None
    keypoints: _Matches | None = None


class _Evidence(_Part):
    classes: list[_Class]


class _Report(_Part):
    """What a comparison reads of a report."""

    bbox: dict[str, Any]
    segm: dict[str, Any] | None
    keypoints: dict[str, Any] | None
    sigmas: list[float] | None = None
    per_image: list[_Picture]
    evidence: _Evidence


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, its pictures, and the `rankings` of each task that both have."""

    name: str
    pictures: list[_Picture]
    rankings: dict[IouType, list[Ranking]]

    @property
    def classes(self) -> list[str]:
        return sorted(ranking.name for ranking in self.rankings["bbox"])


def sides(report_a: Mapping[str, Any], report_b: Mapping[str, Any], names: Names) -> tuple[Side, Side]:
    """The two reports, ready to be compared. Raises `StudioError` where one is damaged or has no evidence, or where
    they are of other pictures, objects or classes, or their OKS has other sigmas."""
    a, b = _whole(report_a, names[0]), _whole(report_b, names[1])
    kinds = [kind for kind in KINDS if getattr(a, kind) is not None and getattr(b, kind) is not None]
    one, other = _side(a, kinds, names[0]), _side(b, kinds, names[1])
    _require_the_same_pictures(one, other)
    if one.classes != other.classes:
        raise StudioError(
            f"the classes are {_list(one.classes)} in {one.name}, {_list(other.classes)} in {other.name}; {AGAIN}"
        )
    _require_the_same_objects(one, other)
    if "keypoints" in kinds and a.sigmas != b.sigmas:
        raise StudioError(
            f"the two models measure keypoints by other sigmas ({one.name}, {other.name}), so their OKS means other "
            "things; train both with the same keypoint_sigmas"
        )
    return one, other


def _whole(report: Mapping[str, Any], name: str) -> _Report:
    if "evidence" not in report:
        raise StudioError(f"{name}: holds no evidence of each picture, which a comparison needs; {AGAIN}")
    try:
        return _Report.model_validate(report)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise StudioError(f"{name}: its {place} is damaged; {AGAIN}") from None


def _side(report: _Report, kinds: Sequence[IouType], name: str) -> Side:
    try:
        content = report.model_dump()
        return Side(name, report.per_image, {kind: rankings(content, kind) for kind in kinds})
    except (ValueError, TypeError):  # not numbers, not as many as there are pictures or detections, not there
        raise StudioError(f"{name}: its evidence of each picture is damaged; {AGAIN}") from None


def _require_the_same_pictures(a: Side, b: Side) -> None:
    files_a, files_b = ([picture.file for picture in side.pictures] for side in (a, b))
    for here, there, has, lacks in ((files_a, files_b, a, b), (files_b, files_a, b, a)):
        others = set(there)
        if missing := [file for file in here if file not in others]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise StudioError(f'picture "{missing[0]}"{more}: in {has.name}, not in {lacks.name}; {AGAIN}')
    if files_a != files_b:
        raise StudioError(f"{b.name}: holds the pictures of {a.name} in another order; {AGAIN}")


def _require_the_same_objects(a: Side, b: Side) -> None:
    for one, other in zip(a.pictures, b.pictures, strict=True):
        if one.n_gt != other.n_gt:
            raise _other_objects(a, b, one.file, "objects", one.n_gt, other.n_gt)
    for kind in a.rankings:
        ours, theirs = (sorted(side.rankings[kind], key=lambda ranking: ranking.name) for side in (a, b))
        for first, second in zip(ours, theirs, strict=True):
            for place in np.flatnonzero(first.objects != second.objects)[:1]:
                what = f'objects of the class "{first.name}"' + " with keypoints" * (kind == "keypoints")
                raise _other_objects(a, b, a.pictures[place].file, what, first.objects[place], second.objects[place])


def _other_objects(a: Side, b: Side, file: str, what: str, in_a: int, in_b: int) -> StudioError:
    counts = f"{in_a} in {a.name}, {in_b} in {b.name}"
    return StudioError(f'picture "{file}": {what}: {counts}; the labels have changed: {AGAIN}')


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
