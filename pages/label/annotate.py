"""Annotate: draw the outlines that the network will learn from."""

from functools import partial

import streamlit as st

from maskrcnn.studio.annotate import canvas_picture, conflict_view, editing, key_actions, region_attributes
from maskrcnn.studio.annotate import panels as parts
from maskrcnn.studio.components import canvas, viewport
from maskrcnn.studio.components.canvas_objects import View
from maskrcnn.studio.dataset import import_report, import_view
from maskrcnn.studio.shell import session

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
    import_view.show(project, "annotate")
    st.stop()
if import_report.waits(project, "annotate"):
    import_report.show()
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
    room = viewport.room("annotate")
    height = max(320, room.height - ABOVE_AND_BELOW)
    view = View.fit(image.width, image.height, room.width, height, zoom)
    with session.fail_softly():
        editor = editing.open_editor(project, image, view, mode)
        background = canvas_picture.background(
            project.picture(image.id),
            editor.regions,
            editor.painted,
            editing.colours(project),
            zoom,
            editing.skeletons(project),
            editing.selected(editor),
        )
    canvas.show(
        editor.drawing.objects(),
        background,
        view,
        key=editor.key,
        mode=mode,
        visible_height=height if zoom > 1 else None,
        on_change=partial(editing.take_drawing, editor.key),
    )
    conflict_view.show(project, editor)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        parts.history_buttons(project, editor)
        parts.save_status(editor)
        st.markdown(HINTS[mode], width="content")

with right:
    parts.class_picker(project)
    parts.region_table(project, editor)
    region_attributes.show(project, editor)
    with st.container(horizontal=True, gap="medium"):
        parts.dataset_links()

parts.thumbnails(project, images, image)
