"""How far a network is with looking at the pictures, with a button that stops it, and what went wrong."""

from __future__ import annotations

import streamlit as st

from maskrcnn import durations
from maskrcnn.annotations.store import Project
from maskrcnn.studio.label_next import look_queue
from maskrcnn.studio.label_next.look_queue import Looking
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import counted, sentence


def show(project: Project, looking: Looking) -> None:
    """Draw the progress of a work that goes on, or what one that ended had to tell. At its end the page runs again."""
    running = looking.is_running
    st.fragment(_progress, run_every="1s" if running else None)(project, looking, running)
    if not running and looking.problem:
        st.warning(plain(sentence(on_page(looking.problem))), icon=":material/error:")
    if not running and looking.faults:
        with st.expander(f"{counted(len(looking.faults), 'picture')} cannot be read", icon=":material/broken_image:"):
            st.markdown(bullets(looking.faults))


def _progress(project: Project, looking: Looking, was_running: bool) -> None:
    """Draw the bar while the work goes on."""
    if not looking.is_running:
        if was_running:
            st.rerun()
        return
    left = looking.seconds_left
    time_left = "" if left is None else f", {durations.about(left)} left"
    stops = ", stops after this picture" if looking.job.stopped() else ""
    part = looking.done / looking.total if looking.total else 0.0
    seen = f"looked at {looking.done} of {counted(looking.total, 'picture')}"
    words = f"{plain(looking.network.name)} {seen}{time_left}{stops}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.progress(min(1.0, part), words)
        st.button(
            "Stop",
            icon=":material/stop:",
            key="label_next_stop",
            on_click=look_queue.stop,
            args=(project,),
            disabled=looking.job.stopped(),
            help="What is done stays. You may also leave the page: it goes on meanwhile.",
        )
