"""COCO's numbers as pycocotools' own demo computes them: the oracle of the evaluation."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskrcnn.evaluation.coco_documents import Id

KEPT = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}
"""The shape that results of each measure hold, alone: loadRes takes the area of the box where there is one, and
detectron2 and torchvision load boxes and masks apart."""


def official(
    document: dict[str, Any], detections: Sequence[dict[str, Any]], iou_type: str, image: Id | None = None
) -> list[float]:
    """The twelve numbers (ten for keypoints) of all pictures, or of one alone; -1 where nothing is defined."""
    if image is not None:
        labels = [entry for entry in document["annotations"] if entry["image_id"] == image]
        images = [entry for entry in document["images"] if entry["id"] == image]
        document = {**document, "images": images, "annotations": labels}
        detections = [entry for entry in detections if entry["image_id"] == image]
        if not detections:  # pycocotools cannot read an empty list
            return [0.0 if any(not entry["iscrowd"] for entry in labels) else -1.0] * 12
    fields = ("image_id", "category_id", "score", KEPT[iou_type])
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"info": {}, **json.loads(json.dumps(document))}
        truth.createIndex()
        kept = [{name: entry[name] for name in fields} for entry in detections]
        evaluation = COCOeval(truth, truth.loadRes(kept), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats.tolist()


def value(number: float | None) -> float:
    """A figure as pycocotools writes it: -1 where it is not defined."""
    return -1.0 if number is None else number
