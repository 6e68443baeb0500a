"""The precision-recall curve of a class, or of all classes together, with the detection behind each point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.average_precision import recalls_reached
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU, MAX_DETECTIONS, RECALLS
from maskrcnn.evaluation.set_matches import IGNORED, TP


@dataclass(frozen=True)
class Curve:
    """A precision-recall curve of M detections, best score first.

    `score`, `precision`, `recall` and `envelope` are (M,) float64: the values when this detection and all better ones
    are kept. The envelope is the best precision at this recall or a higher one. `hit` (M,) bool says whether the
    detection is a true positive; `detection` (M,) int64 is its index in the columns of the measured set. `objects` is
    the number of labelled objects. `area` is the mean of the envelope at COCO's 101 recalls, 0 where the curve ends
    before. Without objects, recall is NaN and `area` None.
    """

    score: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    envelope: np.ndarray
    hit: np.ndarray
    detection: np.ndarray
    objects: int
    area: float | None


def precision_recall(measured: MeasuredSet, category: int | None = None, iou: float = DEFAULT_IOU) -> Curve:
    """The curve of a class (its index in `measured.categories`), or of all classes in one ranking if it is None.

    A detection is a true positive if `MeasuredSet.match` matches it at `iou`. Those on crowds count neither way and
    are left out, and so are those beyond COCO's limit of 100 of a class in a picture. For one class the area is COCO's
    AP at that IoU.

    Example: two objects, the second one found by the third detection. Precision is 1 up to recall 1/2 (51 of the 101
    recalls) and 2/3 above (50 recalls): (51 + 50 * 2/3) / 101 = 0.835.

    >>> from maskrcnn.evaluation import measure
    >>> boxes = {1: [0, 0, 20, 20], 2: [50, 50, 20, 20]}
    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": n, "image_id": 1, "category_id": 1, "bbox": box, "area": 400, "iscrowd": 0}
    ...         for n, box in boxes.items()
    ...     ],
    ... }
    >>> found = [
    ...     {"image_id": 1, "category_id": 1, "bbox": box, "score": score}
    ...     for box, score in ((boxes[1], 0.9), ([20, 60, 9, 9], 0.8), (boxes[2], 0.7))
    ... ]
    >>> curve = precision_recall(measure(truth, found, tasks=["box"]), category=0)
    >>> curve.hit.tolist(), curve.recall.tolist(), curve.envelope.round(2).tolist(), round(curve.area, 3)
    ([True, False, True], [0.5, 0.5, 1.0], [1.0, 0.67, 0.67], 0.835)
    """
    status = measured.match(-np.inf, iou).detection_status
    rows = ranking(measured)
    rows = rows[status[rows] != IGNORED]
    of_class = ~measured.objects.crowd
    if category is not None:
        rows = rows[measured.detections.category[rows] == category]
        of_class = of_class & (measured.objects.category == category)
    n_objects = int(of_class.sum())
    hit = status[rows] == TP
    true_positives = np.cumsum(hit)
    precision = true_positives / np.arange(1, len(rows) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.diff(recalls_reached(true_positives, np.array(max(n_objects, 1))), prepend=0)
    return Curve(
        score=measured.detections.score[rows],
        precision=precision,
        recall=true_positives / n_objects if n_objects else np.full(len(rows), np.nan),
        envelope=envelope,
        hit=hit,
        detection=rows,
        objects=n_objects,
        area=float((envelope * reached).sum() / len(RECALLS)) if n_objects else None,
    )


def ranking(measured: MeasuredSet) -> np.ndarray:
    """The detections that COCO evaluates (at most 100 of a class in a picture), best score first: indices (M,) int64.

    Equal scores are in pycocotools' order: by the id of the picture, then as given.
    """
    detections = measured.detections
    place = measured.coco(measured.matched_by).picture_order
    order = np.lexsort((place[detections.picture], -detections.score))
    return order[detections.rank_in_class[order] < MAX_DETECTIONS]
