"""Evaluation page: how good the detections of a run are on all its pictures, and what is wrong in the worst ones."""

import streamlit as st

from maskrcnn.studio.evaluation import headline, page_state, picture_board, picture_links
from maskrcnn.studio.evaluation.analyses import sections
from maskrcnn.studio.inspect import inspected_run
from maskrcnn.studio.shell import session

TITLE = "Evaluation"
project = session.current_project()
runs = inspected_run.offered(project, TITLE)

# Choice of run, epoch and measure

title_column, run_column, epoch_column, kind_column = st.columns([2.1, 2.6, 2.2, 3.4], vertical_alignment="bottom")
title_column.title(TITLE)
inspected = inspected_run.choose(project, runs, run_column)
with session.fail_softly():
    with epoch_column:
        epoch = headline.choose_epoch(inspected)
    shown = page_state.shown_epoch(project, inspected, epoch)
    with kind_column:
        kind = headline.choose_kind(shown)

# The figures of the whole set, whatever the sliders say

headline.show(shown, kind)


# Everything that the sliders and the open picture change


@st.fragment
def _board_and_sections() -> None:
    with session.fail_softly():
        board = picture_board.show(shown)
        picture_links.show(shown, board)
        sections.show(shown, board)


_board_and_sections()
