"""The Annotate page with the simple canvas: its controls, the canvas, the classes, the regions and the thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.annotate import dataset_links
from maskrcnn.studio.annotate.simple_canvas import (
    canvas_area,
    canvas_controls,
    class_picker,
    conflict_view,
    navigation_bar,
    region_attributes,
    region_table,
)


def show(project: Project, images: Sequence[StoredImage], image: StoredImage) -> None:
    """Draw the page for one picture of `images`."""
    left, right = st.columns([3.2, 1], gap="small")
    with left:
        navigation_bar.show_bar(project, images, image)
        tool, zoom = canvas_controls.show_tool_bar(project, images, image)
        editor = canvas_area.show(project, image, tool, zoom)
        conflict_view.show(project, editor)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            canvas_controls.history_buttons(project, editor)
            canvas_controls.save_status(editor)
            st.markdown(canvas_controls.HINTS[tool], width="content")
    with right:
        class_picker.show(project)
        region_table.show(project, editor)
        region_attributes.show(project, editor)
        with st.container(horizontal=True, gap="medium"):
            dataset_links.show()
    navigation_bar.show_thumbnails(project, images, image)
