"""Bootstrap intervals of an AP: how much it would vary with other pictures of the same kind.

One resample draws P of the P pictures with replacement and computes COCO's AP on them. The differences between the APs
of many resamples and the AP of the P pictures estimate the difference between that AP and the AP of all such pictures.
From them follows the basic bootstrap interval (Davison and Hinkley 1997, eq. 5.6). Whole pictures are drawn, not
objects, because the objects of one picture depend on each other: they share its light and its background.

The AP of few pictures is biased upwards, most of all if it is low, and a resample adds the same bias again. The basic
interval corrects for both. The middle 95 % of the resamples (the percentile interval) would contain both.

Detections are not matched again. A picture that is drawn k times counts k times: its objects, and each of its
detections at its place in the ranking. pycocotools gives the same AP for a document that has the picture k times, if no
two detections of a class in one picture have equal scores.

Coverage of the intervals (`benchmarks/interval_coverage.py`: the 500 pictures of a report are the population, 300 sets
of each size are drawn; values of the percentile interval in brackets): for an AP of .755, the interval contained it for
85 % of the sets of 12 pictures (85), 95 % of those of 50 (92) and 95 % of those of 200 (94); for an AP of .195, for 90,
93 and 92 % (66, 73, 85); for the difference of two networks, for 89, 92 and 95 % (93, 93, 94).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskrcnn.evaluation.coco_ap import KINDS
from maskrcnn.evaluation.detection_evidence import THRESHOLDS, Ranking, class_rankings
from maskrcnn.evaluation.report import Edges, Intervals, Report

Progress = Callable[[int, int], None]
"""A callback (done, total)."""

ResampledAp = dict[str, np.ndarray]
"""Name of a figure -> its values on R resamples `(R,)` float64."""

FIGURES = ("AP", "AP50", "AP75")
LEVEL = 0.95
"""Confidence level of the intervals."""

RECALLS = np.linspace(0, 1, 101)
"""The recalls at which COCO samples the precision."""

PICTURES_AT_ONCE = 32
"""Batch size for the APs of single pictures: the work grows with the square of this number."""

DETECTIONS_AT_ONCE = 500_000
"""Batch size for the APs of resamples, in detections times resamples: a few MB."""


def resample_counts(pictures: int, resamples: int, seed: int = 0) -> np.ndarray:
    """The number of times that each picture is drawn in each resample: `(resamples, pictures)` int32.

    The sum of each row is `pictures`.

    >>> resample_counts(pictures=5, resamples=2).sum(axis=1).tolist()
    [5, 5]
    """
    drawn = np.random.default_rng(seed).integers(max(pictures, 1), size=(resamples, pictures))
    rows = np.arange(resamples)[:, None] * pictures
    return np.bincount((drawn + rows).ravel(), minlength=resamples * pictures).reshape(drawn.shape).astype(np.int32)


def ap_of_resamples(classes: Sequence[Ranking], times: np.ndarray, progress: Progress | None = None) -> ResampledAp:
    """COCO's `AP`, `AP50` and `AP75` on R resamples of pictures, each `(R,)` float64; NaN for one without objects.

    `times` (R, P) int is the number of times that each picture is in each resample. As in COCO, a class without objects
    in a resample is not part of the mean there. `progress(done, R)` is called after each batch.
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
    """The AP of every single picture, `(P,)` float64; NaN for a picture without objects."""
    found = np.full(pictures, np.nan)
    for start in range(0, pictures, PICTURES_AT_ONCE):
        part = slice(start, min(start + PICTURES_AT_ONCE, pictures))
        found[part] = ap_of_resamples(
            [_ranking_of_pictures(ranking, part) for ranking in classes], np.eye(part.stop - start, dtype=int)
        )["AP"]
    return found


def _ranking_of_pictures(ranking: Ranking, part: slice) -> Ranking:
    """The ranking with only the pictures in `part`, whose indices then start at 0."""
    inside = (part.start <= ranking.picture) & (ranking.picture < part.stop)
    return Ranking(
        ranking.name,
        ranking.objects[part],
        ranking.picture[inside] - part.start,
        ranking.found[inside],
        ranking.ignored[inside],
    )


def average_precision(ranking: Ranking, times: np.ndarray) -> np.ndarray:
    """The AP of one class at each IoU threshold on resamples `times` (R, P): `(R, 10)` float64; NaN without objects.

    The steps are those of `COCOeval.accumulate`, but each detection counts as often as its picture was drawn: precision
    after each detection, its envelope, the mean over 101 recalls. Recall rises only at true positives, so only these
    places of the ranking are computed. Copies of a picture are next to each other in the ranking, and the envelope is
    the same as if they were one step.

    Example: the only object is found by the second detection, so precision is 1/2 at every recall.

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
    """The basic 95 % bootstrap interval [low, high] of a figure, clipped to [`least`, 1], the range of the figure.

    `whole` is the figure on all pictures, `values` are its values on the resamples. None if all values are NaN.

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
    """The 95 % bootstrap intervals of AP, AP50 and AP75 of a report with evidence.

    A measure that the report does not have is None. An interval is None if there are no objects, or only one picture
    (all its resamples are equal). `progress(done, total)` is called after each batch.
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
    """A progress callback for part `number` of `parts` equal parts of a job; it reports progress of the whole job."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, parts * total)


def _mean_of_classes(values: np.ndarray) -> np.ndarray:
    """The mean of `values` (classes, R) over the classes that are not NaN: (R,); NaN if all are."""
    defined = ~np.isnan(values)
    return np.divide(
        np.where(defined, values, 0).sum(axis=0),
        defined.sum(axis=0),
        out=np.full(values.shape[1], np.nan),
        where=defined.any(axis=0),
    )
