"""The dialog with all projects: open, rename, duplicate or delete each, see its size, and restore from the bin."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.durations import day_and_time
from maskrcnn.errors import StudioError
from maskrcnn.studio.shell import project_undo, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import byte_size, counted
from maskrcnn.workspace import Deleted, JobsWait, size_on_disk
from maskrcnn.workspace.folder_names import proposed

_OPEN, _VIEW, _FORM_SHOWN, _SIZES, _MESSAGE = (
    f"project_list_{name}" for name in ("open", "view", "asked", "sizes", "said")
)
_MAX_ROWS = 12
_SIZE_CACHE_SECONDS = 60.0
"""Seconds for which a project's size is cached."""

_VIEWS = {"projects": "Projects", "bin": "Bin"}


class _Row(NamedTuple):
    """A row of the dialog: the folder of its project, an empty place below the name, and the description for there."""

    folder: Path
    place: DeltaGenerator
    description: str


def open_dialog(view: str = "projects") -> None:
    """Open the dialog in the next script run, with a view ("projects" or "bin")."""
    st.session_state[_OPEN], st.session_state[_VIEW] = True, view
    _show_form()


def is_open() -> bool:
    """Whether the dialog is open. Streamlit allows only one open dialog."""
    return bool(st.session_state.get(_OPEN))


def show_if_open() -> None:
    """Draw the dialog if it is open. Call this outside the side bar."""
    if is_open():
        _window()


def _close_dialog() -> None:
    """Close the dialog with all projects, and the form that is open in it (callback, when the user dismisses it)."""
    st.session_state[_OPEN] = False
    _show_form()


@st.dialog("Projects", width="medium", icon=":material/folder_managed:", on_dismiss=_close_dialog)
def _window() -> None:
    """Draw the dialog: the choice of view, the message of the last action, and the rows of the view."""
    with session.fail_softly():
        in_bin = session.this_workspace().bin()
        if st.session_state.get(_VIEW) not in _VIEWS:
            st.session_state[_VIEW] = "projects"
        view = st.segmented_control(
            "Show",
            list(_VIEWS),
            key=_VIEW,
            format_func=lambda name: f"Bin ({len(in_bin)})" if name == "bin" and in_bin else _VIEWS[name],
            label_visibility="collapsed",
            required=True,
        )
        if said := st.session_state.pop(_MESSAGE, None):
            st.success(plain(said), icon=":material/check:")
        rows = _bin(in_bin) if view == "bin" else _projects()
    _write_descriptions(rows)


# Projects


def _projects() -> list[_Row]:
    """Draw a row for each project, without its description; return the rows, for `_write_descriptions`."""
    project_undo.show("window")
    shown = _filtered(session.this_workspace().projects(), "Find a project")
    rows = []
    for number, path in enumerate(shown):
        own = session.this_workspace().is_own(path)
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                with st.container(gap=None, width="stretch"):
                    here = "  ·  open here" if str(path) == session.remembered() else ""
                    st.markdown(f"**{plain(path.name)}**{here}")
                    place = st.empty()
                rows.append(_Row(path, place, _description(path, own)))
                _action_button("Open", "open", number, path, not here)
                _action_button("Rename", "rename", number, path, own, None if own else _ELSEWHERE)
                _action_button("Duplicate", "duplicate", number, path)
                _action_button("Delete" if own else "Remove", "delete", number, path, help=None if own else _REMOVE)
            if st.session_state.get(_FORM_SHOWN) in [(what, str(path)) for what in _FORMS]:
                _FORMS[st.session_state[_FORM_SHOWN][0]](path)
    return rows


_ELSEWHERE = "It lies outside of the workspace: rename its folder there, and open it again."
_REMOVE = "Takes it off this list. Nothing happens to its folder."


def _action_button(
    label: str, what: str, number: int, path: Path, enabled: bool = True, help: str | None = None
) -> None:
    """Draw the button of an action in a project's row. `what` is "open", "rename", "duplicate" or "delete"."""
    key = f"project_{what}_{number}"
    if what in ("rename", "duplicate"):
        st.button(
            label, key=key, type="tertiary", disabled=not enabled, help=help, on_click=_show_form, args=(what, path)
        )
    elif st.button(label, key=key, type="tertiary", disabled=not enabled, help=help):
        with session.fail_softly(stop=False):
            if what == "open":
                session.switch_project(path)
                _finish(close=True)
            else:
                _delete(path)


def _delete(path: Path) -> None:
    """Move a project of the workspace to the bin, or remove an outside project from the list.

    If trainings of the project wait in the queue, show the form of `_delete_with_jobs` instead.
    """
    space = session.this_workspace()
    if not space.is_own(path):
        space.remove_from_list(path)
        project_undo.note_taken_off(path)
        _finish_removal(path)  # ends the script run
    try:
        project_undo.note_deleted(space.delete(path))
    except JobsWait:
        _show_form("delete", path)
    else:
        _finish_removal(path)


def _description(path: Path, own: bool) -> str:
    """Return the description of a project in Markdown: pictures, runs, time of opening. Its size is not included."""
    try:
        about = session.this_workspace().about(path)
    except StudioError as error:
        return f":material/error: {plain(error)}"
    words = [
        counted(about.pictures, "picture"),
        f"{about.done:,} done",
        counted(about.runs, "run"),
        *([f"opened {day_and_time(about.opened)}"] if about.opened else []),
        *([] if own else [f"in {plain(path.parent)}"]),
    ]
    return ", ".join(words)


def _rename(path: Path) -> None:
    """Draw the form that renames a project."""
    with st.form("project_rename", border=False):
        name = st.text_input("New name", proposed(path.name), key=f"project_new_name_{_key_text(path)}")
        with st.container(horizontal=True):
            go = st.form_submit_button("Rename", type="primary")
            st.form_submit_button("Cancel", on_click=_show_form)
    st.markdown(":small[Its pictures, labels and runs go with it. Links to its old name say what it is called now.]")
    if go:
        with session.fail_softly(stop=False):
            there = session.this_workspace().rename(path, name)
            if str(path) == session.remembered():
                session.follow_project(there)
            _finish(f'"{path.name}" is called "{there.name}" now.')


def _duplicate(path: Path) -> None:
    """Draw the form that copies a project."""
    space = session.this_workspace()
    with st.form("project_duplicate", border=False):
        name = st.text_input(
            "Name of the copy",
            space.free_name(proposed(path.name, " copy")),
            key=f"project_copy_name_{_key_text(path)}",
        )
        runs = st.checkbox("With its runs", key="project_copy_runs", help="Trained networks with their curves.")
        with st.container(horizontal=True):
            go = st.form_submit_button("Duplicate", type="primary")
            st.form_submit_button("Cancel", on_click=_show_form)
    if go:
        with session.fail_softly(stop=False):
            bar = st.progress(0.0, "Looking at its files")
            made = space.duplicate(
                path,
                name,
                runs=runs,
                progress=lambda done, of: bar.progress(
                    min(1.0, done / max(of, 1)),
                    f"{byte_size(done)} of {byte_size(of)} copied; close this window to stop",
                ),
            )
            out = f" Without {', '.join(made.left_out)}, not ended yet." if made.left_out else ""
            _finish(f'"{made.folder.name}" is a copy of "{path.name}".{out}')


def _delete_with_jobs(path: Path) -> None:
    """Draw the question whether to delete a project although some of its trainings wait in the queue."""
    try:
        session.this_workspace().require_idle(path)
    except StudioError as error:
        st.warning(plain(error), icon=":material/hourglass_empty:")
        with st.container(horizontal=True):
            waits = isinstance(error, JobsWait)
            if waits and st.button("Take out of the queue and delete", key="project_delete_anyway", type="primary"):
                with session.fail_softly(stop=False):
                    project_undo.note_deleted(session.this_workspace().delete(path, waiting_too=True))
                    _finish_removal(path)
            st.button("Cancel", key="project_delete_cancel", on_click=_show_form)
    else:
        st.markdown("Nothing waits any more: it can be deleted.")


def _finish_removal(path: Path) -> NoReturn:
    """End this script run after a project was removed, and run the page again.

    If it was the tab's project, the tab gets another one.
    """
    if str(path) == session.remembered():
        session.leave_project()
    _finish()


_FORMS = {"rename": _rename, "duplicate": _duplicate, "delete": _delete_with_jobs}


# The bin


def _bin(entries: Sequence[Deleted]) -> list[_Row]:
    """Draw a row for each deleted project, without its description; return the rows, for `_write_descriptions`."""
    if not entries:
        st.markdown("The bin is empty. A project that you delete lies here until you delete it for good.")
        return []
    found = {entry.folder: entry for entry in entries}
    rows = []
    for number, path in enumerate(_filtered(list(found), "Find in the bin")):
        entry = found[path]
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                with st.container(gap=None, width="stretch"):
                    st.markdown(f"**{plain(entry.name)}**")
                    place = st.empty()
                rows.append(_Row(path, place, f"deleted {day_and_time(entry.deleted)}"))
                if st.button("Restore", key=f"bin_restore_{number}", type="tertiary"):
                    with session.fail_softly(stop=False):
                        there = project_undo.bring_back(entry)
                        _finish(f'"{entry.name}" is back as "{there.name}".')
                st.button(
                    "Delete for good",
                    key=f"bin_destroy_{number}",
                    type="tertiary",
                    on_click=_show_form,
                    args=("destroy", path),
                )
            if st.session_state.get(_FORM_SHOWN) == ("destroy", str(path)):
                _destroy(entry)
    return rows


def _destroy(entry: Deleted) -> None:
    """Draw the question whether to delete a project permanently."""
    st.warning(
        f"This removes **{plain(entry.name)}** with its pictures, labels and runs. It cannot be taken back.",
        icon=":material/warning:",
    )
    with st.container(horizontal=True):
        if st.button("Delete it for good", key="bin_destroy_anyway", type="primary"):
            with session.fail_softly(stop=False), st.spinner("Deleting its files"):
                session.this_workspace().destroy(entry.id)
                _finish(f'"{entry.name}" is deleted.')
        st.button("Cancel", key="bin_destroy_cancel", on_click=_show_form)


# Projects and bin


def _filtered(paths: Sequence[Path], label: str) -> list[Path]:
    """Return the projects to show in the dialog, of the projects or of the bin.

    If there are many, draw a search field, and return the first ones whose name contains its text.
    """
    if len(paths) <= _MAX_ROWS:
        return list(paths)
    wanted = st.text_input(label, key=f"project_find_{label}", placeholder="a part of its name").strip().casefold()
    found = [path for path in paths if wanted in path.name.casefold()]
    if len(found) > _MAX_ROWS:
        st.markdown(f":small[{_MAX_ROWS} of {len(found):,}: type a part of the name to see others]")
    return found[:_MAX_ROWS]


def _write_descriptions(rows: Sequence[_Row]) -> None:
    """Write the description of each row into its place, then add the size of the project.

    Computing the size takes long for many files. A click interrupts it, because each `markdown` call lets Streamlit
    start a new script run.
    """
    for _, place, description in rows:
        place.markdown(f":small[{description}]")
    known: dict[str, tuple[float, int]] = st.session_state.setdefault(_SIZES, {})
    for path, place, description in rows:
        for size, counting in _sizes(path, known):
            place.markdown(f":small[{description}, {'more than ' if counting else ''}{byte_size(size)}]")


def _sizes(path: Path, known: dict[str, tuple[float, int]]) -> Iterator[tuple[int, bool]]:
    """Yield the growing size of a project in bytes, and whether counting goes on. `known` caches time and size."""
    counted_at, size = known.get(str(path), (0.0, 0))
    if not counted_at or time.time() - counted_at > _SIZE_CACHE_SECONDS:
        for size in size_on_disk(path):
            yield size, True
        known[str(path)] = time.time(), size
    yield size, False


def _key_text(path: Path) -> str:
    """Return a path as text for a widget key; names that are not UTF-8 are escaped."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _show_form(what: str = "", path: Path | None = None) -> None:
    """Show a form (a key of `_FORMS`, or "destroy") below the row of a project; without arguments, show no form."""
    st.session_state[_FORM_SHOWN] = (what, str(path))


def _finish(message: str = "", close: bool = False) -> NoReturn:
    """End this script run after an action, and run the page again with a message in the dialog, or with it closed."""
    _show_form()
    st.session_state[_SIZES] = {}
    if message:
        st.session_state[_MESSAGE] = message
    st.session_state[_OPEN] = not close
    st.rerun()
