"""Labels and detections of a whole set as columns of numbers, so that every figure comes from a few array operations.

The G objects keep the order of the annotations within their picture, the D detections are sorted by picture and then by
score, best first. A picture or a class is the index of its id in `MeasuredSet.pictures` or `.categories`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskrcnn.evaluation.coco_documents import CocoDocuments, Id


@dataclass(frozen=True)
class Objects:
    """The labelled objects of a set, crowds among them, sorted by picture.

    `picture` and `category` (G,) int64; `area` (G,) float64 in pixels; `crowd` (G,) bool; `boxes` (G, 4) float64
    [x, y, w, h]; `annotation_ids` are their ids in the document.
    """

    picture: np.ndarray
    category: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    boxes: np.ndarray
    annotation_ids: tuple[Id, ...]

    def __len__(self) -> int:
        return len(self.picture)


@dataclass(frozen=True)
class Detections:
    """The detections of a set, sorted by picture and then by score, best first; equal scores stay in the given order.

    `picture` and `category` (D,) int64; `score` (D,) float64; `boxes` (D, 4) float64 [x, y, w, h]; `position` (D,)
    int64 is the index in the given list.
    """

    picture: np.ndarray
    category: np.ndarray
    score: np.ndarray
    boxes: np.ndarray
    position: np.ndarray

    def __len__(self) -> int:
        return len(self.picture)

    @cached_property
    def rank_in_class(self) -> np.ndarray:
        """The rank of each detection among those of its picture and class, from 0: (D,) int64."""
        return rank_in_group(self.picture * (self.category.max(initial=0) + 1) + self.category)


@dataclass(frozen=True)
class Pairs:
    """Pairs of a detection and an object of the same picture that overlap, sorted by detection, then by object.

    `detection` and `object` (N,) int64 are indices of columns; `iou` (N,) float64 is above 0. For a crowd it is the
    fraction of the detection that lies on the crowd (COCO's rule).
    """

    detection: np.ndarray
    object: np.ndarray
    iou: np.ndarray

    def __len__(self) -> int:
        return len(self.iou)

    def where(self, chosen: np.ndarray) -> Pairs:
        """The pairs that `chosen` (N,) bool names."""
        return Pairs(self.detection[chosen], self.object[chosen], self.iou[chosen])


def rank_in_group(group: np.ndarray) -> np.ndarray:
    """The rank of each item among those with the same number in `group` (N,) int64, in the given order, from 0.

    >>> rank_in_group(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(group, kind="stable")
    is_first = np.append(True, np.diff(group[order]) != 0)[: len(order)]
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - first
    return ranks


def object_columns(found: CocoDocuments) -> Objects:
    """The objects of the documents as columns."""
    entries = [(number, entry) for number, group in enumerate(found.annotations.values()) for entry in group]
    classes = {category: number for number, category in enumerate(found.categories)}
    return Objects(
        picture=np.array([number for number, _ in entries], dtype=np.int64),
        category=np.array([classes[entry["category_id"]] for _, entry in entries], dtype=np.int64),
        area=np.array([entry["area"] for _, entry in entries], dtype=np.float64),
        crowd=np.array([entry["iscrowd"] for _, entry in entries], dtype=bool),
        boxes=_boxes([entry["bbox"] for _, entry in entries]),
        annotation_ids=tuple(entry["id"] for _, entry in entries),
    )


def detection_columns(found: CocoDocuments, score_field: str = "score") -> Detections:
    """The detections of the documents as columns; `score_field` is the one by which they are ranked."""
    classes = {category: number for number, category in enumerate(found.categories)}
    entries = [(number, entry) for number, group in enumerate(found.detections.values()) for entry in group]
    picture = np.array([number for number, _ in entries], dtype=np.int64)
    category = np.array([classes[entry["category_id"]] for _, entry in entries], dtype=np.int64)
    score = np.array([entry[score_field] for _, entry in entries], dtype=np.float64)
    position = np.array([entry["position"] for _, entry in entries], dtype=np.int64)
    boxes = _boxes([entry["bbox"] for _, entry in entries])
    order = np.lexsort((position, -score, picture))
    return Detections(picture[order], category[order], score[order], boxes[order], position[order])


def _boxes(given: Sequence[Sequence[float]]) -> np.ndarray:
    """Boxes as (N, 4) float64."""
    return np.array(given, dtype=np.float64).reshape(len(given), 4)
