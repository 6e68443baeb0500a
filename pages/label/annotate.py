"""Annotate page: draw and edit the regions that the network learns from."""

import streamlit as st

from maskrcnn.studio.annotate import canvas_choice, dataset_links, editor, picture_navigation
from maskrcnn.studio.annotate.review import page_links
from maskrcnn.studio.annotate.simple_canvas import page as simple_page
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

if page_links.asked():
    canvas_choice.prefer_editor()
if canvas_choice.is_simple():
    simple_page.show(project, images, picture_navigation.current_image(project, images))
else:
    editor.show(project, images)
with st.container(horizontal=True, vertical_alignment="center", gap="small", key="annotate_below"):
    if not canvas_choice.is_simple():
        page_links.show(project)
        dataset_links.show()
    canvas_choice.show()
