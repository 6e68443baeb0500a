"""The controls of the simple canvas that choose the picture: Previous, list, Next, Done, and a row of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate import picture_navigation
from maskrcnn.studio.components import thumbnails
from maskrcnn.studio.shell import hotkeys, session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

_GOTO = "annotate_goto"
_THUMBNAILS = 9
_THUMBNAIL_WIDTH = 92
"""CSS pixels. Nine thumbnails fit side by side into a window of 1280 pixels with the side bar open."""


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
        if not picture_navigation.was_just_left(picked.file_name):
            picture_navigation.go_to(project, picked)

    def save_done() -> None:
        with session.fail_softly(stop=False):
            project.set_done(image.id, st.session_state[f"annotate_done_{image.id}"])

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            help=hotkeys.tip(hotkeys.ANNOTATE, "previous"),
            disabled=place == 0,
            on_click=picture_navigation.step_picture,
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
            on_click=picture_navigation.step_picture,
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
                    on_click=picture_navigation.go_to,
                    args=(project, entry),
                )
