"""The head of a set on the Try it page, and how far the network is with it."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.durations import clock
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.studio.try_it import opened_set, sets_view
from maskrcnn.studio.try_it.network_view import network_words
from maskrcnn.studio.try_it.opened_set import PAGE, OpenedSet
from maskrcnn.studio.try_it.sets import finding, tried_set, works
from maskrcnn.studio.try_it.sets.works import Work
from maskrcnn.words import counted

_EVERY = 3.0
"""Seconds after which the whole page runs again while the network is at work, to show what came."""

_SHOWN = f"{PAGE}_shown"


def head(opened: OpenedSet, title: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Draw the first row of the page, and return its columns for the choice of the picture and its buttons."""
    title_column, picture_column, step_column, more = st.columns([1.5, 3.6, 2.2, 3.6], vertical_alignment="bottom")
    title_column.title(title)
    with more.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(
            "Other pictures",
            key=f"{PAGE}_new",
            icon=":material/add_photo_alternate:",
            on_click=opened_set.leave,
            help="Give other pictures, or choose another network. This set is kept.",
        )
        with st.popover("Last sets", icon=":material/history:"):
            sets_view.rows(sets_view.of_project(opened.project))
            st.markdown(f":small[{sets_view.LIMITS}]")
    return picture_column, step_column


def show(opened: OpenedSet) -> None:
    """Draw the row that says what this set is, or how far the network is; it keeps its place when that changes."""
    st.session_state[_SHOWN] = (opened.tried.id, len(opened.done), time.monotonic())
    st.fragment(_row, run_every="1s" if opened.is_running else None)(opened)


def show_unreadable(opened: OpenedSet) -> None:
    """Draw the folded list of what could not be read; nothing without any."""
    lines = [*opened.tried.unreadable, *opened.tried.failed.values(), *opened.tried.notes]
    if lines:
        with st.expander(f"{counted(len(lines), 'remark')} about the files", icon=":material/report:"):
            st.markdown(bullets(lines, most=30))


def waiting(opened: OpenedSet) -> None:
    """Draw what is there before the first result."""
    if opened.is_running:
        with st.container(height=420, border=True, horizontal_alignment="center", vertical_alignment="center"):
            st.markdown(":material/hourglass_top: The first picture appears here as soon as the network has seen it.")
    elif not opened.tried.pictures and opened.work is None:
        st.info("Here would be the pictures of this set. Press “Go on” to read them.", icon=":material/image_search:")
    elif opened.tried.failed:
        st.info("The network could not look at any of these pictures; below is why.", icon=":material/image_search:")


def _row(opened: OpenedSet) -> None:
    """Draw the row, a fragment; when there is something new to see, the whole page runs again."""
    work = works.work_of("finding", opened.workspace, opened.tried.id)
    done = len(tried_set.done(opened.workspace, opened.tried))
    identity, shown, since = st.session_state.get(_SHOWN, ("", 0, 0.0))
    running = work is not None and work.is_running
    if opened.is_running and identity == opened.tried.id:
        news = done > shown and (shown == 0 or time.monotonic() - since > _EVERY)
        if not running or news or (done == 0 and _has_frames(opened)):
            st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", height=46, border=False):
        if work is not None and running:
            _show_progress(work)
        else:
            _show_rest(opened, work, done)


def _has_frames(opened: OpenedSet) -> bool:
    """Whether the frames of a video were read since this run of the page."""
    if opened.tried.pictures or opened.tried.video is None:
        return False
    return bool(tried_set.read(opened.workspace, opened.tried.id).pictures)


def _show_progress(work: Work) -> None:
    """Draw the progress of the search, and the button that stops it."""
    text = plain(work.job.words)
    if work.total:
        left = work.seconds_left
        doing = text if text == "reading the frames" else "looking for objects"
        text = f"{doing}: {work.done} of {work.total}" + (f" · {clock(left)} left" if left is not None else "")
    with st.container(width=520):
        st.progress(min(1.0, work.done / work.total) if work.total else 0.0, text=text)
    st.button("Stop", key=f"{PAGE}_stop", icon=":material/stop:", on_click=work.job.stop)


def _show_rest(opened: OpenedSet, work: Work | None, done: int) -> None:
    """Draw what the set is, and a button to go on if the network has not seen all of it."""
    tried = opened.tried
    total = len(tried.pictures)
    if work is not None and work.job.state == "failed":
        st.markdown(f":red[:material/error:] {plain(on_page(work.job.message or ''))}")
    words = f"**{plain(tried.title)}** · {network_words(tried.network)}"
    if finding.is_complete(opened.workspace, tried):
        st.markdown(f"{words} · {counted(total, 'picture')}")
        return
    why = "stopped" if work is not None else "not finished: the studio was restarted meanwhile"
    how_far = f"{done} of {counted(total, 'picture')}" if total else "no frame was read yet"
    if work is None or work.job.state != "failed":
        st.markdown(f"{words} · {how_far}, {why}")
    if st.button("Go on", key=f"{PAGE}_go_on", icon=":material/play_arrow:", on_click=partial(_go_on, opened)):
        st.rerun()


def _go_on(opened: OpenedSet) -> None:
    """Look at the pictures that are left (callback)."""
    finding.start(opened.workspace, opened.source, opened.tried)
