"""Builds a `Report` from two COCO documents: ground truth and detections. Also the definitions of its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maskrcnn.evaluation import coco_documents, detection_evidence
from maskrcnn.evaluation.coco_ap import CocoEvaluation
from maskrcnn.evaluation.coco_documents import CocoDocuments, Document, Id
from maskrcnn.evaluation.figure_definitions import report_definitions
from maskrcnn.evaluation.matching import DEFAULT_MIN_SCORE, greedy_partners, overlaps
from maskrcnn.evaluation.ranking_ap import Progress, pooled_ap
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
        per_image.append(_picture_row(found, coco, image_id, min_score))
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
        definitions=report_definitions(min_score, found.matched_by),
    )
    if with_evidence:
        report = report.model_copy(update={"evidence": detection_evidence.gather_evidence(found, coco, report.kinds)})
    return report


def _picture_row(found: CocoDocuments, coco: CocoEvaluation, image_id: Id, min_score: float) -> PictureRow:
    """The row of one picture of the report."""
    table = overlaps(found.detections[image_id], found.annotations[image_id], found.masks)
    partners = greedy_partners(table.ious, table.crowd)
    is_matched = partners >= 0
    on_crowd = is_matched.copy()
    on_crowd[is_matched] = table.crowd[partners[is_matched]]
    hits = is_matched & ~on_crowd
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
