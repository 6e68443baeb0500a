"""The score from which detections should be kept: chosen on one half of the pictures, tried on the other.

On the pictures where a score is chosen it looks better than it is. So the figures here are those of pictures that had
no part in the choice. One split into halves is a matter of luck, so there are ten, each used both ways. Simulated with
25 pictures, 400 times: the score with the best F1 had an F1 of .799 on the same pictures and of .778 on others. A score
chosen on one half varied by .110 (standard deviation), the median of ten splits by .079, and the F1 that was reported
for it was wrong by .041 (root mean square) instead of .055.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.bootstrap import jackknife_half_width
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU
from maskrcnn.evaluation.set_matches import IGNORED, TP

SPLITS = 10
"""Number of random splits into halves; a score is chosen on each half of each."""


@dataclass(frozen=True)
class ScoreChoice:
    """A score, and what to expect of the detections of at least that score on new pictures.

    `score` is the median of `scores`, those that were chosen on each half of the pictures in each split. `precision`,
    `recall` and `f1` are the means of the figures of these scores on the other halves. `f1_interval` is a 95 % interval
    [low, high] (in simulations with 13 to 200 pictures it held the true F1 in 91 to 95 of 100 sets). `chosen_on` and
    `reported_on` are the sizes of the halves in pictures. If no score can be chosen, figures are None, and `reason`
    says why, in words.
    """

    score: float | None
    chosen_on: int
    reported_on: int
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    f1_interval: list[float] | None = None
    scores: tuple[float, ...] = ()
    reason: str | None = None


def best_score(
    measured: MeasuredSet,
    iou: float = DEFAULT_IOU,
    wanted_precision: float | None = None,
    seed: int = 0,
    splits: int = SPLITS,
) -> ScoreChoice:
    """The score with the largest F1, or the lowest one that reaches `wanted_precision`, over all classes together.

    F1 is 2 TP / (detections + objects), from `MeasuredSet.match` at `iou`. The pictures with objects and those without
    are halved separately, so that both halves have objects. A wanted precision must be reached on at least half of the
    halves. It is only aimed at: on other pictures precision may be a little lower, and `precision` says what it was.

    Raises `StudioError` if `wanted_precision` is not above 0 and at most 1.

    Example: in each of two pictures the object has the score .9 and something wrong .4. The best score is .9, whichever
    picture it is chosen on.

    >>> from maskrcnn.evaluation import measure
    >>> right, wrong = [0, 0, 20, 20], [50, 50, 20, 20]
    >>> truth = {
    ...     "images": [{"id": n, "file_name": f"{n}.png", "width": 100, "height": 100} for n in (1, 2)],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": n, "image_id": n, "category_id": 1, "bbox": right, "area": 400, "iscrowd": 0} for n in (1, 2)
    ...     ],
    ... }
    >>> found = [
    ...     {"image_id": n, "category_id": 1, "bbox": box, "score": score}
    ...     for n in (1, 2)
    ...     for box, score in ((right, 0.9), (wrong, 0.4))
    ... ]
    >>> choice = best_score(measure(truth, found, tasks=["box"]))
    >>> choice.score, choice.precision, choice.recall, choice.f1
    (0.9, 1.0, 1.0, 1.0)
    >>> best_score(measure(truth, found, tasks=["box"]), wanted_precision=0.5).score  # 1 of 2 is right from .4 on
    0.4
    """
    if wanted_precision is not None and not 0 < wanted_precision <= 1:
        raise StudioError(f"wanted precision: {wanted_precision:g} is not above 0 and at most 1")
    status = measured.match(-np.inf, iou).detection_status
    counted = np.flatnonzero(status != IGNORED)
    order = counted[np.argsort(-measured.detections.score[counted], kind="stable")]
    objects = np.bincount(measured.objects.picture[~measured.objects.crowd], minlength=len(measured.pictures))
    found = _Found(measured.detections.picture[order], measured.detections.score[order], status[order] == TP, objects)
    return _choose(found, wanted_precision, seed, splits)


@dataclass(frozen=True)
class _Found:
    """Detections, best score first: picture, score and hit (M,); and the number of objects in each picture (P,)."""

    picture: np.ndarray
    score: np.ndarray
    hit: np.ndarray
    objects: np.ndarray


def _choose(found: _Found, wanted_precision: float | None, seed: int, splits: int) -> ScoreChoice:
    with_objects = np.flatnonzero(found.objects)
    sides = [with_objects, np.flatnonzero(found.objects == 0)]
    chosen_on = sum(len(side) // 2 for side in sides)
    sizes = chosen_on, len(found.objects) - chosen_on
    if len(with_objects) < 2:
        what = "only one picture has" if len(with_objects) else "no picture has"
        return ScoreChoice(None, *sizes, reason=f"{what} labelled objects, and a choice needs two: one to try it on")
    if not found.hit.any():
        return ScoreChoice(None, *sizes, reason="no detection is right at this IoU")
    rng = np.random.default_rng(seed)
    scores, tried = [], []
    for _ in range(splits):
        half = np.zeros(len(found.objects), dtype=bool)
        for side in sides:
            half[rng.permutation(side)[: len(side) // 2]] = True
        for one in (half, ~half):
            score = _score_on(found, one, wanted_precision)
            if score is not None:
                scores.append(score)
                tried.append(_figures_on(found, ~one, score))
    if len(scores) < splits:
        aim = "a right detection" if wanted_precision is None else f"a precision of {wanted_precision:g}"
        return ScoreChoice(
            None, *sizes, reason=f"only {len(scores)} of {2 * splits} random halves of the pictures reach {aim}"
        )
    score = float(np.median(scores))
    figures = np.array(tried)
    precision, recall, f1 = (_mean(column) for column in figures.T)
    interval = None if f1 is None else _interval(found, score, f1)
    return ScoreChoice(score, *sizes, precision, recall, f1, interval, tuple(scores))


def _score_on(found: _Found, half: np.ndarray, wanted_precision: float | None) -> float | None:
    """The best score on the pictures of `half` (P,) bool, of equals the highest; None if there is none."""
    inside = half[found.picture]
    score, true_positives = found.score[inside], np.cumsum(found.hit[inside])
    # All detections of one score are kept together.
    rank = np.flatnonzero(np.append(score[1:] != score[:-1], True)[: len(score)])
    hits = true_positives[rank]
    if not len(rank) or not hits[-1]:
        return None
    if wanted_precision is None:
        return float(score[rank[np.argmax(2 * hits / (rank + 1 + found.objects[half].sum()))]])
    reaching = rank[hits / (rank + 1) >= wanted_precision]
    return float(score[reaching[-1]]) if len(reaching) else None


def _figures_on(found: _Found, half: np.ndarray, score: float) -> tuple[float, float, float]:
    """Precision (NaN if nothing is kept), recall and F1 on the pictures of `half`."""
    kept = half[found.picture] & (found.score >= score)
    n_kept, hits, n_objects = int(kept.sum()), int(found.hit[kept].sum()), int(found.objects[half].sum())
    return hits / n_kept if n_kept else np.nan, hits / n_objects, 2 * hits / (n_kept + n_objects)


def _interval(found: _Found, score: float, f1: float) -> list[float] | None:
    """The 95 % interval of F1 at a score, as those of AP of few pictures: from the F1 without each picture."""
    pictures = len(found.objects)
    kept = found.score >= score
    n_kept = np.bincount(found.picture[kept], minlength=pictures)
    hits = np.bincount(found.picture[kept & found.hit], minlength=pictures)
    right, whole = 2 * (hits.sum() - hits), (n_kept + found.objects).sum() - (n_kept + found.objects)
    without = np.divide(right, whole, out=np.full(pictures, np.nan), where=whole > 0)
    half = jackknife_half_width(without)
    return None if half is None else [max(0.0, f1 - half), min(1.0, f1 + half)]


def _mean(values: np.ndarray) -> float | None:
    """The mean of the values that are not NaN; None if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else None
