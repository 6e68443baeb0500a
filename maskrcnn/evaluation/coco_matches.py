"""The matches of a set of detections at COCO's ten IoU thresholds and its size ranges, and COCO's figures from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from maskrcnn.evaluation.average_precision import group_ap
from maskrcnn.evaluation.columns import Detections, Objects, Pairs
from maskrcnn.evaluation.greedy_matching import greedy_partners
from maskrcnn.evaluation.measures import KEYPOINT_SIZES, MAX_DETECTIONS, MAX_POSES, SIZES, THRESHOLDS, IouType, Summary

DETECTIONS_AT_ONCE = 50_000
"""Batch size of the matching, in detections: some 100 MB."""


@dataclass(frozen=True)
class CocoMatches:
    """What became of the detections that COCO evaluates: at most 100 of a class in a picture, 20 for keypoints.

    `detection` (M,) int64 are their indices in the D columns, sorted by picture and score. `found` (M, T, A) bool says
    whether a detection is matched to an object that counts, `ignored` (M, T, A) whether it counts neither way, at each
    of T IoU thresholds and in each of A size ranges, of which the first is "all". `counted` (G, A) bool says which
    objects count. `partners` (M, T) int32 are the matched objects in the range "all", -1 for none. `cut` (P,) int64 is
    the number of detections of each picture that COCO's limit leaves out.
    """

    kind: IouType
    objects: Objects
    detections: Detections
    pictures: int
    classes: int
    picture_order: np.ndarray
    detection: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    counted: np.ndarray
    partners: np.ndarray
    cut: np.ndarray

    @property
    def sizes(self) -> tuple[str, ...]:
        """The names of the size ranges."""
        return tuple(KEYPOINT_SIZES if self.kind == "keypoints" else SIZES)

    @cached_property
    def class_figures(self) -> dict[str, np.ndarray]:
        """COCO's figures of each class: name -> (K,) float64, NaN for a class without objects (of that size).

        For boxes and masks AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl; for keypoints AP, AP50,
        AP75, APm, APl, AR, AR50, AR75, ARm, ARl. Those of the set are the means over the classes that have them.
        """
        ap, recall = self._ap_and_recall()
        figures = {"AP": ap[..., 0].mean(axis=1), "AP50": ap[:, 0, 0], "AP75": ap[:, 5, 0]}
        figures |= {f"AP{size[0]}": ap[..., place].mean(axis=1) for place, size in enumerate(self.sizes) if place}
        if self.kind == "keypoints":
            figures |= {"AR": recall[..., 0].mean(axis=1), "AR50": recall[:, 0, 0], "AR75": recall[:, 5, 0]}
        else:
            figures |= {f"AR{most}": self._recall_of_best(most).mean(axis=1) for most in (1, 10)}
            figures |= {f"AR{MAX_DETECTIONS}": recall[..., 0].mean(axis=1)}
        by_size = {f"AR{size[0]}": recall[..., place].mean(axis=1) for place, size in enumerate(self.sizes) if place}
        return figures | by_size

    def summary(self) -> Summary:
        """COCO's figures over all pictures: the means over the classes; None for one that no class has."""
        return {name: defined_mean(values) for name, values in self.class_figures.items()}

    @cached_property
    def picture_ap(self) -> np.ndarray:
        """COCO's AP, AP50 and AP75 computed on each single picture, over its classes: (P, 3), NaN without objects."""
        group = self._picture * self.classes + self._category
        order = np.argsort(group, kind="stable")
        n_objects = self._n_objects_by_picture[..., 0].ravel()
        used = np.flatnonzero(n_objects)
        flat_ap = np.full((self.pictures * self.classes, len(THRESHOLDS)), np.nan)
        place = np.searchsorted(used, group[order])
        is_used = np.isin(group[order], used)
        rows = order[is_used]
        flat_ap[used] = group_ap(place[is_used], self.found[rows, :, 0], self.ignored[rows, :, 0], n_objects[used])
        ap = flat_ap.reshape(self.pictures, self.classes, len(THRESHOLDS))
        return np.stack([_row_means(values) for values in (ap.mean(axis=2), ap[..., 0], ap[..., 5])], axis=1)

    @property
    def _picture(self) -> np.ndarray:
        return self.detections.picture[self.detection]

    @property
    def _category(self) -> np.ndarray:
        return self.detections.category[self.detection]

    @property
    def _n_objects_by_picture(self) -> np.ndarray:
        """The number of objects that count, by picture, class and size range: (P, K, A) int64."""
        cell = self.objects.picture * self.classes + self.objects.category
        shape = (self.pictures, self.classes)
        counts = [
            np.bincount(cell[inside], minlength=self.pictures * self.classes).reshape(shape)
            for inside in self.counted.T
        ]
        return np.stack(counts, axis=-1)

    def _ap_and_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """AP and final recall of each class: (K, T, A) float64 each, NaN without objects."""
        n_objects = self._n_objects_by_picture.sum(axis=0)
        order = np.lexsort((self.picture_order[self._picture], -self.detections.score[self.detection], self._category))
        category = self._category[order]
        with np.errstate(invalid="ignore", divide="ignore"):
            ap = [
                np.where(
                    counts[:, None] > 0,
                    group_ap(category, self.found[order, :, size], self.ignored[order, :, size], counts),
                    np.nan,
                )
                for size, counts in enumerate(n_objects.T)
            ]
            recall = _sums_by_group(category, self.found[order], self.classes) / n_objects[:, None, :]
        return np.stack(ap, axis=-1), recall

    def _recall_of_best(self, most: int) -> np.ndarray:
        """The recall of the best `most` detections of each class in each picture: (K, T), NaN without objects."""
        kept = self.detections.rank_in_class[self.detection] < most
        n_objects = self._n_objects_by_picture[..., 0].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = _sums_by_group(self._category[kept], self.found[kept, :, 0], self.classes)
            return found / n_objects[:, None]


def coco_matches(
    kind: IouType,
    objects: Objects,
    detections: Detections,
    pairs: Pairs,
    areas: np.ndarray,
    is_out: np.ndarray,
    pictures: int,
    classes: int,
    picture_order: np.ndarray,
) -> CocoMatches:
    """Match as `COCOeval.evaluateImg` of pycocotools does.

    `areas` (D,) are the areas of the detections in this measure. `is_out` (G,) bool says which objects never count:
    crowds, and for keypoints those without a labelled one. `detections` are sorted by picture and by the score of this
    measure, and `pairs` refer to them. `picture_order` (P,) are the places of the pictures in the order of their ids.
    """
    ranges = np.array(list((KEYPOINT_SIZES if kind == "keypoints" else SIZES).values()))
    most = MAX_POSES if kind == "keypoints" else MAX_DETECTIONS
    within = detections.rank_in_class < most
    outside = (objects.area[:, None] < ranges[:, 0]) | (objects.area[:, None] > ranges[:, 1])
    ignored_objects = outside | is_out[:, None]
    n_thresholds, n_sizes = len(THRESHOLDS), len(ranges)
    same_class = objects.category[pairs.object] == detections.category[pairs.detection]
    pairs = pairs.where(same_class & within[pairs.detection])
    found = np.zeros((len(detections), n_thresholds, n_sizes), dtype=bool)
    ignored = np.zeros_like(found)
    best = np.full((len(detections), n_thresholds), -1, dtype=np.int32)
    off = (areas[:, None] < ranges[:, 0]) | (areas[:, None] > ranges[:, 1])
    for part in _batches(detections.picture):
        some = pairs.where((part.start <= pairs.detection) & (pairs.detection < part.stop))
        partners = greedy_partners(
            Pairs(some.detection - part.start, some.object, some.iou),
            _slice(detections, part),
            np.repeat(THRESHOLDS, n_sizes),
            np.tile(ignored_objects, n_thresholds),
            objects.crowd,
        ).reshape(-1, n_thresholds, n_sizes)
        is_matched = partners >= 0
        on_ignored = is_matched & ignored_objects[partners, np.arange(n_sizes)] if len(objects) else is_matched
        found[part] = is_matched & ~on_ignored
        ignored[part] = on_ignored | (~is_matched & off[part, None, :])
        best[part] = partners[..., 0]
    kept = np.flatnonzero(within)
    cut = np.bincount(detections.picture[~within], minlength=pictures)
    return CocoMatches(
        kind,
        objects,
        detections,
        pictures,
        classes,
        picture_order,
        kept,
        found[kept],
        ignored[kept],
        ~ignored_objects,
        best[kept],
        cut,
    )


def defined_mean(values: np.ndarray) -> float | None:
    """The mean of the values that are not NaN; None if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else None


def _batches(picture: np.ndarray) -> list[slice]:
    """Ranges of detections of whole pictures, of some `DETECTIONS_AT_ONCE` each."""
    edges = [0]
    while edges[-1] < len(picture):
        goal = edges[-1] + DETECTIONS_AT_ONCE
        last = picture[min(goal, len(picture)) - 1]
        edges.append(int(np.searchsorted(picture, last, side="right")))
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _slice(detections: Detections, part: slice) -> Detections:
    """The detections of a range."""
    names = ("picture", "category", "score", "boxes", "position")
    return Detections(*(getattr(detections, name)[part] for name in names))


def _sums_by_group(group: np.ndarray, values: np.ndarray, groups: int) -> np.ndarray:
    """The sum of the rows of `values` (M, ...) bool of each group: (groups, ...) float64."""
    sums = np.zeros((groups, *values.shape[1:]))
    order = np.argsort(group, kind="stable")
    present, first = np.unique(group[order], return_index=True)
    if len(present):
        sums[present] = np.add.reduceat(values[order].astype(np.int64), first, axis=0)
    return sums


def _row_means(values: np.ndarray) -> np.ndarray:
    """The mean of the defined values of each row; NaN for a row without any."""
    defined = ~np.isnan(values)
    total = np.where(defined, values, 0).sum(axis=1)
    return np.divide(total, defined.sum(axis=1), out=np.full(len(values), np.nan), where=defined.any(axis=1))
