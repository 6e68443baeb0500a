"""Matches detections to objects by the greedy rule of COCO, at one IoU threshold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.evaluation import coco_documents
from maskrcnn.evaluation.coco_documents import CocoDocuments, Document, Entry

DEFAULT_MIN_SCORE = 0.5
DEFAULT_IOU = 0.5


@dataclass(frozen=True)
class Truth:
    """One labelled object and its match.

    `status` is "tp" (found), "fn" (missed) or "ignored" (a crowd, which counts neither way). `partner` is the index of
    the detection that found it in `ImageMatches.predictions`, None where none did. `iou` is the IoU with it, or else
    the best one with any detection of this class (0 where there is none). `rle` is None where boxes are compared,
    `keypoints` (x, y, v, x, y, v, ...) where there are none.
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
class Prediction:
    """One detection and its match.

    `status` is "tp", "fp" or "ignored" (it lies on a crowd of its class). `partner` is the index of its object in
    `ImageMatches.truths`. `iou` is the IoU with it, or else the best one with any object of this class (0 where there
    is none). `position` is the place in the list of detections that was given. `bbox` is [x, y, w, h]; `rle` and
    `keypoints` are as in `Truth`.
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
    """All objects of one picture and its detections from `min_score` on, best score first.

    `matched_by` says whether IoU is between masks ("segm") or, where the detections have none, boxes ("bbox").
    """

    image_id: int
    truths: tuple[Truth, ...]
    predictions: tuple[Prediction, ...]
    matched_by: Literal["segm", "bbox"] = "segm"

    @property
    def tp(self) -> int:
        """Detections that found an object."""
        return sum(prediction.status == "tp" for prediction in self.predictions)

    @property
    def fp(self) -> int:
        """Detections that found none: nothing there, the wrong class, too loose, or found already."""
        return sum(prediction.status == "fp" for prediction in self.predictions)

    @property
    def fn(self) -> int:
        """Objects that no detection found."""
        return sum(truth.status == "fn" for truth in self.truths)


@dataclass(frozen=True)
class Overlaps:
    """One picture's detections, best first, against its objects.

    `order` (P,) are indices into the picture's detections; `ious` (P, G) float64 are the IoUs of masks or boxes in
    that order, where a pair of different classes has -1 and a crowd column holds the share of the detection that lies
    on the crowd (COCO's rule); `scores` (P,) and `crowd` (G,) belong to them.
    """

    order: np.ndarray
    scores: np.ndarray
    ious: np.ndarray
    crowd: np.ndarray


def overlaps(detections: list[Entry], annotations: list[Entry], masks: bool = True) -> Overlaps:
    """IoU of every detection with every object of its class, by pycocotools on run-length codes (or on boxes)."""
    scores = np.array([detection["score"] for detection in detections], dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    crowd = np.array([annotation["iscrowd"] for annotation in annotations], dtype=bool)
    ious = np.full((len(detections), len(annotations)), -1.0)
    if ious.size:
        what = "segmentation" if masks else "bbox"
        ours, theirs = [detections[index][what] for index in order], [a[what] for a in annotations]
        ious = coco_mask.iou(ours, theirs, crowd.astype(np.uint8))
        predicted = np.array([detections[index]["category_id"] for index in order])
        labelled = np.array([annotation["category_id"] for annotation in annotations])
        ious = np.where(predicted[:, None] == labelled[None, :], ious, -1.0)
    return Overlaps(order, scores[order], ious, crowd)


def greedy_partners(ious: np.ndarray, crowd: np.ndarray, iou: float = DEFAULT_IOU) -> np.ndarray:
    """The object that each detection finds: (P,) int64 of column indices, -1 for none.

    Rows of `ious` (P, G) are in order of score. Each detection takes the free object that it overlaps best, if their
    IoU is at least `iou`; only where it finds none may it fall to a crowd, which is never used up. Of two objects
    that it overlaps alike it takes the later one, as pycocotools does.

    Both detections lie on object 0; the better one takes it, and the other has nothing left.

    >>> greedy_partners(np.array([[0.8, 0.0], [0.9, 0.3]]), crowd=np.array([False, False])).tolist()
    [0, -1]
    """
    partners = np.full(len(ious), -1, dtype=np.int64)
    if not ious.size:
        return partners
    threshold = min(iou, 1 - 1e-10)
    free = ~crowd
    for row, overlap in enumerate(ious):
        for allowed in (free, crowd):
            candidates = np.where(allowed, overlap, -1.0)
            best = len(candidates) - 1 - int(candidates[::-1].argmax())
            if candidates[best] >= threshold:
                partners[row] = best
                free[best] = False
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
    """The matches of one picture: which detections from `min_score` on are right or wrong, which objects are missed.

    `tasks` are those of the network (None: what its detections tell); without masks, boxes are compared. Raises
    `StudioError` where the documents do not fit together or there is no such picture.

    >>> truth = {
    ...     "images": [{"id": 1, "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 10], "score": 0.9}]  # its upper half
    >>> matches = match_image(truth, found, image_id=1, tasks=["box"])
    >>> matches.tp, matches.fp, matches.fn, matches.truths[0].iou
    (1, 0, 0, 0.5)
    """
    detections = list(detections)
    tasks = coco_documents.tasks_of(ground_truth, detections) if tasks is None else tasks
    return match_documents(coco_documents.parse(ground_truth, detections, image_id, tasks), image_id, min_score, iou)


def match_documents(
    found: CocoDocuments, image_id: int, min_score: float = DEFAULT_MIN_SCORE, iou: float = DEFAULT_IOU
) -> ImageMatches:
    """`match_image` on documents that are parsed already."""
    annotations = found.annotations[image_id]
    detections = [entry for entry in found.detections[image_id] if entry["score"] >= min_score]
    table = overlaps(detections, annotations, found.masks)
    partners = greedy_partners(table.ious, table.crowd, iou)
    predictions = tuple(
        _prediction(detections[index], partner, row, table.crowd, found.masks)
        for index, partner, row in zip(table.order, partners.tolist(), table.ious, strict=True)
    )
    truths = tuple(
        _truth(annotation, column, partners, table, found.masks) for column, annotation in enumerate(annotations)
    )
    return ImageMatches(image_id, truths, predictions, "segm" if found.masks else "bbox")


def _prediction(detection: Entry, partner: int, ious: np.ndarray, crowd: np.ndarray, masks: bool) -> Prediction:
    ignored = partner >= 0 and bool(crowd[partner])
    found = partner >= 0 and not ignored
    return Prediction(
        position=detection["position"],
        category_id=detection["category_id"],
        score=float(detection["score"]),
        bbox=tuple(detection["bbox"]),
        rle=detection["segmentation"] if masks else None,
        status="ignored" if ignored else "tp" if found else "fp",
        partner=partner if partner >= 0 else None,
        iou=float(ious[partner]) if partner >= 0 else float(max(0.0, np.where(crowd, 0, ious).max(initial=0.0))),
        keypoints=_keypoints(detection),
    )


def _truth(annotation: Entry, column: int, partners: np.ndarray, table: Overlaps, masks: bool) -> Truth:
    finders = np.flatnonzero(partners == column)
    is_crowd = bool(table.crowd[column])
    found = len(finders) > 0 and not is_crowd
    best = float(table.ious[:, column].max(initial=0.0))
    return Truth(
        annotation_id=annotation["id"],
        category_id=annotation["category_id"],
        bbox=tuple(annotation["bbox"]),
        rle=annotation["segmentation"] if masks else None,
        status="ignored" if is_crowd else "tp" if found else "fn",
        partner=int(finders[0]) if found else None,
        iou=float(table.ious[finders[0], column]) if found else best,
        keypoints=_keypoints(annotation),
    )


def _keypoints(entry: Entry) -> tuple[float, ...] | None:
    given = entry.get("keypoints")
    return tuple(given) if given and any(given[2::3]) else None
