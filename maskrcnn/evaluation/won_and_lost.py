"""The objects that only one of two networks finds, and the pictures in which the two differ most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.comparison import Comparison
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE


@dataclass(frozen=True)
class ChangedObject:
    """An object that B finds and A misses (`is_won`), or that A finds and B misses (lost).

    `picture` is the index of its picture, `annotation_id` its id in the labels, `name` its class and `box` [x, y, w, h]
    its box in pixels. `score` is that of the detection that found it, `position` the index of that detection in the
    list of its side. `iou_a` and `iou_b` are the IoUs with its detection on each side; where it is missed, the best IoU
    with any detection of its class.
    """

    is_won: bool
    picture: int
    annotation_id: Id
    name: str
    box: tuple[float, float, float, float]
    score: float
    position: int
    iou_a: float
    iou_b: float


@dataclass(frozen=True)
class PictureChange:
    """How one picture differs from A to B: objects won and lost, wrong detections, and its AP (None: no objects)."""

    picture: int
    file: str
    won: int
    lost: int
    fp_a: int
    fp_b: int
    ap_a: float | None
    ap_b: float | None

    @property
    def difference(self) -> float | None:
        """The AP of B minus that of A; None if it has none."""
        return None if self.ap_a is None or self.ap_b is None else self.ap_b - self.ap_a


def won_and_lost(
    measured_a: MeasuredSet,
    measured_b: MeasuredSet,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
) -> tuple[ChangedObject, ...]:
    """The objects that exactly one of two networks finds, in the order of the labels.

    Both sides are measured on the same labels (see `common_pictures`). Detections with a score below `min_score` take
    no part; an object is found by a detection of its class with an IoU of at least `iou`. Raises `StudioError` if the
    labels differ.

    >>> from maskrcnn.evaluation import measure
    >>> label = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 20], "area": 400, "iscrowd": 0}
    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 99, "height": 99}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [label],
    ... }
    >>> found = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 16], "score": 0.9}  # IoU 16 / 20
    >>> a, b = measure(truth, [], tasks=["box"]), measure(truth, [found], tasks=["box"])
    >>> [(entry.name, entry.is_won, round(entry.iou_b, 2)) for entry in won_and_lost(a, b)]
    [('cell', True, 0.8)]
    """
    _require_the_same_labels(measured_a, measured_b)
    matched_a, matched_b = measured_a.match(min_score, iou), measured_b.match(min_score, iou)
    found_a, found_b = matched_a.object_partner >= 0, matched_b.object_partner >= 0
    objects = measured_b.objects
    changed = []
    for index in np.flatnonzero(found_a != found_b).tolist():
        is_won = bool(found_b[index])
        matched, side = (matched_b, measured_b) if is_won else (matched_a, measured_a)
        detection = int(matched.object_partner[index])
        x, y, width, height = objects.boxes[index].tolist()
        changed.append(
            ChangedObject(
                is_won=is_won,
                picture=int(objects.picture[index]),
                annotation_id=objects.annotation_ids[index],
                name=measured_b.names[objects.category[index]],
                box=(x, y, width, height),
                score=float(side.detections.score[detection]),
                position=int(side.detections.position[detection]),
                iou_a=float(matched_a.object_iou[index]),
                iou_b=float(matched_b.object_iou[index]),
            )
        )
    return tuple(changed)


def picture_changes(
    measured_a: MeasuredSet,
    measured_b: MeasuredSet,
    changed: Sequence[ChangedObject],
    comparison: Comparison,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
) -> list[PictureChange]:
    """A row for each picture, those that changed most first: by objects won and lost, then by the difference in AP.

    `changed` are the objects of `won_and_lost` at the same `min_score` and `iou`, `comparison` is that of the reports
    of both sides (`compare`).
    """
    won, lost = (
        np.bincount([entry.picture for entry in changed if entry.is_won is is_won], minlength=len(measured_b.files))
        for is_won in (True, False)
    )
    wrong_a, wrong_b = (side.match(min_score, iou).fp for side in (measured_a, measured_b))
    rows = [
        PictureChange(
            number,
            file,
            int(won[number]),
            int(lost[number]),
            int(wrong_a[number]),
            int(wrong_b[number]),
            ap["a"],
            ap["b"],
        )
        for number, (file, ap) in enumerate(zip(measured_b.files, comparison["per_image"]["pictures"], strict=True))
    ]
    return sorted(rows, key=lambda row: (-(row.won + row.lost), -abs(row.difference or 0.0), row.picture))


def _require_the_same_labels(a: MeasuredSet, b: MeasuredSet) -> None:
    """Raise `StudioError` if the two sides were measured on other labels."""
    if a.files != b.files or a.objects.annotation_ids != b.objects.annotation_ids:
        raise StudioError("A and B were measured on other labels; measure both on those of `common_pictures`")
    if a.matched_by != b.matched_by:
        raise StudioError("one side is judged by masks and the other by boxes; measure both for the same tasks")
