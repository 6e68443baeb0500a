"""Average precision (AP) from rankings of detections, computed with NumPy.

`ap_from_rankings` and `ap_of_each_picture` compute COCO's AP from the evidence of a report, without matching detections
again: for bootstrap resamples of the pictures, and for every single picture. `pooled_ap` is the AP of one picture in
the matterport notebooks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskrcnn.evaluation.detection_evidence import THRESHOLDS, Ranking

Progress = Callable[[int, int], None]
"""A callback (done, total)."""

ResampledAp = dict[str, np.ndarray]
"""Name of a figure -> its values on R resamples `(R,)` float64."""

FIGURES = ("AP", "AP50", "AP75")
"""The figures that are computed from rankings."""

RECALLS = np.linspace(0, 1, 101)
"""The recalls at which COCO samples the precision."""

PICTURES_AT_ONCE = 32
"""Batch size for the APs of single pictures: the work grows with the square of this number."""

DETECTIONS_AT_ONCE = 100_000
"""Batch size for the APs of resamples, in detections times resamples: the arrays stay in the cache."""


def ap_from_rankings(rankings: Sequence[Ranking], times: np.ndarray, progress: Progress | None = None) -> ResampledAp:
    """COCO's `AP`, `AP50` and `AP75` from the `rankings` of all classes, on R resamples of the pictures.

    Each is `(R,)` float64; NaN for a resample without objects. `times` (R, P) int is the number of times that each
    picture is in each resample. As in COCO, a class without objects in a resample is not part of the mean there.
    `progress(done, R)` is called after each batch.
    """
    found: ResampledAp = {name: np.full(len(times), np.nan) for name in FIGURES}
    at_once = max(1, DETECTIONS_AT_ONCE // max([len(ranking.picture) for ranking in rankings] + [1000]))
    for start in range(0, len(times), at_once):
        part = slice(start, start + at_once)
        by_class = np.array([ap_of_ranking(ranking, times[part]) for ranking in rankings])
        for name, thresholds in zip(FIGURES, (slice(None), slice(0, 1), slice(5, 6)), strict=True):
            if len(by_class):
                found[name][part] = _mean_over_rankings(by_class[:, :, thresholds].mean(axis=2))
        if progress is not None:
            progress(min(start + at_once, len(times)), len(times))
    return found


def ap_of_each_picture(rankings: Sequence[Ranking], pictures: int) -> np.ndarray:
    """The AP of every single picture, from the rankings of all classes: `(P,)` float64; NaN without objects."""
    found = np.full(pictures, np.nan)
    for start in range(0, pictures, PICTURES_AT_ONCE):
        part = slice(start, min(start + PICTURES_AT_ONCE, pictures))
        rankings_of_part = [_ranking_of_pictures(ranking, part) for ranking in rankings]
        one_picture_each = np.eye(part.stop - start, dtype=int)  # each resample is a single picture, drawn once
        found[part] = ap_from_rankings(rankings_of_part, one_picture_each)["AP"]
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


def ap_of_ranking(ranking: Ranking, times: np.ndarray) -> np.ndarray:
    """The AP of the ranking of one class, at each IoU threshold, on resamples `times` (R, P): `(R, 10)` float64.

    It is NaN without objects. The steps are those of `COCOeval.accumulate`, but each detection counts as often as its
    picture was drawn: precision after each detection, its envelope, the mean over 101 recalls. Recall rises only at
    true positives, so only these places of the ranking are computed. The copies of a detection follow each other in the
    ranking, so they are counted in one step; the envelope is the same.

    Example: the only object is found by the second detection, so precision is 1/2 at every recall.

    >>> found = np.array([[False] * THRESHOLDS, [True] * THRESHOLDS])
    >>> ranking = Ranking("cell", np.array([1]), np.array([0, 0]), found, np.zeros_like(found))
    >>> ap_of_ranking(ranking, np.array([[1]])).round(6)[0, 0].item()
    0.5
    """
    drawn = np.ascontiguousarray(times.T)[ranking.picture]
    n_objects = times @ ranking.objects
    level_table, first_place = _recall_level_table(n_objects)
    rank = np.cumsum(drawn, axis=0, dtype=np.int32)
    result = np.zeros((len(times), THRESHOLDS))
    for threshold in range(THRESHOLDS):
        hits = np.flatnonzero(ranking.found[:, threshold])
        # Of each hit: how many detections up to it count, and how many of them are true positives.
        detections = rank[hits]
        ignored = np.flatnonzero(ranking.ignored[:, threshold])
        if len(ignored):
            ignored_so_far = np.pad(np.cumsum(drawn[ignored], axis=0, dtype=np.int32), ((1, 0), (0, 0)))
            n_ignored_before = np.searchsorted(ignored, hits)  # of each hit: ignored detections with a better rank
            detections = detections - ignored_so_far[n_ignored_before]
        true_positives = np.cumsum(drawn[hits], axis=0, dtype=np.int32)
        precision = true_positives / np.maximum(detections, 1)
        envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        # The precision at a recall of `RECALLS` is that of the first hit which reaches this recall.
        levels_reached = level_table[np.minimum(true_positives, n_objects) + first_place]
        newly_reached = levels_reached.copy()
        newly_reached[1:] -= levels_reached[:-1]
        result[:, threshold] = np.einsum("hr,hr->r", envelope, newly_reached) / len(RECALLS)
    return np.where(n_objects[:, None] > 0, result, np.nan)


def _recall_level_table(n_objects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of `RECALLS` are reached with t of n objects found, for each n in `n_objects` (R,) and t = 0, ..., n.

    The tables of all n follow each other in one array; of each resample, the place of its t = 0 is `(R,)`.
    """
    sizes, of_resample = np.unique(n_objects, return_inverse=True)
    ends = np.cumsum(sizes + 1)
    starts = ends - (sizes + 1)
    found = np.arange(ends[-1] if len(ends) else 0) - np.repeat(starts, sizes + 1)
    recall = found / np.repeat(np.maximum(sizes, 1), sizes + 1)
    return np.searchsorted(RECALLS, recall, side="right").astype(np.float64), starts[of_resample.ravel()]


def _mean_over_rankings(values: np.ndarray) -> np.ndarray:
    """The mean of the APs of rankings, `values` (classes, R), over the classes whose AP is not NaN: (R,)."""
    defined = ~np.isnan(values)
    return np.divide(
        np.where(defined, values, 0).sum(axis=0),
        defined.sum(axis=0),
        out=np.full(values.shape[1], np.nan),
        where=defined.any(axis=0),
    )


def pooled_ap(hits: np.ndarray, n_objects: int) -> float | None:
    """The AP of one picture from a single ranking of all classes, as in the matterport notebooks, in [0, 1].

    `hits` (P,) bool tells for each detection of the picture, best score first and all classes together, whether it is a
    true positive: matched to the unmatched object of its class with the largest IoU (of masks, or of boxes if there are
    no masks), which must be at least the threshold. None if there are no objects.

    After every detection, precision is (hits so far / detections so far) and recall is (hits so far / objects). Each
    precision is replaced by the maximum at that recall or a higher one (the envelope). The AP is the area under the
    envelope over recall. Recall rises only at hits, by 1 / objects, so the area is the sum of the envelope at the hits,
    divided by the number of objects.

    Differences from the notebooks: a picture without objects has no AP instead of a division by zero. Crowds, and
    detections that are matched to one, are left out. The ranking has all detections of the model, down to its
    `detection_min_confidence`; the notebooks used scores of at least 0.7 by default.

    Differences from COCO's AP50: classes share one ranking instead of being averaged, detections of a class that the
    picture does not have count as false positives, and the area is exact instead of sampled at 101 recalls.

    Example: two objects, found by the first and the third detection. Precision is 1 and 2/3, each for half the recall.

    >>> round(pooled_ap(np.array([True, False, True]), n_objects=2), 4), round((1 + 2 / 3) / 2, 4)
    (0.8333, 0.8333)
    """
    if n_objects == 0:
        return None
    hits = np.asarray(hits, dtype=bool)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / n_objects)
