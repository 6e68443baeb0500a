"""Precision-recall curves of the classes. A click on a point opens the picture of its detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.evaluation.analysis.precision_recall import Curve, precision_recall
from maskrcnn.studio.components.chart import draw_clickable
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.analyses import analysis_charts
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.shell.markdown_escape import plain

MOST_CLASSES = 6
"""Maximum number of curves at first: the classes with the most objects."""

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


def curve(shown: ShownEpoch, board: Board, place: int) -> Curve:
    """The curve of a class at the IoU of the slider; the number after the last class stands for all together."""
    return precision_recall(shown.measured, None if place == len(shown.measured.names) else place, board.matches.iou)


def _open(shown: ShownEpoch, point: Mapping[str, Any]) -> None:
    """Open the picture of the detection of a point (callback)."""
    if isinstance(number := point.get("detection"), int | float):
        page_state.open_item(shown, f"found-{int(number)}")
