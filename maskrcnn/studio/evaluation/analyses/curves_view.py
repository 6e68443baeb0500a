"""Precision-recall curves of the classes. A click on a point opens the picture of its detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from maskrcnn.evaluation import Report
from maskrcnn.evaluation.analysis.precision_recall import Curve, precision_recall
from maskrcnn.evaluation.measures import MAX_DETECTIONS
from maskrcnn.studio.components.chart import draw_clickable
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.analyses import analysis_charts
from maskrcnn.studio.evaluation.measured_epoch import epoch_report
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.shell.markdown_escape import plain

MOST_CLASSES = 6
"""Maximum number of curves at first: the classes with the most objects."""

_PLAIN = ("class", "objects", "TP", "FP", "FN")
"""Columns of the table of classes that are no figures."""
_POOLED = "all classes in one ranking"
HELP = (
    "From the highest score down, each point adds one detection: a circle found its object, a cross did not. The line "
    "is the envelope: the best precision at this recall or a higher one. Its area, the mean at COCO's 101 recalls, is "
    "the AP of the class at the IoU of the slider. All detections take part, also those below the score of the slider."
)


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw the choice of classes and their curves."""
    measured = shown.measured
    objects = np.bincount(measured.objects.category[~measured.objects.crowd], minlength=len(measured.names))
    common = [place for place in np.argsort(-objects, kind="stable").tolist() if objects[place]]
    if not common:
        st.info("No picture has a labelled object, so there is no precision and recall. Label the validation pictures.")
        return
    head, choice = st.columns([1, 2.4], vertical_alignment="bottom")
    head.subheader("Precision and recall", help=HELP)
    pooled = len(measured.names)
    options = [*common, *[pooled] * (len(measured.names) > 1)]
    names = [*analysis_charts.distinct(measured.names), _POOLED]
    chosen = common
    if len(options) > 1:
        chosen = choice.multiselect(
            "Classes",
            options,
            default=sorted(common[:MOST_CLASSES]),
            format_func=lambda place: plain(names[place]),
            key=f"{PAGE}_curves_{shown.run.name}",
            label_visibility="collapsed",
            placeholder="choose classes",
        )
    colours = category_colours(shown.project, list(measured.documents.categories.values()))
    by_place = [*(colours[int(category)] for category in measured.categories), "#7b8494"]
    curves = {names[place]: curve(shown, board, place) for place in chosen}
    draw_clickable(
        analysis_charts.curve_chart(curves, {names[place]: by_place[place] for place in chosen}),
        f"{PAGE}_pr",
        lambda point: _open(shown, point),
        alt="Precision against recall of each class; a click on a point opens its picture",
    )
    st.markdown(":small[A click on a point opens the picture of that detection.]")
    _show_classes(shown, board)


def _show_classes(shown: ShownEpoch, board: Board) -> None:
    """Draw the table of classes: COCO's figures of each, and its counts at the sliders."""
    report = epoch_report(shown.run, shown.epoch, board.matches.min_score, board.matches.iou)
    frame = class_table(report)
    st.subheader("Each class", help=report.definitions["per_class"])
    numbers = {title: st.column_config.NumberColumn(format="%.3f") for title in frame.columns if title not in _PLAIN}
    st.dataframe(frame, hide_index=True, column_config=numbers, placeholder="–")


def class_table(report: Report) -> pd.DataFrame:
    """A row for each class: objects, AP, AP50, AP75 and AR of masks (else boxes), and precision, recall and counts."""
    kind = report.matched_by
    figures = ("AP", "AP50", "AP75", f"AR{MAX_DETECTIONS}")
    rows = [
        [row.name, row.n_gt]
        + [(row.summary(kind) or {}).get(name) for name in figures]
        + [row.precision, row.recall, row.tp, row.fp, row.fn]
        for row in report.per_class
    ]
    frame = pd.DataFrame(rows, columns=["class", "objects", *figures, "precision", "recall", "TP", "FP", "FN"])
    return frame.astype({name: "Float64" for name in (*figures, "precision", "recall")})


def curve(shown: ShownEpoch, board: Board, place: int) -> Curve:
    """The curve of a class at the IoU of the slider; the number after the last class stands for all together."""
    return precision_recall(shown.measured, None if place == len(shown.measured.names) else place, board.matches.iou)


def _open(shown: ShownEpoch, point: Mapping[str, Any]) -> None:
    """Open the picture of the detection of a point (callback)."""
    if isinstance(number := point.get("detection"), int | float):
        page_state.open_item(shown, f"found-{int(number)}")
