"""The row above the canvas: tool, zoom, and the button for the keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.annotate import key_actions
from maskrcnn.studio.components import canvas

TOOLS: dict[canvas.Mode, str] = {"polygon": "Polygon", "box": "Box", "edit": "Edit"}
HINTS: dict[canvas.Mode, str] = {
    "polygon": "Click around an object; click the first point again to close it.",
    "box": "Drag a box around an object.",
    "edit": "Press the pencil above the picture, then click a region: drag it, or click it again for its points.",
}
"""Tool -> instruction for the line below the canvas."""


def show(project: Project, images: Sequence[StoredImage], image: StoredImage) -> tuple[canvas.Mode, float]:
    """Draw the row of controls above the canvas, and return the chosen tool and the zoom factor.

    At zoom factor 1 the whole picture is visible.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        tool = st.segmented_control(
            "Tool",
            list(TOOLS),
            format_func=TOOLS.__getitem__,
            key=key_actions.TOOL,
            default="polygon",
            required=True,
            label_visibility="collapsed",
        )
        zoom = st.selectbox(
            "Zoom",
            key_actions.ZOOMS,
            key=key_actions.ZOOM,
            format_func="Zoom {:.0%}".format,
            label_visibility="collapsed",
            width=140,
        )
        key_actions.listen(project, images, image)
    return tool, zoom
