"""The collapsed sections below the curves: table of epochs, log, and all runs. Each is read when it is opened."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from maskrcnn.jobs import run_state
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs import metric_rows
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs import compared_runs
from maskrcnn.studio.runs.curve_lines import table
from maskrcnn.studio.runs.run_words import overview
from maskrcnn.studio.runs.table_columns import epoch_columns, run_columns
from maskrcnn.studio.shell import session

EPOCHS, LOG, RUNS = "runs-epochs", "runs-log-lines", "runs-all"
"""Session keys of the sections: whether they are open."""


def show(run: RunFolder) -> None:
    """Draw the sections with the epochs and the log of a run."""
    with session.fail_softly():
        epochs = metric_rows.read(run).epochs
        if epochs:
            with st.expander("Epochs", icon=":material/table:", key=EPOCHS, on_change="rerun") as box:
                if box.open:
                    frame = table(epochs, compared_runs.pass_steps(run))
                    height = min(38 + 35 * len(frame), 320)
                    st.dataframe(frame, hide_index=True, height=height, column_config=epoch_columns(frame))
        failed = run_state.state(run) == JobState.FAILED
        # The log of a failed run is open by default. It has a key of its own, so that closing it affects no other runs.
        key = f"{LOG}-failed" if failed else LOG
        with st.expander("Log", expanded=failed, icon=":material/article:", key=key, on_change="rerun") as box:
            if box.open:
                st.code(run.log_tail(60) or "It has said nothing yet.", language=None, height=260)


@st.fragment
def show_all(runs: Iterable[RunFolder]) -> None:
    """Draw the section with the table of all runs of the project."""
    with (
        st.expander("All runs of this project", icon=":material/list:", key=RUNS, on_change="rerun") as box,
        session.fail_softly(),
    ):
        if box.open:
            st.dataframe(overview(runs), hide_index=True, column_config=run_columns())
