"""The parts of the Annotate page: each draws one corner of it and calls back into `annotate_state`."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from maskrcnn.annotations.store import Project, ProjectClass, Split, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio import annotate_picture, annotate_state, session, transfer
from maskrcnn.studio.annotate_state import Editor

_IMAGE = "annotate_image"
_GOTO = "annotate_goto"
_THUMBNAILS = 9


def current_image(project: Project, images: Sequence[StoredImage]) -> StoredImage:
    """The picture in the address (`?image=FILE`), else the last one of this session, else the first one."""
    asked = st.query_params.get("image") or st.session_state.get(_IMAGE, {}).get(str(project.folder))
    image = next((image for image in images if image.file_name == asked), images[0])
    go_to(project, image)
    return image


def go_to(project: Project, image: StoredImage) -> None:
    st.session_state.setdefault(_IMAGE, {})[str(project.folder)] = image.file_name
    if st.query_params.get("image") != image.file_name:
        st.query_params["image"] = image.file_name


def picture_bar(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """Previous, the list of pictures, next, done."""
    place = images.index(image)
    numbers = {entry.id: number for number, entry in enumerate(images, 1)}

    def words(image_id: int) -> str:
        entry = images[numbers[image_id] - 1]
        return f"{numbers[image_id]} / {len(images)}  {entry.file_name}{'  ✓' if entry.done else ''}"

    def chosen() -> None:
        go_to(project, images[numbers[st.session_state[_GOTO]] - 1])

    def mark() -> None:
        with session.fail_softly(stop=False):
            project.set_done(image.id, st.session_state[f"annotate_done_{image.id}"])

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            shortcut="left",
            disabled=place == 0,
            on_click=go_to,
            args=(project, images[max(0, place - 1)]),
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
            shortcut="right",
            disabled=place == len(images) - 1,
            on_click=go_to,
            args=(project, images[min(len(images) - 1, place + 1)]),
        )
        st.session_state[f"annotate_done_{image.id}"] = image.done
        st.checkbox("Done", key=f"annotate_done_{image.id}", on_change=mark, help="Nothing left to label here.")


def class_picker(project: Project) -> None:
    """A button for each class with its colour; keys 1 to 9 choose. The next region gets the chosen class."""
    chosen = annotate_state.chosen_class(project)
    classes = project.classes()
    with st.container(horizontal=True, gap="xsmall"):
        for number, entry in enumerate(classes, 1):
            st.button(
                f':color[⬤]{{foreground="{entry.colour}"}} {_plain(entry.name)}',
                key=f"annotate_class_{number}",
                type="primary" if entry.name == chosen else "secondary",
                shortcut=str(number) if number <= 9 else None,
                on_click=annotate_state.choose_class,
                args=(entry.name,),
            )
        with st.popover("Classes", icon=":material/palette:", help="Add, rename, recolour or remove a class."):
            _class_editor(project, classes)


def _class_editor(project: Project, classes: list[ProjectClass]) -> None:
    with st.form("annotate_add_class", clear_on_submit=True, border=False):
        name = st.text_input("New class", placeholder="for example cell", key="annotate_new_class")
        if st.form_submit_button("Add class", icon=":material/add:"):
            with session.fail_softly(stop=False):
                project.set_classes([*classes, ProjectClass(name.strip(), _free_colour(classes))])
                annotate_state.choose_class(name.strip())
                st.rerun()
    if not classes:
        return
    old = st.selectbox("Change a class", [entry.name for entry in classes])
    entry = next(entry for entry in classes if entry.name == old)
    with st.form("annotate_change_class", border=False):
        new = st.text_input("Name", entry.name, key=f"annotate_rename_{old}")
        colour = st.color_picker("Colour", entry.colour, key=f"annotate_recolour_{old}")
        rename, remove = st.columns(2)
        if rename.form_submit_button("Save", icon=":material/check:"):
            with session.fail_softly(stop=False):
                if colour != entry.colour:
                    project.set_classes([ProjectClass(c.name, colour if c.name == old else c.colour) for c in classes])
                project.rename_class(old, new.strip())
                annotate_state.remount()
                st.rerun()
        if remove.form_submit_button("Remove", icon=":material/delete:"):
            with session.fail_softly(stop=False):
                project.set_classes([other for other in classes if other.name != old])
                st.rerun()


def region_table(project: Project, editor: Editor) -> None:
    """The regions: number as on the picture, class to choose, and a box that deletes."""
    if not editor.regions:
        st.info("No regions yet. Click around an object on the picture; click the first point again to close.")
        return
    classes = [entry.name for entry in project.classes()]
    colours = annotate_state.colours(project)
    table = pd.DataFrame(
        {
            "number": [_disc(number, colours[region.class_name]) for number, region in enumerate(editor.regions, 1)],
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
            "class": st.column_config.SelectboxColumn("Class", options=classes, required=True),
            "delete": st.column_config.CheckboxColumn("Delete", width=76, help="Tick to delete; Undo brings it back."),
        },
    )


def _table_changed(editor_key: str, table_key: str) -> None:
    editor = annotate_state.editor_of(editor_key)
    rows = st.session_state[table_key]["edited_rows"]
    annotate_state.change(editor_key, annotate_state.with_changes(editor.regions, rows))


def history_buttons(project: Project, editor: Editor) -> None:
    """Undo and redo the saves of this picture, back to where the labels came in."""
    possible = {"undo": project.can_undo(editor.image_id), "redo": project.can_redo(editor.image_id)}
    for direction, key in (("undo", "ctrl+z"), ("redo", "ctrl+y")):
        st.button(
            direction.capitalize(),
            icon=f":material/{direction}:",
            shortcut=key,
            disabled=not possible[direction],
            on_click=annotate_state.step,
            args=(editor.key, direction),
        )


def save_status(editor: Editor) -> None:
    """When it was saved, or why it was not and what to do."""
    if editor.problem:
        st.error(editor.problem, icon=":material/error:")
    elif editor.saved_at:
        st.markdown(f":material/cloud_done: saved {editor.saved_at}", width="content")
    else:
        st.markdown(":material/cloud_done: all saved", width="content")


def conflict_box(editor: Editor) -> None:
    """Somebody else saved this picture: show it, and offer the three ways on. Nothing is lost in any of them."""
    if editor.conflict is None:
        return
    st.warning(
        "This picture was saved elsewhere since you opened it (another tab?). Your change is kept here; choose how to "
        "go on. What you do not choose stays in the history: Undo brings it back.",
        icon=":material/call_split:",
    )
    with st.container(horizontal=True):
        for label, choice in (("Keep both changes", "both"), ("Keep mine", "mine"), ("Load the other", "theirs")):
            st.button(
                label, key=f"annotate_resolve_{choice}", on_click=annotate_state.resolve, args=(editor.key, choice)
            )


def thumbnails(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """The pictures around this one with their state; a click opens one."""
    first = max(0, min(images.index(image) - _THUMBNAILS // 2, len(images) - _THUMBNAILS))
    shown = images[first : first + _THUMBNAILS]
    for column, number, entry in zip(
        st.columns(_THUMBNAILS, gap="small"), range(first + 1, len(images) + 1), shown, strict=False
    ):
        with column:
            try:
                st.image(annotate_picture.thumbnail(project.picture(entry.id)), width="stretch", alt=entry.file_name)
            except StudioError:
                st.markdown(":material/broken_image:")
            st.button(
                f"{number} ✓" if entry.done else f"{number} · {entry.n_regions}",
                key=f"annotate_thumbnail_{entry.id}",
                type="primary" if entry.id == image.id else "tertiary",
                width="stretch",
                help=f"{entry.file_name}: {entry.n_regions} regions{', done' if entry.done else ''} ({entry.split})",
                on_click=go_to,
                args=(project, entry),
            )


def import_box(project: Project) -> None:
    """Labels and pictures from files or from a path on this computer."""
    if message := st.session_state.pop("annotate_imported", None):
        st.toast(message, icon=":material/check:")
    with st.popover("Import", icon=":material/upload:"):
        import_form(project)


def import_form(project: Project) -> None:
    split: Split = st.radio("Use them for", ["train", "val"], format_func=_SPLITS.__getitem__, horizontal=True)
    generation = st.session_state.setdefault("annotate_uploads", 0)
    uploads = st.file_uploader(
        "VIA or COCO JSON, pictures, or both together",
        type=transfer.UPLOADS,
        accept_multiple_files=True,
        key=f"annotate_uploads_{generation}",
    )
    path = st.text_input(
        "or a path on this computer", placeholder="a folder, a JSON file or a picture", key="annotate_import_path"
    )
    if st.button("Import", key="annotate_import", type="primary", disabled=not uploads and not path.strip()):
        with session.fail_softly(stop=False), st.spinner("Importing"):
            if uploads:
                report = transfer.take_uploads(project, [(file.name, file.getvalue()) for file in uploads], split)
            else:
                report = transfer.take_path(project, path, split)
            st.session_state["annotate_uploads"] = generation + 1
            st.session_state["annotate_imported"] = str(report)
            st.session_state["annotate_warnings"] = [
                *report.warnings,
                *(f"{name}: the picture was not found" for name in report.missing),
            ]
            st.rerun()


def import_warnings() -> None:
    """What the last import had to pass over, until it is dismissed."""
    warnings = st.session_state.get("annotate_warnings")
    if not warnings:
        return
    more = f"  \n... and {len(warnings) - 8} more" if len(warnings) > 8 else ""
    st.warning("  \n".join(_plain(line) for line in warnings[:8]) + more, icon=":material/warning:")
    st.button("Dismiss", on_click=st.session_state.pop, args=("annotate_warnings", None))


def export_box(project: Project) -> None:
    """The labels as a file of each format."""
    with st.popover("Export", icon=":material/download:"):
        which = st.radio("Pictures", list(_SPLITS), format_func=_SPLITS.__getitem__, key="annotate_export_split")
        split: Split | None = "train" if which == "train" else "val" if which == "val" else None
        name = project.folder.name if split is None else f"{project.folder.name}-{split}"
        for format, (words, file_name) in transfer.FORMATS.items():
            st.download_button(
                words,
                partial(transfer.exported, project, split, format),
                file_name.format(name=name),
                "application/json",
                key=f"annotate_export_{format}",
                icon=":material/data_object:",
                on_click="ignore",
                width="stretch",
            )


_SPLITS: Mapping[str, str] = {"all": "all pictures", "train": "training", "val": "validation"}


def _disc(number: int, colour: str) -> str:
    """The number on its colour, as on the picture, as a data URL."""
    disc = f'<circle cx="12" cy="12" r="11" fill="{colour}" stroke="black"/>'
    ink = "#{:02x}{:02x}{:02x}".format(*annotate_picture.ink(colour))
    font = 'text-anchor="middle" font-family="sans-serif" font-size="13"'
    text = f'<text x="12" y="16.5" {font} fill="{ink}">{number}</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">{disc}{text}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-!|$:~" else char for char in text)


def _free_colour(classes: Sequence[ProjectClass]) -> str:
    from maskrcnn.annotations.colours import colour_of

    used = {entry.colour for entry in classes}
    return next(colour for index in range(1000) if (colour := colour_of(index)) not in used)
