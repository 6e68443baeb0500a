"""Two networks on the same pictures: the difference of their APs, with an interval, and picture by picture.

Both are measured on the same resamples (see `bootstrap`). Two networks mostly find the same pictures easy or hard, so
what a draw of hard pictures takes from one it takes from the other too, and the difference moves much less than either
AP: a paired comparison tells apart what two intervals that overlap do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maskrcnn.config import MEASURES
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.bootstrap import FIGURES, KINDS, LEVEL, Figures, Progress, draws, figures, interval, part_of
from maskrcnn.evaluation.coco_ap import IouType
from maskrcnn.evaluation.evidence import Ranking, rankings

Comparison = dict[str, Any]
Names = tuple[str, str]

EQUAL = 1e-9
"""Two APs of a picture that are nearer than this are the same."""

AGAIN = "evaluate both models on the same labels, with `python -m maskrcnn evaluate MODEL --data DATASET --out REPORT`"


def compare(
    report_a: Mapping[str, Any],
    report_b: Mapping[str, Any],
    names: Names = ("A", "B"),
    *,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """What two reports of the same pictures say of the two networks, B against A.

    ```
    {"a": name, "b": name, "pictures", "objects", "resamples", "seed", "level": 0.95,
     "bbox": {"AP": {"a", "b", "difference", "a_interval", "b_interval", "difference_interval", "verdict"},
              "AP50": ..., "AP75": ...}, "segm", "keypoints",
     "per_image": {"kind", "a_better", "b_better", "equal", "without_objects",
                   "pictures": [{"file", "a", "b", "difference"}, ...]},
     "definitions"}
    ```

    A difference is B minus A, an interval [low, high]. A task that not both have is null, and so is a number that is
    not defined: an AP where there is nothing to find, the intervals of one picture alone. `verdict` is one of
    `VERDICTS`. Picture by picture the finest task that both have is compared.
    Raises `StudioError` where the reports have no evidence or are of other pictures, objects or classes.
    """
    kinds = [kind for kind in KINDS if report_a.get(kind) is not None and report_b.get(kind) is not None]
    sides = [_rankings(report, kinds, name) for report, name in zip((report_a, report_b), names, strict=True)]
    _require_the_same(report_a, report_b, names)
    _require_the_same_objects([row["file"] for row in report_a["per_image"]], sides, names)
    pictures = len(report_a["per_image"])
    times = draws(pictures, resamples, seed)
    found: Comparison = {
        "a": names[0],
        "b": names[1],
        "pictures": pictures,
        "objects": sum(row["n_gt"] for row in report_a["per_image"]),
        "resamples": resamples,
        "seed": seed,
        "level": LEVEL,
        "bbox": None,
        "segm": None,
        "keypoints": None,
    }
    for number, kind in enumerate(kinds):
        parts = [part_of(progress, 2 * number + side, 2 * len(kinds)) for side in (0, 1)]
        a, b = (figures(side[kind], times, part) for side, part in zip(sides, parts, strict=True))
        found[kind] = _differences(sides, kind, a, b)
    found["per_image"] = _picture_by_picture(report_a, sides, min(kinds, key=list(MEASURES).index))
    found["definitions"] = definitions(names)
    return found


VERDICTS = {
    "away from 0": "the difference is unlikely to be chance",
    "contains 0": "these pictures cannot tell the two apart",
    "no interval": "there are too few pictures, or nothing to find",
}
"""What the interval of a difference does -> what that means."""


def verdict(difference_interval: Sequence[float] | None) -> str:
    """What a difference's [low, high] says, one of `VERDICTS`."""
    if difference_interval is None:
        return "no interval"
    low, high = difference_interval
    return "away from 0" if low > 0 or high < 0 else "contains 0"


def definitions(names: Names) -> dict[str, str]:
    """One or two short sentences for each number of a comparison."""
    percent = f"{LEVEL * 100:g} %"
    return {
        "a": f"A is {names[0]}.",
        "b": f"B is {names[1]}.",
        "difference": f"B minus A: above 0 where {names[1]} is better, below 0 where {names[0]} is.",
        "a_interval": f"The middle {percent} of A's AP over the resamples. Each draws as many pictures as there are, "
        "with replacement, and measures A and B on the same ones.",
        "b_interval": f"The middle {percent} of B's AP over the same resamples.",
        "difference_interval": f"The middle {percent} of B minus A over the resamples. "
        + " ".join(f"{what.capitalize()}: {meaning}." for what, meaning in VERDICTS.items()),
        "per_image": "The AP of each picture alone, in A and in B; null where it has no objects of that kind.",
    }


def _differences(
    sides: Sequence[Mapping[IouType, list[Ranking]]], kind: IouType, a: Figures, b: Figures
) -> dict[str, dict[str, Any]]:
    """The rows of one task. `a` and `b` hold its figures on every resample."""
    pictures = len(sides[0][kind][0].objects) if sides[0][kind] else 0
    once = np.ones((1, pictures), dtype=np.int32)
    whole_a, whole_b = (figures(side[kind], once) for side in sides)
    rows = {}
    for name in FIGURES:
        between = [interval(values) if pictures > 1 else None for values in (a[name], b[name], b[name] - a[name])]
        rows[name] = {
            "a": _number(whole_a[name][0]),
            "b": _number(whole_b[name][0]),
            "difference": _number(whole_b[name][0] - whole_a[name][0]),
            "a_interval": between[0],
            "b_interval": between[1],
            "difference_interval": between[2],
            "verdict": verdict(between[2]),
        }
    return rows


def _picture_by_picture(
    report: Mapping[str, Any], sides: Sequence[Mapping[IouType, list[Ranking]]], kind: IouType
) -> dict[str, Any]:
    each_alone = np.eye(len(report["per_image"]), dtype=np.int8)
    a, b = (figures(side[kind], each_alone)["AP"] for side in sides)
    difference = b - a
    return {
        "kind": kind,
        "a_better": int((difference < -EQUAL).sum()),
        "b_better": int((difference > EQUAL).sum()),
        "equal": int((np.abs(difference) <= EQUAL).sum()),
        "without_objects": int(np.isnan(difference).sum()),
        "pictures": [
            {"file": row["file"], "a": _number(one), "b": _number(other), "difference": _number(other - one)}
            for row, one, other in zip(report["per_image"], a, b, strict=True)
        ],
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rankings(report: Mapping[str, Any], kinds: Sequence[IouType], name: str) -> dict[IouType, list[Ranking]]:
    if "evidence" not in report:
        raise StudioError(f"{name}: holds no evidence of each picture, which a comparison needs; {AGAIN}")
    try:
        return {kind: rankings(report, kind) for kind in kinds}
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        raise StudioError(f"{name}: its evidence of each picture is damaged; {AGAIN}") from None


def _require_the_same(report_a: Mapping[str, Any], report_b: Mapping[str, Any], names: Names) -> None:
    """`StudioError` that names the first thing that makes the two reports not comparable."""
    a, b = names
    files_a, files_b = ([row["file"] for row in report["per_image"]] for report in (report_a, report_b))
    for files, others, has, lacks in ((files_a, files_b, a, b), (files_b, files_a, b, a)):
        if missing := [file for file in files if file not in set(others)]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise StudioError(f'picture "{missing[0]}"{more}: in {has}, not in {lacks}; {AGAIN}')
    if files_a != files_b:
        raise StudioError(f"{b}: holds the pictures of {a} in another order; {AGAIN}")
    classes_a, classes_b = (sorted(entry["name"] for entry in r["evidence"]["classes"]) for r in (report_a, report_b))
    if classes_a != classes_b:
        raise StudioError(f"the classes are {_list(classes_a)} in {a}, {_list(classes_b)} in {b}; {AGAIN}")
    for row, other in zip(report_a["per_image"], report_b["per_image"], strict=True):
        if row["n_gt"] != other["n_gt"]:
            raise _other_objects(row["file"], "objects", row["n_gt"], other["n_gt"], names)
    if report_a["min_score"] != report_b["min_score"]:
        scores = f"{report_a['min_score']:g} in {a}, {report_b['min_score']:g} in {b}"
        raise StudioError(f"min_score is {scores}; give both the same when you evaluate")


def _require_the_same_objects(
    files: Sequence[str], sides: Sequence[Mapping[IouType, list[Ranking]]], names: Names
) -> None:
    """`StudioError` where a picture has another number of objects of a class."""
    a, b = sides
    for kind in a:
        ours, theirs = (sorted(side[kind], key=lambda ranking: ranking.name) for side in (a, b))
        for one, other in zip(ours, theirs, strict=True):
            for picture in np.flatnonzero(one.objects != other.objects)[:1]:
                what = f'objects of the class "{one.name}"' + " with keypoints" * (kind == "keypoints")
                raise _other_objects(files[picture], what, one.objects[picture], other.objects[picture], names)


def _other_objects(file: str, what: str, in_a: int, in_b: int, names: Names) -> StudioError:
    counts = f"{in_a} in {names[0]}, {in_b} in {names[1]}"
    return StudioError(f'picture "{file}": {what}: {counts}; the labels have changed: {AGAIN}')


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
