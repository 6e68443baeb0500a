"""From an object or a detection of a run to the editor, which opens at that very object, and back.

The editor is asked by query parameters: `project`, `image` (the picture's name in the project), `back` (the page to
return to) and `object`: `RUN:EPOCH:truth:ANNOTATION_ID` or `RUN:EPOCH:found:POSITION`, where the position is the index
in `RunFolder.detections(EPOCH)`. The Predictions page selects what `object` names, too.
"""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.shell.markdown_escape import plain

ANNOTATE_PAGE = "pages/label/annotate.py"
OBJECT = "object"
"""The query parameter that names an object or a detection."""
KEY = re.compile(r"truth:.{1,64}|found:\d{1,9}", re.DOTALL)
"""What names an object or a detection within an epoch of a run."""


def name_in_project(project: Project, run: RunFolder, image: dict[str, Any]) -> str | None:
    """Return the name in the project of a picture of a run; None if its file is not among the project's pictures.

    Raises `StudioError` if the run names a file that it must not.
    """
    path = run.picture_path(image)
    return path.name if path.parent == project.images_folder.resolve() else None


def why_no_editor(project: Project, run: RunFolder, image: dict[str, Any]) -> str:
    """Return why the editor cannot open a picture of a run, as a plain sentence; "" if it can."""
    try:
        is_there = name_in_project(project, run, image) is not None
    except StudioError as error:
        return str(error)
    return "" if is_there else "Not in the editor: this picture is not one of this project's."


def reference(run: RunFolder, epoch: int, key: str) -> str:
    """Return how the `object` of a link names an object or a detection.

    >>> reference(RunFolder("runs/first"), 3, "truth:12")
    'first:3:truth:12'
    """
    return f"{run.name}:{epoch}:{key}"


def asked_object(run: RunFolder, epoch: int) -> str:
    """Return the key (`truth:12`) of what the URL asks to select, if it is of this epoch of the run; else ""."""
    asked = st.query_params.get(OBJECT, "")
    start = reference(run, epoch, "")
    key = asked.removeprefix(start)
    return key if asked.startswith(start) and KEY.fullmatch(key) else ""


def open_editor(project: Project, run: RunFolder, epoch: int, image: dict[str, Any], key: str) -> None:
    """Go to the editor at an object (`truth:ID`) or detection (`found:POSITION`), or say in a toast why not."""
    name = name_in_project(project, run, image)
    if name is None or not any(stored.file_name == name for stored in project.images()):
        st.toast(f"{plain(image['file_name'])} is not in the project any more; see Dataset > Pictures.")
        return
    query = {"project": project.folder.name, "image": name, OBJECT: reference(run, epoch, key), "back": "predictions"}
    st.switch_page(ANNOTATE_PAGE, query_params=query)
