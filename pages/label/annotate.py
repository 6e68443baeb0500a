"""Annotate: draw the outlines that the network will learn from."""

from functools import partial

import streamlit as st

from maskrcnn.studio import (
    annotate_attributes,
    annotate_conflict,
    annotate_keys,
    annotate_picture,
    annotate_state,
    canvas,
    dataset_import,
    dataset_report,
    session,
    viewport,
)
from maskrcnn.studio import annotate_parts as parts
from maskrcnn.studio.canvas_objects import View

MODES = {"polygon": "Polygon", "box": "Box", "edit": "Edit"}
HINTS = {
    "polygon": "Click around an object; click the first point again to close it.",
    "box": "Drag a box around an object.",
    "edit": "Press the pencil above the picture, then click a region: drag it, or click it again for its points.",
}
# Pixels of the window's height that the picture leaves for the rows above and below it.
ABOVE_AND_BELOW = 244

project = session.current_project()
images = project.images()
if not images:
    st.header("No pictures yet")
    st.markdown("Here you draw the outlines that the network learns from. Bring some pictures, with or without labels.")
    dataset_import.show(project, "annotate")
    st.stop()
if dataset_report.waits(project, "annotate"):
    dataset_report.show()
    st.stop()

image = parts.current_image(project, images)
left, right = st.columns([3.2, 1], gap="small")

with left:
    parts.picture_bar(project, images, image)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        mode = st.segmented_control(
            "Tool",
            list(MODES),
            format_func=MODES.get,
            key=annotate_keys.TOOL,
            default="polygon",
            required=True,
            label_visibility="collapsed",
        )
        zoom = st.selectbox(
            "Zoom",
            annotate_keys.ZOOMS,
            key=annotate_keys.ZOOM,
            format_func="Zoom {:.0%}".format,
            label_visibility="collapsed",
            width=140,
        )
        annotate_keys.listen(project, images, image)
    room = viewport.room("annotate")
    height = max(320, room.height - ABOVE_AND_BELOW)
    view = View.fit(image.width, image.height, room.width, height, zoom)
    with session.fail_softly():
        editor = annotate_state.open_editor(project, image, view, mode)
        background = annotate_picture.background(
            project.picture(image.id),
            editor.regions,
            editor.painted,
            annotate_state.colours(project),
            zoom,
            annotate_state.skeletons(project),
            annotate_state.selected(editor),
        )
    canvas.show(
        editor.drawing.objects(),
        background,
        view,
        key=editor.key,
        mode=mode,
        visible_height=height if zoom > 1 else None,
        on_change=partial(annotate_state.take_drawing, editor.key),
    )
    annotate_conflict.show(project, editor)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        parts.history_buttons(project, editor)
        parts.save_status(editor)
        st.markdown(HINTS[mode], width="content")

with right:
    parts.class_picker(project)
    parts.region_table(project, editor)
    annotate_attributes.show(project, editor)
    with st.container(horizontal=True, gap="medium"):
        parts.dataset_links()

parts.thumbnails(project, images, image)
