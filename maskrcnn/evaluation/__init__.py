"""Evaluation of detections. It imports no network and no torch.

From ground truth and detections (two COCO documents): matching, AP of each picture and COCO AP. From reports: bootstrap
intervals and comparisons.
"""

from maskrcnn.evaluation.bootstrap import intervals
from maskrcnn.evaluation.coco_ap import coco_summary
from maskrcnn.evaluation.comparison import compare
from maskrcnn.evaluation.matching import ImageMatches, match_image
from maskrcnn.evaluation.report import Report
from maskrcnn.evaluation.report_building import evaluate

__all__ = [
    "ImageMatches",
    "Report",
    "coco_summary",
    "compare",
    "evaluate",
    "intervals",
    "match_image",
]
