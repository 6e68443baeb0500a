"""Dataset page: pictures, statistics, label checks, split, import, export and classes of a project."""

from functools import partial

import streamlit as st

from maskrcnn.studio.dataset import (
    classes_view,
    doctor_view,
    export_view,
    import_view,
    pictures_view,
    split_view,
    statistics_view,
)
from maskrcnn.studio.shell import session, url_state

VIEWS = {
    "pictures": ":material/photo_library: Pictures",
    "statistics": ":material/bar_chart: Statistics",
    "doctor": ":material/stethoscope: Doctor",
    "split": ":material/call_split: Split",
    "import": ":material/upload: Import",
    "export": ":material/download: Export",
    "classes": ":material/palette: Classes",
}
EMPTY_TEXTS = {
    "pictures": "Here you see all pictures of the project by status: new, in progress, done.",
    "statistics": "Here you see how many objects of each class there are, how large they are and where they lie.",
    "doctor": "Here you see what in the labels or pictures hurts training, and mend it with a click.",
    "split": "Here you choose which pictures are trained on and which are kept back to measure the result.",
    "export": "Here you take the labels away, with the pictures or without, as other programs read them.",
}

project = session.current_project()
with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    st.title("Dataset", width="content")
    view = url_state.segments("View", "view", list(VIEWS), "pictures", page="dataset", show=VIEWS.__getitem__)

if view == "import":
    import_view.show(project)
elif view == "classes":
    classes_view.show(project)
elif not project.counts().pictures and not (view == "pictures" and project.removed()):
    st.info(f"{EMPTY_TEXTS[view]} This project has no pictures yet.", icon=":material/photo_library:")
    st.button(
        "Import pictures or labels",
        type="primary",
        icon=":material/upload:",
        on_click=partial(url_state.choose, "view", "import"),
    )
elif view == "export":
    export_view.show(project)
elif view == "pictures":
    pictures_view.show(project)
elif view == "statistics":
    statistics_view.show(project)
elif view == "doctor":
    doctor_view.show(project)
else:
    split_view.show(project)
