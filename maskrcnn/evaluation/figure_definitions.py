"""Definitions of the figures in a report and in a comparison: the name of a figure -> its meaning."""

from __future__ import annotations

from maskrcnn.evaluation.bootstrap import LEVEL, MOST_PARTS
from maskrcnn.evaluation.coco_documents import MatchedBy
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE, MAX_DETECTIONS, MAX_POSES


def report_definitions(
    min_score: float = DEFAULT_MIN_SCORE, matched_by: MatchedBy = "segm", iou: float = DEFAULT_IOU
) -> dict[str, str]:
    """Name of a figure of a report -> its meaning, in one or two short sentences.

    >>> report_definitions(min_score=0.5)["n_pred"]
    'Detections with a score of at least 0.5.'
    """
    what = "mask" if matched_by == "segm" else "box"
    return {
        "AP": "COCO average precision: the mean over all classes and the IoU thresholds .50, .55, ..., .95.",
        "AP50": "The same at IoU .50 alone.",
        "AP75": "The same at IoU .75 alone, which only precise outlines reach.",
        "APs": "AP over objects with an area of at most 32 x 32 = 1024 pixels, as the labels give it. A detection that "
        "finds no object counts if its own area is in that range.",
        "APm": "AP over objects from 32 x 32 to 96 x 96 pixels; objects of exactly such an area count in both ranges.",
        "APl": "AP over objects of 96 x 96 = 9216 pixels and more.",
        "AR1": "COCO average recall: the part of the objects that the best detection of each class in each picture "
        "finds, as the mean over all classes and the IoU thresholds .50 to .95.",
        "AR10": "The same with the 10 best detections of each class in each picture.",
        "AR100": f"The same with the {MAX_DETECTIONS} best.",
        "ARs": f"AR of the {MAX_DETECTIONS} best detections over objects of at most 32 x 32 pixels.",
        "ARm": "The same over objects from 32 x 32 to 96 x 96 pixels.",
        "ARl": "The same over objects of 96 x 96 pixels and more.",
        "AR": f"COCO average recall of keypoints: the part of the objects that the {MAX_POSES} best poses of each "
        "picture find, as the mean over the OKS thresholds .50 to .95.",
        "AR50": "The same at OKS .50 alone.",
        "AR75": "The same at OKS .75 alone.",
        "bbox": "IoU is measured between boxes; the area of a detection (for APs, APm and APl) is that of its box.",
        "segm": "IoU is measured between masks; the area of a detection is that of its mask. null if the model finds "
        "no masks. (pycocotools uses the area of the box if results have both: give it results with masks only.)",
        "keypoints": "OKS (object keypoint similarity) is used instead of IoU: the mean over the labelled keypoints of "
        "exp(-d^2 / (2 s^2 k^2)), with d the distance in pixels, s^2 the area of the object and k twice the keypoint's "
        "sigma. Objects without labelled keypoints count neither way. Detections are ranked by their pose_score, "
        "if they have one: the score times the OKS that the network expects of its keypoints. null if the model "
        "finds no keypoints.",
        "matched_by": "What decides in each picture whether a detection found an object: segm, the IoU of masks, or "
        "bbox, that of boxes, if the model finds no masks.",
        "ap": f"COCO {what} AP (IoU .50 to .95) computed on this one picture, over the classes that appear in it. "
        "null if it has no objects.",
        "ap50": f"COCO {what} AP at IoU .50 computed on this one picture, over the classes that appear in it.",
        "ap75": f"COCO {what} AP at IoU .75 computed on this one picture, over the classes that appear in it.",
        "ap50_pooled": f"AP at {what} IoU .50 from one ranking of all detections of this picture, all classes "
        "together, as the matterport notebooks print it: the exact area under the precision envelope. null if it "
        "has no objects.",
        "keypoints_ap": "COCO keypoint AP (OKS .50 to .95) computed on this one picture. null if no object has "
        "labelled keypoints, or the model finds none.",
        "keypoints_ap50": "COCO keypoint AP at OKS .50 computed on this one picture.",
        "mean_ap50_pooled": "The mean of ap50_pooled over the pictures that have objects.",
        "n_gt": "Labelled objects in the picture; crowds do not count.",
        "n_pred": f"Detections with a score of at least {min_score:g}.",
        "tp": f"Detections with a score of at least {min_score:g} that found an object: same class, {what} IoU of at "
        f"least {iou:g}, matched greedily from the best score down, each object once.",
        "fp": f"Detections with a score of at least {min_score:g} that found none. One that lies on a crowd counts "
        "neither way.",
        "fn": f"Objects that no detection with a score of at least {min_score:g} found.",
        "f1": "2 TP / (2 TP + FP + FN): 1 if every object was found and nothing else. Unlike AP, it falls with every "
        "false positive. null if there is nothing to find and nothing was found.",
        "mean_iou": f"The mean {what} IoU of the true positives with their objects. null without any.",
        "count_error": "FP - FN: detections minus objects, without those that count neither way. Above 0, too many "
        "are counted.",
        "beyond_limit": "Detections of this picture that COCO's limit leaves out of AP.",
        "per_class": "For each class: COCO's figures of it alone, and TP, FP and FN of all pictures.",
        "error_costs": f"How often each kind of error occurs at {what} IoU {iou:g} among detections of any score, and "
        "how much higher AP at that IoU would be without this kind (TIDE; the costs do not add up to 1 - AP).",
        "suggested_score": "The score from which detections give the best F1, chosen on one half of the pictures; its "
        "precision, recall and F1 are those on the other half.",
        "limit": f"COCO AP looks at the {MAX_DETECTIONS} best detections of a class in each picture, keypoint AP at "
        f"the {MAX_POSES} best.",
        "evidence": "For each class and picture: how many objects can be found (objects), the score of each detection "
        "(scores; those of keypoints that are ranked by their pose_score stand with the keypoints), and what became "
        "of it as bit masks over the IoU thresholds, bit 0 for .50 up to bit 9 for .95: found an object (found), or "
        "counts neither way (ignored; an empty list if none does). Pictures are in the order of per_image, "
        "detections in that of their scores, which have only as many decimals as that order needs. COCO AP on any "
        "choice of the pictures follows from it.",
        "intervals": f"[low, high], Student's {LEVEL * 100:g} % interval of the AP, on a scale of log(AP / (1 - AP)): "
        "its standard error from leaving pictures out in turn (jackknife), its bias from resamples that draw as many "
        "pictures as there are, with replacement (bootstrap). null if at most one picture has objects.",
    }


VERDICTS = {
    "away from 0": "the difference is unlikely to be chance",
    "contains 0": "these pictures cannot tell the two apart",
    "no interval": "there are too few pictures, or nothing to find",
}
"""Verdict about the interval of a difference -> its meaning."""


def comparison_definitions(names: tuple[str, str]) -> dict[str, str]:
    """Name of a figure of a comparison -> its meaning, in one or two short sentences.

    >>> comparison_definitions(("one", "other"))["a"]
    'A is one.'
    """
    percent = f"{LEVEL * 100:g} %"
    return {
        "a": f"A is {names[0]}.",
        "b": f"B is {names[1]}.",
        "difference": f"B minus A: above 0 where {names[1]} is better, below 0 where {names[0]} is.",
        "a_interval": f"Student's {percent} interval of A's AP: its standard error from leaving pictures out in turn "
        "(jackknife), its bias from resamples that draw as many pictures as there are, with replacement (bootstrap).",
        "b_interval": f"The same {percent} interval of B's AP.",
        "difference_interval": f"Student's {percent} interval of B minus A, from the same pictures left out (above "
        f"{MOST_PARTS} pictures: from the same resamples). "
        + " ".join(f"{what.capitalize()}: {meaning}." for what, meaning in VERDICTS.items()),
        "per_image": "The AP of each picture alone, in A and in B; null if it has no objects of that kind.",
    }
