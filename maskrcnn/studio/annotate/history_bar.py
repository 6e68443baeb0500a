"""Below the canvas: undo and redo of the saves of a picture, and whether all is saved."""

from __future__ import annotations

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import editing
from maskrcnn.studio.annotate.editing import Editor
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.plain_text import plain


def history_buttons(project: Project, editor: Editor) -> None:
    """Draw Undo and Redo, which step through the saves of this picture, back to its import."""
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
    """Draw when the picture was saved, or why it could not be and what to do."""
    if editor.problem:
        st.error(plain(editor.problem), icon=":material/error:")
    elif editor.saved_at:
        st.markdown(f":material/cloud_done: saved {editor.saved_at}", width="content")
    else:
        st.markdown(":material/cloud_done: all saved", width="content")
