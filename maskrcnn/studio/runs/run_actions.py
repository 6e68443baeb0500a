"""The buttons for a run: cancel, resume, train more epochs, download, delete. Most of them ask for a confirmation."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st

from maskrcnn.jobs import local_backend, queue, run_state
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import CONFIG, RunFolder
from maskrcnn.runs.project_runs import faulty_runs_in
from maskrcnn.studio.runs import queue_view, run_downloads
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

_MOST_FAULTY = 20

STOPPED = (JobState.CANCELLED, JobState.FAILED, JobState.LOST)
"""The states of a run that was stopped before its planned end."""


def can_resume(run: RunFolder) -> bool:
    """Whether the run was stopped before its planned end and can be resumed."""
    return run_state.state(run) in STOPPED and run_state.resumable(run)


def can_train_more(run: RunFolder) -> bool:
    """Whether the run reached its planned end and can be trained for more epochs."""
    return run_state.state(run) is JobState.DONE and run_state.resumable(run)


def show(run: RunFolder) -> None:
    """Draw the buttons for the state of the run, side by side. Raises `StudioError` for a damaged run."""
    state = run_state.state(run)
    if state.active:
        _cancel(run)
    elif state is JobState.QUEUED:
        _take_out(run)
    elif can_resume(run):
        _resume(run)
    elif can_train_more(run):
        _train_more(run)
    _download(run)
    if state.ended:
        _delete(run)


def show_faulty(runs_folder: Path) -> None:
    """Draw the list of the damaged runs of a project with their errors; draw nothing if there are none."""
    if faulty := faulty_runs_in(runs_folder):
        head = "1 run cannot be read" if len(faulty) == 1 else f"{len(faulty)} runs cannot be read"
        with st.expander(f"{head}; the others go on", icon=":material/broken_image:"):
            for name, wrong in list(faulty.items())[:_MOST_FAULTY]:
                st.error(f"**{plain(name)}**: {plain(wrong)}", icon=":material/error:")


def turn_words(run: RunFolder) -> str:
    """A sentence about the place of a queued run and its start. Raises `StudioError` if the queue cannot be read."""
    workspace = session.workspace()
    for job in queue.waiting(workspace):
        if job.run.path.resolve() == run.path.resolve():
            return f"Place {job.place} in the queue: {queue_view.waiting_words(job)}."
    if any(job.run.path.resolve() == run.path.resolve() for job in queue.running(workspace)):
        return "It is about to start."
    return (
        "It waits in no queue of this workspace: it was copied while it waited, or waits elsewhere. It does not start "
        "by itself; take it out, then resume it or start it anew."
    )


def show_queue_if_any() -> None:
    """Draw the queue of all projects, if a training waits or more than one is running."""
    with session.fail_softly(stop=False):
        workspace = session.workspace()
        if queue.waiting(workspace) or len(queue.running(workspace)) > 1:
            queue_view.show_queue(workspace)


def _resume(run: RunFolder) -> None:
    """Draw the button that resumes a stopped run."""
    kind: Literal["primary", "secondary"] = "secondary" if run_state.state(run) is JobState.FAILED else "primary"
    if st.button("Resume", key="runs-resume", type=kind, icon=":material/resume:", help=_RESUME):
        with session.fail_softly(stop=False):
            queue.add(run.path, [], workspace=session.workspace(), resume=True)
            st.rerun()


_RESUME = "Goes on where it was stopped, as if it had never been, with the labels that it was started with."


def _cancel(run: RunFolder) -> None:
    """Draw the button that cancels a running training or, if it was cancelled before, kills it."""
    asked = run_state.state(run) is JobState.CANCELLING
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
                local_backend.cancel(run, session.workspace())
                st.rerun()


def _take_out(run: RunFolder) -> None:
    """Draw the button that removes a waiting run from the queue."""
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
        if (run.read_json(CONFIG) or {}).get("minutes") is None:
            number = str(st.number_input("Epochs", 1, 10_000, 10, key="runs-more"))
            unit, option = "epoch", "--epochs"
        else:
            number = f"{st.number_input('Minutes', 0.1, None, 10.0, 1.0, format='%g', key='runs-more-minutes'):g}"
            unit, option = "minute", "--minutes"
        if st.button(f"Train {number} more {unit}{'s' * (number != '1')}", type="primary", icon=":material/more_time:"):
            with session.fail_softly(stop=False):
                queue.add(run.path, [option, number], workspace=session.workspace(), resume=True)
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


def _delete(run: RunFolder) -> None:
    """Draw the button that deletes a run."""
    with st.popover("Delete", icon=":material/delete:", key="runs-ask-delete"):
        st.markdown(f"This removes **{plain(run.name)}** with its curves, predictions and trained weights, for good.")
        if st.button("Delete this run", type="primary", icon=":material/delete:"):
            with session.fail_softly():
                local_backend.delete(run, session.workspace())
            st.query_params.pop("run", None)
            st.rerun()
