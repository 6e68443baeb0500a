"""Greedy matching of detections to objects, as in COCO, at one IoU threshold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.evaluation import coco_documents
from maskrcnn.evaluation.coco_documents import Document, Entry, MatchedBy

DEFAULT_MIN_SCORE = 0.5
DEFAULT_IOU = 0.5


@dataclass(frozen=True)
class MatchedObject:
    """One labelled object and its match.

    `status` is "tp" (found by a detection), "fn" (missed) or "ignored" (a crowd). `partner` is the index of its
    detection in `ImageMatches.predictions`, or None. `iou` is the IoU with that detection. For an object without a
    match it is the best IoU with any detection of its class, or 0. `rle` is None if boxes are compared. `keypoints` are
    (x, y, v, x, y, v, ...) or None.
    """

    annotation_id: int
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

    image_id: int
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


@dataclass(frozen=True)
class Overlaps:
    """The IoUs of the P detections of a picture, best score first, with its G objects.

    `order` (P,) are the indices of the detections in that order, `scores` (P,) their scores. `crowd` (G,) tells which
    objects are crowds. `ious` (P, G) float64 are IoUs of masks or boxes. It is -1 for different classes. For a crowd it
    is the fraction of the detection that lies on the crowd (COCO's rule).
    """

    order: np.ndarray
    scores: np.ndarray
    ious: np.ndarray
    crowd: np.ndarray


def overlaps(detections: list[Entry], annotations: list[Entry], masks: bool = True) -> Overlaps:
    """The IoUs of all detections with all objects of their class, computed by pycocotools on RLEs, or on boxes."""
    scores = np.array([detection["score"] for detection in detections], dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    crowd = np.array([annotation["iscrowd"] for annotation in annotations], dtype=bool)
    ious = np.full((len(detections), len(annotations)), -1.0)
    if ious.size:
        shape = "segmentation" if masks else "bbox"
        predicted_shapes = [detections[index][shape] for index in order]
        labelled_shapes = [annotation[shape] for annotation in annotations]
        ious = coco_mask.iou(predicted_shapes, labelled_shapes, crowd.astype(np.uint8))
        predicted_classes = np.array([detections[index]["category_id"] for index in order])
        labelled_classes = np.array([annotation["category_id"] for annotation in annotations])
        ious = np.where(predicted_classes[:, None] == labelled_classes[None, :], ious, -1.0)
    return Overlaps(order, scores[order], ious, crowd)


def greedy_partners(ious: np.ndarray, crowd: np.ndarray, iou: float = DEFAULT_IOU) -> np.ndarray:
    """The object that each detection is matched to: (P,) int64 of column indices of `ious`, -1 for no match.

    Rows of `ious` (P, G) are sorted by score, best first. Each detection is matched to the unmatched object with the
    largest IoU, if it is at least the threshold `iou`. If there is none, it may be matched to a crowd; any number of
    detections can match the same crowd. For equal IoUs the last object is taken, as in pycocotools.

    Example: both detections overlap object 0. The one with the better score is matched, the other is not.

    >>> greedy_partners(np.array([[0.8, 0.0], [0.9, 0.3]]), crowd=np.array([False, False])).tolist()
    [0, -1]
    """
    partners = np.full(len(ious), -1, dtype=np.int64)
    if not ious.size:
        return partners
    threshold = min(iou, 1 - 1e-10)
    unmatched = ~crowd
    for row, overlap in enumerate(ious):
        for allowed in (unmatched, crowd):
            candidates = np.where(allowed, overlap, -1.0)
            best = len(candidates) - 1 - int(candidates[::-1].argmax())
            if candidates[best] >= threshold:
                partners[row] = best
                unmatched[best] = False
                break
    return partners


def match_image(
    ground_truth: Document,
    detections: Iterable[Document],
    image_id: int,
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
    detections = list(detections)
    tasks = coco_documents.tasks_of(ground_truth, detections) if tasks is None else tasks
    found = coco_documents.parse(ground_truth, detections, image_id, tasks)
    annotations = found.annotations[image_id]
    kept = [entry for entry in found.detections[image_id] if entry["score"] >= min_score]
    table = overlaps(kept, annotations, found.masks)
    partners = greedy_partners(table.ious, table.crowd, iou)
    predictions = tuple(
        _matched_detection(kept[index], partner, row, table.crowd, found.masks)
        for index, partner, row in zip(table.order, partners.tolist(), table.ious, strict=True)
    )
    truths = tuple(
        _matched_object(annotation, column, partners, table, found.masks)
        for column, annotation in enumerate(annotations)
    )
    return ImageMatches(image_id, truths, predictions, found.matched_by)


def _matched_detection(
    detection: Entry, partner: int, ious: np.ndarray, crowd: np.ndarray, masks: bool
) -> MatchedDetection:
    """A detection with its match; `partner` is the index of its object (-1: none), `ious` (G,) are its IoUs."""
    ignored = partner >= 0 and bool(crowd[partner])
    found = partner >= 0 and not ignored
    return MatchedDetection(
        position=detection["position"],
        category_id=detection["category_id"],
        score=float(detection["score"]),
        bbox=tuple(detection["bbox"]),
        rle=detection["segmentation"] if masks else None,
        status="ignored" if ignored else "tp" if found else "fp",
        partner=partner if partner >= 0 else None,
        iou=float(ious[partner]) if partner >= 0 else float(max(0.0, np.where(crowd, 0, ious).max(initial=0.0))),
        keypoints=_keypoints_if_labelled(detection),
    )


def _matched_object(
    annotation: Entry, column: int, partners: np.ndarray, table: Overlaps, masks: bool
) -> MatchedObject:
    """The object `column` with its match; `partners` is the result of `greedy_partners`."""
    finders = np.flatnonzero(partners == column)
    is_crowd = bool(table.crowd[column])
    found = len(finders) > 0 and not is_crowd
    best = float(table.ious[:, column].max(initial=0.0))
    return MatchedObject(
        annotation_id=annotation["id"],
        category_id=annotation["category_id"],
        bbox=tuple(annotation["bbox"]),
        rle=annotation["segmentation"] if masks else None,
        status="ignored" if is_crowd else "tp" if found else "fn",
        partner=int(finders[0]) if found else None,
        iou=float(table.ious[finders[0], column]) if found else best,
        keypoints=_keypoints_if_labelled(annotation),
    )


def _keypoints_if_labelled(entry: Entry) -> tuple[float, ...] | None:
    """The keypoints of a matched object or detection; None if none of them has a visibility above 0."""
    given = entry.get("keypoints")
    return tuple(given) if given and any(given[2::3]) else None
