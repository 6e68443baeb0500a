"""The side bar of all pages: project switcher, labelling progress, page links and running trainings.

It also draws the pages that replace the current page if the project does not exist or cannot be opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from maskrcnn.errors import StudioError
from maskrcnn.studio.dataset import import_report
from maskrcnn.studio.shell import project_list, project_undo, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.studio.shell.running_trainings import job_pill
from maskrcnn.words import counted

_CHOSEN = "project_chosen"
_MAX_OTHERS = 8
_USED_FIELD = "project_typed"


def show(pages: Mapping[str, Sequence[Page]]) -> None:
    """Draw the side bar. `pages` is the argument of `st.navigation`.

    If there is no project to show, draw a page that leads to one instead of the current page, and stop the script.
    """
    try:
        project = session.current_project()
        counts = project.counts()
    except session.NoProject:
        _no_project()
        project_list.show_if_open()
        st.stop()
    except session.ProjectGone as error:
        _gone(error)
        st.stop()
    except StudioError as error:
        with st.sidebar:
            _switcher("Projects", session.remembered())
            project_undo.show()
        st.error(plain(on_page(error)), icon=":material/error:")
        _other_projects(session.remembered())
        project_list.show_if_open()
        st.stop()
    with st.sidebar:
        _switcher(plain(project.folder.name), str(project.folder))
        project_undo.show()
        st.markdown(f"{counts.done} of {counted(counts.pictures, 'picture')} done")
        for group, members in pages.items():
            st.markdown(f"**{group}**")
            for page in members:
                st.page_link(page, query_params={"project": project.folder.name})
        job_pill()  # at the bottom, so that the links do not move when a training starts or ends
    project_list.show_if_open()


def _switcher(label: str, here: str) -> None:
    """Draw a button that opens the list of projects, the project manager, and the forms for new projects.

    `here` is the folder of the current project; empty if none of the projects is current.
    """
    with st.popover(label, icon=":material/folder_open:", width="stretch", key=project_list.switcher_key()):
        with session.fail_softly():
            names = _labels(session.projects())
        # Set in each script run, because after an early stop Streamlit keeps the old widget state. Only a click counts.
        st.session_state[_CHOSEN] = here if here in names else None
        st.radio(
            "Project",
            list(names),
            index=None,
            key=_CHOSEN,
            format_func=lambda path: plain(names[path]),
            on_change=_switch,
        )
        project_list.button()
        _create_form()
        _open_form()


def _gone(error: session.ProjectGone) -> None:
    """Draw the page for a project that does not exist: the reason, a button that restores it, and other projects."""
    with session.fail_softly():
        any_other = bool(session.projects())
    if any_other:
        with st.sidebar:
            _switcher("Projects", "")
            project_undo.show()
    st.error(plain(error), icon=":material/folder_off:")
    _restore_button(error)
    if any_other:
        _other_projects(str(error.renamed or ""))
    else:
        _new_project_options()
    project_list.show_if_open()


def _restore_button(gone: session.ProjectGone) -> None:
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


def _other_projects(here: str) -> None:
    """Draw a button for each of the first projects, except the one whose folder is `here`."""
    with session.fail_softly():
        names = {path: name for path, name in _labels(session.projects()).items() if path != here}
    with st.container(horizontal=True):
        for number, (path, name) in enumerate(list(names.items())[:_MAX_OTHERS]):
            if st.button(plain(name), key=f"other_project_{number}", icon=":material/folder_open:"):
                with session.fail_softly():
                    session.switch_project(Path(path))
                    st.rerun()


def _switch() -> None:
    """Open the project that was chosen in the list."""
    with session.fail_softly(stop=False):
        # After a rename the browser still sends the old label, which is not a project, although no user clicked.
        chosen = Path(st.session_state[_CHOSEN] or "")
        if chosen in session.projects():
            project_undo.forget()
            session.switch_project(chosen)
            project_list.close_switcher()


def _labels(paths: Sequence[Path]) -> dict[str, str]:
    """Return path -> label in the list: the project's name, and its folder too if the name is not unique."""
    names = Counter(plain(path.name) for path in paths)
    return {str(path): path.name if names[plain(path.name)] == 1 else f"{path.name} in {path.parent}" for path in paths}


def _create_form() -> None:
    """Draw the form that creates an empty project."""
    _clear_used_field("new_project_name")
    with st.form("new_project", border=False):
        name = st.text_input("New project", placeholder="a name, for example cells", key="new_project_name")
        if st.form_submit_button("Create project", icon=":material/add:"):
            with session.fail_softly(stop=False):
                session.switch_project(session.this_workspace().create(name))
                _field_used("new_project_name")
                st.rerun()


def _open_form() -> None:
    """Draw the form that opens a project folder, or makes a new project from labels or pictures at a path."""
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
                _field_used("open_path")
                if opened.report is not None:
                    import_report.keep(opened.folder, "annotate", opened.report, opened.passed_over)
                    st.switch_page("pages/label/annotate.py", query_params={"project": opened.folder.name})
                st.rerun()


def _field_used(field: str) -> None:
    """Close the switcher after a project was made from a text field; the next script run clears the field."""
    st.session_state[_USED_FIELD] = field
    project_list.close_switcher()


def _clear_used_field(field: str) -> None:
    """Clear a text field if `_field_used` was called for it. Call this before the field is drawn."""
    if st.session_state.get(_USED_FIELD) == field:
        del st.session_state[_USED_FIELD]
        st.session_state[field] = ""


def _no_project() -> None:
    """Draw the page for a workspace without projects."""
    st.title("No project")
    st.markdown(
        "A project holds your pictures, what is drawn on them, and the trainings. There is none in this workspace now."
    )
    project_undo.show()
    _new_project_options()


def _new_project_options() -> None:
    """Draw the ways to get a project: create one, open one, get the sample project, or restore one from the bin."""
    make, open_one, sample = st.columns(3, gap="large")
    with make:
        _create_form()
    with open_one:
        _open_form()
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
            project_list.button("Look into the bin", "bin")
