"""The workspace and the current project of a browser tab, and the display of errors on a page.

The name of the tab's project is in the URL (`?project=NAME`), so links and reloads restore it. The session stores the
path too, because typing the URL of another page drops the query. A tab without either gets the project that was opened
last. If the URL names a project that does not exist, an error is shown; another project is never shown instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from maskrcnn.annotations.store import Project, is_project
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import workspace_folder
from maskrcnn.jobs.backend import Backend
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.untrusted_files import is_utf8
from maskrcnn.workspace import Workspace
from maskrcnn.workspace.folder_names import require_name_for_address

_PATH = "project_path"
_NOTED = "project_noted"


def workspace() -> Path:
    """Return the workspace folder that this server's pages use; create it if it does not exist.

    It is `install_folders.workspace_folder()`, the folder with the projects.

    Raises `StudioError` if it cannot be created, or its path is not UTF-8.
    """
    folder = workspace_folder().resolve()
    if not is_utf8(folder):
        raise StudioError(f"{folder}: cannot be the workspace (its path is not UTF-8); rename the folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudioError(
            f"{folder}: cannot be the workspace ({error.strerror}); mend that, or name another folder in "
            "MASKRCNN_WORKSPACE"
        ) from None
    return folder


def this_workspace() -> Workspace:
    """Return the `Workspace` of this server, with its projects and the operations on whole projects."""
    return Workspace(workspace())


def backend() -> Backend:
    """Return the backend that runs the trainings of all pages: this machine, with the queue of the workspace."""
    return LocalBackend(workspace())


def current_project() -> Project:
    """Return the project of this tab: the one in the URL, else the tab's last one, else the one that was opened last.

    Raises `ProjectGone` if that project does not exist any more, `NoProject` if there are no projects at all, and
    `StudioError` if the project cannot be opened.
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
        raise here.gone_error(path, path.name) from None  # it was moved or deleted just now
    if st.session_state.get(_NOTED) != str(path):
        here.note_opened(path)
        st.session_state[_NOTED] = str(path)
    return project


def remembered() -> str:
    """Return the folder of this tab's last project as a string; empty if it had none."""
    return str(st.session_state.get(_PATH, ""))


def switch_project(path: Path) -> None:
    """Make this the project of the tab, starting with the next script run.

    Raises `StudioError` if a URL cannot contain the project's name.
    """
    if remembered() != str(path) or st.query_params.get("project") != path.name:
        require_name_for_address(path)
        # The other values in the URL (picture, run, row) belong to the old project.
        st.query_params.clear()
    _remember(path)


def follow_project(path: Path) -> None:
    """Update the tab after its project was renamed; the other values in the URL are kept.

    Raises `StudioError` if a URL cannot contain the project's name.
    """
    _remember(path)


def leave_project() -> None:
    """Remove the project from this tab, so that the next script run uses the project that was opened last."""
    st.query_params.clear()
    for key in (_PATH, _NOTED):
        st.session_state.pop(key, None)


@contextmanager
def fail_softly(*, stop: bool = True) -> Iterator[None]:
    """Context that shows a `StudioError` of its block as an error box.

    After the error the page script stops, unless `stop` is False. The side bar stays visible.
    """
    try:
        yield
    except StudioError as error:
        st.error(plain(on_page(error)), icon=":material/error:")
        if stop:
            st.stop()


def _remember(path: Path) -> None:
    """Write the project into the session and the URL. Raises `StudioError` if a URL cannot contain its name."""
    require_name_for_address(path)
    st.session_state[_PATH] = str(path)
    if st.query_params.get("project") != path.name:
        st.query_params["project"] = path.name
