"""The pages that replace the current page if there is no project, or the project was renamed, deleted or moved."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from maskrcnn.studio.shell import project_undo, projects_dialog, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.project_switcher import (
    create_project_form,
    open_project_form,
    project_labels,
    show_switcher,
)
from maskrcnn.workspace import ProjectGone

_MAX_OTHERS = 8
"""Maximum number of other projects that are offered."""


def show_no_project() -> None:
    """Draw the page for a workspace without projects."""
    st.title("No project")
    st.markdown(
        "A project holds your pictures, what is drawn on them, and the trainings. There is none in this workspace now."
    )
    project_undo.show()
    _new_project_options()


def show_project_gone(error: ProjectGone) -> None:
    """Draw the page for a project that does not exist: the reason, a button that restores it, and other projects."""
    with session.fail_softly():
        any_other = bool(session.this_workspace().projects())
    if any_other:
        with st.sidebar:
            show_switcher("Projects", "")
            project_undo.show()
    st.error(plain(error), icon=":material/folder_off:")
    _restore_button(error)
    if any_other:
        other_project_buttons(str(error.renamed or ""))
    else:
        _new_project_options()
    projects_dialog.show_if_open()


def _restore_button(gone: ProjectGone) -> None:
    """Draw a button that opens the renamed project or restores the deleted one; nothing in other cases."""
    if gone.renamed and st.button(
        f"Open {plain(gone.renamed.name)}", key="project_renamed", type="primary", icon=":material/folder_open:"
    ):
        session.follow_project(gone.renamed)
        st.rerun()
    if gone.deleted and st.button(
        f"Bring {plain(gone.deleted.name)} back", key="project_back", type="primary", icon=":material/restore:"
    ):
        with session.fail_softly(stop=False):
            session.switch_project(project_undo.bring_back(gone.deleted))
            st.rerun()


def other_project_buttons(here: str) -> None:
    """Draw a button for each of the first projects that can be opened, except the one whose folder is `here`."""
    with session.fail_softly():
        names = {
            path: name for path, name in project_labels(session.this_workspace().projects()).items() if path != here
        }
    with st.container(horizontal=True):
        for number, (path, name) in enumerate(list(names.items())[:_MAX_OTHERS]):
            if st.button(plain(name), key=f"other_project_{number}", icon=":material/folder_open:"):
                with session.fail_softly():
                    session.switch_project(Path(path))
                    st.rerun()


def _new_project_options() -> None:
    """Draw the ways to get a project: create one, open one, get the sample project, or restore one from the bin."""
    make, open_one, sample = st.columns(3, gap="large")
    with make:
        create_project_form()
    with open_one:
        open_project_form()
    with sample:
        st.markdown("The sample project, with pictures, labels and a trained network:")
        if st.button("Get the sample project back", icon=":material/restore:", key="sample_project"):
            with session.fail_softly(stop=False):
                with st.spinner("Copying its pictures"):
                    folder = session.this_workspace().create_sample()
                session.switch_project(folder)
                st.rerun()
        if session.this_workspace().bin():
            st.markdown("Projects that were deleted lie in the bin:")
            st.button(
                "Look into the bin",
                key="project_list_bin_button",
                icon=":material/folder_managed:",
                width="stretch",
                on_click=projects_dialog.open_dialog,
                args=("bin",),
            )
