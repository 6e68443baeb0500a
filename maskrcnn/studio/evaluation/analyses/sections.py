"""The lower part of the Evaluation page: one analysis at a time. What is not chosen is not computed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from maskrcnn.studio.components import svg_download
from maskrcnn.studio.evaluation.analyses import (
    confusion_view,
    curves_view,
    downloads,
    error_gallery,
    quality_view,
    ranking_toy,
    threshold_view,
)
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.shell import url_state

VIEWS: dict[str, tuple[str, Callable[[ShownEpoch, Board], None]]] = {
    "errors": ("Worst errors", error_gallery.show),
    "confusion": ("Confusion", confusion_view.show),
    "curves": ("Precision and recall", curves_view.show),
    "quality": ("Size, kind, fit, count", quality_view.show),
    "threshold": ("Best score threshold", threshold_view.show),
    "why": ("Why not sort by AP?", ranking_toy.show),
    "downloads": ("Downloads", downloads.show),
}
"""Name in the URL -> title and what draws it."""

WITH_CHARTS = ("confusion", "curves", "quality")
"""The analyses whose charts can be saved as SVG."""


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw the choice of an analysis, and the chosen one."""
    chosen = url_state.segments("Analysis", "view", list(VIEWS), "errors", page=PAGE, show=lambda name: VIEWS[name][0])
    with st.container(key=f"{PAGE}_{chosen}_view"):
        VIEWS[chosen][1](shown, board)
        if chosen in WITH_CHARTS:
            svg_download.show(f"{PAGE}_{chosen}_view", f"{shown.run.name}_epoch_{shown.epoch:04d}_{chosen}")
