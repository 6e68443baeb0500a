"""Builds a `Report` from two COCO documents: ground truth and detections. Also the definitions of its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maskrcnn.evaluation import coco_documents, detection_evidence
from maskrcnn.evaluation.bootstrap import LEVEL, Progress
from maskrcnn.evaluation.coco_ap import MAX_DETECTIONS, MAX_POSES, CocoEvaluation
from maskrcnn.evaluation.coco_documents import CocoDocuments, Document, Id, MatchedBy
from maskrcnn.evaluation.matching import DEFAULT_IOU, DEFAULT_MIN_SCORE, greedy_partners, overlaps
from maskrcnn.evaluation.pooled_ap import pooled_ap
from maskrcnn.evaluation.report import PictureRow, Report


def evaluate(
    ground_truth: Document,
    detections: Iterable[Document],
    *,
    min_score: float = DEFAULT_MIN_SCORE,
    progress: Progress | None = None,
    tasks: Sequence[str] | None = None,
    sigmas: Sequence[float] | None = None,
    with_evidence: bool = False,
) -> Report:
    """Evaluate detections on labelled pictures, and return the report.

    `ground_truth` is a COCO document, `detections` are COCO results. `tasks` are those of the network; None derives
    them from the detections. Without the task "mask", `segm` is None and detections are matched by their boxes (see
    `CocoDocuments.matched_by`). Without "keypoints", `keypoints` is None. `sigmas` are the sigmas of OKS, one for each
    keypoint; None uses the default ones. AP uses all detections; `n_pred`, `tp`, `fp` and `fn` use only those with a
    score of at least `min_score`. A figure that is not defined (no objects in a picture or size range) is None, never
    NaN. `progress(done, total)` is called after each picture. `with_evidence` adds the evidence that `compare` and
    `intervals` need.
    Raises `StudioError` if the documents do not belong together. `Report` has an example.
    """
    detections = list(detections)
    tasks = coco_documents.tasks_of(ground_truth, detections) if tasks is None else tasks
    found = coco_documents.parse(ground_truth, detections, tasks=tasks)
    coco = CocoEvaluation(found, sigmas)
    per_image = []
    for done, image_id in enumerate(found.images, start=1):
        per_image.append(_picture(found, coco, image_id, min_score))
        if progress is not None:
            progress(done, len(found.images))
    pooled = [row.ap50_pooled for row in per_image if row.ap50_pooled is not None]
    report = Report(
        bbox=coco.summary("bbox"),
        segm=coco.summary("segm") if found.masks else None,
        keypoints=coco.summary("keypoints") if found.num_keypoints is not None else None,
        matched_by=found.matched_by,
        per_image=tuple(per_image),
        mean_ap50_pooled=sum(pooled) / len(pooled) if pooled else None,
        min_score=min_score,
        sigmas=None if coco.sigmas is None else tuple(coco.sigmas),
        definitions=definitions(min_score, found.matched_by),
    )
    if with_evidence:
        report = report.model_copy(update={"evidence": detection_evidence.gather_evidence(found, coco, report.kinds)})
    return report


def _picture(found: CocoDocuments, coco: CocoEvaluation, image_id: Id, min_score: float) -> PictureRow:
    """The row of one picture of the report."""
    table = overlaps(found.detections[image_id], found.annotations[image_id], found.masks)
    partners = greedy_partners(table.ious, table.crowd)
    on_crowd = (partners >= 0) & table.crowd[partners] if len(table.crowd) else partners >= 0
    hits = (partners >= 0) & ~on_crowd
    n_objects = int((~table.crowd).sum())
    # Matching is in order of score, so detections below `min_score` do not change the matches of those above it.
    is_counted = table.scores >= min_score
    tp = int((hits & is_counted).sum())
    ap = coco.picture(image_id, found.matched_by)
    poses = coco.picture(image_id, "keypoints") if found.num_keypoints is not None else {"AP": None, "AP50": None}
    return PictureRow(
        image_id=image_id,
        file=found.images[image_id]["file_name"],
        n_gt=n_objects,
        n_pred=int(is_counted.sum()),
        ap=ap["AP"],
        ap50=ap["AP50"],
        ap50_pooled=pooled_ap(hits[~on_crowd], n_objects),
        keypoints_ap=poses["AP"],
        keypoints_ap50=poses["AP50"],
        tp=tp,
        fp=int((~hits & ~on_crowd & is_counted).sum()),
        fn=n_objects - tp,
    )


def definitions(min_score: float = DEFAULT_MIN_SCORE, matched_by: MatchedBy = "segm") -> dict[str, str]:
    """Name of a figure of a report -> its meaning, in one or two short sentences.

    >>> definitions(min_score=0.5)["n_pred"]
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
        f"least {DEFAULT_IOU:g}, matched greedily from the best score down, each object once.",
        "fp": f"Detections with a score of at least {min_score:g} that found none. One that lies on a crowd counts "
        "neither way.",
        "fn": f"Objects that no detection with a score of at least {min_score:g} found.",
        "limit": f"COCO AP looks at the {MAX_DETECTIONS} best detections of a class in each picture, keypoint AP at "
        f"the {MAX_POSES} best.",
        "evidence": "For each class and picture: how many objects can be found (objects), the score of each detection "
        "(scores; those of keypoints that are ranked by their pose_score stand with the keypoints), and what became "
        "of it as bit masks over the IoU thresholds, bit 0 for .50 up to bit 9 for .95: found an object (found), or "
        "counts neither way (ignored; an empty list if none does). Pictures are in the order of per_image, "
        "detections in that of their scores, which have only as many decimals as that order needs. COCO AP on any "
        "choice of the pictures follows from it.",
        "intervals": f"[low, high], the basic {LEVEL * 100:g} % bootstrap interval of the AP. Each resample draws as "
        "many pictures as there are, with replacement. null if there are no objects, or only one picture.",
    }
