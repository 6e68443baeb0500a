"""The project switcher in the side bar: the list of projects, and the forms that create or open a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from maskrcnn.studio.dataset import import_report
from maskrcnn.studio.shell import project_undo, projects_dialog, session
from maskrcnn.studio.shell.markdown_escape import plain

_CHOSEN = "project_chosen"
_USED_FIELD = "project_typed"
_TIMES_CLOSED = "project_switcher_times"
"""Session state keys: the chosen project (with its folder), the last used field, how often the switcher was closed."""


def show_switcher(label: str, here: str) -> None:
    """Draw a button that opens the list of projects, the project manager, and the forms for new projects.

    `here` is the folder of the current project; empty if none of the projects is current.
    """
    with st.popover(
        label,
        icon=":material/folder_open:",
        width="stretch",
        key=f"project_switcher_{st.session_state.get(_TIMES_CLOSED, 0)}",
    ):
        with session.fail_softly():
            names = project_labels(session.this_workspace().projects())
        # Select the current project in each script run: if the run before stopped early, Streamlit has kept an old
        # choice. A project is opened only by a click (`on_change`).
        #
        # The list of each project has a key of its own: when a project was created, the closed switcher of the browser
        # would still send the one before it with the next click on the page, and so go back to it.
        key = f"{_CHOSEN}_{here}"
        st.session_state[key] = here if here in names else None
        st.radio(
            "Project",
            list(names),
            index=None,
            key=key,
            format_func=lambda path: plain(names[path]),
            on_change=_switch_to_chosen,
            args=(key,),
        )
        st.button(
            "Manage projects",
            key="project_list_projects_button",
            icon=":material/folder_managed:",
            width="stretch",
            on_click=_manage_projects,
        )
        create_project_form()
        open_project_form()


def _close_switcher() -> None:
    """Close the switcher in the next script run, after a choice. Otherwise it would cover the page.

    A popover closes when its widget key changes.
    """
    st.session_state[_TIMES_CLOSED] = st.session_state.get(_TIMES_CLOSED, 0) + 1


def _manage_projects() -> None:
    """Open the dialog with all projects, and close the switcher."""
    projects_dialog.open_dialog()
    _close_switcher()


def _switch_to_chosen(key: str) -> None:
    """Open the project that was chosen in the list of the switcher."""
    with session.fail_softly(stop=False):
        # After a rename the browser still sends the old label, which is not a project, although no user clicked.
        chosen = Path(st.session_state[key] or "")
        if chosen in session.this_workspace().projects():
            project_undo.forget()
            session.switch_project(chosen)
            _close_switcher()


def project_labels(paths: Sequence[Path]) -> dict[str, str]:
    """Return path -> label in the list: the project's name, and its folder too if the name is not unique."""
    names = Counter(plain(path.name) for path in paths)
    return {str(path): path.name if names[plain(path.name)] == 1 else f"{path.name} in {path.parent}" for path in paths}


def create_project_form() -> None:
    """Draw the form of the switcher that creates an empty project."""
    _clear_used_field("new_project_name")
    with st.form("new_project", border=False):
        name = st.text_input("New project", placeholder="a name, for example cells", key="new_project_name")
        if st.form_submit_button("Create project", icon=":material/add:"):
            with session.fail_softly(stop=False):
                session.switch_project(session.this_workspace().create(name))
                _note_used_field("new_project_name")
                st.rerun()


def open_project_form() -> None:
    """Draw the form of the switcher that opens a project folder, or makes a project from labels or pictures."""
    _clear_used_field("open_path")
    with st.form("open_folder", border=False):
        path = st.text_input(
            "Open from this computer",
            placeholder="a folder, a label file or a zip",
            key="open_path",
            help="A project folder is used where it is. Labels of any format with their pictures, or pictures "
            "alone, become a new project.",
        )
        if st.form_submit_button("Open", icon=":material/drive_folder_upload:"):
            with session.fail_softly(stop=False), st.spinner("Reading the labels and copying the pictures"):
                opened = session.this_workspace().opened(path)
                session.switch_project(opened.folder)
                _note_used_field("open_path")
                if opened.report is not None:
                    import_report.keep(opened.folder, "annotate", opened.report, opened.passed_over)
                    st.switch_page("pages/label/annotate.py", query_params={"project": opened.folder.name})
                st.rerun()


def _note_used_field(field: str) -> None:
    """Note that a project was created or opened from the text field of a form, and close the switcher.

    The next script run clears the field.
    """
    st.session_state[_USED_FIELD] = field
    _close_switcher()


def _clear_used_field(field: str) -> None:
    """Clear the text field of a form of the switcher, if a project was just created or opened from it.

    Call this before the field is drawn. `_note_used_field` notes the field.
    """
    if st.session_state.get(_USED_FIELD) == field:
        del st.session_state[_USED_FIELD]
        st.session_state[field] = ""
