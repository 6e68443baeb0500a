"""The side bar of every page: which project, how far its labels are, what is running, and the way to the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from maskrcnn.errors import StudioError
from maskrcnn.studio.dataset import import_report
from maskrcnn.studio.shell import project_list, project_undo, session
from maskrcnn.studio.shell.job_pill import job_pill
from maskrcnn.studio.shell.page_words import on_page
from maskrcnn.studio.shell.plain_text import plain
from maskrcnn.words import counted

_CHOSEN = "project_chosen"
_MOST_OTHERS = 8
_TYPED = "project_typed"


def show(pages: Mapping[str, Sequence[Page]]) -> None:
    """Fill the side bar. `pages` is what `st.navigation` was given.

    Where there is no project to show, the way to one takes the place of the page.
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
        _others(session.remembered())
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
        job_pill()  # below the links, which would move when a training starts or ends
    project_list.show_if_open()


def _switcher(label: str, here: str) -> None:
    """A button that opens the list of projects, the two ways to a new one, and what can be done with all of them.
    `here` is the folder of the one that was chosen, empty where that is none of them."""
    with st.popover(label, icon=":material/folder_open:", width="stretch", key=project_list.switcher_key()):
        with session.fail_softly():
            names = _labels(session.projects())
        # Set in each run, and heeded when somebody clicks: a page that ends early keeps what its widgets held before.
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
        _create()
        _open()


def _gone(error: session.ProjectGone) -> None:
    """The page of a project that is not where it is asked for: why, the way to it, and the others."""
    with session.fail_softly():
        any_other = bool(session.projects())
    if any_other:
        with st.sidebar:
            _switcher("Projects", "")
            project_undo.show()
    st.error(plain(error), icon=":material/folder_off:")
    _way_back(error)
    if any_other:
        _others(str(error.renamed or ""))
    else:
        _ways_on()
    project_list.show_if_open()


def _way_back(gone: session.ProjectGone) -> None:
    """The one step that leads to a project that is not where it was."""
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


def _others(here: str) -> None:
    """The next step where the project of the page cannot be shown: the first of those that do not lie `here`, as
    buttons."""
    with session.fail_softly():
        names = {path: name for path, name in _labels(session.projects()).items() if path != here}
    with st.container(horizontal=True):
        for number, (path, name) in enumerate(list(names.items())[:_MOST_OTHERS]):
            if st.button(plain(name), key=f"other_project_{number}", icon=":material/folder_open:"):
                with session.fail_softly():
                    session.switch_project(Path(path))
                    st.rerun()


def _switch() -> None:
    with session.fail_softly(stop=False):
        # A browser says the words of what it has chosen: after a rename they are no project, and nobody clicked.
        chosen = Path(st.session_state[_CHOSEN] or "")
        if chosen in session.projects():
            project_undo.forget()
            session.switch_project(chosen)
            project_list.close_switcher()


def _labels(paths: Sequence[Path]) -> dict[str, str]:
    """Path -> what it is called in the list: its name; and where it lies, where two have one name."""
    names = Counter(plain(path.name) for path in paths)
    return {str(path): path.name if names[plain(path.name)] == 1 else f"{path.name} in {path.parent}" for path in paths}


def _create() -> None:
    _empty("new_project_name")
    with st.form("new_project", border=False):
        name = st.text_input("New project", placeholder="a name, for example cells", key="new_project_name")
        if st.form_submit_button("Create project", icon=":material/add:"):
            with session.fail_softly(stop=False):
                session.switch_project(session.this_workspace().create(name))
                _chosen("new_project_name")
                st.rerun()


def _open() -> None:
    _empty("open_path")
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
                _chosen("open_path")
                if opened.report is not None:
                    import_report.keep(opened.folder, "annotate", opened.report, opened.passed_over)
                    st.switch_page("pages/label/annotate.py", query_params={"project": opened.folder.name})
                st.rerun()


def _chosen(field: str) -> None:
    """What was typed into this field became a project: the switcher closes, and the field is empty the next time."""
    st.session_state[_TYPED] = field
    project_list.close_switcher()


def _empty(field: str) -> None:
    if st.session_state.get(_TYPED) == field:
        del st.session_state[_TYPED]
        st.session_state[field] = ""


def _no_project() -> None:
    """The page of a workspace whose projects are gone."""
    st.title("No project")
    st.markdown(
        "A project holds your pictures, what is drawn on them, and the trainings. There is none in this workspace now."
    )
    project_undo.show()
    _ways_on()


def _ways_on() -> None:
    """The ways to a project where there is none: a new one, one of this computer, the sample, the bin."""
    make, open_one, sample = st.columns(3, gap="large")
    with make:
        _create()
    with open_one:
        _open()
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
