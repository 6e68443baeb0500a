"""Comparison of two networks on the same pictures: the difference of their APs with an interval, and by picture.

Both APs are computed on the same samples of the pictures (see `bootstrap`). A picture that is hard for one network is
usually hard for the other, so it lowers both APs, and their difference varies less than each AP.
Because of this pairing, the interval of the difference can exclude 0 although the intervals of the two APs overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskrcnn.config import MEASURES
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.bootstrap import (
    LEVEL,
    PictureSamples,
    SampledFigure,
    ap_interval,
    difference_interval,
    part_of_resampling_progress,
)
from maskrcnn.evaluation.detection_evidence import Ranking, class_rankings
from maskrcnn.evaluation.figure_definitions import comparison_definitions
from maskrcnn.evaluation.measures import KINDS, IouType
from maskrcnn.evaluation.ranking_ap import FIGURES, Progress, ap_from_rankings, ap_of_each_picture
from maskrcnn.evaluation.report import AGAIN, PictureRow, Report

Comparison = dict[str, Any]
"""The JSON document that `compare` returns."""

EQUAL = 1e-9
"""Two APs of a picture are equal if they differ by at most this."""


Names = tuple[str, str]
"""The names of the two reports, a and b."""


@dataclass(frozen=True)
class ComparedReport:
    """One of the two compared reports: its name, its pictures, and the `rankings` of each measure that both have."""

    name: str
    pictures: tuple[PictureRow, ...]
    rankings: dict[IouType, list[Ranking]]

    @property
    def classes(self) -> list[str]:
        """The names of the classes in this report, sorted."""
        return sorted(ranking.name for ranking in self.rankings["bbox"])


def compare(
    report_a: Report,
    report_b: Report,
    names: Names = ("A", "B"),
    *,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two networks by their reports on the same pictures. Returns a JSON document:

    ```
    {"a": name, "b": name, "pictures", "objects", "resamples", "seed", "level": 0.95,
     "bbox": {"AP": {"a", "b", "difference", "a_interval", "b_interval", "difference_interval", "verdict"},
              "AP50": ..., "AP75": ...}, "segm", "keypoints",
     "per_image": {"kind", "a_better", "b_better", "equal", "without_objects",
                   "pictures": [{"file", "a", "b", "difference"}, ...]},
     "definitions"}
    ```

    A difference is B minus A. An interval is [low, high]. None stands for a task that only one report has, for the AP
    of pictures without objects, and for the intervals of a single picture. `verdict` is one of
    `figure_definitions.VERDICTS`. `per_image` compares masks if both reports have them, else keypoints, else boxes.

    Raises `StudioError` if the reports cannot be compared (see `comparable_reports`).

    `docs/python.md` has an example.
    """
    a, b = comparable_reports(report_a, report_b, names)
    kinds = list(a.rankings)
    pictures = len(a.pictures)
    samples = PictureSamples.draw(pictures, resamples, seed)
    found: Comparison = {
        "a": names[0],
        "b": names[1],
        "pictures": pictures,
        "objects": sum(picture.n_gt for picture in a.pictures),
        "resamples": resamples,
        "seed": seed,
        "level": LEVEL,
        "bbox": None,
        "segm": None,
        "keypoints": None,
    }
    for number, kind in enumerate(kinds):
        parts = [part_of_resampling_progress(progress, 2 * number + side, 2 * len(kinds)) for side in (0, 1)]
        found[kind] = _differences(
            *(
                samples.figures(ap_from_rankings(side.rankings[kind], samples.times, part))
                for side, part in zip((a, b), parts, strict=True)
            )
        )
    found["per_image"] = _picture_by_picture(a, b, min(kinds, key=list(MEASURES).index))
    found["definitions"] = comparison_definitions(names)
    return found


def verdict(difference_interval: Sequence[float] | None) -> str:
    """The verdict (one of `figure_definitions.VERDICTS`) about the interval [low, high] of a difference.

    >>> verdict([0.01, 0.2]), verdict([-0.1, 0.1]), verdict(None)
    ('away from 0', 'contains 0', 'no interval')
    """
    if difference_interval is None:
        return "no interval"
    low, high = difference_interval
    return "away from 0" if low > 0 or high < 0 else "contains 0"


def _differences(figures_a: dict[str, SampledFigure], figures_b: dict[str, SampledFigure]) -> dict[str, dict[str, Any]]:
    """The rows AP, AP50 and AP75 of one measure, from the figures of a and those of b on the same samples."""
    rows = {}
    for name in FIGURES:
        a, b = figures_a[name], figures_b[name]
        difference = b.minus(a)
        interval_of_difference = difference_interval(difference)
        rows[name] = {
            "a": _number_or_none(a.whole),
            "b": _number_or_none(b.whole),
            "difference": _number_or_none(difference.whole),
            "a_interval": ap_interval(a),
            "b_interval": ap_interval(b),
            "difference_interval": interval_of_difference,
            "verdict": verdict(interval_of_difference),
        }
    return rows


def _picture_by_picture(a: ComparedReport, b: ComparedReport, kind: IouType) -> dict[str, Any]:
    """The part `per_image` of a comparison: both APs of every picture, and how often each network is better."""
    of_a, of_b = (ap_of_each_picture(side.rankings[kind], len(a.pictures)) for side in (a, b))
    difference = of_b - of_a
    return {
        "kind": kind,
        "a_better": int((difference < -EQUAL).sum()),
        "b_better": int((difference > EQUAL).sum()),
        "equal": int((np.abs(difference) <= EQUAL).sum()),
        "without_objects": int(np.isnan(difference).sum()),
        "pictures": [
            {
                "file": picture.file,
                "a": _number_or_none(one),
                "b": _number_or_none(other),
                "difference": _number_or_none(other - one),
            }
            for picture, one, other in zip(a.pictures, of_a, of_b, strict=True)
        ],
    }


def _number_or_none(value: float) -> float | None:
    """A value of a comparison as a float; None for NaN, which JSON does not have."""
    return None if np.isnan(value) else float(value)


def comparable_reports(a: Report, b: Report, names: Names) -> tuple[ComparedReport, ComparedReport]:
    """The two reports, checked and prepared for a comparison.

    Raises `StudioError` if the evidence of one is missing or damaged, if their pictures, objects or classes differ, or
    if their keypoints were evaluated with different sigmas.
    """
    for report, name in zip((a, b), names, strict=True):
        if report.evidence is None:
            raise StudioError(f"{name}: holds no evidence of each picture, which a comparison needs; {AGAIN}")
    kinds = [kind for kind in KINDS if kind in a.kinds and kind in b.kinds]
    one, other = _compared_report(a, kinds, names[0]), _compared_report(b, kinds, names[1])
    _require_the_same_pictures(one, other)
    if one.classes != other.classes:
        classes_a, classes_b = (", ".join(side.classes) or "none" for side in (one, other))
        raise StudioError(f"the classes are {classes_a} in {one.name}, {classes_b} in {other.name}; {AGAIN}")
    _require_the_same_objects(one, other)
    if "keypoints" in kinds and a.sigmas != b.sigmas:
        raise StudioError(
            f"the two models measure keypoints by other sigmas ({one.name}, {other.name}), so their OKS means other "
            "things; train both with the same keypoint_sigmas"
        )
    return one, other


def _compared_report(report: Report, kinds: Sequence[IouType], name: str) -> ComparedReport:
    """A report prepared for a comparison, with its rankings. Raises `StudioError` if its evidence is damaged."""
    try:
        return ComparedReport(name, report.per_image, {kind: class_rankings(report, kind) for kind in kinds})
    except ValueError:  # evidence is missing, not numeric, or of the wrong length
        raise StudioError(f"{name}: its evidence of each picture is damaged; {AGAIN}") from None


def _require_the_same_pictures(a: ComparedReport, b: ComparedReport) -> None:
    """Raise `StudioError` if the reports do not have the same pictures in the same order."""
    files_a, files_b = ([picture.file for picture in side.pictures] for side in (a, b))
    for here, there, has, lacks in ((files_a, files_b, a, b), (files_b, files_a, b, a)):
        others = set(there)
        if missing := [file for file in here if file not in others]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise StudioError(f'picture "{missing[0]}"{more}: in {has.name}, not in {lacks.name}; {AGAIN}')
    if files_a != files_b:
        raise StudioError(f"{b.name}: holds the pictures of {a.name} in another order; {AGAIN}")


def _require_the_same_objects(a: ComparedReport, b: ComparedReport) -> None:
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


def _other_objects(a: ComparedReport, b: ComparedReport, file: str, what: str, in_a: int, in_b: int) -> StudioError:
    """The error for a picture with other numbers of objects in the two reports."""
    counts = f"{in_a} in {a.name}, {in_b} in {b.name}"
    return StudioError(f'picture "{file}": {what}: {counts}; the labels have changed: {AGAIN}')
