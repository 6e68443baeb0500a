"""Which workspace and which project a browser tab is looking at, and how a page shows an error.

The project of a tab is named in its address (`?project=NAME`), so a link or a reload brings it back; the session keeps
it as well, because moving to another page by typing its address drops the query.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from maskrcnn import shipped
from maskrcnn.annotations import intake, read
from maskrcnn.annotations.store import DATABASE, SPLITS, Project
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.jobs.recovery import OPENED
from maskrcnn.studio.plain_text import plain

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "shapes"
SAMPLE_NAME = "shapes"
_creating = threading.Lock()


def workspace() -> Path:
    """The folder that holds the projects: `workspace/` beside `app.py`, or where MASKRCNN_WORKSPACE points."""
    folder = Path(os.environ.get("MASKRCNN_WORKSPACE") or ROOT / "workspace").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def projects() -> list[Path]:
    """Every project of the workspace by name, then those opened elsewhere. Where there is none, the sample is made."""
    found = _projects_in_workspace()
    if not found:
        _create_sample()
        found = _projects_in_workspace()
    return found + [path for path in _opened_elsewhere() if path not in found]


def current_project() -> Project:
    """The project this tab works on: the one in the address, else the last one, else the first one."""
    known = projects()
    found = {path.name: path for path in reversed(known)}  # of two of one name, the workspace's own
    asked = st.query_params.get("project")
    if asked is not None and asked not in found:
        st.toast(f'There is no project "{plain(asked)}" in this workspace.', icon=":material/warning:")
    remembered = st.session_state.get("project_path")
    if asked in found and (remembered is None or Path(remembered).name != asked):
        path = found[asked]
    elif remembered is not None and (Path(remembered) / DATABASE).is_file():
        path = Path(remembered)
    else:
        path = found.get(SAMPLE_NAME) or known[0]
    _remember(path)
    return Project.open(path)


def switch_project(path: Path) -> None:
    """Make this project the one of the tab, from the next run of the script on."""
    if st.session_state.get("project_path") != str(path):
        # What a page remembers (picture, run, row) belongs to the project that is left.
        st.query_params.clear()
    _remember(path)


def create_project(name: str) -> Path:
    """A new, empty project in the workspace; `ArgumentError` where the name cannot be used."""
    folder = workspace() / _checked(name)
    Project.create(folder, name.strip())
    return folder


def open_folder(text: str) -> Path:
    """Open what a path on this computer points to: a project folder is used in place, all else becomes a new project.

    That is labels of any format with their pictures, pictures alone, or a zip of these. Raises `StudioError` naming the
    path and the mend.
    """
    path = Path(text.strip().strip("\"'")).expanduser()
    if text.strip() and (path / DATABASE).is_file():
        path = path.resolve()
        Project.open(path)
        _note_opened(path)
        return path
    with intake.stage_path(text) as staged:
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
    return name


def _remember(path: Path) -> None:
    st.session_state["project_path"] = str(path)
    if st.query_params.get("project") != path.name:
        st.query_params["project"] = path.name


def _projects_in_workspace() -> list[Path]:
    return sorted(path.parent for path in workspace().glob(f"[!.]*/{DATABASE}"))


def _opened_elsewhere() -> list[Path]:
    try:
        lines = (workspace() / OPENED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [Path(line) for line in lines if (Path(line) / DATABASE).is_file()]


def _note_opened(path: Path) -> None:
    if path not in projects():
        with (workspace() / OPENED).open("a", encoding="utf-8") as file:
            file.write(f"{path}\n")


def _create_sample() -> None:
    """The sample project, from what ships with the studio: pictures, labels, and the run of a model."""
    with _creating:
        if _projects_in_workspace():
            return
        with _made_whole(workspace() / SAMPLE_NAME) as project:
            for split in SPLITS:
                if (SAMPLE / split).is_dir():
                    project.import_dataset(read(SAMPLE / split), split)
            if shipped.folder(shipped.DEFAULT):  # curves, epochs and predictions before anyone has trained
                pictures = {image.file_name: project.picture(image.id) for image in project.images()}
                shipped.copy_into(project.runs_folder, shipped.DEFAULT, pictures)


@contextmanager
def _made_whole(folder: Path) -> Iterator[Project]:
    """A new project that appears under its name only once it is filled, so that nobody ever opens half of one."""
    building = folder.with_name(f".{folder.name}.{os.getpid()}.{threading.get_ident()}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        yield Project.create(building, folder.name)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _checked(name: str) -> str:
    """The folder name for a project of that name."""
    name = folder_name(name, "project")
    if (workspace() / name).exists():
        raise ArgumentError(f'project "{name}" exists already; choose it from the list or take another name')
    return name


def _free_folder(wanted: str) -> Path:
    """A folder of the workspace that does not exist yet: the wanted name, or that with a number."""
    base = re.sub(r"[^\w .-]+", "-", wanted).strip(" .-") or "project"
    folder, number = workspace() / base, 2
    while folder.exists():
        folder, number = workspace() / f"{base}-{number}", number + 1
    return folder
