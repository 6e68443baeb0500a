"""Intervals of an AP by the bootstrap over pictures: how much it would change with other pictures of the same kind.

From P pictures, P are drawn with replacement, and COCO's AP is worked out on them: one resample. How the APs of many
resamples lie about the AP of the P pictures tells how that one lies about the AP of all such pictures: the basic
bootstrap interval (Davison and Hinkley 1997, eq. 5.6). Pictures are drawn, not objects, because the objects of one
picture share its light, its clutter and its luck.

The AP of few pictures comes out too high, most of all where it is low, and a resample adds the same once more. The
basic interval takes both away; the middle 95 % of the resamples themselves (the percentile interval) would add them up.

Nothing is matched again. A picture that is drawn k times counts k times: its objects, and each of its detections where
it stands in the ranking. That is what pycocotools says of a document that holds the picture k times, wherever
no two detections of a class in one picture have equal scores.

How good such intervals are (`benchmarks/interval_coverage.py`, the 500 pictures of a report taken for the world, 300
sets of each size; the percentile interval in brackets): where the AP was .755, they held it for 85 % of the sets of 12
pictures (85), 95 % of those of 50 (92) and 95 % of those of 200 (94); where it was .195, for 90, 93 and 92 % (66, 73,
85); and the difference of two networks for 89, 92 and 95 % (93, 93, 94).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskrcnn.evaluation.coco_ap import KINDS
from maskrcnn.evaluation.detection_evidence import THRESHOLDS, Ranking, class_rankings
from maskrcnn.evaluation.report import Edges, Intervals, Report

Progress = Callable[[int, int], None]
ResampledAp = dict[str, np.ndarray]

FIGURES = ("AP", "AP50", "AP75")
LEVEL = 0.95

RECALLS = np.linspace(0, 1, 101)
"""The recalls at which COCO samples the precision."""

PICTURES_AT_ONCE = 32
"""Pictures processed together when each is measured alone: the work grows with the square of this number."""

DETECTIONS_AT_ONCE = 500_000
"""Detections times resamples processed at a time: a few MB."""


def resample_counts(pictures: int, resamples: int, seed: int = 0) -> np.ndarray:
    """How often each picture is drawn in each resample: `(resamples, pictures)` int32, each row sums to `pictures`.

    >>> resample_counts(pictures=5, resamples=2).sum(axis=1).tolist()
    [5, 5]
    """
    drawn = np.random.default_rng(seed).integers(max(pictures, 1), size=(resamples, pictures))
    rows = np.arange(resamples)[:, None] * pictures
    return np.bincount((drawn + rows).ravel(), minlength=resamples * pictures).reshape(drawn.shape).astype(np.int32)


def ap_of_resamples(classes: Sequence[Ranking], times: np.ndarray, progress: Progress | None = None) -> ResampledAp:
    """COCO's `AP`, `AP50` and `AP75`, each `(R,)` float64, on R choices of pictures; NaN where they have no objects.

    `times` (R, P) int says how often each picture is in each of them. A class without objects in a choice is left out
    of the mean there, as COCO does. `progress(done, R)` is called now and then.
    """
    found: ResampledAp = {name: np.full(len(times), np.nan) for name in FIGURES}
    at_once = max(1, DETECTIONS_AT_ONCE // max([len(ranking.picture) for ranking in classes] + [1000]))
    for start in range(0, len(times), at_once):
        part = slice(start, start + at_once)
        by_class = np.array([average_precision(ranking, times[part]) for ranking in classes])
        for name, thresholds in zip(FIGURES, (slice(None), slice(0, 1), slice(5, 6)), strict=True):
            if len(by_class):
                found[name][part] = _mean_of_classes(by_class[:, :, thresholds].mean(axis=2))
        if progress is not None:
            progress(min(start + at_once, len(times)), len(times))
    return found


def ap_of_each_picture(classes: Sequence[Ranking], pictures: int) -> np.ndarray:
    """AP of every picture by itself, `(P,)` float64; NaN where it has no objects."""
    found = np.full(pictures, np.nan)
    for start in range(0, pictures, PICTURES_AT_ONCE):
        part = slice(start, min(start + PICTURES_AT_ONCE, pictures))
        found[part] = ap_of_resamples(
            [_ranking_of_pictures(ranking, part) for ranking in classes], np.eye(part.stop - start, dtype=int)
        )["AP"]
    return found


def _ranking_of_pictures(ranking: Ranking, part: slice) -> Ranking:
    """The ranking of the pictures in `part` alone."""
    inside = (part.start <= ranking.picture) & (ranking.picture < part.stop)
    return Ranking(
        ranking.name,
        ranking.objects[part],
        ranking.picture[inside] - part.start,
        ranking.found[inside],
        ranking.ignored[inside],
    )


def average_precision(ranking: Ranking, times: np.ndarray) -> np.ndarray:
    """AP of one class at each IoU threshold, `(R, 10)` float64, on the choices `times` (R, P); NaN without objects.

    The steps of `COCOeval.accumulate`, with counts in place of ones: precision after each detection, its envelope, the
    mean over 101 recalls. Recall rises only where something was found, so those places of the ranking are enough, and
    copies of a picture next to each other leave the envelope as if they had come in one step.

    Object found at the second place: precision 1/2 at every recall.

    >>> found = np.array([[False] * THRESHOLDS, [True] * THRESHOLDS])
    >>> ranking = Ranking("cell", np.array([1]), np.array([0, 0]), found, np.zeros_like(found))
    >>> average_precision(ranking, np.array([[1]])).round(6)[0, 0].item()
    0.5
    """
    drawn = times[:, ranking.picture]
    n_objects = (times @ ranking.objects)[:, None]
    rank = np.cumsum(drawn, axis=1, dtype=np.int32)
    result = np.zeros((len(times), THRESHOLDS))
    for threshold in range(THRESHOLDS):
        hits = np.flatnonzero(ranking.found[:, threshold])
        counted = rank[:, hits]
        ignored = np.flatnonzero(ranking.ignored[:, threshold])
        if len(ignored):
            passed = np.cumsum(drawn[:, ignored], axis=1, dtype=np.int32)
            counted = counted - np.pad(passed, ((0, 0), (1, 0)))[:, np.searchsorted(ignored, hits)]
        true_positives = np.cumsum(drawn[:, hits], axis=1, dtype=np.int32)
        precision = true_positives / (counted + np.spacing(1))
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        read = np.searchsorted(RECALLS, true_positives / np.maximum(n_objects, 1), side="right")
        result[:, threshold] = (envelope * np.diff(read, axis=1, prepend=0)).sum(axis=1) / len(RECALLS)
    return np.where(n_objects > 0, result, np.nan)


def basic_interval(values: np.ndarray, whole: float, least: float = 0.0) -> list[float] | None:
    """[low, high], the basic 95 % interval of a figure that is `whole` on the pictures themselves and `values` on their
    resamples; None where none of these is defined. It lies between `least` and 1, as the figure does.

    >>> values = np.arange(101) / 100  # percentiles 2.5 and 97.5: .025 and .975
    >>> [round(edge, 3) for edge in basic_interval(values, whole=0.75) or []]  # 1.5 - .975, and at most 1
    [0.525, 1.0]
    """
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    tail = 50 * (1 - LEVEL)
    edges = 2 * whole - np.percentile(defined, [100 - tail, tail])
    return [float(edge) for edge in edges.clip(least, 1)]


def intervals(report: Report, resamples: int, seed: int = 0, progress: Progress | None = None) -> Intervals:
    """95 % intervals of AP, AP50 and AP75 of a report that has its evidence.

    None for a measure that the report does not have, and an interval is None where there is nothing to find. One
    picture alone has no intervals: drawn again it is always the same. `progress(done, total)` is called now and then.
    """
    pictures = len(report.per_image)
    times = resample_counts(pictures, resamples, seed)
    found: dict[str, Edges | None] = dict.fromkeys(KINDS)
    for number, kind in enumerate(report.kinds):
        classes = class_rankings(report, kind)
        whole = ap_of_resamples(classes, np.ones((1, pictures), dtype=np.int32))
        values = ap_of_resamples(classes, times, part_of_progress(progress, number, len(report.kinds)))
        found[kind] = {name: basic_interval(values[name], whole[name][0]) if pictures > 1 else None for name in FIGURES}
    return Intervals(level=LEVEL, resamples=resamples, seed=seed, **found)


def part_of_progress(progress: Progress | None, number: int, parts: int) -> Progress | None:
    """A callback for part `number` of `parts` equally long ones, which reports the progress of the whole."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, parts * total)


def _mean_of_classes(values: np.ndarray) -> np.ndarray:
    """`values` (classes, R) -> (R,): the mean over the classes that are defined, NaN where none is."""
    defined = ~np.isnan(values)
    return np.divide(
        np.where(defined, values, 0).sum(axis=0),
        defined.sum(axis=0),
        out=np.full(values.shape[1], np.nan),
        where=defined.any(axis=0),
    )
