"""Registration of the studio's own Streamlit components. Their JavaScript and CSS files are next to the Python file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st


def register(python_file: str, html: str = "<div></div>") -> Any:
    """Register the Streamlit component `studio_NAME` for the module NAME.py and return it (`st.components.v2`).

    The component consists of `html`, NAME.js and, if the file exists, NAME.css in the same folder. Call this as
    `register(__file__)`. Call the result in each script run to draw the component.
    """
    source = Path(python_file)
    css = source.with_suffix(".css")
    return st.components.v2.component(
        f"studio_{source.stem}",
        html=html,
        css=css.read_text(encoding="utf-8") if css.is_file() else None,
        js=source.with_suffix(".js").read_text(encoding="utf-8"),
    )
