"""Page configuration: page width, width of the side bar, and the style sheet of the studio."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

SIDE_BAR = 246
"""Initial width of the side bar in CSS pixels. The longest page title fits into it. The user can change the width."""

_SHEET = Path(__file__).parent / "sheet.css"


def show(title: str, icon: Path) -> None:
    """Set title, icon, layout and style sheet of the page. This must be the first Streamlit call of a script run."""
    st.set_page_config(page_title=title, page_icon=icon, layout="wide", initial_sidebar_state=SIDE_BAR)
    st.html(_SHEET)
