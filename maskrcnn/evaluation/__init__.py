"""Evaluation of detections. It imports no network and no torch.

From ground truth and detections (two COCO documents): matching, AP of each picture and COCO AP. From reports: bootstrap
intervals and comparisons.
"""

from maskrcnn.evaluation.bootstrap import intervals
from maskrcnn.evaluation.comparison import compare
from maskrcnn.evaluation.matching import ImageMatches, match_image
from maskrcnn.evaluation.measured_set import MeasuredSet, coco_summary, measure
from maskrcnn.evaluation.report import Report
from maskrcnn.evaluation.report_building import evaluate, report_of
from maskrcnn.evaluation.set_matches import SetMatches

__all__ = [
    "ImageMatches",
    "MeasuredSet",
    "Report",
    "SetMatches",
    "coco_summary",
    "compare",
    "evaluate",
    "intervals",
    "match_image",
    "measure",
    "report_of",
]
