"""The objects and detections of one picture with their matches, shapes and all: what a page draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from maskrcnn.evaluation import coco_documents
from maskrcnn.evaluation.coco_documents import Document, Entry, Id, MatchedBy
from maskrcnn.evaluation.document_checks import result_list
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE
from maskrcnn.evaluation.set_matches import BELOW, FN, FP, IGNORED, TP, SetMatches

_STATUS: dict[int, Any] = {TP: "tp", FP: "fp", FN: "fn", IGNORED: "ignored"}


@dataclass(frozen=True)
class MatchedObject:
    """One labelled object and its match.

    `status` is "tp" (found by a detection), "fn" (missed) or "ignored" (a crowd). `partner` is the index of its
    detection in `ImageMatches.predictions`, or None. `iou` is the IoU with that detection. For an object without a
    match it is the best IoU with any detection of its class, or 0. `rle` is None if boxes are compared. `keypoints` are
    (x, y, v, x, y, v, ...) or None.
    """

    annotation_id: Id
    category_id: int
    bbox: tuple[float, float, float, float]
    rle: Entry | None
    status: Literal["tp", "fn", "ignored"]
    partner: int | None
    iou: float
    keypoints: tuple[float, ...] | None = None


@dataclass(frozen=True)
class MatchedDetection:
    """One detection and its match.

    `status` is "tp", "fp" or "ignored" (matched to a crowd of its class). `partner` is the index of its object in
    `ImageMatches.truths`, or None. `iou` is the IoU with that object. For a detection without a match it is the best
    IoU with any object of its class, or 0. `position` is its index in the given list of detections. `bbox` is
    [x, y, w, h]. `rle` and `keypoints` are as in `MatchedObject`.
    """

    position: int
    category_id: int
    score: float
    bbox: tuple[float, float, float, float]
    rle: Entry | None
    status: Literal["tp", "fp", "ignored"]
    partner: int | None
    iou: float
    keypoints: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ImageMatches:
    """All objects of one picture, and its detections of at least `min_score`, best score first.

    `matched_by` is "segm" for the IoU of masks, or "bbox" for the IoU of boxes if the detections have no masks.
    """

    image_id: Id
    truths: tuple[MatchedObject, ...]
    predictions: tuple[MatchedDetection, ...]
    matched_by: MatchedBy = "segm"

    @property
    def tp(self) -> int:
        """Number of true positives: detections that are matched to an object."""
        return sum(prediction.status == "tp" for prediction in self.predictions)

    @property
    def fp(self) -> int:
        """Number of false positives: no object there, wrong class, low IoU, or the object has a better detection."""
        return sum(prediction.status == "fp" for prediction in self.predictions)

    @property
    def fn(self) -> int:
        """Number of false negatives: objects without a detection."""
        return sum(truth.status == "fn" for truth in self.truths)


def match_image(
    ground_truth: Document,
    detections: Iterable[Document],
    image_id: Id,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
    tasks: Sequence[str] | None = None,
) -> ImageMatches:
    """Match the detections of one picture, of at least `min_score`, to its objects, at the threshold `iou`.

    `tasks` are those of the network; None derives them from the detections. Without the task "mask", boxes are
    compared. Raises `StudioError` if the documents do not belong together or there is no such picture.

    >>> truth = {
    ...     "images": [{"id": 1, "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 10], "score": 0.9}]  # the upper half
    >>> matches = match_image(truth, found, image_id=1, tasks=["box"])
    >>> matches.tp, matches.fp, matches.fn, matches.truths[0].iou
    (1, 0, 0, 0.5)
    """
    detections = result_list(detections)
    tasks = coco_documents.tasks_of(ground_truth, detections) if tasks is None else tasks
    measured = MeasuredSet(coco_documents.parse(ground_truth, detections, image_id, tasks))
    return image_matches(measured, measured.match(min_score, iou), 0)


def image_matches(measured: MeasuredSet, matches: SetMatches, picture: int) -> ImageMatches:
    """The objects and detections of the picture with the index `picture`, from the matches of a set."""
    masks = measured.documents.masks
    places = np.flatnonzero((matches.detections.picture == picture) & (matches.detection_status != BELOW)).tolist()
    truths = np.flatnonzero(matches.objects.picture == picture).tolist()
    row_of = {place: row for row, place in enumerate(places)} | {-1: None}
    column_of = {place: column for column, place in enumerate(truths)} | {-1: None}
    predictions = tuple(
        MatchedDetection(
            position=entry["position"],
            category_id=entry["category_id"],
            score=float(entry["score"]),
            bbox=tuple(entry["bbox"]),
            rle=entry["segmentation"] if masks else None,
            status=_STATUS[int(matches.detection_status[place])],
            partner=column_of[int(matches.detection_partner[place])],
            iou=float(matches.detection_iou[place]),
            keypoints=_keypoints_if_labelled(entry),
        )
        for place, entry in ((place, measured.detection_entries[place]) for place in places)
    )
    found = tuple(
        MatchedObject(
            annotation_id=entry["id"],
            category_id=entry["category_id"],
            bbox=tuple(entry["bbox"]),
            rle=entry["segmentation"] if masks else None,
            status=_STATUS[int(matches.object_status[place])],
            partner=row_of[int(matches.object_partner[place])],
            iou=float(matches.object_iou[place]),
            keypoints=_keypoints_if_labelled(entry),
        )
        for place, entry in ((place, measured.object_entries[place]) for place in truths)
    )
    return ImageMatches(measured.pictures[picture], found, predictions, measured.matched_by)


def _keypoints_if_labelled(entry: Entry) -> tuple[float, ...] | None:
    """The keypoints of a matched object or detection; None if none of them has a visibility above 0."""
    given = entry.get("keypoints")
    return tuple(given) if given and any(given[2::3]) else None
