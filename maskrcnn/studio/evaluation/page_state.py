"""What is chosen on the Evaluation page: sliders, the open picture, the selected object; and where links lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import MeasuredSet
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, measured_set
from maskrcnn.studio.inspect import editor_link
from maskrcnn.studio.inspect.inspected_run import InspectedRun
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.shell.markdown_escape import plain

PAGE = "evaluation"
"""Prefix of the page's keys in the session state."""

_ITEM = re.compile(r"(found|truth)-(\d{1,9})")


@dataclass(frozen=True)
class ShownEpoch:
    """The epoch of a run that the page shows, as files and measured. `label` is the run's name in the URL."""

    project: Project
    run: RunFolder
    epoch: int
    images: tuple[dict[str, Any], ...]
    files: EpochFiles
    measured: MeasuredSet
    is_validated: bool

    def key_of(self, item: str) -> str:
        """How links name a detection or an object: `found:POSITION` or `truth:ANNOTATION_ID`."""
        side, number = parsed(item)
        if side == "found":
            return f"found:{self.measured.detections.position[number]}"
        return f"truth:{self.measured.objects.annotation_ids[number]}"

    def picture_of(self, item: str) -> int:
        """The picture of a detection or an object."""
        side, number = parsed(item)
        return int((self.measured.detections if side == "found" else self.measured.objects).picture[number])

    def has(self, item: object) -> bool:
        """Whether a text names a detection or an object of this epoch."""
        if not isinstance(item, str) or not _ITEM.fullmatch(item):
            return False
        side, number = parsed(item)
        return number < len(self.measured.detections if side == "found" else self.measured.objects)


def shown_epoch(project: Project, inspected: InspectedRun, epoch: int) -> ShownEpoch:
    """Return the epoch, measured. Raises `StudioError` if a file cannot be read, or has changed just now."""
    files = EpochFiles.of(inspected.run, epoch)
    measured = measured_set(files)  # reads the run again
    images = tuple(inspected.truth["images"])
    if measured.pictures != tuple(image["id"] for image in images):
        raise StudioError(f"{inspected.run.name}: its labels were changed or deleted just now; load the page again")
    return ShownEpoch(project, inspected.run, epoch, images, files, measured, inspected.is_validated)


def parsed(item: str) -> tuple[str, int]:
    """Side and number of a detection (`found-12`) or an object (`truth-3`): their place in the measured set.

    >>> parsed("found-12")
    ('found', 12)
    """
    side, _, number = item.partition("-")
    return side, int(number)


def asked_picture(shown: ShownEpoch) -> int | None:
    """Return the picture that the URL names; None if it names none of this run."""
    name = st.query_params.get("image")
    return shown.measured.files.index(name) if name in shown.measured.files else None


def selected_item(shown: ShownEpoch, picture: int) -> str | None:
    """Return the selected detection or object, if it is one of this picture."""
    of_epoch, item = st.session_state.get(f"{PAGE}_selected", (None, None))
    is_there = of_epoch == shown.files and shown.has(item) and shown.picture_of(item) == picture
    return item if is_there else None


def open_picture(shown: ShownEpoch, picture: int, item: str | None = None, *, reveal: bool = False) -> None:
    """Open a picture and select a detection or object in it; for callbacks. `reveal` scrolls up to it."""
    if not 0 <= picture < len(shown.measured.files):
        return
    url_state.choose("image", shown.measured.files[picture])
    st.session_state[f"{PAGE}_selected"] = (shown.files, item)
    if reveal:
        st.session_state[f"{PAGE}_reveal"] = reveals() + 1


def open_item(shown: ShownEpoch, item: object) -> None:
    """Open the picture of a detection or an object, select it there and scroll up to it; for callbacks."""
    if shown.has(item):
        open_picture(shown, shown.picture_of(str(item)), str(item), reveal=True)


def reveals() -> int:
    """Return how often the picture was opened from further down."""
    return int(st.session_state.get(f"{PAGE}_reveal", 0))


def address(shown: ShownEpoch, picture: int, item: str | None) -> dict[str, str]:
    """Return the query of the Predictions page at a picture and an object in it."""
    query = {
        "project": shown.project.folder.name,
        "run": run_label(shown.run),
        "epoch": str(shown.epoch),
        "image": shown.measured.files[picture],
    }
    return query | ({editor_link.OBJECT: _reference(shown, item)} if item else {})


def editor_address(shown: ShownEpoch, picture: int, item: str | None) -> dict[str, str] | None:
    """Return the query of the editor at a picture and an object in it; None if the picture is not in this project."""
    try:
        name = editor_link.name_in_project(shown.project, shown.run, shown.images[picture])
    except StudioError:
        return None
    if name is None:
        return None
    query = {"project": shown.project.folder.name, "image": name, "back": PAGE}
    return query | ({editor_link.OBJECT: _reference(shown, item)} if item else {})


def review_address(shown: ShownEpoch) -> dict[str, str]:
    """Return the query of the editor's walk through the labels that the epoch makes doubtful."""
    return {"project": shown.project.folder.name, "review": f"{shown.run.name}:{shown.epoch}", "back": PAGE}


def run_label(run: RunFolder) -> str:
    """Return the name of the shown run in the URL: what was chosen in the list, else the name of its folder."""
    return str(st.session_state.get("predictions_run") or run.name)


def open_editor(shown: ShownEpoch, item: object) -> None:
    """Go to the editor at a detection or object, or say in a toast why not; not for callbacks."""
    if not shown.has(item):
        return
    picture = shown.picture_of(str(item))
    query = editor_address(shown, picture, str(item))
    if query is None:
        st.toast(f"{plain(shown.measured.files[picture])} is not one of this project's pictures.")
        return
    st.switch_page(editor_link.ANNOTATE_PAGE, query_params=query)


def _reference(shown: ShownEpoch, item: str) -> str:
    return editor_link.reference(shown.run, shown.epoch, shown.key_of(item))


def component_value(key: str, name: str) -> Any:
    """Return a value that a component has sent; None before the first one."""
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None
