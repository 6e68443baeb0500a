"""The confusion matrix: which class was found where which class is labelled, and the crops of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from maskrcnn.evaluation.analysis.confusion import Confusion, confusion_matrix
from maskrcnn.studio.components.chart import draw_clickable
from maskrcnn.studio.evaluation.analyses import analysis_charts, error_gallery
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

MOST_CLASSES = 24
"""Maximum number of classes in the heat map: the most common ones, and all errors are in the galleries."""

_CELL = f"{PAGE}_cell"
HELP = (
    "Rows are what is labelled, columns what was found there. The diagonal is right. The last column counts objects "
    "that nothing found, the last row detections where nothing is labelled (or whose object was found already). A "
    "colour says which part of its row a cell is. Detections are matched to their own class first."
)


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw the matrix, and the crops of the chosen cell beside it."""
    measured = shown.measured
    confusion = confusion_matrix(measured, board.matches.min_score, board.matches.iou)
    kept = _kept_classes(confusion)
    names = [measured.names[place] for place in kept]
    places = [*kept, len(measured.names)]
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        st.subheader("What was found as what", help=HELP)
        draw_clickable(
            analysis_charts.confusion_chart(confusion.counts[places][:, places], names),
            f"{PAGE}_confusion",
            partial(_choose, places),
            alt="Heat map: labelled classes against found classes",
        )
        if len(kept) < len(measured.names):
            st.markdown(f":small[The {MOST_CLASSES} most common of {len(measured.names)} classes.]")
    with right:
        row, column = _cell(len(measured.names))
        instances = confusion.cells(row, column)
        labelled = measured.names[row] if row < len(measured.names) else "nothing labelled"
        found = measured.names[column] if column < len(measured.names) else "missed"
        st.subheader(f"{plain(labelled)} → {plain(found)}: {counted(len(instances), 'instance')}")
        items = [f"truth-{one.object}" if one.detection is None else f"found-{one.detection}" for one in instances]
        error_gallery.show_crops(
            shown, board, items, f"{PAGE}_cell_crops", "There are none. Click another cell of the matrix."
        )


def _kept_classes(confusion: Confusion) -> list[int]:
    """The classes of the heat map, in the order of the run: the most common ones."""
    common = (confusion.counts.sum(axis=0) + confusion.counts.sum(axis=1))[:-1]
    kept = sorted(range(len(common)), key=lambda place: (-common[place], place))[:MOST_CLASSES]
    return sorted(kept)


def _choose(places: list[int], point: Mapping[str, Any]) -> None:
    """Keep the cell that was clicked (callback)."""
    row, column = point.get("row"), point.get("column")
    if isinstance(row, int) and isinstance(column, int) and max(row, column) < len(places):
        st.session_state[_CELL] = (places[row], places[column])


def _cell(classes: int) -> tuple[int, int]:
    """The chosen cell; at first that of false positives of the first class where nothing is labelled."""
    row, column = st.session_state.get(_CELL, (classes, 0))
    return (row, column) if max(row, column) <= classes and (row, column) != (classes, classes) else (classes, 0)
