"""The confusion matrix of a detector, with a row for what is not labelled and a column for what was missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.columns import Detections, Objects
from maskrcnn.evaluation.greedy_matching import greedy_partners
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE
from maskrcnn.evaluation.set_matches import FN, FP, TP


@dataclass(frozen=True)
class Instance:
    """What a cell counts: indices of the picture, and of the detection and the object, None if there is none."""

    picture: int
    detection: int | None
    object: int | None


@dataclass(frozen=True)
class Confusion:
    """`counts` (K + 1, K + 1) int64: rows are labelled classes, columns found ones.

    The last row counts detections without an object, the last column objects without a detection; the last cell is 0.
    So row k sums to the objects of class k, and column k to the detections of class k that count. `object_partner`
    (G,) and `detection_partner` (D,) int64 are the pairs, -1 for none.
    """

    counts: np.ndarray
    detection_partner: np.ndarray
    object_partner: np.ndarray
    _objects: Objects
    _detections: Detections
    _detection_cell: np.ndarray
    _object_cell: np.ndarray

    def cells(self, row: int, column: int) -> list[Instance]:
        """The instances of a cell: best score first; missed objects, which have no score, largest first."""
        cell = row * len(self.counts) + column
        if column == len(self.counts) - 1:
            missed = np.flatnonzero(self._object_cell == cell)
            missed = missed[np.argsort(-self._objects.area[missed], kind="stable")]
            return [Instance(int(self._objects.picture[place]), None, int(place)) for place in missed]
        found = np.flatnonzero(self._detection_cell == cell)
        found = found[np.argsort(-self._detections.score[found], kind="stable")]
        partners = self.detection_partner[found].tolist()
        return [
            Instance(int(self._detections.picture[place]), int(place), None if partner < 0 else partner)
            for place, partner in zip(found, partners, strict=True)
        ]


def confusion_matrix(
    measured: MeasuredSet, min_score: float = DEFAULT_MIN_SCORE, iou: float = DEFAULT_IOU
) -> Confusion:
    """Which class was found where which class is labelled, with detections of at least `min_score`.

    First, detections are matched to objects of their own class, as everywhere: the diagonal holds the true positives of
    `MeasuredSet.match`. Then each false positive, from the best score down, takes the object of another class that has
    the largest IoU among those that nothing has found, if that is at least `iou`. What is left is in the last row or
    column.

    A matching that is blind to classes from the start would give an object to a wrong class with a better score even if
    the right class is found there, too; here that detection is in the last row. Detections on crowds of their class,
    and crowds, are not counted.

    Example: a cat that was found as a dog, and a dog that was not found.

    >>> from maskrcnn.evaluation import measure
    >>> cat, dog = [0, 0, 20, 20], [50, 50, 20, 20]
    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    ...     "annotations": [
    ...         {"id": n, "image_id": 1, "category_id": n, "bbox": box, "area": 400, "iscrowd": 0}
    ...         for n, box in ((1, cat), (2, dog))
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 2, "bbox": cat, "score": 0.9}]
    >>> confusion = confusion_matrix(measure(truth, found, tasks=["box"]))
    >>> confusion.counts.tolist()
    [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    >>> confusion.cells(0, 1), confusion.cells(1, 2)
    ([Instance(picture=0, detection=0, object=0)], [Instance(picture=0, detection=None, object=1)])
    """
    matches = measured.match(min_score, iou)
    objects, detections = measured.objects, measured.detections
    is_false, is_unfound = matches.detection_status == FP, matches.object_status == FN
    pairs = measured.pairs(measured.matched_by)
    pairs = pairs.where(is_false[pairs.detection] & is_unfound[pairs.object])
    blind = Detections(
        detections.picture,
        np.zeros_like(detections.category),
        detections.score,
        detections.boxes,
        detections.position,
    )
    nothing = np.zeros(len(objects), dtype=bool)
    other = greedy_partners(pairs, blind, np.array([iou]), nothing[:, None], nothing)[:, 0]
    is_hit = matches.detection_status == TP
    detection_partner = np.where(is_hit, matches.detection_partner, other).astype(np.int64)
    object_partner = np.full(len(objects), -1, dtype=np.int64)
    paired = np.flatnonzero(detection_partner >= 0)
    object_partner[detection_partner[paired]] = paired
    side = len(measured.categories) + 1
    rows = np.full(len(detections), side - 1)
    rows[paired] = objects.category[detection_partner[paired]]
    detection_cell = np.where(is_hit | is_false, rows * side + detections.category, -1)
    is_missed = is_unfound & (object_partner < 0)
    object_cell = np.where(is_missed, objects.category * side + side - 1, -1)
    cells = np.concatenate([detection_cell, object_cell])
    counts = np.bincount(cells[cells >= 0], minlength=side * side).reshape(side, side)
    return Confusion(counts, detection_partner, object_partner, objects, detections, detection_cell, object_cell)
