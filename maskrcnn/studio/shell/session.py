"""Which workspace and which project a browser tab is looking at, and how a page shows an error.

The project of a tab is named in its address (`?project=NAME`), so a link or a reload brings it back; the session keeps
its path as well, because moving to another page by typing its address drops the query. Whoever asks for none gets the
one that was opened last. A project that is asked for and is not there is told; another one is never shown in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from maskrcnn.annotations.store import Project, is_project
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import workspace_folder
from maskrcnn.studio.shell.page_words import on_page
from maskrcnn.studio.shell.plain_text import plain
from maskrcnn.workspace import HAD_PROJECTS, NoProject, ProjectGone, Workspace, folder_name
from maskrcnn.workspace.project_folders import require_address

__all__ = ["HAD_PROJECTS", "NoProject", "ProjectGone", "folder_name"]

_PATH = "project_path"
_NOTED = "project_noted"


def workspace() -> Path:
    """The folder that holds the projects (`install_folders.workspace_folder`); it is made where it is not there."""
    folder = workspace_folder().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudioError(
            f"{folder}: cannot be the workspace ({error.strerror}); mend that, or name another folder in "
            "MASKRCNN_WORKSPACE"
        ) from None
    return folder


def this_workspace() -> Workspace:
    """The projects of this person, and what is done to one as a whole."""
    return Workspace(workspace())


def projects() -> list[Path]:
    """Every project of the workspace by name, then those opened elsewhere; see `Workspace.projects`."""
    return this_workspace().projects()


def current_project() -> Project:
    """The project this tab works on: the one in the address, else the one it had, else the one that was opened last.

    Raises `ProjectGone` where the one that is asked for is not there, `NoProject` where there is none at all, and
    `StudioError` for one that cannot be opened.
    """
    here = this_workspace()
    asked = st.query_params.get("project")
    path = Path(remembered()) if remembered() else None
    if asked and (path is None or path.name != asked):
        path = here.find(asked)
    elif path is None:
        path = here.first()
    elif not is_project(path):
        raise here.gone_error(path, path.name)
    _remember(path)
    try:
        project = Project.open(path)
    except StudioError:
        if is_project(path):
            raise
        raise here.gone_error(path, path.name) from None  # it was moved or deleted in this moment
    if st.session_state.get(_NOTED) != str(path):
        here.note_opened(path)
        st.session_state[_NOTED] = str(path)
    return project


def remembered() -> str:
    """The folder of the project that this tab chose last, empty where it chose none."""
    return str(st.session_state.get(_PATH, ""))


def switch_project(path: Path) -> None:
    """Make this project the one of the tab, from the next run of the script on. Raises `StudioError` for one that no
    address can name."""
    if remembered() != str(path) or st.query_params.get("project") != path.name:
        require_address(path)
        # What a page remembers (picture, run, row) belongs to the project that is left.
        st.query_params.clear()
    _remember(path)


def follow_project(path: Path) -> None:
    """The project of this tab or link is called otherwise now; what its page shows stays the same. Raises as
    `switch_project` does."""
    _remember(path)


def leave_project() -> None:
    """Let this tab have no project, so that its next run takes the one that was opened last."""
    st.query_params.clear()
    for key in (_PATH, _NOTED):
        st.session_state.pop(key, None)


@contextmanager
def fail_softly(*, stop: bool = True) -> Iterator[None]:
    """Show a `StudioError` of the block as a red box; the page ends there (the frame stays) unless `stop` is False."""
    try:
        yield
    except StudioError as error:
        st.error(plain(on_page(error)), icon=":material/error:")
        if stop:
            st.stop()


def _remember(path: Path) -> None:
    require_address(path)
    st.session_state[_PATH] = str(path)
    if st.query_params.get("project") != path.name:
        st.query_params["project"] = path.name
