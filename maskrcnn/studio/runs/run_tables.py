"""What is folded below the curves: the epochs of a run, its log, all runs of the project. Each is read when opened."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from maskrcnn.jobs import run_state
from maskrcnn.jobs.backend import JobState
from maskrcnn.runs import metric_rows
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs import compared_runs
from maskrcnn.studio.runs.curve_lines import table
from maskrcnn.studio.runs.run_words import overview
from maskrcnn.studio.runs.table_columns import epoch_columns, run_columns
from maskrcnn.studio.shell import session

EPOCHS, LOG, RUNS = "runs-epochs", "runs-log-lines", "runs-all"
"""The keys under which the session remembers which of them are open."""


def show(run: RunFolder) -> None:
    """The epochs and the log of a run."""
    with session.fail_softly():
        epochs = metric_rows.read(run).epochs
        if epochs:
            with st.expander("Epochs", icon=":material/table:", key=EPOCHS, on_change="rerun") as box:
                if box.open:
                    frame = table(epochs, compared_runs.pass_steps(run))
                    height = min(38 + 35 * len(frame), 320)
                    st.dataframe(frame, hide_index=True, height=height, column_config=epoch_columns(frame))
        failed = run_state.state(run) == JobState.FAILED
        # Of a run that failed it is open at first; each kind remembers for itself what a person folded.
        key = f"{LOG}-failed" if failed else LOG
        with st.expander("Log", expanded=failed, icon=":material/article:", key=key, on_change="rerun") as box:
            if box.open:
                st.code(run.log_tail(60) or "It has said nothing yet.", language=None, height=260)


@st.fragment
def show_all(runs: Iterable[RunFolder]) -> None:
    """A line for each run of the project."""
    with (
        st.expander("All runs of this project", icon=":material/list:", key=RUNS, on_change="rerun") as box,
        session.fail_softly(),
    ):
        if box.open:
            st.dataframe(overview(runs), hide_index=True, column_config=run_columns())
