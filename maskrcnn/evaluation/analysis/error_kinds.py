"""The kinds of errors of a detector and what each of them costs in AP, as in TIDE.

Daniel Bolya, Sean Foley, James Hays, Judy Hoffman: "TIDE: A General Toolbox for Identifying Object Detection Errors",
ECCV 2020, section 2.2 (the kinds) and section 2.3 (their costs: the AP with one kind mended minus the AP as it is).
Where the paper leaves a choice, the rule is that of the authors' program tidecv 1.0.1. On 600 random sets without
crowds all counts and costs were equal to those of tidecv, apart from the first two of these differences:

- A duplicate whose IoU is exactly t_f is a duplicate here, and a location error in tidecv.
- AP is COCO's. A class without objects is left out, where tidecv counts 0. The 101 recalls are those of pycocotools;
  some, such as 0.7, are larger in the last bit than those of tidecv, so a recall of 7/10 does not reach them.
- A detection on a crowd counts neither way. In tidecv it still is an error, which may be the best one for an object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.analysis.precision_recall import ranking
from maskrcnn.evaluation.average_precision import group_ap
from maskrcnn.evaluation.columns import Pairs
from maskrcnn.evaluation.greedy_matching import HIGHEST_THRESHOLD
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU, MAX_DETECTIONS
from maskrcnn.evaluation.set_matches import FP, TP

KINDS = ("class", "location", "both", "duplicate", "background", "missed")
"""The kinds of errors; a kind's code is its place here."""

KIND_WORDS = {
    "class": "wrong class",
    "location": "loose fit",
    "both": "wrong class and loose fit",
    "duplicate": "found a second time",
    "background": "nothing is there",
    "missed": "missed objects",
}
"""Kind of an error -> its name in tables of reports and model cards."""

CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND, MISSED = range(len(KINDS))
CORRECT, NOT_COUNTED = -1, -2
"""Codes of what is no error: a true positive or a found object, and what counts neither way."""

SPECIAL_KINDS = ("false positives", "missed objects")
"""Errors of two kinds or more: everything that lowers precision, and everything that lowers recall."""

MOST_BACKGROUND = 0.1
"""A detection overlaps nothing if its IoU with every object is at most this: t_b in the paper."""


@dataclass(frozen=True)
class ErrorKinds:
    """The kind of error of each detection and each object of a set.

    `detection` (D,) int8 is a place in `KINDS`, never that of "missed"; CORRECT for a true positive; NOT_COUNTED for a
    detection that lies on a crowd, has a score below the limit, or is beyond COCO's 100 of its class in its picture.

    `object` (G,) int8 is CORRECT for a found object, NOT_COUNTED for a crowd, and for an unfound one the kind of the
    error that would find it if it were mended ("class" or "location"), else that of "missed".

    `target` (D,) int64 is the object that the detection should have found, or found again; -1 for background and for
    what is no error.
    """

    detection: np.ndarray
    object: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class ErrorCost:
    """How often an error occurs, and how much higher AP would be without it (in [0, 1]; None without objects)."""

    count: int
    ap_loss: float | None


def error_kinds(
    measured: MeasuredSet, iou: float = DEFAULT_IOU, background: float = MOST_BACKGROUND, min_score: float = -np.inf
) -> ErrorKinds:
    """The kind of error of each false positive and each missed object (section 2.2 of the paper).

    `iou` is t_f, `background` t_b. A detection that is matched is right. For others the first line that holds decides:

    1. location: the best IoU with an object of its class is at least t_b and below t_f;
    2. class: the best IoU with an object of another class is at least t_f;
    3. duplicate: the best IoU with an object of its class is at least t_f, so a better detection has that object;
    4. background: no IoU is above t_b;
    5. both: what is left: the class is wrong and the location is not good.

    An object that nothing found is missed if it is not the object of a location or class error. Detections with a score
    below `min_score` take no part.
    """
    matches = measured.match(min_score, iou)
    objects, detections = measured.objects, measured.detections
    iou = min(iou, HIGHEST_THRESHOLD)
    pairs = measured.pairs(measured.matched_by)
    pairs = pairs.where(~objects.crowd[pairs.object])
    is_same = objects.category[pairs.object] == detections.category[pairs.detection]
    same_iou, same_object = _best(pairs.where(is_same), len(detections))
    other_iou, other_object = _best(pairs.where(~is_same), len(detections))
    conditions = {
        LOCATION: (background <= same_iou) & (same_iou < iou),
        CLASS: other_iou >= iou,
        DUPLICATE: same_iou >= iou,
        BACKGROUND: np.maximum(same_iou, other_iou) <= background,
    }
    kind = np.select(list(conditions.values()), list(conditions), default=BOTH).astype(np.int8)
    is_evaluated = detections.rank_in_class < MAX_DETECTIONS
    is_hit = is_evaluated & (matches.detection_status == TP)
    kind[is_hit] = CORRECT
    kind[~is_hit & ~(is_evaluated & (matches.detection_status == FP))] = NOT_COUNTED
    target = np.full(len(detections), -1, dtype=np.int64)
    for kinds, goal in (((LOCATION, DUPLICATE), same_object), ((CLASS, BOTH), other_object)):
        chosen = np.isin(kind, kinds)
        target[chosen] = goal[chosen]
    object_kind = np.full(len(objects), MISSED, dtype=np.int8)
    for one in (CLASS, LOCATION):
        object_kind[target[kind == one]] = one
    object_kind[objects.crowd] = NOT_COUNTED
    object_kind[matches.detection_partner[is_hit]] = CORRECT
    return ErrorKinds(kind, object_kind, target)


def error_costs(
    measured: MeasuredSet, iou: float = DEFAULT_IOU, background: float = MOST_BACKGROUND
) -> dict[str, ErrorCost]:
    """The number of errors of each of `KINDS`, and AP with only this kind mended minus AP as it is (section 2.3).

    AP is `ap_at`. Mended means:

    - class, location: the detection becomes a true positive of its object. If the object is found already, the
      detection is taken out. If several class or location errors have one object, only the one with the best score can
      find it, and the others are taken out when their kind is mended;
    - both, duplicate, background: the detection is taken out;
    - missed: the object is taken out.

    The costs do not add up to 1 - AP: an error of one kind may hide behind one of another.
    """
    kinds = error_kinds(measured, iou, background)
    now = _Ranking.of(measured, kinds)
    counts = np.bincount(kinds.detection[kinds.detection >= 0], minlength=len(KINDS))
    counts[MISSED] = (kinds.object == MISSED).sum()
    ap = now.ap()
    return {
        name: ErrorCost(int(counts[kind]), _gain(ap, _mended(measured, kinds, now, kind).ap()))
        for kind, name in enumerate(KINDS)
    }


def special_costs(measured: MeasuredSet, iou: float = DEFAULT_IOU) -> dict[str, ErrorCost]:
    """The number and the cost of all false positives, and of all objects that were not found: TIDE's special errors.

    Without false positives, AP is the recall. Without the unfound objects, recall reaches 1 and the false positives
    stay. The costs of the kinds do not add up to these.
    """
    kinds = error_kinds(measured, iou)
    now = _Ranking.of(measured, kinds)
    ap = now.ap()
    is_wrong, is_unfound = kinds.detection >= 0, kinds.object >= 0
    return {
        "false positives": ErrorCost(int(is_wrong.sum()), _gain(ap, now.without(is_wrong).ap())),
        "missed objects": ErrorCost(int(is_unfound.sum()), _gain(ap, now.without_objects(is_unfound).ap())),
    }


def ap_at(measured: MeasuredSet, iou: float = DEFAULT_IOU) -> float | None:
    """COCO's AP at one IoU threshold, of masks or boxes (`measured.matched_by`), the mean over classes with objects.

    None without objects.
    """
    return _Ranking.of(measured, error_kinds(measured, iou)).ap()


@dataclass(frozen=True)
class _Ranking:
    """The evaluated detections, best score first, and the objects that count in each class."""

    detection: np.ndarray
    category: np.ndarray
    hit: np.ndarray
    object_category: np.ndarray
    object_index: np.ndarray
    labelled: np.ndarray

    @classmethod
    def of(cls, measured: MeasuredSet, kinds: ErrorKinds) -> _Ranking:
        rows = ranking(measured)
        rows = rows[kinds.detection[rows] != NOT_COUNTED]
        counted = np.flatnonzero(~measured.objects.crowd)
        category = measured.objects.category[counted]
        labelled = np.bincount(category, minlength=len(measured.categories)) > 0
        hit = kinds.detection[rows] == CORRECT
        return cls(rows, measured.detections.category[rows], hit, category, counted, labelled)

    def without(self, detections: np.ndarray) -> _Ranking:
        """Without the detections of a mask (D,)."""
        kept = ~detections[self.detection]
        return self._with(detection=self.detection[kept], category=self.category[kept], hit=self.hit[kept])

    def without_objects(self, objects: np.ndarray) -> _Ranking:
        """Without the objects of a mask (G,)."""
        kept = ~objects[self.object_index]
        return self._with(object_category=self.object_category[kept], object_index=self.object_index[kept])

    def with_hits(self, detections: np.ndarray, category: np.ndarray) -> _Ranking:
        """With the detections of a mask (D,) as true positives of the classes (D,)."""
        found = detections[self.detection]
        return self._with(hit=self.hit | found, category=np.where(found, category[self.detection], self.category))

    def ap(self) -> float | None:
        """The mean of the APs of the classes that are labelled.

        A class whose objects were all taken out is left out, or has AP 0 if it has detections, as in tidecv. If no
        class is left, nothing is wrong and AP is 1.
        """
        classes = len(self.labelled)
        n_objects = np.bincount(self.object_category, minlength=classes)
        order = np.argsort(self.category, kind="stable")
        hit = self.hit[order, None]
        ap = group_ap(self.category[order], hit, np.zeros_like(hit), n_objects)[:, 0]
        n_detections = np.bincount(self.category, minlength=classes)
        used = self.labelled & ((n_objects > 0) | (n_detections > 0))
        if not self.labelled.any():
            return None
        return float(ap[used].mean()) if used.any() else 1.0

    def _with(self, **columns: np.ndarray) -> _Ranking:
        return _Ranking(**{**self.__dict__, **columns})


def _mended(measured: MeasuredSet, kinds: ErrorKinds, now: _Ranking, kind: int) -> _Ranking:
    """The ranking with all errors of a kind mended."""
    if kind == MISSED:
        return now.without_objects(kinds.object == MISSED)
    is_error = kinds.detection == kind
    is_mended = is_error & _best_for_object(kinds)
    target_category = np.zeros(len(is_error), dtype=np.int64)
    target_category[is_mended] = measured.objects.category[kinds.target[is_mended]]
    return now.with_hits(is_mended, target_category).without(is_error & ~is_mended)


def _best_for_object(kinds: ErrorKinds) -> np.ndarray:
    """The class and location errors that are the best detection of an unfound object: (D,) bool."""
    could = np.flatnonzero((kinds.detection == CLASS) | (kinds.detection == LOCATION))
    could = could[kinds.object[kinds.target[could]] != CORRECT]
    best = np.zeros(len(kinds.detection), dtype=bool)
    best[could[np.unique(kinds.target[could], return_index=True)[1]]] = True  # in a picture the best score comes first
    return best


def _best(pairs: Pairs, detections: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest IoU of each detection (D,), 0 for none, and its object (D,), -1 for none; of equals the first."""
    order = np.lexsort((pairs.object, -pairs.iou, pairs.detection))
    detection, first = np.unique(pairs.detection[order], return_index=True)
    iou, target = np.zeros(detections), np.full(detections, -1, dtype=np.int64)
    iou[detection] = pairs.iou[order[first]]
    target[detection] = pairs.object[order[first]]
    return iou, target


def _gain(before: float | None, after: float | None) -> float | None:
    """How much AP rises; rounding may make it a little less than 0."""
    return None if before is None or after is None else max(after - before, 0.0)
