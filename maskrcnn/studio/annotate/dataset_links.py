"""Links from the Annotate page to views of the Dataset page."""

from __future__ import annotations

import streamlit as st


def show() -> None:
    """Draw links to the import and export views of the Dataset page."""
    link("import", "Import", ":material/upload:")
    link("export", "Export", ":material/download:")


def link(view: str, label: str, icon: str) -> None:
    """Draw a link to a view of the Dataset page, with the project in the URL."""
    query = {"project": st.query_params.get("project", ""), "view": view}
    st.page_link("pages/label/dataset.py", label=label, icon=icon, query_params=query)
