"""The frame of every page: its width, its side bar and the one style sheet of the studio."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

SIDE_BAR = 256
"""Width of the side bar in CSS pixels; the longest title of a page fits. A person can drag it wider."""

_SHEET = Path(__file__).parent / "sheet.css"


def show(title: str, icon: Path) -> None:
    """Configure the page. Must be the first that a run draws."""
    st.set_page_config(page_title=title, page_icon=icon, layout="wide", initial_sidebar_state=SIDE_BAR)
    st.html(_SHEET)
