"""How good the network of a run is, from the saved detections of its best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskrcnn.config import MEASURES, Config
from maskrcnn.evaluation import MeasuredSet, Report, measure
from maskrcnn.evaluation.analysis.ap_of_parts import ap_of_classes, ap_of_sizes
from maskrcnn.evaluation.analysis.error_kinds import KIND_WORDS
from maskrcnn.evaluation.bootstrap import coverage_note
from maskrcnn.evaluation.measures import IouType
from maskrcnn.evaluation.ranking_ap import FIGURES, Progress
from maskrcnn.evaluation.report import PictureRow, ReportedScore, worst_pictures
from maskrcnn.inference.detections_evaluation import full_report
from maskrcnn.inference.model_cards.card_parts import (
    AdvisedScore,
    ErrorCount,
    Figure,
    Measured,
    MeasuredKind,
    WorstPicture,
)
from maskrcnn.name_order import natural_key
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.folder import RunFolder

RESAMPLES = 2000
"""How often the pictures are drawn anew for the intervals, as in `evaluate` and on the Evaluation page."""

WORST = 3
"""Number of pictures that a card names."""


def measured_epoch(run: RunFolder, weights: int | None) -> int | None:
    """The epoch whose detections say how good the run is: that of the best weights, if its detections were kept.

    Else it is the best or the last one that was kept; None if none was. `weights` is the epoch of the best weights, if
    they are known.
    """
    kept = run.detection_epochs()
    if not kept:
        return None
    rows = run.epochs()
    best = best_epoch(rows)
    named = [weights, best.epoch if best else None, (run.result() or {}).get("best_epoch")]
    found = next((epoch for epoch in named if epoch in kept), None)
    if found is not None:
        return found
    best = best_epoch(row for row in rows if row["epoch"] in kept)
    return best.epoch if best and best.score is not None else kept[-1]


def measured_quality(
    run: RunFolder,
    config: Config,
    validation: Mapping[str, Any],
    epoch: int,
    is_of_weights: bool,
    progress: Progress | None = None,
) -> Measured:
    """How good the detections of `epoch` are on the pictures of `validation`, a COCO document.

    Pictures are in the order of the Evaluation page, which decides which of them the resamples draw. `progress(done,
    total)` is called now and then. Raises `StudioError` if the detections are damaged or belong to other labels.
    """
    images = sorted(validation["images"], key=lambda image: natural_key(image["file_name"]))
    measured = measure({**validation, "images": images}, run.detections(epoch), config.tasks, config.sigmas)
    report = full_report(measured, resamples=RESAMPLES, progress=_part(progress, 0, 2))
    kinds = tuple(_measured_kind(report, kind) for kind in _finest_first(measured))
    first = kinds[0].kind
    return Measured(
        epoch=epoch,
        is_of_weights=is_of_weights,
        pictures=len(report.per_image),
        objects=sum(row.n_gt for row in report.per_image),
        kinds=kinds,
        sizes=ap_of_sizes(measured, first, RESAMPLES, progress=_part(progress, 2, 1)),
        classes=ap_of_classes(measured, first, RESAMPLES, progress=_part(progress, 3, 1)),
        score=_advised_score(report.suggested_score),
        errors=tuple(
            ErrorCount(kind, KIND_WORDS[kind], cost.count, cost.ap_loss)
            for kind, cost in (report.error_costs or {}).items()
        ),
        worst=tuple(map(_worst_picture, [row for row in worst_pictures(report.per_image) if row.wrong][:WORST])),
        caution=coverage_note(len(report.per_image)),
    )


def _finest_first(measured: MeasuredSet) -> list[IouType]:
    """The measures of the set: masks before keypoints before boxes."""
    return sorted(measured.kinds, key=list(MEASURES).index)


def _part(progress: Progress | None, start: int, length: int, parts: int = 4) -> Progress | None:
    """A progress callback for `length` of `parts` equal parts of the work, from part `start` on."""
    if progress is None:
        return None
    return lambda done, total: progress(round(1000 * (start + length * done / max(total, 1))), 1000 * parts)


def _measured_kind(report: Report, kind: IouType) -> MeasuredKind:
    """AP, AP50 and AP75 of one measure with their intervals."""
    summary = report.summary(kind) or {}
    edges = report.intervals.edges(kind) if report.intervals else {}
    return MeasuredKind(
        kind,
        MEASURES[kind],
        tuple(Figure(name, summary.get(name), _pair(edges.get(name))) for name in FIGURES),
    )


def _pair(edges: Any) -> tuple[float, float] | None:
    """The two edges of an interval; None if there is none."""
    return None if edges is None else (float(edges[0]), float(edges[1]))


def _advised_score(choice: ReportedScore | None) -> AdvisedScore:
    if choice is None:
        return AdvisedScore(None, None, None, None, None, "nothing was measured")
    return AdvisedScore(
        choice.score, choice.precision, choice.recall, choice.f1, _pair(choice.f1_interval), choice.reason
    )


def _worst_picture(row: PictureRow) -> WorstPicture:
    return WorstPicture(row.file, row.n_gt, row.f1 or 0.0, row.tp, row.fp, row.fn)
