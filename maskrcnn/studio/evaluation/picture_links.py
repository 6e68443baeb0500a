"""The links below the large picture: to the Predictions page and to the editor, at the selected object."""

from __future__ import annotations

import streamlit as st

from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.page_state import ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.inspect import editor_link

PREDICTIONS_PAGE = "pages/inspect/predictions.py"


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw the links. Without a selected object the editor opens the picture alone."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key=f"{page_state.PAGE}_links"):
        st.page_link(
            PREDICTIONS_PAGE,
            label="Open in Predictions",
            icon=":material/image_search:",
            query_params=page_state.address(shown, board.picture, board.selected),
        )
        query = page_state.editor_address(shown, board.picture, board.selected)
        if query is None:
            st.markdown(":small[Not in the editor: this picture is not one of this project's.]")
            return
        st.page_link(
            editor_link.ANNOTATE_PAGE,
            label="Review suspected labels",
            icon=":material/rule:",
            query_params=page_state.review_address(shown),
            help="Walks through the labels that this run makes doubtful, one key for each: the label is right, mend "
            "it, or add one. What you decide is kept and not asked again.",
        )
        what = "this object" if board.selected else "this picture"
        st.page_link(
            editor_link.ANNOTATE_PAGE, label=f"Open {what} in the editor", icon=":material/draw:", query_params=query
        )
        if not board.selected:
            st.markdown(":small[Click an object in the picture to open that very one.]")
