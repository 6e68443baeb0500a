"""What can be taken away from a set: a zip, the drawn video, and suggestions for the project."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from maskrcnn.durations import clock
from maskrcnn.studio.inspect.editor_link import ANNOTATE_PAGE
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.studio.try_it.opened_set import PAGE, OpenedSet
from maskrcnn.studio.try_it.picture_view import Choice
from maskrcnn.studio.try_it.sets import suggesting, taking, works
from maskrcnn.studio.try_it.sets.suggesting import Suggested
from maskrcnn.studio.try_it.sets.taking import Taken
from maskrcnn.studio.try_it.sets.works import Kind, Work
from maskrcnn.words import byte_size, counted

_KINDS = f"{PAGE}_kinds"


def show(opened: OpenedSet, choice: Choice) -> None:
    """Draw the folded panel with all ways out."""
    kinds: tuple[Kind, ...] = ("taking", "drawing", "suggesting")
    busy = any((work := _work(opened, kind)) is not None and work.is_running for kind in kinds)
    with st.expander("Take away", icon=":material/download:", expanded=False, key=f"{PAGE}_take_away"):
        st.fragment(_panel, run_every="1s" if busy else None)(opened, choice, busy)


def _panel(opened: OpenedSet, choice: Choice, was_busy: bool) -> None:
    """Draw the panel, a fragment; when its work begins or ends, the whole page runs again."""
    works_now = [_work(opened, kind) for kind in ("taking", "drawing", "suggesting")]
    if was_busy != any(work is not None and work.is_running for work in works_now):
        st.rerun()
    if opened.is_running:
        st.markdown("The network is still at work. What you take away now has the pictures that it has seen so far.")
    files, others = st.columns(2, gap="large")
    with files:
        _zip(opened, choice)
    with others:
        if opened.tried.video is not None:
            _video(opened, choice)
        _suggestions(opened, choice)


def _zip(opened: OpenedSet, choice: Choice) -> None:
    """Draw the choice of the kinds of files, and the button that makes the zip."""
    from maskrcnn.inference.outputs import Scale

    words = taking.kinds_of(opened.tried.config.tasks)
    st.markdown("**Files**")
    kinds = [kind for kind in words if st.checkbox(words[kind], kind in ("overlays", "csv"), key=f"{_KINDS}_{kind}")]
    scale = None if choice.scale is None else Scale(*choice.scale)
    taken = Taken(opened.done, choice.selection, tuple(kinds), opened.colours, scale)
    start = partial(taking.start_zip, opened.workspace, opened.source, opened.tried, taken)
    work = _work(opened, "taking")
    is_same = work is not None and work.about == taken
    _button("Make the zip", "taking", start, work, disabled=not kinds)
    path = _result(work)
    if path is not None and isinstance(path, Path) and path.is_file():
        if not is_same:
            st.markdown("The zip below was made with other settings; make it again to have the present ones.")
        _download(f"Download the zip · {byte_size(path.stat().st_size)}", path, "found.zip", "application/zip")


def _video(opened: OpenedSet, choice: Choice) -> None:
    """Draw the button that draws the video, and the video."""
    st.markdown("**Video**")
    taken = Taken(opened.done, choice.selection, colours=opened.colours)
    start = partial(taking.start_video, opened.workspace, opened.source, opened.tried, taken)
    work = _work(opened, "drawing")
    _button("Draw the objects into the video", "drawing", start, work)
    path = _result(work)
    if path is not None and isinstance(path, Path) and path.is_file():
        st.video(str(path), format="video/webm", muted=True, alt="The video with the objects that were found")
        _download(f"Download the video · {byte_size(path.stat().st_size)}", path, "found.webm", "video/webm")


def _suggestions(opened: OpenedSet, choice: Choice) -> None:
    """Draw the button that adds the pictures to the project, and what came of it."""
    st.markdown("**Label them**")
    st.markdown(
        "The pictures become pictures of this project, and what was found its suggestions: dashed in the editor, and "
        "no labels until you accept them."
    )
    start = partial(
        suggesting.start,
        *(opened.workspace, opened.source, opened.project, opened.tried, opened.done, choice.selection),
    )
    work = _work(opened, "suggesting")
    _button("Add to the project as suggestions", "suggesting", start, work)
    found = _result(work)
    if isinstance(found, Suggested):
        there = f", {found.there} {'was' if found.there == 1 else 'were'} there already" if found.there else ""
        st.success(
            f"{counted(found.added, 'picture')} added{there}; {counted(found.objects, 'object')} suggested.",
            icon=":material/check:",
        )
        if found.lines:
            st.markdown(bullets(found.lines))
        if found.first is not None:
            st.page_link(
                ANNOTATE_PAGE,
                label="Open the first one in the editor",
                icon=":material/draw:",
                query_params={"project": opened.project.folder.name, "image": found.first},
            )


# Works


def _work(opened: OpenedSet, kind: Kind) -> Work | None:
    """The work of a kind for this set."""
    return works.work_of(kind, opened.workspace, opened.tried.id)


def _result(work: Work | None) -> object:
    """The result of work that is done, else None."""
    return work.job.result if work is not None and work.job.state == "done" else None


def _button(label: str, kind: Kind, start: Callable[[], Work], work: Work | None, disabled: bool = False) -> None:
    """Draw the button that starts work, its progress with a button to stop, or why it failed."""
    if work is not None and work.is_running:
        left = work.seconds_left
        text = f"{work.done} of {work.total}" + (f" · {clock(left)} left" if left is not None else "")
        st.progress(min(1.0, work.done / work.total) if work.total else 0.0, text=text)
        st.button("Stop", key=f"{PAGE}_{kind}_stop", icon=":material/stop:", on_click=work.job.stop)
        return
    if st.button(label, key=f"{PAGE}_{kind}", icon=":material/play_arrow:", disabled=disabled):
        with session.fail_softly(stop=False):
            start()
            st.rerun()
    if work is not None and work.job.state == "failed":
        st.error(plain(on_page(work.job.message or "")), icon=":material/error:")


def _download(label: str, path: Path, name: str, mime: str) -> None:
    """Draw the button that downloads a file."""

    def opened() -> BinaryIO:
        """The file, when the button is clicked."""
        return path.open("rb")

    st.download_button(
        label, opened, file_name=name, mime=mime, icon=":material/download:", on_click="ignore", type="primary"
    )
