"""Registers a component of ours whose JavaScript and CSS lie beside its Python file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st


def register(python_file: str, html: str = "<div></div>") -> Any:
    """The Streamlit component `studio_NAME` of the module NAME.py, made of `html`, NAME.js and, where there is one,
    NAME.css in the same folder. Call it as `register(__file__)`.

    The result is called in each run of a page to put the component on it (`st.components.v2`).
    """
    source = Path(python_file)
    css = source.with_suffix(".css")
    return st.components.v2.component(
        f"studio_{source.stem}",
        html=html,
        css=css.read_text(encoding="utf-8") if css.is_file() else None,
        js=source.with_suffix(".js").read_text(encoding="utf-8"),
    )
