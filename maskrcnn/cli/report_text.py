"""The report of an evaluation as text in the terminal. It imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from maskrcnn.cli.ap_figures import TASKS, ap_text, difference_text, few_pictures_warning, interval_text
from maskrcnn.evaluation import Report
from maskrcnn.evaluation.analysis.error_kinds import KIND_WORDS
from maskrcnn.evaluation.report import ClassRow, worst_pictures
from maskrcnn.words import counted, one_line

WORST = 10
"""Number of pictures and of classes that are printed, the worst first. `--out` has all."""

WIDEST = 48
"""Maximum width of a name in a table."""


def report_text(report: Report) -> str:
    """The figures over all pictures, then classes, the worst pictures, what errors cost, and a suggested score."""
    blocks = [
        _figure_lines(report),
        _count_lines(report),
        _class_lines(report),
        _picture_lines(report),
        _error_lines(report),
        _score_lines(report),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _figure_lines(report: Report) -> list[str]:
    """COCO's figures of each measure, AP with its interval; AR in a line of its own."""
    objects = sum(row.n_gt for row in report.per_image)
    lines = [f"on {counted(len(report.per_image), 'picture')} with {counted(objects, 'object')}"]
    edges = {kind: report.intervals.edges(kind) if report.intervals else {} for kind in TASKS}
    for kind, name in TASKS.items():
        summary = report.summary(kind) or {}
        for start, title in (("AP", f"{name}:"), ("AR", "")):
            figures = [
                f"{key} {ap_text(value).strip()} {interval_text(edges[kind].get(key))}".rstrip()
                for key, value in summary.items()
                if key.startswith(start)
            ]
            if figures:
                lines.append(f"{title:{len(name) + 1}} " + "  ".join(figures))
    lines.append(f"mean AP50 of a picture, classes pooled: {ap_text(report.mean_ap50_pooled).strip()}")
    if report.intervals and any(any(found.values()) for found in edges.values()):
        lines.append(f"in brackets: the 95 % interval, from {report.intervals.resamples} resamples of the pictures")
        lines += few_pictures_warning(len(report.per_image))
    if beyond := sum(row.beyond_limit for row in report.per_image):
        lines.append(f"AP leaves out {counted(beyond, 'detection')} beyond COCO's limit for a picture")
    return lines


def _count_lines(report: Report) -> list[str]:
    """What was right, wrong and missed in all pictures together."""
    tp, fp, fn = (sum(getattr(row, name) for row in report.per_image) for name in ("tp", "fp", "fn"))
    whole = ClassRow(name="all", tp=tp, fp=fp, fn=fn)
    what = {"segm": "mask", "bbox": "box"}[report.matched_by]
    return [
        f"at score {report.min_score:g} and {what} IoU {report.iou:g}: TP {tp}  FP {fp}  FN {fn}  "
        f"precision {ap_text(whole.precision).strip()}  recall {ap_text(whole.recall).strip()}"
    ]


def _class_lines(report: Report) -> list[str]:
    """A line for each class, the lowest AP first, if there is more than one."""
    if len(report.per_class) < 2:
        return []

    def ap(row: ClassRow) -> float | None:
        return (row.summary(report.matched_by) or {}).get("AP")

    rows = sorted(report.per_class, key=lambda row: (ap(row) is None, ap(row) or 0.0, -row.fp))
    width = _width(["class", *(row.name for row in rows[:WORST])])
    lines = [f"{'class':{width}}  objects     AP   AP50    TP    FP    FN  precision  recall"]
    for row in rows[:WORST]:
        summary = row.summary(report.matched_by) or {}
        lines.append(
            f"{_name(row.name, width)}  {row.n_gt:7d}  {ap_text(summary.get('AP'))}  {ap_text(summary.get('AP50'))}"
            f"  {row.tp:4d}  {row.fp:4d}  {row.fn:4d}      {ap_text(row.precision)}   {ap_text(row.recall)}"
        )
    return [*lines, *_rest(len(rows) - WORST, "class", "classes")]


def _picture_lines(report: Report) -> list[str]:
    """The worst pictures, by F1 and then by what is wrong, with their AP beside it."""
    rows = worst_pictures(report.per_image)
    if not rows:
        return []
    width = _width(["picture", *(row.file for row in rows[:WORST])])
    lines = [
        "The worst pictures, by F1 and then by FP + FN. (Their AP does not tell: it stays 1.000 with any number of",
        "wrong detections whose scores are lower than those of the right ones.)",
        f"{'picture':{width}}  objects     F1    TP    FP    FN     AP   AP50",
    ]
    lines += [
        f"{_name(row.file, width)}  {row.n_gt:7d}  {ap_text(row.f1)}  {row.tp:4d}  {row.fp:4d}  {row.fn:4d}"
        f"  {ap_text(row.ap)}  {ap_text(row.ap50)}"
        for row in rows[:WORST]
    ]
    return [*lines, *_rest(len(rows) - WORST, "picture", "pictures")]


def _error_lines(report: Report) -> list[str]:
    """How often each kind of error occurs, and how much higher AP would be without it."""
    if not report.error_costs:
        return []
    width = max(map(len, KIND_WORDS.values()))
    lines = [f"{f'errors at IoU {report.iou:g}, any score':{width}}  number  AP at this IoU without them"]
    lines += [
        f"{KIND_WORDS.get(kind, kind):{width}}  {cost.count:6d}  {difference_text(cost.ap_loss)}"
        for kind, cost in report.error_costs.items()
    ]
    return lines


def _score_lines(report: Report) -> list[str]:
    """The score with the best F1 and its figures on other pictures, or why there is none."""
    choice = report.suggested_score
    if choice is None:
        return []
    if choice.score is None:
        return [f"no score is suggested: {choice.reason}"]
    interval = interval_text(choice.f1_interval)
    return [
        f"suggested score: {choice.score:.2f}, the best F1 on half of the pictures; on the other half precision "
        f"{ap_text(choice.precision).strip()}, recall {ap_text(choice.recall).strip()}, F1 "
        f"{ap_text(choice.f1).strip()} {interval}".rstrip()
    ]


def _rest(number: int, noun: str, plural: str) -> list[str]:
    return [f"and {counted(number, noun, plural)} more; --out writes all"] if number > 0 else []


def _width(names: Sequence[str]) -> int:
    """The width of a column of names."""
    return min(WIDEST, max(len(one_line(name)) for name in names))


def _name(name: str, width: int) -> str:
    """A name on one line, cut to the width of its column."""
    shown = one_line(name)
    return f"{shown if len(shown) <= width else shown[: width - 3] + '...':{width}}"
