"""The score from which detections should be kept: for the best F1, or for a wanted precision."""

from __future__ import annotations

import streamlit as st

from maskrcnn.evaluation.analysis.score_threshold import SPLITS, ScoreChoice, best_score
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, measured_set
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.inspect import match_sliders
from maskrcnn.studio.runs.run_words import format_ap
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

HELP = (
    f"The pictures are halved at random, {SPLITS} times. Each time a score is chosen on each half, and the figures are "
    "those of the other half: on the pictures where a score was chosen, it looks better than it is. Shown are the "
    "median of the scores and the means of the figures."
)


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw both choices, each with a button that sets the score slider."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("For the best F1", help=HELP)
        st.markdown("F1 weighs wrong detections and missed objects alike.")
        _show(choice_of(shown.files, board.matches.iou, None), "f1")
    with right:
        st.subheader("For a wanted precision", help=HELP)
        wanted = st.number_input(
            "Precision: of the kept detections, this part shall be right",
            min_value=0.05,
            max_value=1.0,
            value=0.9,
            step=0.05,
            format="%.2f",
            key=f"{PAGE}_wanted_precision",
            width=380,
        )
        _show(choice_of(shown.files, board.matches.iou, float(wanted)), "precision")


@st.cache_data(max_entries=64, show_spinner=False)
def choice_of(files: EpochFiles, iou: float, wanted_precision: float | None) -> ScoreChoice:
    """The choice of a score, cached."""
    return best_score(measured_set(files), iou, wanted_precision)


def _show(choice: ScoreChoice, name: str) -> None:
    """Draw a chosen score with the figures of the other half, and the button that takes it over."""
    if choice.score is None:
        st.info(f"There is no such score: {plain(choice.reason)}.", icon=":material/info:")
        return
    columns = st.columns(4)
    for column, (title, value) in zip(
        columns,
        (
            ("score", choice.score),
            ("precision", choice.precision),
            ("recall", choice.recall),
            ("F1", choice.f1),
        ),
        strict=True,
    ):
        column.metric(title, format_ap(value))
    low, high = min(choice.scores), max(choice.scores)
    sure = "" if choice.f1_interval is None else "; 95 % interval of F1 [{:.2f}, {:.2f}]".format(*choice.f1_interval)
    st.markdown(
        f":small[Chosen on {counted(choice.chosen_on, 'picture')}, reported on the other {choice.reported_on:d}{sure}. "
        f"Other halves choose scores from {low:.2f} to {high:.2f}.]"
    )
    st.button(
        f"Set the score slider to {choice.score:.3f}",
        key=f"{PAGE}_use_{name}",
        icon=":material/tune:",
        on_click=match_sliders.keep,
        args=(match_sliders.SCORE, choice.score),
    )
