"""The side bar of all pages: project switcher, labelling progress, page links and running trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import Page

from maskrcnn.errors import StudioError
from maskrcnn.studio.shell import missing_project, project_undo, projects_dialog, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.studio.shell.project_switcher import show_switcher
from maskrcnn.studio.shell.running_trainings import running_trainings_box
from maskrcnn.words import counted
from maskrcnn.workspace import NoProject, ProjectGone


def show(pages: Mapping[str, Sequence[Page]]) -> None:
    """Draw the side bar. `pages` is the argument of `st.navigation`.

    If there is no project to show, draw a page that leads to one instead of the current page, and stop the script.
    """
    try:
        project = session.current_project()
        counts = project.counts()
    except NoProject:
        missing_project.show_no_project()
        projects_dialog.show_if_open()
        st.stop()
    except ProjectGone as error:
        missing_project.show_project_gone(error)
        st.stop()
    except StudioError as error:
        with st.sidebar:
            show_switcher("Projects", session.remembered())
            project_undo.show()
        st.error(plain(on_page(error)), icon=":material/error:")
        missing_project.other_project_buttons(session.remembered())
        projects_dialog.show_if_open()
        st.stop()
    with st.sidebar:
        show_switcher(plain(project.folder.name), str(project.folder))
        project_undo.show()
        st.markdown(f"{counts.done} of {counted(counts.pictures, 'picture')} done")
        for group, members in pages.items():
            st.markdown(f"**{group}**")
            for page in members:
                st.page_link(page, query_params={"project": project.folder.name})
        running_trainings_box()  # at the bottom, so that the links do not move when a training starts or ends
    projects_dialog.show_if_open()
