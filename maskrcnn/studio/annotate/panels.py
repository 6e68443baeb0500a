"""The parts of the Annotate page: each draws one corner of it and calls back into `editing`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from maskrcnn.annotations.store import Project, ProjectClass, StoredImage
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.drawing.jpeg import square_jpeg
from maskrcnn.drawing.swatches import disc
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate import editing
from maskrcnn.studio.annotate.editing import Editor
from maskrcnn.studio.dataset import class_editing, similar_class
from maskrcnn.studio.shell import hotkeys, session
from maskrcnn.studio.shell.plain_text import plain
from maskrcnn.words import counted

_IMAGE = "annotate_image"
_GOTO = "annotate_goto"
_LEFT = "annotate_left"
_STALE = 2.0
"""Seconds for which the address of a picture that was left may still arrive."""

_THUMBNAILS = 9
_THUMBNAIL_WIDTH = 92  # nine beside each other in a window of 1280 pixels with the side bar open
_MANY_CLASSES = 12


def current_image(project: Project, images: Sequence[StoredImage]) -> StoredImage:
    """The picture in the address (`?image=FILE`), else the last one of this session, else the first one.

    An address that was left a moment ago does not count: a message that the browser sent before it heard of the step
    (the canvas sends one when it is mounted) still carries it, and would take the step back.
    """
    here = st.session_state.get(_IMAGE, {}).get(str(project.folder))
    asked = st.query_params.get("image") or here
    if asked != here and _was_just_left(asked):
        asked = here
    image = next((image for image in images if image.file_name == asked), images[0])
    go_to(project, image)
    return image


def _was_just_left(file_name: str | None) -> bool:
    return time.monotonic() - st.session_state.get(_LEFT, {}).get(file_name, -_STALE) < _STALE


def go_to(project: Project, image: StoredImage) -> None:
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
    """Open the next picture (step 1) or the one before (-1); at an end of the list, nothing."""
    here = st.session_state.get(_IMAGE, {}).get(str(project.folder))
    place = next((number for number, image in enumerate(images) if image.file_name == here), 0)
    go_to(project, images[min(max(0, place + step), len(images) - 1)])


def picture_bar(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """Previous, the list of pictures, next, done."""
    place = images.index(image)
    numbers = {entry.id: number for number, entry in enumerate(images, 1)}

    def words(image_id: int) -> str:
        entry = images[numbers[image_id] - 1]
        return f"{numbers[image_id]} / {len(images)}  {entry.file_name}{'  ✓' if entry.done else ''}"

    def chosen() -> None:
        picked = images[numbers[st.session_state[_GOTO]] - 1]
        if not _was_just_left(picked.file_name):  # else the browser sends what the box held before a step
            go_to(project, picked)

    def mark() -> None:
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
            format_func=words,
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
        st.checkbox("Done", key=f"annotate_done_{image.id}", on_change=mark, help="Nothing left to label here (D).")


def class_picker(project: Project) -> None:
    """A button for each class with its colour and its key. The next region gets the chosen class."""
    chosen = editing.chosen_class(project)
    classes = project.classes()
    # Many classes get a place to scroll in, so that the regions below stay in sight.
    with st.container(horizontal=True, gap="xsmall", height=260 if len(classes) > _MANY_CLASSES else "content"):
        for number, entry in enumerate(classes, 1):
            key = hotkeys.of(entry)
            st.button(
                f':color[⬤]{{foreground="{known_colour(entry.colour)}"}} {plain(entry.name)}'
                + (f" :gray-badge[{hotkeys.shown(key)}]" if key else ""),
                key=f"annotate_class_{number}",
                type="primary" if entry.name == chosen else "secondary",
                on_click=editing.choose_class,
                args=(entry.name,),
            )
        with st.popover("Classes", icon=":material/palette:", help="Add a class, or change one."):
            _add_class(project, classes)


def _add_class(project: Project, classes: list[ProjectClass]) -> None:
    with st.form("annotate_add_class", clear_on_submit=True, border=False):
        name = st.text_input("New class", placeholder="for example cell", key="annotate_new_class")
        added = st.form_submit_button("Add class", icon=":material/add:")

    def add(name: str) -> None:
        project.set_classes([*classes, ProjectClass(name, class_editing.free_colour(classes))])
        use(name)

    def use(name: str) -> None:
        editing.choose_class(name)
        st.rerun()

    similar_class.make("annotate", name.strip() if added else None, [entry.name for entry in classes], add, use)
    dataset_link("classes", "Names, colours, keys, order", ":material/palette:")


def region_table(project: Project, editor: Editor) -> None:
    """The regions: number as on the picture, class to choose, and a box that deletes."""
    if not editor.regions:
        st.info("No regions yet. Click around an object on the picture; click the first point again to close.")
        return
    classes = [entry.name for entry in project.classes()]
    colours = editing.colours(project)
    selected = editing.selected(editor)
    table = pd.DataFrame(
        {
            "number": [
                disc(colours[region.class_name], str(number), is_selected=number - 1 == selected)
                for number, region in enumerate(editor.regions, 1)
            ],
            "class": [region.class_name for region in editor.regions],
            "delete": False,
        }
    )
    key = f"annotate_table_{editor.key}_{editor.revision}"
    st.data_editor(
        table,
        key=key,
        hide_index=True,
        height=min(36 + 35 * len(table), 390),
        row_height=35,
        on_change=partial(_table_changed, editor.key, key),
        column_config={
            "number": st.column_config.ImageColumn("#", width=40, help="The number on the picture."),
            # A long name must not push the boxes out of sight.
            "class": st.column_config.SelectboxColumn("Class", options=classes, required=True, width=100),
            "delete": st.column_config.CheckboxColumn("Delete", width=76, help="Tick to delete; Undo brings it back."),
        },
    )


def _table_changed(editor_key: str, table_key: str) -> None:
    editor = editing.editor_of(editor_key)
    rows = st.session_state[table_key]["edited_rows"]
    editing.change(editor_key, editing.with_changes(editor.regions, rows))


def history_buttons(project: Project, editor: Editor) -> None:
    """Undo and redo the saves of this picture, back to where the labels came in."""
    possible = {"undo": project.can_undo(editor.image_id), "redo": project.can_redo(editor.image_id)}
    for direction in ("undo", "redo"):
        st.button(
            direction.capitalize(),
            icon=f":material/{direction}:",
            help=hotkeys.tip(hotkeys.ANNOTATE, direction),
            disabled=not possible[direction],
            on_click=editing.step,
            args=(editor.key, direction),
        )


def save_status(editor: Editor) -> None:
    """When it was saved, or why it was not and what to do."""
    if editor.problem:
        st.error(plain(editor.problem), icon=":material/error:")
    elif editor.saved_at:
        st.markdown(f":material/cloud_done: saved {editor.saved_at}", width="content")
    else:
        st.markdown(":material/cloud_done: all saved", width="content")


def thumbnails(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """The pictures around this one with their state; a click opens one."""
    first = max(0, min(images.index(image) - _THUMBNAILS // 2, len(images) - _THUMBNAILS))
    with st.container(horizontal=True, gap="small"):
        for number, entry in enumerate(images[first : first + _THUMBNAILS], first + 1):
            with st.container(width=_THUMBNAIL_WIDTH, gap="xsmall"):
                try:
                    st.image(_square(project.thumbnail(entry.id)), width="stretch", alt=entry.file_name)
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


@st.cache_data(max_entries=1000, show_spinner=False)
def _square(content: bytes) -> bytes:
    return square_jpeg(content)


def dataset_links() -> None:
    """The way to import and export, which the Dataset page does."""
    dataset_link("import", "Import", ":material/upload:")
    dataset_link("export", "Export", ":material/download:")


def dataset_link(view: str, label: str, icon: str) -> None:
    """A link to a view of the Dataset page, for the project of this tab."""
    query = {"project": st.query_params.get("project", ""), "view": view}
    st.page_link("pages/label/dataset.py", label=label, icon=icon, query_params=query)
