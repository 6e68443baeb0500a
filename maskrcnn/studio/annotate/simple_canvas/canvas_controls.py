"""The controls around the canvas of the Annotate page: tool, zoom, keyboard shortcuts, Undo, Redo, save status."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate import picture_navigation
from maskrcnn.studio.annotate.simple_canvas import class_picker, editing
from maskrcnn.studio.annotate.simple_canvas.editing import Editor
from maskrcnn.studio.components import canvas
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.markdown_escape import plain

TOOL, ZOOM = "annotate_tool", "annotate_zoom"
"""Session state keys of the tool and zoom controls above the picture."""

ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0)

TOOLS: dict[canvas.Mode, str] = {"polygon": "Polygon", "box": "Box", "edit": "Edit"}
HINTS: dict[canvas.Mode, str] = {
    "polygon": "Click around an object; click the first point again to close it.",
    "box": "Drag a box around an object.",
    "edit": "Press the pencil above the picture, then click a region: drag it, or click it again for its points.",
}
"""Tool -> instruction for the line below the canvas."""


def show_tool_bar(project: Project, images: Sequence[StoredImage], image: StoredImage) -> tuple[canvas.Mode, float]:
    """Draw the row of controls above the canvas, and return the chosen tool and the zoom factor.

    At zoom factor 1 the whole picture is visible.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        tool = st.segmented_control(
            "Tool",
            list(TOOLS),
            format_func=TOOLS.__getitem__,
            key=TOOL,
            default="polygon",
            required=True,
            label_visibility="collapsed",
        )
        zoom = st.selectbox(
            "Zoom",
            ZOOMS,
            key=ZOOM,
            format_func="Zoom {:.0%}".format,
            label_visibility="collapsed",
            width=140,
        )
        listen_to_keys(project, images, image)
    return tool, zoom


def history_buttons(project: Project, editor: Editor) -> None:
    """Draw the Undo and Redo buttons. They step through the saves of this picture, back to its import."""
    possible = {"undo": project.can_undo(editor.image_id), "redo": project.can_redo(editor.image_id)}
    for direction in ("undo", "redo"):
        st.button(
            direction.capitalize(),
            icon=f":material/{direction}:",
            help=hotkeys.tip(hotkeys.ANNOTATE, direction),
            disabled=not possible[direction],
            on_click=editing.undo_or_redo,
            args=(editor.key, direction),
        )


def save_status(editor: Editor) -> None:
    """Draw the last control below the canvas: the time of the last save, or the error message if it failed."""
    if editor.problem:
        st.error(plain(editor.problem), icon=":material/error:")
    elif editor.saved_at:
        st.markdown(f":material/cloud_done: saved {editor.saved_at}", width="content")
    else:
        st.markdown(":material/cloud_done: all saved", width="content")


def listen_to_keys(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """Listen to the keys of the Annotate page, and draw the button that opens the list of shortcuts."""
    classes = project.classes()
    shortcuts = (*hotkeys.ANNOTATE, *class_picker.class_shortcuts(classes))
    actions = {
        "previous": partial(picture_navigation.step_picture, project, images, -1),
        "next": partial(picture_navigation.step_picture, project, images, 1),
        "done": partial(project.set_done, image.id, not image.done),
        **{tool: partial(_choose_tool, tool) for tool in ("polygon", "box", "edit")},
        "region_up": partial(_select_next_region, project, image, -1),
        "region_down": partial(_select_next_region, project, image, 1),
        "delete": partial(_delete_selected_region, project, image),
        "undo": partial(_undo_or_redo, project, image, "undo"),
        "redo": partial(_undo_or_redo, project, image, "redo"),
        "zoom_in": partial(_zoom_step, 1),
        "zoom_out": partial(_zoom_step, -1),
        **{
            class_picker.class_action(entry.name): partial(class_picker.choose_class, entry.name)
            for entry in classes
            if class_picker.class_key(entry)
        },
    }
    hotkeys.listen(shortcuts, actions, "annotate_keys")
    hotkeys.sheet_button(shortcuts, "annotate_sheet")


def _editor_of_shown_picture(project: Project, image: StoredImage) -> Editor:
    """Return the editor that a key of the canvas controls acts on: that of the shown picture.

    Raises `StudioError` if it does not exist yet.
    """
    editor = editing.last_editor()
    if editor is None or (editor.project, editor.image_id) != (project.folder, image.id):
        raise StudioError("this picture is not open yet; press the key again")
    return editor


def _choose_tool(tool: str) -> None:
    """Choose the drawing tool by its key, as the control above the canvas does."""
    st.session_state[TOOL] = tool


def _zoom_step(step: int) -> None:
    """Zoom the canvas in (1) or out (-1) by one step of `ZOOMS`; the action of a key."""
    now = ZOOMS.index(st.session_state.get(ZOOM, ZOOMS[0]))
    st.session_state[ZOOM] = ZOOMS[min(max(0, now + step), len(ZOOMS) - 1)]


def _select_next_region(project: Project, image: StoredImage, step: int) -> None:
    """Select the next region (step 1) or the previous one (-1).

    If no region is selected, select the first region (step 1) or the last one (-1).
    """
    editor = _editor_of_shown_picture(project, image)
    if not editor.regions:
        return
    chosen = editing.selected_index(editor)
    if chosen is None:
        number = 0 if step > 0 else len(editor.regions) - 1
    else:
        number = min(max(0, chosen + step), len(editor.regions) - 1)
    editing.select_region(editor, number)


def _delete_selected_region(project: Project, image: StoredImage) -> None:
    """Delete the selected region; if there is none, show a hint."""
    editor = _editor_of_shown_picture(project, image)
    chosen = editing.selected_index(editor)
    if chosen is None:
        st.toast("No region is selected: ↓ and ↑ select one, then Delete deletes it.", icon=":material/keyboard:")
        return
    editing.save_regions(editor.key, editor.regions[:chosen] + editor.regions[chosen + 1 :])


def _undo_or_redo(project: Project, image: StoredImage, direction: str) -> None:
    """Undo or redo when a key of the canvas controls is pressed; do nothing if there is nothing to undo or redo."""
    editor = _editor_of_shown_picture(project, image)
    if (project.can_undo if direction == "undo" else project.can_redo)(image.id):
        editing.undo_or_redo(editor.key, direction)
