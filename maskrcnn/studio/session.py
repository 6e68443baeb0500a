"""Which workspace and which project a browser tab is looking at, and how a page shows an error.

The project of a tab is named in its address (`?project=NAME`), so a link or a reload brings it back; the session keeps
its path as well, because moving to another page by typing its address drops the query. A project that is asked for and
is not there is told; another one is never shown in its place.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import streamlit as st

from maskrcnn import foreign, opened_projects, shipped
from maskrcnn.annotations import intake, read
from maskrcnn.annotations.store import DATABASE, SPLITS, Project
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.studio.plain_text import plain

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "shapes"
SAMPLE_NAME = "shapes"
HAD_PROJECTS = ".had_projects"
"""An empty file in a workspace that has, or had, a project: there the sample is not made by itself any more."""

_LONGEST_PATH = 4096
_LONGEST_NAME = 200  # bytes; file systems take 255, and something may be added to it
_creating = threading.Lock()


class ProjectGone(StudioError):
    """The address or the tab asks for a project that is not there (any more)."""


class NoProject(StudioError):
    """The workspace has no project, and had one before."""


def workspace() -> Path:
    """The folder that holds the projects: `workspace/` beside `app.py`, or where MASKRCNN_WORKSPACE points."""
    folder = Path(os.environ.get("MASKRCNN_WORKSPACE") or ROOT / "workspace").expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudioError(
            f"{folder}: cannot be the workspace ({error.strerror}); mend that, or name another folder in "
            "MASKRCNN_WORKSPACE"
        ) from None
    return folder


def projects() -> list[Path]:
    """Every project of the workspace by name, then those opened elsewhere. In a workspace that never had one, the
    sample is made."""
    found = _projects_in_workspace()
    elsewhere = [path for path in opened_projects.read(workspace()) if path not in found and _is_project(path)]
    marker = workspace() / HAD_PROJECTS
    if not (found or elsewhere or os.path.lexists(marker)):
        create_sample()
        found = _projects_in_workspace()
    if (found or elsewhere) and not os.path.lexists(marker):
        with suppress(OSError):  # a full disk: the next visit tries again
            marker.open("x").close()
    return found + elsewhere


def current_project() -> Project:
    """The project this tab works on: the one in the address, else the last one, else the first one.

    Raises `ProjectGone` where the one that is asked for is not there, `NoProject` where there is none at all, and
    `StudioError` for one that cannot be opened.
    """
    known = projects()
    found = {path.name: path for path in reversed(known)}  # of two of one name, the workspace's own
    asked = st.query_params.get("project")
    remembered = st.session_state.get("project_path")
    if asked is not None and (remembered is None or Path(remembered).name != asked):
        if asked not in found:
            raise ProjectGone(_gone(asked, _where_it_was(asked)))
        path = found[asked]
    elif remembered is not None:
        path = Path(remembered)
        if not _is_project(path):
            raise ProjectGone(_gone(path.name, path))
    elif known:
        path = found.get(SAMPLE_NAME) or next(filter(_can_be_an_address, known), known[0])
    else:
        raise NoProject("there is no project in this workspace; make one, or open one")
    _remember(path)
    return Project.open(path)


def remembered() -> str:
    """The folder of the project that this tab chose last, empty where it chose none."""
    return st.session_state.get("project_path", "")


def switch_project(path: Path) -> None:
    """Make this project the one of the tab, from the next run of the script on. Raises `StudioError` for one that no
    address can name."""
    if st.session_state.get("project_path") != str(path) or st.query_params.get("project") != path.name:
        _require_address(path)
        # What a page remembers (picture, run, row) belongs to the project that is left.
        st.query_params.clear()
    _remember(path)


def create_project(name: str) -> Path:
    """A new, empty project in the workspace; `ArgumentError` where the name cannot be used."""
    folder = workspace() / _checked(name)
    try:
        Project.create(folder, name.strip())
    except OSError as error:
        raise StudioError(f"{folder}: cannot be made ({error.strerror or error}); mend that and try again") from None
    return folder


def open_folder(text: str) -> Path:
    """Open what a path on this computer points to: a project folder is used in place, all else becomes a new project.

    That is labels of any format with their pictures, pictures alone, or a zip of these. Raises `StudioError` naming the
    path and the mend.
    """
    path = _typed_path(text)
    if _is_project(path):
        path = path.resolve()
        _require_address(path)
        Project.open(path)
        if path not in projects():
            opened_projects.add(workspace(), path)
        return path
    with intake.stage_path(path, workspace=workspace()) as staged:
        staged.require_few_classes()
        if all(record.path is None for record in staged.dataset.images):
            missing = len(staged.missing)
            raise StudioError(f"{path}: none of its {missing} pictures was found; put them beside the labels")
        path = path.resolve()
        folder = _free_folder(path.name if path.is_dir() else f"{path.parent.name}-{path.stem}")
        with _made_whole(folder) as project:
            project.import_dataset(staged.dataset, None)
    return folder


@contextmanager
def fail_softly(*, stop: bool = True) -> Iterator[None]:
    """Show a `StudioError` of the block as a red box; the page ends there (the frame stays) unless `stop` is False."""
    try:
        yield
    except StudioError as error:
        st.error(plain(error), icon=":material/error:")
        if stop:
            st.stop()


def folder_name(name: str, thing: str) -> str:
    """What was typed as the name of a project or a run, as that of its folder; `ArgumentError` where it cannot be."""
    name = name.strip()
    if not name:
        raise ArgumentError(f"the {thing} has no name; type one")
    if not re.fullmatch(r"\w[\w .-]*", name) or name.endswith("."):
        raise ArgumentError(f'"{name}" cannot be the name of a folder; use letters, digits, spaces, "-" and "_"')
    if len(name.encode()) > _LONGEST_NAME:
        raise ArgumentError(f"the name of the {thing} is too long; use {_LONGEST_NAME} letters at most")
    return name


def create_sample() -> Path:
    """The sample project, from what ships with the studio: pictures, labels, and the run of a model; its folder.

    Where two pages ask for it at once it is made once. Raises `StudioError` where it cannot be written.
    """
    with _creating:
        if found := [path for path in _projects_in_workspace() if path.name == SAMPLE_NAME]:
            return found[0]
        folder = _free_folder(SAMPLE_NAME)
        with _made_whole(folder) as project:
            for split in SPLITS:
                if (SAMPLE / split).is_dir():
                    project.import_dataset(read(SAMPLE / split), split)
            if shipped.folder(shipped.DEFAULT):  # curves, epochs and predictions before anyone has trained
                pictures = {image.file_name: project.picture(image.id) for image in project.images()}
                shipped.copy_into(project.runs_folder, shipped.DEFAULT, pictures)
        return folder


def _remember(path: Path) -> None:
    _require_address(path)
    st.session_state["project_path"] = str(path)
    if st.query_params.get("project") != path.name:
        st.query_params["project"] = path.name


def _is_project(path: Path) -> bool:
    try:
        return (path / DATABASE).is_file()
    except (OSError, ValueError):  # no right to look; a name that no file system has
        return False


def _projects_in_workspace() -> list[Path]:
    """By name. A link that leads out of the workspace is not followed: what lies there is opened by its own path."""
    home = workspace()
    try:
        folders = [path for path in home.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise StudioError(f"{home}: the workspace cannot be read ({error.strerror}); mend its rights") from None
    return sorted(path for path in folders if _is_project(path) and foreign.is_confined(path, [home]))


def _gone(name: str, where: Path) -> str:
    return (
        f'project "{name}" is not there: none lies at {where}; put it back, or choose another one from the list of '
        "projects"
    )


def _where_it_was(name: str) -> Path:
    """Where a project of that name would be, or was opened."""
    opened = [path for path in opened_projects.read(workspace()) if path.name == name]
    return opened[-1] if opened else workspace() / name


def _can_be_an_address(path: Path) -> bool:
    try:
        path.name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require_address(path: Path) -> None:
    if not _can_be_an_address(path):
        raise StudioError(f"{path}: the name of this folder is not UTF-8, so no address can name it; rename it")


def _typed_path(text: str) -> Path:
    """What was typed as a path of this computer; `ArgumentError` for what cannot be one."""
    text = text.strip().strip("\"'")
    shown = text if len(text) <= 100 else f"{text[:99]}…"
    try:
        if not text or "\0" in text or len(text) > _LONGEST_PATH:
            raise ValueError
        path = Path(text).expanduser()
        os.stat(path)
    except FileNotFoundError:
        raise ArgumentError(f"{shown}: does not exist on this computer; check the path") from None
    except OSError as error:
        raise ArgumentError(f"{shown}: cannot be opened ({error.strerror}); check the path") from None
    except (ValueError, RuntimeError):  # RuntimeError: ~name of nobody
        raise ArgumentError(
            f'"{shown}" is no path on this computer; type that of a folder, a label file or a zip'
        ) from None
    if not (path.is_dir() or path.is_file()):
        raise ArgumentError(f"{shown}: is neither a file nor a folder; type the path of one")
    return path


@contextmanager
def _made_whole(folder: Path) -> Iterator[Project]:
    """A new project that appears under its name only once it is filled, so that nobody ever opens half of one."""
    building = folder.with_name(f".{folder.name}.{os.getpid()}.{threading.get_ident()}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        yield Project.create(building, folder.name)
        building.rename(folder)
    except OSError as error:
        raise StudioError(f"{folder}: cannot be made ({error.strerror or error}); mend that and try again") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _checked(name: str) -> str:
    """The folder name for a project of that name."""
    name = folder_name(name, "project")
    if os.path.lexists(workspace() / name):
        raise ArgumentError(f'project "{name}" exists already; choose it from the list or take another name')
    return name


def _free_folder(wanted: str) -> Path:
    """A folder of the workspace that does not exist yet: the wanted name, or that with a number."""
    base = re.sub(r"[^\w .-]+", "-", wanted)[:80].strip(" .-") or "project"
    folder, number = workspace() / base, 2
    while os.path.lexists(folder):
        folder, number = workspace() / f"{base}-{number}", number + 1
    return folder
