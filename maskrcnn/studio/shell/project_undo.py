"""The message with an Undo button after a project was deleted or removed from the list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.workspace import Deleted

_KEY = "project_undo"


@dataclass(frozen=True)
class _UndoableStep:
    """A step that can be undone: a deletion (`id` in the bin), or the removal of a folder from the list (`path`)."""

    name: str
    was_here: bool
    """Whether the project was the current one of this tab."""
    id: str = ""
    path: str = ""
    back: str = ""
    """After the undo: the new name of the project if its old name was taken, else empty."""


def note_deleted(deleted: Deleted) -> None:
    """Remember that this tab moved a project to the bin. Call this before `session.leave_project`."""
    was_here = session.remembered() == str(session.workspace() / deleted.name)
    st.session_state[_KEY] = _UndoableStep(deleted.name, was_here, id=deleted.id)


def note_taken_off(project: Path) -> None:
    """Remember that this tab removed an outside project from the list. Call this before `session.leave_project`."""
    st.session_state[_KEY] = _UndoableStep(project.name, session.remembered() == str(project), path=str(project))


def forget() -> None:
    """Forget which project was deleted or taken off the list last, so that no Undo button is shown for it."""
    st.session_state.pop(_KEY, None)


def show(where: str = "bar") -> None:
    """Draw the message with its buttons; nothing if there is no step or it was already undone.

    `where` is a part of the widget keys. It is "bar" in the side bar; elsewhere the message has a border.
    """
    step = st.session_state.get(_KEY)
    if not isinstance(step, _UndoableStep):
        return
    if step.back:
        with st.container(border=where != "bar", gap="xsmall", horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{plain(step.name)}** is back as **{plain(step.back)}**, as its name is taken.", width="stretch"
            )
            st.button("Dismiss", key=f"project_undo_forget_{where}", type="tertiary", on_click=forget)
        return
    with session.fail_softly(stop=False):
        if step.id and all(entry.id != step.id for entry in session.this_workspace().bin()):
            forget()
            return
        with st.container(border=where != "bar", gap="xsmall", horizontal=True, vertical_alignment="center"):
            words = "is in the bin." if step.id else "is not listed any more."
            st.markdown(f"**{plain(step.name)}** {words}", width="stretch")
            if st.button("Undo", key=f"project_undo_{where}", icon=":material/undo:"):
                there = _undo(step)
                forget()
                if there.name != step.name:
                    st.session_state[_KEY] = replace(step, back=there.name)
                if step.was_here:
                    session.switch_project(there)
                st.rerun()
            st.button("Dismiss", key=f"project_undo_forget_{where}", type="tertiary", on_click=forget)


def bring_back(deleted: Deleted) -> Path:
    """Undo the deletion of a project: restore it from the bin, and return its folder.

    If its name is taken, a number is added to the name.

    Raises `StudioError` if the project cannot be restored.
    """
    space = session.this_workspace()
    return space.restore(deleted.id, space.free_name(deleted.name) if space.is_taken(deleted.name) else None)


def _undo(step: _UndoableStep) -> Path:
    """Undo a step, and return the folder of the project. Raises `StudioError` if that fails."""
    space = session.this_workspace()
    if step.path:
        return space.open_folder(step.path)
    return bring_back(next(entry for entry in space.bin() if entry.id == step.id))
