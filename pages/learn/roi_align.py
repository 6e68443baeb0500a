"""RoIPool and RoIAlign page: how each method pools one box from one feature map."""

import streamlit as st

from maskrcnn.studio.learn import pooled_grids, roi_choices, roi_layout, roi_maps, roi_picture, roi_texts
from maskrcnn.studio.shell import session

st.title("RoIPool and RoIAlign")
st.markdown(roi_texts.INTRODUCTION)
project = session.current_project()
images = {image.file_name: image for image in project.images()}
if not images:
    st.info("This needs a picture to draw a box on, and the project has none yet.", icon=":material/image:")
    if st.button("Add pictures", type="primary"):
        st.switch_page("pages/label/annotate.py", query_params={"project": project.folder.name})
    st.stop()

layout = roi_layout.layout()
chosen = roi_choices.show(project, images, layout)

picture_column, maps_column = layout.two_columns(*roi_layout.PICTURE_AND_MAPS)
with picture_column:
    box = roi_picture.show(project, chosen, layout)
if box is None:
    with maps_column:
        st.info("Drag a box on the picture to see what becomes of it.", icon=":material/highlight_alt:")
    st.stop()
roi = chosen.roi(box)
with picture_column:
    roi_texts.show_map_scale(chosen, roi)
with maps_column:
    method = roi_maps.show(roi, layout)

grids_column, nudge_column = layout.two_columns(*roi_layout.GRIDS_AND_NUDGE)
with grids_column:
    pooled_grids.show(roi, layout)
with nudge_column:
    pooled_grids.show_nudged(roi, method, layout)

roi_texts.show_map_origin(chosen)
st.markdown(roi_texts.WHY_IT_MATTERS)
