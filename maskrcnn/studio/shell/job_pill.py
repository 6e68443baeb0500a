"""The running trainings, small, for the side bar of every page, and how many wait behind them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.jobs import queue, run_state
from maskrcnn.jobs.backend import JobState
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs.run_words import STATES, address_of, place, times
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.plain_text import plain

RUNS_PAGE = "pages/train/runs.py"
SILENT_ICON = ":material/heart_broken:"
SILENT_MEANING = (
    "It trains on and nothing is lost. But it was started from a terminal, or the process that looked after it was "
    "killed; so what waits for its device starts only while a page of the studio is open."
)

SHOWN = 3
"""How many running trainings have a pill; a machine can have more cards."""

_LAST = "job_pill_last"
_TOLD = "job_pill_told"


def job_pill() -> None:
    """Bring the queue up to date and show what runs, with progress and ETA, as links; nothing where nothing does.

    What a person should read about the queue is said once, in a toast that stays until it is closed. The pill renews
    itself while something runs or waits, without running the page again. A training that ends stays until the page
    does.
    """
    workspace = session.workspace()
    st.session_state.pop(_LAST, None)
    _tell(queue.reconcile(workspace))
    try:
        busy = bool(queue.running(workspace) or queue.waiting(workspace))
    except StudioError:  # it was told above
        return
    # Not decorated above: whether it renews itself is known only here.
    st.fragment(_pill, run_every="3s" if busy else None)(workspace)


def _tell(lines: list[str]) -> None:
    """Say what was not said the last time; some lines come back until somebody mends what they are about."""
    for line in lines:
        if line not in st.session_state.get(_TOLD, []):
            st.toast(plain(line), icon=":material/warning:", duration="infinite")
    st.session_state[_TOLD] = lines


def _pill(workspace: Path) -> None:
    try:
        _tell(queue.reconcile(workspace))
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
            _one(run, silent.get(run.path))
        if len(shown) > SHOWN:
            st.markdown(f":small[and {len(shown) - SHOWN} more]")
        if waiting:
            first = waiting[0].run
            st.page_link(
                RUNS_PAGE,
                label=f"{len(waiting)} waiting",
                icon=STATES[JobState.QUEUED].icon,
                query_params=address_of(first),
                help=f"{plain(first.name)} is next. {STATES[JobState.QUEUED].meaning}",
            )


def _one(run: RunFolder, silent: float | None) -> None:
    """One training: a link to its page, and how far it is; and for how long nobody has looked after it."""
    try:
        now = run_state.progress(run)
    except (StudioError, OSError):  # deleted or damaged in between; its own page says what is wrong
        return
    words = STATES[now.state]
    st.page_link(
        RUNS_PAGE,
        label=f"**{plain(run.name)}** {now.state}",
        icon=words.icon,
        query_params=address_of(run),
        help=words.meaning,
    )
    ending = f"ETA {clock(now.eta)}" if now.active and now.epoch else times(now)
    st.progress(now.fraction, text=f"{place(now)}  ·  {ending}")
    if silent is not None:
        st.markdown(f":small[{SILENT_ICON} no heartbeat for {clock(silent)}]", help=SILENT_MEANING)
