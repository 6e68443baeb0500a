"""A bar that shows the last change of the whole project, with a button to undo it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.studio.dataset import project_cache
from maskrcnn.studio.dataset.project_cache import Stamp
from maskrcnn.studio.shell import session

_KEY = "dataset_undo"


@dataclass(frozen=True)
class _UndoableChange:
    """The last change of a project. `back` undoes it. `state` is the state after it; None if labels did not change."""

    project: Path
    words: str
    button: str
    back: Callable[[], object]
    state: Stamp | None


def remember(project: Project, words: str, button: str, back: Callable[[], object], *, labels: bool) -> None:
    """Offer to undo a change in the `bar`, with `back`, until the next change. `labels`: whether it changed labels."""
    state = project_cache.stamp(project) if labels else None
    st.session_state[_KEY] = _UndoableChange(project.folder, words, button, back, state)


def bar(project: Project) -> None:
    """Draw the bar with the last change and its undo button."""
    done: _UndoableChange | None = st.session_state.get(_KEY)
    if done is None or done.project != project.folder:
        return

    def undo() -> None:
        with session.fail_softly(stop=False):
            done.back()
            del st.session_state[_KEY]
            st.toast("It is as it was before.", icon=":material/undo:")

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.success(done.words, icon=":material/check:", width=260)
        if done.state is None or done.state == project_cache.stamp(project):
            st.button(done.button, icon=":material/undo:", key="dataset_undo_button", on_click=undo)
        else:
            # `back` would also undo what was drawn since.
            st.markdown("Labels changed since; how they were before is kept under **Classes > Snapshots**.")
