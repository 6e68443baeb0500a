"""The side bar of every page: which project, how far its labels are, what is running, and the way to the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio import session
from maskrcnn.studio.job_pill import job_pill
from maskrcnn.studio.plain_text import plain


def show(pages: Mapping[str, Sequence[Page]]) -> None:
    """Fill the side bar. `pages` is what `st.navigation` was given."""
    try:
        project = session.current_project()
    except StudioError as error:
        with st.sidebar:
            _switcher(None)
        st.error(plain(error), icon=":material/error:")
        st.stop()
    with st.sidebar:
        _switcher(project)
        counts = project.counts()
        st.markdown(f"{counts.done} of {counts.pictures} pictures done")
        job_pill()
        for group, members in pages.items():
            st.markdown(f"**{group}**")
            for page in members:
                st.page_link(page, query_params={"project": project.folder.name})


def _switcher(project: Project | None) -> None:
    """The name of the project, which opens the list of projects and the two ways to a new one."""
    with st.popover(plain(project.name) if project else "Projects", icon=":material/folder_open:", width="stretch"):
        with session.fail_softly():
            names = {str(path): path.name for path in session.projects()}
        here = str(project.folder) if project else ""
        index = list(names).index(here) if here in names else None
        chosen = st.radio("Project", list(names), index=index, format_func=lambda path: plain(names[path]))
        if chosen is not None and chosen != here:
            session.switch_project(Path(chosen))
            st.rerun()
        with st.form("new_project", border=False):
            name = st.text_input("New project", placeholder="a name, for example cells", key="new_project_name")
            if st.form_submit_button("Create project", icon=":material/add:"):
                with session.fail_softly(stop=False):
                    session.switch_project(session.create_project(name))
                    st.rerun()
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
                    session.switch_project(session.open_folder(path))
                    st.rerun()
