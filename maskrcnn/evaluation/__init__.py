"""What measures: matching, per-picture AP and COCO AP, as functions of two JSON documents. It knows no model."""

from maskrcnn.evaluation.coco_ap import coco_summary
from maskrcnn.evaluation.matching import ImageMatches, Prediction, Truth, match_image
from maskrcnn.evaluation.report import definitions, evaluate

__all__ = ["ImageMatches", "Prediction", "Truth", "coco_summary", "definitions", "evaluate", "match_image"]
