"""Labels and detections of a set of pictures, measured: the one object from which every figure is made.

`measure` checks two COCO documents, turns them into columns and computes all overlaps once. Reports, tables at any
score and IoU, error kinds and label errors are array operations on the result.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.config import usual_sigmas
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import coco_documents
from maskrcnn.evaluation.coco_documents import CocoDocuments, Document, Entry, Id, MatchedBy, coco_id_order
from maskrcnn.evaluation.coco_matches import CocoMatches, coco_matches
from maskrcnn.evaluation.columns import Detections, Objects, Pairs, detection_columns, object_columns
from maskrcnn.evaluation.document_checks import result_list
from maskrcnn.evaluation.greedy_matching import greedy_partners
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE, KIND_OF_TASK, KINDS, IouType, Summary
from maskrcnn.evaluation.overlaps import box_pairs, keypoint_pairs, mask_pairs
from maskrcnn.evaluation.set_matches import SetMatches, set_matches
from maskrcnn.words import counted

_Value = TypeVar("_Value")


def measure(
    ground_truth: Document,
    detections: Iterable[Document],
    tasks: Sequence[str] | None = None,
    sigmas: Sequence[float] | None = None,
) -> MeasuredSet:
    """Measure detections (COCO results) on labelled pictures (a COCO document).

    `tasks` are those of the network; None derives them from the detections. `sigmas` are those of OKS, one for each
    keypoint: an error of 2 sigma times the square root of the object's area gives an OKS of exp(-1/2); None takes the
    usual ones. Raises `StudioError` if the documents do not belong together.

    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 16], "score": 0.9}]  # IoU 16 / 20
    >>> measured = measure(truth, found, tasks=["box"])
    >>> measured.match(iou=0.5).tp.tolist(), measured.match(iou=0.85).tp.tolist()
    ([1], [0])
    >>> round(measured.coco("bbox").summary()["AP"], 2)  # right at the thresholds .50 to .80, which are 7 of 10
    0.7
    """
    detections = result_list(detections)
    tasks = coco_documents.tasks_of(ground_truth, detections) if tasks is None else tasks
    return MeasuredSet(coco_documents.parse(ground_truth, detections, tasks=tasks), sigmas)


class MeasuredSet:
    """P pictures with their G objects and D detections (see `columns`), and everything that is measured on them.

    What was computed once is kept. `sigmas` are those of OKS; None without keypoints. Raises `StudioError` if the
    number of sigmas is not the number of keypoints.
    """

    def __init__(self, documents: CocoDocuments, sigmas: Sequence[float] | None = None) -> None:
        self.documents = documents
        self.pictures: tuple[Id, ...] = tuple(documents.images)
        self.files: tuple[str, ...] = tuple(image["file_name"] for image in documents.images.values())
        self.categories: tuple[Id, ...] = tuple(documents.categories)
        self.names: tuple[str, ...] = tuple(category["name"] for category in documents.categories.values())
        self.objects: Objects = object_columns(documents)
        self.detections: Detections = detection_columns(documents)
        self.sigmas: tuple[float, ...] | None = None
        self._kept: dict[Hashable, Any] = {}
        if documents.num_keypoints is not None:
            self.sigmas = tuple(usual_sigmas(documents.num_keypoints) if sigmas is None else sigmas)
            if documents.num_keypoints and len(self.sigmas) != documents.num_keypoints:
                raise StudioError(
                    f"sigmas: there are {len(self.sigmas)}, but the objects have "
                    f"{counted(documents.num_keypoints, 'keypoint')}; give one for each"
                )

    @cached_property
    def sizes(self) -> np.ndarray:
        """Width and height of each picture in pixels: (P, 2) int64."""
        sizes = [(image["width"], image["height"]) for image in self.documents.images.values()]
        return np.array(sizes, dtype=np.int64).reshape(-1, 2)

    @property
    def kinds(self) -> tuple[IouType, ...]:
        """The measures: "bbox", and "segm" and "keypoints" if the network has them."""
        found = self.documents
        has = {"bbox": True, "segm": found.masks, "keypoints": found.num_keypoints is not None}
        return tuple(kind for kind in KINDS if has[kind])

    @property
    def matched_by(self) -> MatchedBy:
        """The IoU that decides in `match`: that of masks, or that of boxes if the network finds no masks."""
        return self.documents.matched_by

    @cached_property
    def object_entries(self) -> list[Entry]:
        """The annotation of each object (see `CocoDocuments`), in the order of `objects`."""
        return [entry for group in self.documents.annotations.values() for entry in group]

    @cached_property
    def detection_entries(self) -> list[Entry]:
        """The entry of each detection (see `CocoDocuments`), in the order of `detections`."""
        return self._entries_of(self.detections)

    def ranked(self, kind: IouType) -> Detections:
        """The detections in the order of a measure: for keypoints by their `pose_score`, if they have one."""
        groups = self.documents.detections.values()
        if kind != "keypoints" or not any("pose_score" in entry for group in groups for entry in group):
            return self.detections
        return self._once("poses", lambda: detection_columns(self.documents, score_field="pose_score"))

    def pairs(self, kind: IouType) -> Pairs:
        """All pairs of a detection (of `ranked(kind)`) and an object of one picture that overlap, of any classes."""
        return self._once(("pairs", kind), lambda: self._pairs(kind))

    def match(self, min_score: float = DEFAULT_MIN_SCORE, iou: float = DEFAULT_IOU) -> SetMatches:
        """Match greedily at one IoU threshold; detections with a score below `min_score` take no part."""
        partners = self._once(("partners", iou), lambda: self._partners(iou))
        return set_matches(
            self.objects, self.detections, self._same_class, partners, len(self.pictures), min_score, iou
        )

    def coco(self, kind: IouType) -> CocoMatches:
        """The matches that COCO's figures of a measure are made of."""
        return self._once(("coco", kind), lambda: self._coco(kind))

    def _once(self, key: Hashable, compute: Callable[[], _Value]) -> _Value:
        if key not in self._kept:
            self._kept[key] = compute()
        return cast(_Value, self._kept[key])

    def _entries_of(self, detections: Detections) -> list[Entry]:
        entries = {entry["position"]: entry for group in self.documents.detections.values() for entry in group}
        return [entries[position] for position in detections.position.tolist()]

    def _pairs(self, kind: IouType) -> Pairs:
        ranked = self.ranked(kind)
        if kind == "bbox":
            return box_pairs(self.objects, ranked)
        if kind == "segm":
            return mask_pairs(self.object_entries, self.detection_entries, self.objects, ranked)
        return keypoint_pairs(self.object_entries, self._entries_of(ranked), self.objects, ranked, self.sigmas or ())

    @cached_property
    def _same_class(self) -> Pairs:
        """The pairs of the same class, by the IoU that decides in `match`."""
        pairs = self.pairs(self.matched_by)
        return pairs.where(self.objects.category[pairs.object] == self.detections.category[pairs.detection])

    def _partners(self, iou: float) -> np.ndarray:
        """The partner of each detection at a threshold: (D,) int32, -1 for none."""
        crowd = self.objects.crowd
        return greedy_partners(self._same_class, self.detections, np.array([iou]), crowd[:, None], crowd)[:, 0]

    def _coco(self, kind: IouType) -> CocoMatches:
        ranked, is_out = self.ranked(kind), self.objects.crowd
        if kind == "keypoints":
            labelled = np.array([entry["num_keypoints"] for entry in self.object_entries], dtype=np.int64)
            is_out = is_out | (labelled == 0)
        return coco_matches(
            kind,
            self.objects,
            ranked,
            self.pairs(kind),
            self._areas(kind, ranked),
            is_out,
            len(self.pictures),
            len(self.categories),
            self._picture_order,
        )

    @cached_property
    def _picture_order(self) -> np.ndarray:
        """The place of each picture in the order of their ids, by which pycocotools sorts equal scores: (P,) int64."""
        order = sorted(range(len(self.pictures)), key=lambda place: coco_id_order(self.pictures[place]))
        places = np.empty(len(order), dtype=np.int64)
        places[order] = np.arange(len(order))
        return places

    def _areas(self, kind: IouType, ranked: Detections) -> np.ndarray:
        """The area of each detection, which decides on its size range if it finds no object: (D,) float64.

        It is the area of the box for "bbox", of the mask for "segm", of the box around the keypoints for "keypoints".
        `loadRes` of pycocotools does the same for results with only boxes or only masks. For results with both it uses
        the box for both, which gives other size ranges.
        """
        if kind == "bbox":
            return ranked.boxes[:, 2] * ranked.boxes[:, 3]
        entries = self._entries_of(ranked)
        if kind == "segm":
            return np.array([coco_mask.area(entry["segmentation"]) for entry in entries], dtype=np.float64)
        number = self.documents.num_keypoints or 0
        points = np.array([entry["keypoints"] for entry in entries], dtype=np.float64).reshape(len(entries), number, 3)
        return (
            np.ptp(points[..., 0], axis=1) * np.ptp(points[..., 1], axis=1) if points.size else np.zeros(len(entries))
        )


def coco_summary(
    ground_truth: Document,
    detections: Iterable[Document],
    iou_type: IouType,
    sigmas: Sequence[float] | None = None,
) -> Summary:
    """COCO's figures over all pictures in one measure (`CocoMatches.class_figures`); None for one without objects.

    AP is the mean over classes and the IoU thresholds .50, .55, ..., .95. AP50 and AP75 use one threshold. APs is for
    objects of at most 32^2 pixels, APm for 32^2 to 96^2 pixels, APl for at least 96^2 pixels; objects of exactly these
    sizes count in both. The size of an object is its `area`. The size of a detection is the area of its box for "bbox"
    and of its mask for "segm"; "bbox" needs no masks. AR is the recall instead of the precision, with the best 1, 10
    and 100 detections of a class in a picture. "keypoints" uses OKS thresholds with `sigmas`, and has no APs.

    Example: the IoU of the box is .8, so it is a true positive at the seven thresholds from .50 to .80.

    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 16], "score": 0.9}]
    >>> {name: value and round(value, 3) for name, value in list(coco_summary(truth, found, "bbox").items())[:6]}
    {'AP': 0.7, 'AP50': 1.0, 'AP75': 1.0, 'APs': 0.7, 'APm': None, 'APl': None}
    """
    task = next(task for task, kind in KIND_OF_TASK.items() if kind == iou_type)
    return measure(ground_truth, detections, ("box", task), sigmas).coco(iou_type).summary()
