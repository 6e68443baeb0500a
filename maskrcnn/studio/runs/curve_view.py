"""The section of the Runs page with the curves: its controls, the comparison with other runs, and the charts."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING, PASS_MEANING
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs import compared_runs, curve_charts, run_choice
from maskrcnn.studio.runs.curve_lines import losses_in
from maskrcnn.studio.runs.run_choice import Choice
from maskrcnn.studio.runs.table_columns import run_columns
from maskrcnn.studio.shell import session


def show(chosen: Choice) -> None:
    """Draw the controls, the table of differences (if several runs are compared), and the charts."""
    with session.fail_softly():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            smoothing = st.slider(
                "Smoothing",
                0.0,
                0.99,
                0.6,
                0.01,
                key="runs-smoothing",
                persist_state="session",
                width=180,
                help="Of single steps: a running mean, as in TensorBoard. 0 shows them as they are.",
            )
            compared = run_choice.compared(chosen.others)
            axes = compared_runs.axes([chosen.run, *compared])
            axis = st.segmented_control(
                "Over",
                axes,
                default=axes[0],
                required=True,
                key="runs-axis-compared" if compared else "runs-axis",
                persist_state="session",
                help=f"{EPOCH_MEANING} {PASS_MEANING} Several runs are not drawn over epochs, which may have "
                "different lengths.",
            )
            log = st.toggle("Log scale", key="runs-log", persist_state="session", help="Of the losses.")
            drawn = [chosen.run]
            if chosen.others:
                drawn += run_choice.choose_compared(chosen.others, compared)
        if len(drawn) > 1:
            _show_differences(drawn)
        lines = compared_runs.curves(drawn)
        if any(losses_in(one.rows) for one in lines):
            view = curve_charts.View(axis, curve_charts.end_of(drawn, lines, axis), smoothing, log)
            curve_charts.losses(lines, view)
            with st.expander("How it computes", icon=":material/speed:", key="runs-computes", on_change="rerun") as box:
                if box.open:
                    curve_charts.gauges(lines, view)
        elif session.backend().state(chosen.run).active:
            st.info("The first losses come when packages and pictures are loaded.", icon=":material/hourglass_top:")


def _show_differences(drawn: Sequence[RunFolder]) -> None:
    """Draw the table of the compared runs, and a warning if their validation pictures differ."""
    st.dataframe(
        compared_runs.comparison(drawn),
        hide_index=True,
        column_config={" ": st.column_config.ImageColumn(width=40), **run_columns()},
    )
    st.markdown(":small[Of the settings, the start and those that differ.]")
    if not compared_runs.judged_alike(drawn):
        st.warning("These runs were validated on different pictures, so their AP cannot be compared.")
