"""The row below the canvas: Undo and Redo buttons, and the save status."""

from __future__ import annotations

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import editing
from maskrcnn.studio.annotate.editing import Editor
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.markdown_escape import plain


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
    """Draw the time of the last save, or the error message if it failed."""
    if editor.problem:
        st.error(plain(editor.problem), icon=":material/error:")
    elif editor.saved_at:
        st.markdown(f":material/cloud_done: saved {editor.saved_at}", width="content")
    else:
        st.markdown(":material/cloud_done: all saved", width="content")
