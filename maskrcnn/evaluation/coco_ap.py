"""COCO average precision through pycocotools, silent, with None where COCO says -1 (undefined)."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskrcnn.evaluation import documents
from maskrcnn.evaluation.documents import Document, Documents, Entry

IouType = Literal["bbox", "segm"]
Summary = dict[str, float | None]

MAX_DETECTIONS = 100
"""COCO looks at this many detections of a class in one picture, the best ones."""

_printing = threading.Lock()


def coco_summary(ground_truth: Document, detections: Iterable[Document], iou_type: IouType) -> Summary:
    """`{"AP", "AP50", "AP75", "APs", "APm", "APl"}` over all pictures; None where there is nothing to find.

    AP is the mean over classes and the IoU thresholds .50, .55, ..., .95; AP50 and AP75 use one threshold; APs, APm
    and APl count objects below 32^2, between, and above 96^2 pixels only. With "bbox", detections need no mask.
    """
    return CocoEvaluation(documents.read(ground_truth, detections, masks=iou_type == "segm")).summary(iou_type)


class CocoEvaluation:
    """pycocotools' two indices, built once for all the numbers that are asked of them."""

    def __init__(self, found: Documents) -> None:
        images, categories = list(found.images.values()), list(found.categories.values())
        self._ground_truth = _index(images, categories, found.annotations.values())
        self._detections = _index(images, categories, found.detections.values())

    def summary(self, iou_type: IouType) -> Summary:
        """The six numbers over all pictures."""
        evaluation = self._evaluated(iou_type)
        precision = evaluation.eval["precision"][..., 0]
        small, medium, large = (_mean(precision[..., area]) for area in (1, 2, 3))
        return {**_at_thresholds(precision[..., 0]), "APs": small, "APm": medium, "APl": large}

    def picture(self, image_id: int) -> Summary:
        """Mask `AP`, `AP50` and `AP75` computed on that one picture, over the classes that appear in it."""
        evaluation = self._evaluated("segm", image_id)
        return _at_thresholds(evaluation.eval["precision"][..., 0, 0])

    def _evaluated(self, iou_type: IouType, image_id: int | None = None) -> COCOeval:
        evaluation = COCOeval(self._ground_truth, self._detections, iou_type)
        evaluation.params.maxDets = [MAX_DETECTIONS]
        if image_id is not None:
            evaluation.params.imgIds = [image_id]
            evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
        with _silence():
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation


def _at_thresholds(precision: np.ndarray) -> Summary:
    """`precision` (10 IoU thresholds, 101 recalls, classes) -> the mean over all, at .50 and at .75."""
    return {"AP": _mean(precision), "AP50": _mean(precision[0]), "AP75": _mean(precision[5])}


def _mean(precision: np.ndarray) -> float | None:
    """The mean over what is defined: a class without objects has -1 everywhere."""
    defined = precision[precision > -1]
    return float(defined.mean()) if defined.size else None


def _index(images: list[Entry], categories: list[Entry], groups: Iterable[list[Entry]]) -> COCO:
    """A COCO index without its constructor's file reading.

    Ids are counted from 1 here, because COCOeval takes a match with id 0 for none. Entries are copied, because COCOeval
    writes into them.
    """
    entries: list[dict[str, Any]] = [dict(entry) for group in groups for entry in group]
    for number, entry in enumerate(entries, start=1):
        entry["id"] = number
    index = COCO()
    index.dataset = {"images": images, "categories": categories, "annotations": entries}
    with _silence():
        index.createIndex()
    return index


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Swallow pycocotools' prints.

    Standard output belongs to the whole process, and two browser sessions may evaluate at once: without the lock, the
    one that leaves last would put the other's buffer back for good.
    """
    with _printing, contextlib.redirect_stdout(io.StringIO()):
        yield
