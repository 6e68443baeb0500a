"""Why pictures are not sorted by AP: one right detection among wrong ones, to play with."""

from __future__ import annotations

import numpy as np
import streamlit as st

from maskrcnn.evaluation.average_precision import group_ap
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.evaluation.analyses import analysis_charts
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board

MOST = 40


def figures(above: int, below: int) -> tuple[float, float]:
    """AP and F1 of a picture with one object: one detection finds it, `above` wrong ones have higher scores than that,
    `below` lower ones.

    The right detection comes at rank `above` + 1, so precision is 1 / (above + 1) at every recall, whatever follows.

    >>> [round(value, 3) for value in figures(above=0, below=20)]  # F1 = 2 / (2 + 20)
    [1.0, 0.091]
    """
    hits = np.array([False] * above + [True] + [False] * below)[:, None]
    ap = group_ap(np.zeros(len(hits), dtype=np.int64), hits, np.zeros_like(hits), np.array([1]))
    return float(ap[0, 0]), 2 / (2 + above + below)


def show(_shown: ShownEpoch, _board: Board) -> None:
    """Draw the example with its sliders."""
    st.subheader("One object, one right detection, and wrong ones")
    _show_example()


@st.fragment
def _show_example() -> None:
    """Draw the sliders, the ranking, and AP and F1 beside each other."""
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        below = st.slider("Wrong detections below the right one", 0, MOST, 20, key=f"{PAGE}_wrong_below")
        above = st.slider("Wrong detections above the right one", 0, MOST, 0, key=f"{PAGE}_wrong_above")
    ap, f1 = figures(above, below)
    with right:
        draw(
            analysis_charts.ranking_chart([False] * above + [True] + [False] * below),
            alt=f"The right detection has rank {above + 1} of {above + below + 1}",
        )
        first, second, third = st.columns(3)
        first.metric("AP", f"{ap:.3f}", help="Precision when the object is found: 1 / rank of the right detection.")
        second.metric("F1", f"{f1:.2f}", help="2 TP / (2 TP + FP + FN), with TP = 1 and FN = 0.")
        third.metric("wrong (FP + FN)", f"{above + below:d}")
    st.markdown(
        f"AP = 1 / {above + 1:d}: the {below:d} wrong below the right one cost nothing, because the curve ends when "
        "every object is found. A person who looks at the picture sees all of them. So the table above is sorted by "
        "F1, and by FP + FN among equals, with AP beside it."
    )
