"""Annotate page: draw and edit the regions that the network learns from."""

import streamlit as st

from maskrcnn.studio.annotate import (
    canvas_area,
    canvas_controls,
    class_picker,
    conflict_view,
    dataset_links,
    picture_navigation,
    region_attributes,
    region_table,
)
from maskrcnn.studio.dataset import import_report, import_view
from maskrcnn.studio.shell import session

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

image = picture_navigation.current_image(project, images)
left, right = st.columns([3.2, 1], gap="small")

with left:
    picture_navigation.show_bar(project, images, image)
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

picture_navigation.show_thumbnails(project, images, image)
