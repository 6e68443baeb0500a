"""Builds a `Report` from two COCO documents: ground truth and detections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from maskrcnn.evaluation import detection_evidence
from maskrcnn.evaluation.analysis.error_kinds import error_costs
from maskrcnn.evaluation.analysis.score_threshold import best_score
from maskrcnn.evaluation.coco_documents import Document
from maskrcnn.evaluation.figure_definitions import report_definitions
from maskrcnn.evaluation.measured_set import MeasuredSet, measure
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE
from maskrcnn.evaluation.ranking_ap import pooled_ap
from maskrcnn.evaluation.report import ClassRow, PictureRow, Report, ReportedCost, ReportedScore
from maskrcnn.evaluation.set_matches import FP, IGNORED, TP, SetMatches


def evaluate(
    ground_truth: Document,
    detections: Iterable[Document],
    *,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
    tasks: Sequence[str] | None = None,
    sigmas: Sequence[float] | None = None,
    with_evidence: bool = False,
    with_analyses: bool = False,
) -> Report:
    """Evaluate detections on labelled pictures, and return the report.

    `ground_truth` is a COCO document, `detections` are COCO results. `tasks` are those of the network; None derives
    them from the detections. Without the task "mask", `segm` is None and detections are matched by their boxes (see
    `CocoDocuments.matched_by`). Without "keypoints", `keypoints` is None. `sigmas` are the sigmas of OKS, one for each
    keypoint; None uses the default ones. AP uses all detections; `n_pred`, `tp`, `fp` and `fn` use only those with a
    score of at least `min_score`, matched at `iou`. A figure that is not defined (no objects in a picture or size
    range) is None, never NaN. `with_evidence` adds the evidence that `compare` and `intervals` need,
    `with_analyses` what each kind of error costs and a suggested score.

    Raises `StudioError` if the documents do not belong together. `Report` has an example.
    """
    measured = measure(ground_truth, detections, tasks, sigmas)
    return report_of(measured, min_score=min_score, iou=iou, with_evidence=with_evidence, with_analyses=with_analyses)


def report_of(
    measured: MeasuredSet,
    *,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
    with_evidence: bool = False,
    with_analyses: bool = False,
) -> Report:
    """The report of a measured set; see `evaluate`."""
    matches = measured.match(min_score, iou)
    rows = picture_rows(measured, matches)
    pooled = [row.ap50_pooled for row in rows if row.ap50_pooled is not None]
    summaries = {kind: measured.coco(kind).summary() for kind in measured.kinds}
    report = Report(
        bbox=summaries["bbox"],
        segm=summaries.get("segm"),
        keypoints=summaries.get("keypoints"),
        matched_by=measured.matched_by,
        per_image=rows,
        per_class=class_rows(measured, matches),
        mean_ap50_pooled=sum(pooled) / len(pooled) if pooled else None,
        min_score=min_score,
        iou=iou,
        sigmas=measured.sigmas,
        definitions=report_definitions(min_score, measured.matched_by, iou),
    )
    if with_analyses:
        costs = {kind: ReportedCost(**vars(cost)) for kind, cost in error_costs(measured, iou).items()}
        choice = {name: value for name, value in vars(best_score(measured, iou)).items() if name != "scores"}
        report = report.model_copy(update={"error_costs": costs, "suggested_score": ReportedScore(**choice)})
    if with_evidence:
        report = report.model_copy(update={"evidence": detection_evidence.gather_evidence(measured)})
    return report


def picture_rows(measured: MeasuredSet, matches: SetMatches) -> tuple[PictureRow, ...]:
    """A row for each picture, in the order of the ground truth."""
    n_objects = np.bincount(measured.objects.picture[~measured.objects.crowd], minlength=len(measured.pictures))
    coco = measured.coco(measured.matched_by)
    columns = {
        "n_gt": n_objects.tolist(),
        "n_pred": matches.shown.tolist(),
        "ap50_pooled": _pooled_ap_of_pictures(measured, n_objects),
        "tp": matches.tp.tolist(),
        "fp": matches.fp.tolist(),
        "fn": matches.fn.tolist(),
        "f1": _with_none(matches.f1),
        "mean_iou": _with_none(matches.mean_iou),
        "count_error": matches.count_error.tolist(),
        "beyond_limit": coco.cut.tolist(),
    }
    ap = coco.picture_ap
    columns |= {name: _with_none(ap[:, place]) for place, name in enumerate(("ap", "ap50", "ap75"))}
    if "keypoints" in measured.kinds:
        ap = measured.coco("keypoints").picture_ap
        columns |= {name: _with_none(ap[:, place]) for place, name in enumerate(("keypoints_ap", "keypoints_ap50"))}
    rows = zip(measured.pictures, measured.files, *columns.values(), strict=True)
    return tuple(
        PictureRow(image_id=image_id, file=file, **dict(zip(columns, values, strict=True)))
        for image_id, file, *values in rows
    )


def class_rows(measured: MeasuredSet, matches: SetMatches) -> tuple[ClassRow, ...]:
    """A row for each class: COCO's figures in each measure, and what was right, wrong and missed."""
    objects, detections = measured.objects, measured.detections
    figures = {
        kind: {key: _with_none(values) for key, values in measured.coco(kind).class_figures.items()}
        for kind in measured.kinds
    }
    rows = []
    for place, name in enumerate(measured.names):
        of_class = detections.category == place
        tp = int((of_class & (matches.detection_status == TP)).sum())
        n_objects = int((~objects.crowd & (objects.category == place)).sum())
        rows.append(
            ClassRow(
                name=name,
                n_gt=n_objects,
                tp=tp,
                fp=int((of_class & (matches.detection_status == FP)).sum()),
                fn=n_objects - tp,
                **{kind: {key: values[place] for key, values in found.items()} for kind, found in figures.items()},
            )
        )
    return tuple(rows)


def _pooled_ap_of_pictures(measured: MeasuredSet, n_objects: np.ndarray) -> list[float | None]:
    """`pooled_ap` of each picture, at IoU .50 from all its detections."""
    everything = measured.match(min_score=-np.inf, iou=DEFAULT_IOU)
    counted = everything.detection_status != IGNORED
    hits = everything.detection_status == TP
    edges = np.searchsorted(measured.detections.picture, np.arange(len(n_objects) + 1)).tolist()
    return [
        pooled_ap(hits[start:end][counted[start:end]], objects)
        for (start, end), objects in zip(pairwise(edges), n_objects.tolist(), strict=True)
    ]


def _with_none(values: np.ndarray) -> list[float | None]:
    """Numbers as a list, None for NaN, which JSON does not have."""
    return [None if np.isnan(value) else value for value in values.tolist()]
