"""The ways in of the Try it page: files, a folder, pictures of the project, the camera, and a sample picture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio import serving
from maskrcnn.studio.dataset.project_cache import progress_bar
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.try_it import opened_set
from maskrcnn.studio.try_it.network_view import ABOUT, ChosenNetwork
from maskrcnn.studio.try_it.opened_set import PAGE
from maskrcnn.studio.try_it.sets import incoming
from maskrcnn.studio.try_it.sets.set_folders import MOST_PICTURES
from maskrcnn.words import counted

WAYS = {
    "files": ":material/upload_file: Pictures, a zip or a video",
    "folder": ":material/folder_open: A folder",
    "project": ":material/photo_library: Pictures of the project",
    "camera": ":material/photo_camera: Camera",
}
_GENERATION = f"{PAGE}_generation"
_OF_PROJECT = {
    "none": "without labels",
    "all": "all pictures",
    "train": "training",
    "val": "validation",
}


def show(project: Project, chosen: ChosenNetwork, has_sets: bool) -> None:
    """Draw the choice of pictures. As soon as some were given, they become a set, and the page shows it.

    `has_sets`: the person knows the page; without a set, the sample picture is the next step.
    """
    way = url_state.segments("From", "from", list(WAYS), "files", page=PAGE, show=WAYS.__getitem__)
    with session.fail_softly(stop=False):
        {"files": _files, "folder": _folder, "project": _of_project, "camera": _camera}[way](project, chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        kind: Literal["primary", "secondary"] = "secondary" if has_sets else "primary"
        label = "Try it on a sample picture"
        if st.button(label, key=f"{PAGE}_sample", icon=":material/play_arrow:", type=kind):
            with session.fail_softly(stop=False):
                _start(project, chosen, partial(incoming.from_files, *_sample(project, chosen.run)))
        st.markdown(f"{ABOUT} The pictures stay on this computer.")


def _files(project: Project, chosen: ChosenNetwork) -> None:
    """Draw the uploader of pictures, zips and videos."""
    given = st.file_uploader(
        "Drop pictures, a zip of pictures, or a short video",
        accept_multiple_files=True,
        key=f"{PAGE}_files_{_generation()}",
        help=f"At most {MOST_PICTURES:,} pictures, or a video of at most {clock(incoming.MOST_SECONDS)}.",
    )
    _take(project, chosen, [(file.name, file) for file in given or []])


def _folder(project: Project, chosen: ChosenNetwork) -> None:
    """Draw the uploader of a folder."""
    given = st.file_uploader(
        "Choose a folder, or drop one",
        accept_multiple_files="directory",
        key=f"{PAGE}_folder_{_generation()}",
        help=f"All pictures in it and in its sub-folders, at most {MOST_PICTURES:,}.",
    )
    _take(project, chosen, [(file.name, file) for file in given or []])


def _camera(project: Project, chosen: ChosenNetwork) -> None:
    """Draw the camera."""
    columns = st.columns([3, 2])
    with columns[0]:
        photo = st.camera_input("Take a photo", key=f"{PAGE}_camera_{_generation()}")
    if photo is not None:
        _take(project, chosen, [(f"photo {time.strftime('%H.%M.%S')}.jpg", photo)])


def _of_project(project: Project, chosen: ChosenNetwork) -> None:
    """Draw the choice of pictures of the project."""
    images = project.images()
    options = {name: _chosen_images(images, name) for name in _OF_PROJECT}
    which = url_state.segments(
        "Which",
        "which",
        list(options),
        "none" if options["none"] else "all",
        page=PAGE,
        show=lambda name: f"{_OF_PROJECT[name]} ({len(options[name]):,})",
    )
    number = len(options[which])
    title = f"{_OF_PROJECT[which]} of {project.folder.name}"
    label = f"Look at {counted(number, 'picture')}"
    if st.button(label, key=f"{PAGE}_project", type="primary", icon=":material/search:", disabled=not number):
        _start(project, chosen, lambda folder: incoming.from_project(options[which], title))
    if not images:
        st.markdown("The project has no pictures yet. Drop some under the first tab, or import them on Dataset.")


def _chosen_images(images: Sequence[StoredImage], which: str) -> list[StoredImage]:
    """The pictures of the project of one of the choices."""
    if which == "none":
        return [image for image in images if not image.n_regions and not image.done]
    return [image for image in images if which in ("all", image.split)]


def _take(project: Project, chosen: ChosenNetwork, files: Sequence[tuple[str, object]]) -> None:
    """Make a set of uploaded files, and empty the uploader."""
    if not files:
        return
    try:
        with st.spinner("Reading the pictures"), st.empty():
            uploads = [(name, file.getvalue()) for name, file in files]  # type: ignore[attr-defined]
            progress = progress_bar("Looking at the files")
            workspace = session.workspace()
            _start(
                project,
                chosen,
                lambda folder: incoming.from_uploads(uploads, folder, workspace, progress),
            )
    except StudioError as error:
        opened_set.session_message(error)
        _empty_uploader()
        st.rerun()


def _start(project: Project, chosen: ChosenNetwork, given_in: incoming.GivenIn) -> None:
    """Start a set with the chosen network."""
    opened_set.start(project, chosen.network, chosen.config, given_in, time.time(), _empty_uploader)


def _generation() -> int:
    """The number of the uploader: it keeps its files as long as its key stays the same."""
    return st.session_state.setdefault(_GENERATION, 0)


def _empty_uploader() -> None:
    """Forget the uploaded files."""
    st.session_state[_GENERATION] = _generation() + 1
    serving.discard_uploads()


def _sample(project: Project, run: RunFolder) -> tuple[dict[str, Path], str]:
    """A picture to try a network on, {name: file}, and the title of its set.

    It is a validation picture of the run, else a picture of the project, else one of the sample project.
    """
    try:
        for image in (run.dataset()["val"] or {"images": []})["images"]:
            path = run.picture_path(image)
            if path.is_file():
                return {image["file_name"]: path}, "Sample picture"
    except (StudioError, OSError):
        pass  # the labels of the run are damaged; another picture is as good
    for stored in project.images(limit=1):
        return {stored.file_name: project.picture(stored.id)}, "Sample picture"
    shipped = sorted((DATA / "shapes" / "val").glob("*.png")) + sorted((DATA / "shapes" / "val").glob("*.jpg"))
    if not shipped:
        raise StudioError("there is no sample picture in this copy of the studio; drop a picture of yours")
    return {shipped[0].name: shipped[0]}, "Sample picture"
