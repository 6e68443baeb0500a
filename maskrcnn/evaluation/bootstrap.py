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

import numpy as np

from maskrcnn.evaluation.coco_ap import KINDS
from maskrcnn.evaluation.detection_evidence import class_rankings
from maskrcnn.evaluation.ranking_ap import FIGURES, Progress, ap_from_rankings
from maskrcnn.evaluation.report import Edges, Report, ReportIntervals

LEVEL = 0.95
"""Confidence level of the intervals."""


def resample_counts(pictures: int, resamples: int, seed: int = 0) -> np.ndarray:
    """The number of times that each picture is drawn in each resample: `(resamples, pictures)` int32.

    The sum of each row is `pictures`.

    >>> resample_counts(pictures=5, resamples=2).sum(axis=1).tolist()
    [5, 5]
    """
    drawn = np.random.default_rng(seed).integers(max(pictures, 1), size=(resamples, pictures))
    rows = np.arange(resamples)[:, None] * pictures
    return np.bincount((drawn + rows).ravel(), minlength=resamples * pictures).reshape(drawn.shape).astype(np.int32)


def basic_interval(values: np.ndarray, whole: float, lowest: float = 0.0) -> list[float] | None:
    """The basic 95 % bootstrap interval [low, high] of a figure, clipped to [`lowest`, 1], the range of the figure.

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
    return [float(edge) for edge in edges.clip(lowest, 1)]


def intervals(report: Report, resamples: int, seed: int = 0, progress: Progress | None = None) -> ReportIntervals:
    """The 95 % bootstrap intervals of AP, AP50 and AP75 of a report with evidence.

    A measure that the report does not have is None. An interval is None if there are no objects, or only one picture
    (all its resamples are equal). `progress(done, total)` is called after each batch.
    """
    pictures = len(report.per_image)
    times = resample_counts(pictures, resamples, seed)
    found: dict[str, Edges | None] = dict.fromkeys(KINDS)
    for number, kind in enumerate(report.kinds):
        classes = class_rankings(report, kind)
        whole = ap_from_rankings(classes, np.ones((1, pictures), dtype=np.int32))
        values = ap_from_rankings(classes, times, part_of_resampling_progress(progress, number, len(report.kinds)))
        found[kind] = {name: basic_interval(values[name], whole[name][0]) if pictures > 1 else None for name in FIGURES}
    return ReportIntervals(level=LEVEL, resamples=resamples, seed=seed, **found)


def part_of_resampling_progress(progress: Progress | None, number: int, parts: int) -> Progress | None:
    """A progress callback for part `number` of `parts` equal parts of the resampling; it reports the whole progress."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, parts * total)
