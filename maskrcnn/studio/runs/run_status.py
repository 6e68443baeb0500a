"""The section of the Runs page with the state and progress of a run, and why it failed or ended early."""

from __future__ import annotations

import streamlit as st

from maskrcnn.jobs import queue, run_state
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import CONFIG, RunFolder
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.runs import run_words
from maskrcnn.studio.runs.run_choice import RunChoice
from maskrcnn.studio.runs.run_words import STATES, TIME_MEANING, bar_text, ended_early, learns_now, settings
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page


def show(chosen: RunChoice) -> None:
    """Draw the section. If the run was deleted, has ended or was resumed since the page was drawn, rerun the page."""
    run = chosen.run
    if not run.path.is_dir():
        st.rerun()  # the run was deleted in another tab
    with session.fail_softly():
        now = session.backend().progress(run)
        had_ended = not chosen.active  # when the page was drawn
        if now.state.ended != had_ended:
            st.rerun()  # the buttons change, and the page starts or stops refreshing
        words = STATES[now.state]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(now.state, icon=words.icon, color=words.colour, help=f"{words.meaning} {TIME_MEANING}")
            st.markdown(settings(run))
            if now.active and (learning := learns_now(now.row, run.read_json(CONFIG) or {})):
                st.markdown(learning)
        network_choice.show_shipped_model_card(run)
        if now.state == JobState.QUEUED:
            st.markdown(_turn_words(run))
        else:
            st.progress(now.fraction, text=bar_text(now))
        if now.state == JobState.FAILED:
            why = run_state.failure(run) or "It failed without saying why; see the log."
            st.error(plain(on_page(why)), icon=":material/error:")
        elif now.state == JobState.LOST:
            st.warning(f"{STATES[JobState.LOST].meaning} The log may say more.", icon=":material/help:")
        elif early := ended_early(run):
            st.info(early, icon=":material/flag:")


def _turn_words(run: RunFolder) -> str:
    """A sentence about the place of a queued run and its start. Raises `StudioError` if the queue cannot be read."""
    workspace = session.workspace()
    for job in queue.waiting(workspace):
        if job.run.path.resolve() == run.path.resolve():
            return f"Place {job.place} in the queue: {run_words.waiting_words(job)}."
    if any(job.run.path.resolve() == run.path.resolve() for job in queue.running(workspace)):
        return "It is about to start."
    return (
        "It waits in no queue of this workspace: it was copied while it waited, or waits elsewhere. It does not start "
        "by itself; take it out, then resume it or start it anew."
    )
