"""The buttons for a run: cancel, resume, train more epochs, download, delete. Most of them ask for a confirmation."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from maskrcnn.jobs import queue
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import CONFIG, STATE, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.runs import model_files, run_downloads
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

STOPPED = (JobState.CANCELLED, JobState.FAILED, JobState.LOST)
"""The states of a run that was stopped before its planned end."""


def offers_resume(run: RunFolder, state: JobState) -> bool:
    """Whether the Resume button is shown: the run was stopped before its planned end and can be resumed."""
    return state in STOPPED and run.has(STATE)


def offers_more_epochs(run: RunFolder, state: JobState) -> bool:
    """Whether the Train more button is shown: the run reached its planned end and can be trained for more epochs."""
    return state is JobState.DONE and run.has(STATE)


def show(run: RunFolder) -> None:
    """Draw the buttons for the state of the run, side by side. Raises `StudioError` for a damaged run."""
    state = session.backend().state(run)
    if state.active:
        _cancel(run, state)
    elif state is JobState.QUEUED:
        _take_out(run)
    elif offers_resume(run, state):
        _resume(run, state)
    elif offers_more_epochs(run, state):
        _train_more(run)
    _download(run)
    if state.ended:
        _delete(run)


def _resume(run: RunFolder, state: JobState) -> None:
    """Draw the button that resumes a stopped run."""
    kind: Literal["primary", "secondary"] = "secondary" if state is JobState.FAILED else "primary"
    if st.button("Resume", key="runs-resume", type=kind, icon=":material/resume:", help=_RESUME):
        with session.fail_softly(stop=False):
            session.backend().start(Training(run, resume=True))
            st.rerun()


_RESUME = "Goes on where it was stopped, as if it had never been, with the labels that it was started with."


def _cancel(run: RunFolder, state: JobState) -> None:
    """Draw the button that cancels a running training or, if it was cancelled before, kills it."""
    asked = state is JobState.CANCELLING
    with st.popover("Cancel", icon=":material/stop_circle:", key="runs-ask-cancel"):
        if asked:
            st.markdown(
                "It was asked to end and finishes its step. Where it does not, it can be killed with all that it "
                "started; it then goes on from what it saved last."
            )
        else:
            st.markdown("It ends after the current step and keeps what it has learned. You can resume it later.")
        if st.button("Kill it" if asked else "Cancel this training", type="primary", icon=":material/stop_circle:"):
            with session.fail_softly(stop=False):
                session.backend().cancel(run)
                st.rerun()


def _take_out(run: RunFolder) -> None:
    """Draw the button that removes a waiting run from the queue.

    A new run is deleted. A run that waits to be resumed keeps its folder and its results.
    """
    with st.popover("Take out", icon=":material/playlist_remove:", key="runs-ask-out"):
        st.markdown(f"**{plain(run.name)}** does not start then. A run that was to go on stays as it was.")
        if st.button("Take it out of the queue", type="primary", icon=":material/playlist_remove:"):
            with session.fail_softly(stop=False):
                queue.take_out(session.workspace(), run)
                st.rerun()


def _train_more(run: RunFolder) -> None:
    """Draw the button that continues a finished run for more epochs or minutes."""
    with st.popover("Train more", icon=":material/more_time:", key="runs-ask-more"):
        st.markdown("It goes on from its last weights with the same labels; the learning rate rises and falls again.")
        # If the length of the run was set in minutes, the additional length is in minutes too.
        number: float
        if (run.read_json(CONFIG) or {}).get("minutes") is None:
            unit, number = "epoch", st.number_input("Epochs", 1, 10_000, 10, key="runs-more")
        else:
            unit = "minute"
            number = st.number_input("Minutes", 0.1, None, 10.0, 1.0, format="%g", key="runs-more-minutes")
        if st.button(f"Train {number:g} more {unit}{'s' * (number != 1)}", type="primary", icon=":material/more_time:"):
            with session.fail_softly(stop=False):
                more = TrainingRequest(changed={f"{unit}s": number})
                session.backend().start(Training(run, more, resume=True))
                st.rerun()


def _download(run: RunFolder) -> None:
    """Draw the menu with the downloads of a run."""
    # The menu is filled only when it is opened, because a training writes and deletes these files.
    with st.popover("Download", icon=":material/download:", on_change="rerun", key=f"runs-download-{run.name}") as box:
        if not box.open:
            return
        found = run_downloads.downloads(run)
        if not found:
            st.markdown("It has written nothing yet.")
        for item in found:
            st.download_button(
                item.label + run_downloads.size_words(item.size),
                item.data,
                item.file_name,
                item.mime,
                key=f"runs-download-{run.name}-{item.file_name}",
                help=item.help,
                icon=":material/folder_zip:" if item.file_name.endswith(".zip") else ":material/download:",
                on_click="ignore",
                width="stretch",
            )
        model_files.show_exports(run)


def _delete(run: RunFolder) -> None:
    """Draw the button that deletes a run."""
    with st.popover("Delete", icon=":material/delete:", key="runs-ask-delete"):
        st.markdown(f"This removes **{plain(run.name)}** with its curves, predictions and trained weights, for good.")
        if st.button("Delete this run", type="primary", icon=":material/delete:"):
            with session.fail_softly():
                session.backend().delete(run)
            st.query_params.pop("run", None)
            st.rerun()
