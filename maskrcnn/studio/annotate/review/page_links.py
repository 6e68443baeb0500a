"""Links from the Annotate page back to where an object was looked at, and on to the next training.

The links are Streamlit's own, below the editor: the editor's keys and buttons press them.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.review import object_links, run_objects
from maskrcnn.studio.annotate.review.object_links import RunEpoch
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections

_PAGES = Path(__file__).parents[4]
"""The folder of `app.py`."""

NEXT = "next"
"""Value of `?queue=`: the list of pictures that "Label next" made."""

_TITLES = {"predictions": "Predictions", "evaluation": "Evaluation", "compare": "Compare"}
_FILES = {name: f"pages/inspect/{name}.py" for name in _TITLES}
"""Name in `?back=` -> title and file of the page."""

_PASSED_ON = {
    "predictions": ("object",),
    "evaluation": ("object",),
    "compare": ("a", "a_epoch", "b", "b_epoch", "labels"),
}
"""Name in `?back=` -> what the page gets back as it gave it to the editor: it checks these by itself."""


def asked() -> dict[str, str]:
    """Return the parameters of the URL that the editor handles: `object`, `review`, `queue`, `back`, where given.

    `back` is left out unless it names a page that the studio has, and `queue` unless it names a list.
    """
    names = ("object", "review", "queue", "back")
    found = {name: st.query_params[name] for name in names if st.query_params.get(name)}
    if found.get("queue", NEXT) != NEXT:
        del found["queue"]
    if "back" in found and not (_PAGES / _FILES.get(found["back"], "none")).is_file():
        del found["back"]
    return found


def show(project: Project) -> None:
    """Draw the links that belong to what the URL asks for; nothing on an ordinary visit."""
    wanted = asked()
    if back := wanted.get("back"):
        with st.container(key="annotate_back", width="content"):
            st.page_link(
                _FILES[back],
                label=f"Back to {_TITLES[back]}",
                icon=":material/arrow_back:",
                query_params=_way_back(project, wanted),
            )
    if "review" in wanted:
        with st.container(key="annotate_train", width="content"):
            query = {"project": project.folder.name}
            st.page_link(
                "pages/train/launch.py", label="Train again", icon=":material/rocket_launch:", query_params=query
            )


def _way_back(project: Project, wanted: dict[str, str]) -> dict[str, str]:
    """Return the query of the page that the visitor came from: run, epoch and picture, as far as they are known."""
    query = {"project": project.folder.name}
    passed_on = _PASSED_ON[wanted["back"]]
    query |= {name: st.query_params[name] for name in passed_on if name in st.query_params}
    try:
        if "object" in wanted:
            of = object_links.parsed_object(project, wanted["object"]).of
        elif "review" in wanted:
            of = object_links.parsed_epoch(project, wanted["review"])
        else:
            return query
        query |= {"run": of.label, "epoch": str(of.epoch)}
        if name := _run_name(project, of, st.query_params.get("image", "")):
            query["image"] = name
    except StudioError:
        pass  # the editor tells what is wrong with the link
    return query


def _run_name(project: Project, of: RunEpoch, file_name: str) -> str | None:
    """Return how a run calls a picture of the project; None if it has no detections in it."""
    for number, image in run_objects.stored_pictures(project, of).items():
        if image.file_name == file_name:
            pictures = pictures_with_detections(of.run)["images"]
            return next(str(entry["file_name"]) for entry in pictures if entry["id"] == number)
    return None
