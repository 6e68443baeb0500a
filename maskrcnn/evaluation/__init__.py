"""Measures of detections: matching, AP of each picture and COCO AP from two JSON documents; bootstrap intervals and
comparisons from reports. It knows no network."""

from maskrcnn.evaluation.bootstrap import intervals
from maskrcnn.evaluation.coco_ap import coco_summary
from maskrcnn.evaluation.comparison import compare
from maskrcnn.evaluation.matching import ImageMatches, Prediction, Truth, match_image
from maskrcnn.evaluation.report import PictureRow, Report
from maskrcnn.evaluation.report_building import definitions, evaluate

__all__ = [
    "ImageMatches",
    "PictureRow",
    "Prediction",
    "Report",
    "Truth",
    "coco_summary",
    "compare",
    "definitions",
    "evaluate",
    "intervals",
    "match_image",
]
