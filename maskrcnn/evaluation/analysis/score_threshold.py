"""The score from which detections should be kept, chosen on one half of the pictures and tried on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU
from maskrcnn.evaluation.set_matches import IGNORED, TP


@dataclass(frozen=True)
class ScoreChoice:
    """A score, and precision, recall and F1 of the detections of at least that score on other pictures.

    `chosen_on` and `reported_on` are numbers of pictures. Fields are None if they are not defined, and `reason` says
    why in words; else it is None.
    """

    score: float | None
    chosen_on: int
    reported_on: int
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    reason: str | None = None


def best_score(
    measured: MeasuredSet, iou: float = DEFAULT_IOU, wanted_precision: float | None = None, seed: int = 0
) -> ScoreChoice:
    """The score with the largest F1, or the lowest one that reaches `wanted_precision`.

    It is chosen on a random half of the pictures, and the figures are those of the other half: on the half where a
    score was chosen, it looks better than it is.
    """
    objects = np.bincount(measured.objects.picture[~measured.objects.crowd], minlength=len(measured.pictures))
    with_objects = np.flatnonzero(objects)
    if len(with_objects) < 2:
        what = "no picture has" if not len(with_objects) else "only one picture has"
        return ScoreChoice(None, 0, 0, reason=f"{what} labelled objects; at least two are needed")
    rng = np.random.default_rng(seed)
    chosen_half = np.zeros(len(measured.pictures), dtype=bool)
    for group in (with_objects, np.flatnonzero(objects == 0)):
        chosen_half[rng.permutation(group)[: len(group) // 2]] = True
    status = measured.match(-np.inf, iou).detection_status
    counted = status != IGNORED
    inside = counted & chosen_half[measured.detections.picture]
    score = _choose(
        measured.detections.score[inside], status[inside] == TP, int(objects[chosen_half].sum()), wanted_precision
    )
    sizes = int(chosen_half.sum()), int((~chosen_half).sum())
    if score is None:
        reason = "nothing was found" if wanted_precision is None else "no score reaches this precision"
        return ScoreChoice(None, *sizes, reason=reason)
    kept = counted & ~chosen_half[measured.detections.picture] & (measured.detections.score >= score)
    n_kept, tp, n_objects = int(kept.sum()), int((status[kept] == TP).sum()), int(objects[~chosen_half].sum())
    return ScoreChoice(score, *sizes, tp / n_kept if n_kept else None, tp / n_objects, 2 * tp / (n_kept + n_objects))


def _choose(score: np.ndarray, hit: np.ndarray, n_objects: int, wanted_precision: float | None) -> float | None:
    """The score with the best F1, the highest of equals, or the lowest with the wanted precision; None without any."""
    order = np.argsort(-score, kind="stable")
    score, true_positives = score[order], np.cumsum(hit[order])
    last = np.append(score[1:] != score[:-1], True)[: len(score)]  # a score keeps all detections that have it
    rank = np.flatnonzero(last)
    if not len(rank):
        return None
    if wanted_precision is not None:
        reaching = rank[true_positives[rank] / (rank + 1) >= wanted_precision]
        return float(score[reaching[-1]]) if len(reaching) else None
    f1 = 2 * true_positives[rank] / (rank + 1 + n_objects)
    return float(score[rank[np.argmax(f1)]]) if f1.max() > 0 else None
