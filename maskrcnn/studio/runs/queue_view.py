"""The list of running and waiting trainings of all projects, with buttons to cancel, move and remove them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.jobs import queue
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs.run_words import STATES, bar_text, waiting_words
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.running_trainings import RUNS_PAGE, SILENT_ICON, SILENT_MEANING
from maskrcnn.studio.shell.url_state import address_of_run

COLUMNS = (4, 5, 3)
"""Relative widths of the columns: run, progress or start time, buttons."""

TALL = 7
"""Number of rows from which the list scrolls, so that the rest of the page stays visible."""


def show_queue() -> None:
    """Draw the list if a training waits or more than one is running. It refreshes every 2 s while it is not empty."""
    with session.fail_softly(stop=False):
        workspace = session.workspace()
        if queue.waiting(workspace) or len(queue.running(workspace)) > 1:
            st.fragment(_show_queue_rows, run_every="2s")(workspace)


def _show_queue_rows(workspace: Path) -> None:
    """Draw all rows of the list."""
    with session.fail_softly(stop=False):
        running, waiting = queue.running(workspace), queue.waiting(workspace)
        if not (running or waiting):
            st.rerun()  # everything has ended: stop refreshing
        tall = len(running) + len(waiting) >= TALL
        with st.container(border=True, gap="small", height=330 if tall else "content"):
            several = len({job.device for job in running}) > 1
            for job in running:
                _show_running_row(job, several)
            for place in waiting:
                _show_waiting_row(workspace, place, many=len(waiting) > 1)


def _show_running_row(job: queue.RunningJob, several: bool) -> None:
    """Draw the row of a running training; with `several` devices in use, it names the device."""
    which, how_far, actions = st.columns(COLUMNS, vertical_alignment="center")
    try:
        now = session.backend().progress(job.run)
    except (StudioError, OSError) as error:
        which.markdown(f"**{plain(job.run.name)}** {plain(error)}")
        return
    with which:
        _show_run_link(job.run, now.state, f" on {job.device}" if several else "")
    how_far.progress(now.fraction, text=bar_text(now))
    if job.silent is not None:
        how_far.markdown(f":small[{SILENT_ICON} no heartbeat for {clock(job.silent)}]", help=SILENT_MEANING)
    with actions:
        if now.state is not JobState.CANCELLING:
            _show_cancel_button(job.run, "Cancel", "It ends after the current step and keeps what it has learned.")
        elif session.backend().can_be_forced(job.run):
            _show_cancel_button(
                job.run, "Force", "It has not ended by itself. This kills it with every process that it started."
            )


def _show_waiting_row(workspace: Path, job: queue.WaitingJob, many: bool) -> None:
    """Draw the row of a waiting training; with `many` waiting trainings, it has a number."""
    which, when, actions = st.columns(COLUMNS, vertical_alignment="center")
    with which:
        _show_run_link(job.run, JobState.QUEUED)
    number = f"{job.place}\\. " if many else ""
    when.markdown(number + waiting_words(job))
    with actions, st.container(horizontal=True, horizontal_alignment="right", gap="medium"):
        # No tooltips, because they would cover the buttons of the row above.
        first = job.place > 1 and st.button(
            "Move first", key=f"queue-first-{job.id}", type="tertiary", icon=":material/vertical_align_top:"
        )
        out = st.button("Take out", key=f"queue-out-{job.id}", type="tertiary", icon=":material/close:")
        if first or out:
            with session.fail_softly(stop=False):
                (queue.move_first if first else queue.take_out)(workspace, job.run)
                st.rerun()


def _show_run_link(run: RunFolder, state: JobState, more: str = "") -> None:
    """Draw the link of a row of the queue to its run, with the run's name and state."""
    address = address_of_run(run)
    of_project = f"Project {plain(address['project'])}. " if "project" in address else ""
    st.page_link(
        RUNS_PAGE,
        label=f"**{plain(run.name)}** {state}{more}",
        icon=STATES[state].icon,
        query_params=address,
        help=f"{of_project}{STATES[state].meaning}",
    )


def _show_cancel_button(run: RunFolder, label: str, meaning: str) -> None:
    """Draw a button that cancels a training after a confirmation."""
    with (
        st.container(horizontal=True, horizontal_alignment="right"),
        st.popover(label, icon=":material/stop_circle:", type="tertiary"),
    ):
        st.markdown(meaning)
        if st.button(f"{label} {plain(run.name)}", key=f"queue-cancel-{run.path}", type="primary"):
            with session.fail_softly(stop=False):
                session.backend().cancel(run)
                st.rerun()
