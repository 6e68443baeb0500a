"""The line after a project was deleted or taken off the list: what happened, and Undo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.plain_text import plain
from maskrcnn.workspace import Deleted

_KEY = "project_undo"


@dataclass(frozen=True)
class _Step:
    """What can be taken back: a project of the bin by its id, or the folder of one that is listed no more."""

    name: str
    was_here: bool
    """Whether it was the project of this tab."""
    id: str = ""
    path: str = ""
    back: str = ""
    """The name under which it came back, where its own was taken meanwhile."""


def note_deleted(deleted: Deleted) -> None:
    """A project went into the bin, by this tab. To be said before the tab leaves it."""
    was_here = session.remembered() == str(session.workspace() / deleted.name)
    st.session_state[_KEY] = _Step(deleted.name, was_here, id=deleted.id)


def note_taken_off(project: Path) -> None:
    """A project that lies elsewhere is listed no more, by this tab. To be said before the tab leaves it."""
    st.session_state[_KEY] = _Step(project.name, session.remembered() == str(project), path=str(project))


def forget() -> None:
    """Offer nothing more to take back."""
    st.session_state.pop(_KEY, None)


def show(where: str = "bar") -> None:
    """The line with its button; nothing where nothing was done, or somebody took it back already."""
    step = st.session_state.get(_KEY)
    if not isinstance(step, _Step):
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
                there = _taken_back(step)
                forget()
                if there.name != step.name:
                    st.session_state[_KEY] = replace(step, back=there.name)
                if step.was_here:
                    session.switch_project(there)
                st.rerun()
            st.button("Dismiss", key=f"project_undo_forget_{where}", type="tertiary", on_click=forget)


def bring_back(deleted: Deleted) -> Path:
    """A project of the bin, back under its name, or that with a number where it is taken; where it lies. Raises
    `StudioError`."""
    space = session.this_workspace()
    return space.restore(deleted.id, space.free_name(deleted.name) if space.is_taken(deleted.name) else None)


def _taken_back(step: _Step) -> Path:
    space = session.this_workspace()
    if step.path:
        return space.open_folder(step.path)
    return bring_back(next(entry for entry in space.bin() if entry.id == step.id))
