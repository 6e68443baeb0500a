"""The picture that the Annotate page shows. The URL and the session store it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.shell import page_visits

_IMAGE = "annotate_image"
_LEFT = "annotate_left"
_STALE = 2.0
"""Seconds during which the browser may still send the URL of a picture that was left."""


def current_image(project: Project, images: Sequence[StoredImage]) -> StoredImage:
    """Return the picture in the URL (`?image=FILE`), else the last one of this session, else the first one.

    A message that the browser sends just after the user opens another picture may still have the old URL. So for
    `_STALE` seconds, the URL of a picture that was left during this visit of the page is ignored and replaced;
    otherwise the page would go back to that picture.
    """
    here, asked = shown_image(project), st.query_params.get("image")
    image = named(images, here if was_just_left(asked) else asked or here)
    go_to(project, image)
    return image


def shown_image(project: Project) -> str | None:
    """File name of the picture that this session showed last; None if it showed none of this project."""
    found: str | None = st.session_state.get(_IMAGE, {}).get(str(project.folder))
    return found


def named(images: Sequence[StoredImage], file_name: str | None) -> StoredImage:
    """The picture of this name, else the first one."""
    return next((image for image in images if image.file_name == file_name), images[0])


def was_just_left(file_name: str | None) -> bool:
    """Whether this visit of the page showed this picture less than `_STALE` seconds ago and has left it."""
    return file_name in _just_left()


def _just_left() -> dict[str, float]:
    """Names of the pictures that were just left, and when."""
    visit, left = st.session_state.get(_LEFT, (0, {}))
    now = time.monotonic()
    return {name: at for name, at in left.items() if visit == page_visits.number() and now - at < _STALE}


def go_to(project: Project, image: StoredImage) -> None:
    """Open a picture: write its name into the session and the URL, and note when the previous picture was left."""
    shown: dict[str, str] = st.session_state.setdefault(_IMAGE, {})
    last = shown_image(project)
    if last not in (None, image.file_name):
        st.session_state[_LEFT] = page_visits.number(), {**_just_left(), last: time.monotonic()}
    shown[str(project.folder)] = image.file_name
    if st.query_params.get("image") != image.file_name:
        st.query_params["image"] = image.file_name


def step_picture(project: Project, images: Sequence[StoredImage], step: int) -> None:
    """Open the next picture (step 1) or the previous one (-1). At the ends of the list, the picture stays."""
    here = shown_image(project)
    place = next((number for number, image in enumerate(images) if image.file_name == here), 0)
    go_to(project, images[min(max(0, place + step), len(images) - 1)])
