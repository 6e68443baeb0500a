"""Links from the Annotate page to Label next and to views of the Dataset page."""

from __future__ import annotations

import streamlit as st


def show() -> None:
    """Draw links to Label next and to the import and export views of the Dataset page."""
    with st.container(key="annotate_queue", width="content"):  # the editor presses it, too
        st.page_link(
            "pages/label/label_next.py",
            label="Label next",
            icon=":material/playlist_play:",
            query_params={"project": st.query_params.get("project", "")},
        )
    link("import", "Import", ":material/upload:")
    link("export", "Export", ":material/download:")


def link(view: str, label: str, icon: str) -> None:
    """Draw a link to a view of the Dataset page, with the project in the URL."""
    query = {"project": st.query_params.get("project", ""), "view": view}
    st.page_link("pages/label/dataset.py", label=label, icon=icon, query_params=query)
