"""COCO average precision, computed by pycocotools: without its printed output, and None instead of -1 (undefined)."""

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
from maskrcnn.evaluation.coco_documents import CocoDocuments, Document, Entry, Id, consecutive_ids
from maskrcnn.words import counted

IouType = Literal["bbox", "segm", "keypoints"]
Summary = dict[str, float | None]

KINDS: tuple[IouType, ...] = get_args(IouType)

KIND_OF_TASK: dict[str, IouType] = {"box": "bbox", "mask": "segm", "keypoints": "keypoints"}
"""Task of a network -> COCO's name of its measure."""

MAX_DETECTIONS = 100
"""Maximum number of evaluated detections of a class in one picture (those with the best scores), as in COCO."""

MAX_POSES = 20
"""The same limit for keypoints."""

_printing = threading.Lock()


def coco_summary(
    ground_truth: Document,
    detections: Iterable[Document],
    iou_type: IouType,
    sigmas: Sequence[float] | None = None,
) -> Summary:
    """COCO's figures over all pictures: `{"AP", "AP50", "AP75", "APs", "APm", "APl"}`; None for one without objects.

    AP is the mean over classes and the IoU thresholds .50, .55, ..., .95. AP50 and AP75 use one threshold. APs is for
    objects of at most 32^2 pixels, APm for 32^2 to 96^2 pixels, APl for at least 96^2 pixels; objects of exactly these
    sizes count in both. The size of an object is its `area`. The size of a detection is the area of its box for "bbox"
    and of its mask for "segm"; "bbox" needs no masks. "keypoints" uses OKS thresholds with `sigmas` (see
    `CocoEvaluation`), and has no APs.

    Example: the IoU of the box is .8, so it is a true positive at the seven thresholds from .50 to .80.

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
    """The evaluation of one pair of documents with pycocotools, which are indexed only once for all figures.

    `sigmas` has one number for each keypoint: an error of 2 sigma times the square root of the object's area has an
    object keypoint similarity (OKS) of exp(-1/2) (cocodataset.org, keypoints evaluation). None uses the default ones.
    Raises `StudioError` if the number of sigmas is not the number of keypoints.
    """

    def __init__(self, found: CocoDocuments, sigmas: Sequence[float] | None = None) -> None:
        self._images = found.images
        self._pictures, self._classes = consecutive_ids(found.images), consecutive_ids(found.categories)
        self._ground_truth = self._index(found.annotations.values())
        is_measured = {"bbox": True, "segm": found.masks, "keypoints": found.num_keypoints is not None}
        groups = found.detections.values()
        self._detections = {
            kind: self._index([_with_measured_area(entry, kind) for entry in group] for group in groups)
            for kind in KINDS
            if is_measured[kind]
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
        by_size = {name: _mean_precision(precision[..., area]) for area, name in enumerate(sizes, start=1)}
        return {**_at_thresholds(precision[..., 0]), **by_size}

    def picture(self, image_id: Id, iou_type: IouType) -> Summary:
        """`AP`, `AP50` and `AP75` computed on that one picture, over the classes that appear in it."""
        evaluation = self._evaluated(iou_type, image_id)
        return _at_thresholds(evaluation.eval["precision"][..., 0, 0])

    def image_results(self, iou_type: IouType) -> dict[tuple[Id, Id], dict[str, Any] | None]:
        """The results of `COCOeval.evaluateImg` over objects of all sizes: (category id, image id) -> result.

        A result is None if the picture has neither objects nor detections of the class. Results hold `dtScores` (D,),
        best first, `dtMatches` and `dtIgnore` (10, D), one row for each IoU threshold, and `gtIgnore` (G,).
        """
        evaluation = self._over_all(iou_type)
        params = evaluation.params
        # `evalImgs` is sorted by class, then by size range (the first is "all"), then by picture.
        results_per_class = len(params.areaRng) * len(params.imgIds)
        return {
            (category_id, image_id): evaluation.evalImgs[nth_class * results_per_class + nth_image]
            for nth_class, category_id in enumerate(self._classes)
            for nth_image, image_id in enumerate(self._pictures)
        }

    def _index(self, groups: Iterable[list[Entry]]) -> COCO:
        """A pycocotools index of entries, made without a file.

        Ids are renumbered from 1, because COCOeval treats a match with id 0 as no match. Entries are copied, because
        COCOeval changes them. Entries of classes that the ground truth does not have are left out: they do not count.
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
        """The evaluation over all pictures; computed once for each measure."""
        if iou_type not in self._whole:
            self._whole[iou_type] = self._evaluated(iou_type)
        return self._whole[iou_type]

    def _evaluated(self, iou_type: IouType, image_id: Id | None = None) -> COCOeval:
        """Evaluate all pictures, or only `image_id` and only over objects of all sizes."""
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


def _with_measured_area(detection: Entry, kind: IouType) -> Entry:
    """The detection with its `area`, which decides on its size class (small, medium, large) if it finds no object.

    It is the area of the box for "bbox" and of the mask for "segm". `loadRes` of pycocotools does the same for results
    with only boxes or only masks. For results with both it uses the box for both, which gives other size classes.
    """
    if kind == "keypoints":
        return _ranked_pose(detection)
    if kind == "segm":
        return {**detection, "area": float(coco_mask.area(detection["segmentation"]))}
    return {**detection, "area": float(detection["bbox"][2] * detection["bbox"][3])}


def _ranked_pose(detection: Entry) -> Entry:
    """The detection for the keypoint measure: ranked by its `pose_score` if it has one, with the area of the box around
    its keypoints."""
    area = float(np.ptp(detection["keypoints"][0::3]) * np.ptp(detection["keypoints"][1::3]))
    return {**detection, "area": area, "score": detection.get("pose_score", detection["score"])}


def _at_thresholds(precision: np.ndarray) -> Summary:
    """AP, AP50 and AP75 from `precision` (10 IoU thresholds, 101 recalls, classes)."""
    return {
        "AP": _mean_precision(precision),
        "AP50": _mean_precision(precision[0]),
        "AP75": _mean_precision(precision[5]),
    }


def _mean_precision(precision: np.ndarray) -> float | None:
    """The mean of the defined values; None if there are none. A class without objects has -1 everywhere."""
    defined = precision[precision > -1]
    return float(defined.mean()) if defined.size else None


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Discard the output that pycocotools prints.

    Standard output is shared by all threads, and two browser sessions can evaluate at the same time. Without the lock,
    the session that ends last could restore the buffer of the other one as standard output.
    """
    with _printing, contextlib.redirect_stdout(io.StringIO()):
        yield
