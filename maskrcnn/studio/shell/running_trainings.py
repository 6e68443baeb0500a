"""The box in the side bar that shows the running trainings and the number of waiting ones."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.jobs import queue
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs.run_words import STATES, epoch_text, times
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.url_state import address_of_run

RUNS_PAGE = "pages/train/runs.py"
SILENT_ICON = ":material/heart_broken:"
SILENT_MEANING = (
    "It trains on and nothing is lost. But it was started from a terminal, or the process that looked after it was "
    "killed; so what waits for its device starts only while a page of the studio is open."
)

SHOWN = 3
"""Maximum number of running trainings in the box. A machine with more GPUs can run more trainings."""

_LAST = "job_pill_last"
_SHOWN_NOTICES = "job_pill_told"
"""Session state keys: the runs that the box showed last, and the notices that were already shown."""


def running_trainings_box() -> None:
    """Update the job queue, and draw the box with the running trainings and the number of waiting ones, if any.

    Notices about the queue are shown once, in a toast that stays until it is closed. While a training runs or waits,
    the box refreshes itself without running the page again. A training that has ended stays in the box until the page
    runs again.
    """
    workspace = session.workspace()
    st.session_state.pop(_LAST, None)
    _show_new_notices(queue.reconcile(workspace))
    try:
        busy = bool(queue.running(workspace) or queue.waiting(workspace))
    except StudioError:  # `reconcile` has already reported it
        return
    # `st.fragment` is not used as a decorator, because the interval depends on the state of the queue.
    st.fragment(_training_box, run_every="3s" if busy else None)(workspace)


def _show_new_notices(lines: list[str]) -> None:
    """Show notices about trainings as toasts on the current page, except those that it showed the last time.

    The queue repeats a notice until its cause is fixed.
    """
    for line in lines:
        if line not in st.session_state.get(_SHOWN_NOTICES, []):
            st.toast(plain(line), icon=":material/warning:", duration="infinite")
    st.session_state[_SHOWN_NOTICES] = lines


def _training_box(workspace: Path) -> None:
    """Draw the box of the side bar with the running trainings; called again at each refresh."""
    try:
        _show_new_notices(queue.reconcile(workspace))
        running = queue.running(workspace)
        waiting = queue.waiting(workspace)
    except StudioError:
        return
    shown = [job.run for job in running] or [RunFolder(path) for path in st.session_state.get(_LAST, [])]
    silent = {job.run.path: job.silent for job in running}
    st.session_state[_LAST] = [str(run.path) for run in shown]
    if not (shown or waiting):
        return
    with st.container(border=True, gap="small"):
        for run in shown[:SHOWN]:
            _training(run, silent.get(run.path))
        if len(shown) > SHOWN:
            st.markdown(f":small[and {len(shown) - SHOWN} more]")
        if waiting:
            first = waiting[0].run
            st.page_link(
                RUNS_PAGE,
                label=f"{len(waiting)} waiting",
                icon=STATES[JobState.QUEUED].icon,
                query_params=address_of_run(first),
                help=f"{plain(first.name)} is next. {STATES[JobState.QUEUED].meaning}",
            )


def _training(run: RunFolder, silent: float | None) -> None:
    """Draw one training in the box: a link to its page, its progress, and a warning if its heartbeat is late.

    `silent` is the time since its last heartbeat in seconds, None if that is recent.
    """
    try:
        now = session.backend().progress(run)
    except (StudioError, OSError):  # deleted or damaged meanwhile; the Runs page shows the error
        return
    words = STATES[now.state]
    st.page_link(
        RUNS_PAGE,
        label=f"**{plain(run.name)}** {now.state}",
        icon=words.icon,
        query_params=address_of_run(run),
        help=words.meaning,
    )
    ending = f"ETA {clock(now.eta)}" if now.active and now.epoch else times(now)
    st.progress(now.fraction, text=f"{epoch_text(now)}  ·  {ending}")
    if silent is not None:
        st.markdown(f":small[{SILENT_ICON} no heartbeat for {clock(silent)}]", help=SILENT_MEANING)
