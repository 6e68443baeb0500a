"""Choice of the picture to annotate, by list, buttons, keys or thumbnails. The URL and the session store it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.components import thumbnails
from maskrcnn.studio.shell import hotkeys, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

_IMAGE = "annotate_image"
_GOTO = "annotate_goto"
_LEFT = "annotate_left"
_STALE = 2.0
"""Seconds during which the browser may still send the URL of a picture that was left."""

_THUMBNAILS = 9
_THUMBNAIL_WIDTH = 92
"""CSS pixels. Nine thumbnails fit side by side into a window of 1280 pixels with the side bar open."""


def current_image(project: Project, images: Sequence[StoredImage]) -> StoredImage:
    """Return the picture in the URL (`?image=FILE`), else the last one of this session, else the first one.

    A message that the browser sends just after the user opens another picture may still have the old URL. So for
    `_STALE` seconds, the URL of a picture that was left is ignored; otherwise the page would go back to that picture.
    """
    here = st.session_state.get(_IMAGE, {}).get(str(project.folder))
    asked = st.query_params.get("image") or here
    if asked != here and _was_just_left(asked):
        asked = here
    image = next((image for image in images if image.file_name == asked), images[0])
    go_to(project, image)
    return image


def _was_just_left(file_name: str | None) -> bool:
    """Whether the page showed this picture less than `_STALE` seconds ago and has left it."""
    left_at: float | None = st.session_state.get(_LEFT, {}).get(file_name)
    return left_at is not None and time.monotonic() - left_at < _STALE


def go_to(project: Project, image: StoredImage) -> None:
    """Open a picture: write its name into the session and the URL, and note when the previous picture was left."""
    shown: dict[str, str] = st.session_state.setdefault(_IMAGE, {})
    last = shown.get(str(project.folder))
    if last not in (None, image.file_name):
        now = time.monotonic()
        recent = {name: left for name, left in st.session_state.get(_LEFT, {}).items() if now - left < _STALE}
        st.session_state[_LEFT] = recent | {last: now}
    shown[str(project.folder)] = image.file_name
    if st.query_params.get("image") != image.file_name:
        st.query_params["image"] = image.file_name


def step_picture(project: Project, images: Sequence[StoredImage], step: int) -> None:
    """Open the next picture (step 1) or the previous one (-1). At the ends of the list, the picture stays."""
    here = st.session_state.get(_IMAGE, {}).get(str(project.folder))
    place = next((number for number, image in enumerate(images) if image.file_name == here), 0)
    go_to(project, images[min(max(0, place + step), len(images) - 1)])


def show_bar(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """Draw the Previous and Next buttons, the list of pictures between them, and the Done check box."""
    place = images.index(image)
    numbers = {entry.id: number for number, entry in enumerate(images, 1)}

    def list_entry(image_id: int) -> str:
        entry = images[numbers[image_id] - 1]
        return f"{numbers[image_id]} / {len(images)}  {entry.file_name}{'  ✓' if entry.done else ''}"

    def chosen() -> None:
        picked = images[numbers[st.session_state[_GOTO]] - 1]
        # Just after a click on Next, the browser may still send the picture before as the value of the list.
        if not _was_just_left(picked.file_name):
            go_to(project, picked)

    def save_done() -> None:
        with session.fail_softly(stop=False):
            project.set_done(image.id, st.session_state[f"annotate_done_{image.id}"])

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            help=hotkeys.tip(hotkeys.ANNOTATE, "previous"),
            disabled=place == 0,
            on_click=step_picture,
            args=(project, images, -1),
        )
        st.session_state[_GOTO] = image.id
        st.selectbox(
            "Picture",
            list(numbers),
            format_func=list_entry,
            key=_GOTO,
            on_change=chosen,
            label_visibility="collapsed",
            width="stretch",
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            icon_position="right",
            help=hotkeys.tip(hotkeys.ANNOTATE, "next"),
            disabled=place == len(images) - 1,
            on_click=step_picture,
            args=(project, images, 1),
        )
        st.session_state[f"annotate_done_{image.id}"] = image.done
        st.checkbox(
            "Done", key=f"annotate_done_{image.id}", on_change=save_done, help="Nothing left to label here (D)."
        )


def show_thumbnails(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """Draw thumbnails of the pictures before and after this one, each with a button that opens it."""
    first = max(0, min(images.index(image) - _THUMBNAILS // 2, len(images) - _THUMBNAILS))
    with st.container(horizontal=True, gap="small"):
        for number, entry in enumerate(images[first : first + _THUMBNAILS], first + 1):
            with st.container(width=_THUMBNAIL_WIDTH, gap="xsmall"):
                try:
                    st.image(thumbnails.square_thumbnail(project, entry), width="stretch", alt=entry.file_name)
                except StudioError:
                    st.markdown(":material/broken_image:")
                st.button(
                    f"{number} ✓" if entry.done else f"{number} · {entry.n_regions}",
                    key=f"annotate_thumbnail_{entry.id}",
                    type="primary" if entry.id == image.id else "tertiary",
                    width="stretch",
                    help=f"{plain(entry.file_name)}: {counted(entry.n_regions, 'region')}, "
                    f"{entry.status} ({entry.split})",
                    on_click=go_to,
                    args=(project, entry),
                )
