"""COCO average precision by pycocotools, without its prints, and with None for its -1 (undefined)."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, get_args

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskrcnn.config import usual_sigmas
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import coco_documents
from maskrcnn.evaluation.coco_documents import CocoDocuments, Document, Entry, Id, id_order
from maskrcnn.words import counted

IouType = Literal["bbox", "segm", "keypoints"]
Summary = dict[str, float | None]

KINDS: tuple[IouType, ...] = get_args(IouType)

KIND_OF_TASK: dict[str, IouType] = {"box": "bbox", "mask": "segm", "keypoints": "keypoints"}
"""Task of a network -> COCO's name of the measure that goes with it."""

MAX_DETECTIONS = 100
"""COCO evaluates this many detections of a class in one picture, those with the best scores."""

MAX_POSES = 20
"""The same limit for keypoints."""

_printing = threading.Lock()


def coco_summary(
    ground_truth: Document,
    detections: Iterable[Document],
    iou_type: IouType,
    sigmas: Sequence[float] | None = None,
) -> Summary:
    """`{"AP", "AP50", "AP75", "APs", "APm", "APl"}` over all pictures; None where there is nothing to find.

    AP is the mean over classes and the IoU thresholds .50, .55, ..., .95; AP50 and AP75 use one threshold; APs, APm
    and APl count objects up to 32^2, between, and from 96^2 pixels on only, and these edges belong to both sides. An
    object is as large as its `area` says, and a detection as what is measured: its box with "bbox", where it needs no
    mask, and its mask with "segm". With "keypoints" the thresholds are of OKS, with `sigmas` (see `CocoEvaluation`),
    and there is no APs.

    The box covers .8 of the object, so it counts at the seven thresholds from .50 to .80.

    >>> truth = {
    ...     "images": [{"id": 1, "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 16], "score": 0.9}]
    >>> {name: value and round(value, 3) for name, value in coco_summary(truth, found, "bbox").items()}
    {'AP': 0.7, 'AP50': 1.0, 'AP75': 1.0, 'APs': 0.7, 'APm': None, 'APl': None}
    """
    task = next(task for task, kind in KIND_OF_TASK.items() if kind == iou_type)
    found = coco_documents.parse(ground_truth, detections, tasks=("box", task))
    return CocoEvaluation(found, sigmas).summary(iou_type)


class CocoEvaluation:
    """One set of documents in pycocotools, indexed once for all figures.

    `sigmas` holds one number for each keypoint: an error of 2 sigma times the square root of the object's area has an
    object keypoint similarity (OKS) of exp(-1/2) (cocodataset.org, keypoints evaluation). None: the usual ones. Raises
    `StudioError` if there are not as many as keypoints.
    """

    def __init__(self, found: CocoDocuments, sigmas: Sequence[float] | None = None) -> None:
        self._images = found.images
        self._pictures, self._classes = _consecutive_ids(found.images), _consecutive_ids(found.categories)
        self._ground_truth = self._index(found.annotations.values())
        there = {"bbox": True, "segm": found.masks, "keypoints": found.num_keypoints is not None}
        groups = found.detections.values()
        self._detections = {
            kind: self._index([_with_measured_area(entry, kind) for entry in group] for group in groups)
            for kind in KINDS
            if there[kind]
        }
        self._whole: dict[IouType, COCOeval] = {}
        self.sigmas: list[float] | None = None
        if found.num_keypoints is not None:
            self.sigmas = list(usual_sigmas(found.num_keypoints) if sigmas is None else sigmas)
            if found.num_keypoints and len(self.sigmas) != found.num_keypoints:
                raise StudioError(
                    f"sigmas: there are {len(self.sigmas)}, but the objects have "
                    f"{counted(found.num_keypoints, 'keypoint')}; give one for each"
                )

    def summary(self, iou_type: IouType) -> Summary:
        """The six figures over all pictures; five for keypoints, which have no APs."""
        precision = self._over_all(iou_type).eval["precision"][..., 0]
        sizes = ("APm", "APl") if iou_type == "keypoints" else ("APs", "APm", "APl")
        by_size = {name: _mean(precision[..., area]) for area, name in enumerate(sizes, start=1)}
        return {**_at_thresholds(precision[..., 0]), **by_size}

    def picture(self, image_id: Id, iou_type: IouType = "segm") -> Summary:
        """`AP`, `AP50` and `AP75` computed on that one picture, over the classes that appear in it."""
        evaluation = self._evaluated(iou_type, image_id)
        return _at_thresholds(evaluation.eval["precision"][..., 0, 0])

    def image_results(self, iou_type: IouType) -> dict[tuple[Id, Id], dict[str, Any] | None]:
        """The results of `COCOeval.evaluateImg` for each class in each picture, over objects of all sizes.

        By (category id, image id); None where the picture has neither objects nor detections of the class. The entries
        hold `dtScores` (D,), best first, `dtMatches` and `dtIgnore` (10, D), one row for each IoU threshold, and
        `gtIgnore` (G,).
        """
        evaluation = self._over_all(iou_type)
        params = evaluation.params
        of_a_class = len(params.areaRng) * len(params.imgIds)  # results lie by class, then by size (all first)
        return {
            (category_id, image_id): evaluation.evalImgs[nth_class * of_a_class + nth_image]
            for nth_class, category_id in enumerate(self._classes)
            for nth_image, image_id in enumerate(self._pictures)
        }

    def _index(self, groups: Iterable[list[Entry]]) -> COCO:
        """A COCO index without its constructor's file reading.

        Ids are counted from 1 here, because COCOeval takes a match with id 0 for none. Entries are copied, because
        COCOeval writes into them. What is of a class that the ground truth does not have is left out, as it counts for
        nothing.
        """
        entries: list[dict[str, Any]] = []
        for entry in (entry for group in groups for entry in group if entry["category_id"] in self._classes):
            numbers = {
                "id": len(entries) + 1,
                "image_id": self._pictures[entry["image_id"]],
                "category_id": self._classes[entry["category_id"]],
            }
            entries.append({**entry, **numbers})
        index = COCO()
        index.dataset = {
            "images": [{**self._images[key], "id": number} for key, number in self._pictures.items()],
            "categories": [{"id": number} for number in self._classes.values()],
            "annotations": entries,
        }
        with _silenced():
            index.createIndex()
        return index

    def _over_all(self, iou_type: IouType) -> COCOeval:
        if iou_type not in self._whole:
            self._whole[iou_type] = self._evaluated(iou_type)
        return self._whole[iou_type]

    def _evaluated(self, iou_type: IouType, image_id: Id | None = None) -> COCOeval:
        poses = iou_type == "keypoints"
        evaluation = COCOeval(self._ground_truth, self._detections[iou_type], iou_type)
        evaluation.params.maxDets = [MAX_POSES if poses else MAX_DETECTIONS]
        if poses:
            evaluation.params.kpt_oks_sigmas = np.array(self.sigmas, dtype=float)
        if image_id is not None:
            evaluation.params.imgIds = [self._pictures[image_id]]
            evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
        with _silenced():
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation


def _consecutive_ids(ids: Iterable[Id]) -> dict[Id, int]:
    """Id -> a number from 1, in the order of the ids. COCOeval fails on texts mixed with numbers, and on
    numbers of more than 64 bits."""
    return {key: number for number, key in enumerate(sorted(ids, key=id_order), start=1)}


def _with_measured_area(detection: Entry, kind: IouType) -> Entry:
    """A detection with the `area` by which it counts as small, medium or large where it finds no object.

    That of what is measured, as pycocotools' `loadRes` has it for results of boxes alone, or of masks alone. Where a
    result has both, `loadRes` takes the box for masks too, which moves detections between the sizes.
    """
    if kind == "keypoints":
        return _ranked_pose(detection)
    if kind == "segm":
        return {**detection, "area": float(coco_mask.area(detection["segmentation"]))}
    return {**detection, "area": float(detection["bbox"][2] * detection["bbox"][3])}


def _ranked_pose(detection: Entry) -> Entry:
    """A detection for the keypoint measure: its score is its `pose_score` where it has one, its area that of the box
    around its points."""
    area = float(np.ptp(detection["keypoints"][0::3]) * np.ptp(detection["keypoints"][1::3]))
    return {**detection, "area": area, "score": detection.get("pose_score", detection["score"])}


def _at_thresholds(precision: np.ndarray) -> Summary:
    """`precision` (10 IoU thresholds, 101 recalls, classes) -> its mean over all thresholds, at .50 and at .75."""
    return {"AP": _mean(precision), "AP50": _mean(precision[0]), "AP75": _mean(precision[5])}


def _mean(precision: np.ndarray) -> float | None:
    """The mean over what is defined: a class without objects has -1 everywhere."""
    defined = precision[precision > -1]
    return float(defined.mean()) if defined.size else None


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Discard what pycocotools prints.

    Standard output belongs to the whole process, and two browser sessions may evaluate at once: without the lock, the
    one that leaves last would put the other's buffer back for good.
    """
    with _printing, contextlib.redirect_stdout(io.StringIO()):
        yield
