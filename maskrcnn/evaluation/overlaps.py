"""The overlaps of detections with the objects of their pictures: IoU of boxes or masks, OKS of keypoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.evaluation.coco_documents import Entry
from maskrcnn.evaluation.columns import Detections, Objects, Pairs

PAIRS_AT_ONCE = 1_000_000
"""Batch size for pairs of boxes: some 100 MB."""


def box_pairs(objects: Objects, detections: Detections) -> Pairs:
    """The pairs whose boxes overlap, of any classes, with the IoU of the boxes.

    The arithmetic is that of `bbIou` in pycocotools, in the same order, so that the numbers are equal to the last bit.
    """
    found = []
    for detection, target in _same_picture(objects, detections):
        x, y, width, height = (detections.boxes[detection, side] for side in range(4))
        left, top, across, down = (objects.boxes[target, side] for side in range(4))
        shared_width = np.minimum(width + x, across + left) - np.maximum(x, left)
        shared_height = np.minimum(height + y, down + top) - np.maximum(y, top)
        overlap = np.flatnonzero((shared_width > 0) & (shared_height > 0))
        shared = (shared_width * shared_height)[overlap]
        area = (width * height)[overlap]
        detection, target = detection[overlap], target[overlap]
        whole = np.where(objects.crowd[target], area, area + (across * down)[overlap] - shared)
        found.append(Pairs(detection, target, shared / whole))
    return _joined_pairs(found)


def mask_pairs(labelled: Sequence[Entry], found: Sequence[Entry], objects: Objects, detections: Detections) -> Pairs:
    """The pairs whose masks overlap, of any classes, with the IoU of the masks by pycocotools.

    `labelled` (G) and `found` (D) are the entries of the objects and the detections, with their RLEs.
    """
    masks = [entry["segmentation"] for entry in labelled]
    predicted = [entry["segmentation"] for entry in found]
    parts = []
    for rows, columns in _picture_ranges(objects, detections):
        ious = coco_mask.iou(predicted[rows], masks[columns], objects.crowd[columns].astype(np.uint8))
        row, column = np.nonzero(ious > 0)
        parts.append(Pairs(row + rows.start, column + columns.start, ious[row, column]))
    return _joined_pairs(parts)


def keypoint_pairs(
    labelled: Sequence[Entry],
    found: Sequence[Entry],
    objects: Objects,
    detections: Detections,
    sigmas: Sequence[float],
) -> Pairs:
    """The pairs with an object keypoint similarity (OKS) above 0, of any classes.

    OKS is the mean over the labelled keypoints of exp(-d^2 / (2 s^2 k^2)), with d the distance in pixels, s^2 the area
    of the object and k twice the keypoint's sigma (cocodataset.org, keypoints evaluation). For an object without
    labelled keypoints d is the distance to its box, made three times as wide and high: COCO's rule for ignored ones.
    """
    goals, places = _keypoints(labelled, len(sigmas)), _keypoints(found, len(sigmas))
    variances = (np.asarray(sigmas) * 2) ** 2
    parts = []
    for detection, target in _same_picture(objects, detections, at_once=PAIRS_AT_ONCE // max(1, len(sigmas))):
        goal, place = goals[target], places[detection]
        is_seen = goal[..., 2] > 0
        has_any = is_seen.any(axis=1)
        box = objects.boxes[target]
        low, high = box[:, :2] - box[:, 2:], box[:, :2] + 2 * box[:, 2:]
        outside = np.maximum(0, low[:, None] - place[..., :2]) + np.maximum(0, place[..., :2] - high[:, None])
        off = np.where(has_any[:, None, None], place[..., :2] - goal[..., :2], outside)
        error = (off**2).sum(axis=2) / variances / (objects.area[target, None] + np.spacing(1)) / 2
        is_measured = is_seen | ~has_any[:, None]
        similarity = np.where(is_measured, np.exp(-error), 0).sum(axis=1) / np.maximum(is_measured.sum(axis=1), 1)
        kept = similarity > 0
        parts.append(Pairs(detection[kept], target[kept], similarity[kept]))
    return _joined_pairs(parts)


def _same_picture(
    objects: Objects, detections: Detections, at_once: int = PAIRS_AT_ONCE
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of all pairs of a detection and an object in the same picture: two index arrays (n,) each."""
    first_object = np.searchsorted(objects.picture, detections.picture, side="left")
    n_objects = np.searchsorted(objects.picture, detections.picture, side="right") - first_object
    ends = np.cumsum(n_objects)
    begin = 0
    while begin < len(detections):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + at_once, side="right")))
        counts = n_objects[begin:end]
        detection = np.repeat(np.arange(begin, end), counts)
        within = np.arange(len(detection)) - np.repeat(np.cumsum(counts) - counts, counts)
        yield detection, np.repeat(first_object[begin:end], counts) + within
        begin = end


def _picture_ranges(objects: Objects, detections: Detections) -> Iterator[tuple[slice, slice]]:
    """For each picture that has both: the range of its detections and that of its objects."""
    both = np.intersect1d(detections.picture, objects.picture)
    sides = [
        np.searchsorted(side.picture, both, side=end) for side in (detections, objects) for end in ("left", "right")
    ]
    for first, last, start, stop in zip(*(side.tolist() for side in sides), strict=True):
        yield slice(first, last), slice(start, stop)


def _keypoints(entries: Sequence[Entry], number: int) -> np.ndarray:
    """Keypoints (N, `number`, 3) float64: x, y, visibility."""
    return np.array([entry["keypoints"] for entry in entries], dtype=np.float64).reshape(len(entries), number, 3)


def _joined_pairs(parts: Sequence[Pairs]) -> Pairs:
    """All pairs of the parts."""
    if not parts:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("detection", "object", "iou")))
