"""Comparison of two networks on the same pictures: the difference of their APs with an interval, and by picture.

Both APs are computed on the same resamples (see `bootstrap`). A picture that is hard for one network is usually hard
for the other, so a resample with many hard pictures lowers both APs, and their difference varies less than each AP.
Because of this pairing, the interval of the difference can exclude 0 although the intervals of the two APs overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskrcnn.config import MEASURES
from maskrcnn.evaluation.bootstrap import (
    FIGURES,
    LEVEL,
    Progress,
    ResampledAp,
    ap_of_each_picture,
    ap_of_resamples,
    basic_interval,
    part_of_progress,
    resample_counts,
)
from maskrcnn.evaluation.coco_ap import IouType
from maskrcnn.evaluation.comparability import Names, Side, comparable_sides
from maskrcnn.evaluation.report import Report

Comparison = dict[str, Any]
"""The JSON document that `compare` returns."""

EQUAL = 1e-9
"""Two APs of a picture are equal if they differ by at most this."""


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
    of pictures without objects, and for the intervals of a single picture. `verdict` is one of `VERDICTS`. `per_image`
    compares masks if both reports have them, else keypoints, else boxes.

    Raises `StudioError` if the reports cannot be compared (see `comparability.comparable_sides`).

    `docs/python.md` has an example.
    """
    a, b = comparable_sides(report_a, report_b, names)
    kinds = list(a.rankings)
    pictures = len(a.pictures)
    times = resample_counts(pictures, resamples, seed)
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
        parts = [part_of_progress(progress, 2 * number + side, 2 * len(kinds)) for side in (0, 1)]
        drawn = [ap_of_resamples(side.rankings[kind], times, part) for side, part in zip((a, b), parts, strict=True)]
        found[kind] = _differences(a, b, kind, drawn)
    found["per_image"] = _picture_by_picture(a, b, min(kinds, key=list(MEASURES).index))
    found["definitions"] = definitions(names)
    return found


VERDICTS = {
    "away from 0": "the difference is unlikely to be chance",
    "contains 0": "these pictures cannot tell the two apart",
    "no interval": "there are too few pictures, or nothing to find",
}
"""Verdict about the interval of a difference -> its meaning."""


def verdict(difference_interval: Sequence[float] | None) -> str:
    """The verdict (one of `VERDICTS`) about the interval [low, high] of a difference.

    >>> verdict([0.01, 0.2]), verdict([-0.1, 0.1]), verdict(None)
    ('away from 0', 'contains 0', 'no interval')
    """
    if difference_interval is None:
        return "no interval"
    low, high = difference_interval
    return "away from 0" if low > 0 or high < 0 else "contains 0"


def definitions(names: Names) -> dict[str, str]:
    """Name of a figure of a comparison -> its meaning, in one or two short sentences.

    >>> definitions(("one", "other"))["a"]
    'A is one.'
    """
    percent = f"{LEVEL * 100:g} %"
    return {
        "a": f"A is {names[0]}.",
        "b": f"B is {names[1]}.",
        "difference": f"B minus A: above 0 where {names[1]} is better, below 0 where {names[0]} is.",
        "a_interval": f"The basic {percent} bootstrap interval of A's AP. Each resample draws as many pictures as "
        "there are, with replacement, and measures A and B on the same ones.",
        "b_interval": f"The basic {percent} bootstrap interval of B's AP, over the same resamples.",
        "difference_interval": f"The basic {percent} bootstrap interval of B minus A, over the same resamples. "
        + " ".join(f"{what.capitalize()}: {meaning}." for what, meaning in VERDICTS.items()),
        "per_image": "The AP of each picture alone, in A and in B; null if it has no objects of that kind.",
    }


def _differences(a: Side, b: Side, kind: IouType, drawn: Sequence[ResampledAp]) -> dict[str, dict[str, Any]]:
    """The rows AP, AP50 and AP75 of one measure. `drawn` holds the APs of a and of b on all resamples."""
    pictures = len(a.pictures)
    once = np.ones((1, pictures), dtype=np.int32)
    whole_a, whole_b = (ap_of_resamples(side.rankings[kind], once) for side in (a, b))
    rows = {}
    for name in FIGURES:
        of_a, of_b = (values[name] for values in drawn)
        one, other = float(whole_a[name][0]), float(whole_b[name][0])
        interval_a, interval_b, interval_of_difference = [
            basic_interval(values, whole, least) if pictures > 1 else None
            for values, whole, least in ((of_a, one, 0), (of_b, other, 0), (of_b - of_a, other - one, -1))
        ]
        rows[name] = {
            "a": _number(one),
            "b": _number(other),
            "difference": _number(other - one),
            "a_interval": interval_a,
            "b_interval": interval_b,
            "difference_interval": interval_of_difference,
            "verdict": verdict(interval_of_difference),
        }
    return rows


def _picture_by_picture(a: Side, b: Side, kind: IouType) -> dict[str, Any]:
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
            {"file": picture.file, "a": _number(one), "b": _number(other), "difference": _number(other - one)}
            for picture, one, other in zip(a.pictures, of_a, of_b, strict=True)
        ],
    }


def _number(value: float) -> float | None:
    """A float, with None for NaN (which JSON does not have)."""
    return None if np.isnan(value) else float(value)
