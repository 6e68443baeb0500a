"""Wrapper of streamlit-drawable-canvas: a canvas with editable objects.

If a canvas is mounted again under an old key, it starts with the objects of its first mount. Its next message then
lacks everything that was drawn later, and saving that message would lose it. So each mount gets a new key, which ends
in a generation counter, and the current regions. While a canvas is mounted, its arguments must not change, because
that would drop an unfinished polygon. For the same reason new shapes are white, whatever class is chosen.

The background is sent as JPEG bytes of at most `LONGEST_SIDE` pixels. A PIL image would become a PNG of tens of
megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from maskrcnn.studio.components.canvas_objects import (
    STROKE_WIDTH,
    CanvasObject,
    translucent_fill,
)
from maskrcnn.studio.components.canvas_view import View

LONGEST_SIDE = 1280
"""Maximum length of a background's longer side in pixels. The canvas stretches it to its own size."""

Mode = Literal["polygon", "box", "edit"]
_TOOLS = {"polygon": "polygon", "box": "rect", "edit": "line"}


def mounted(key: str) -> bool:
    """Whether the canvas with this key was on the page in the previous script run."""
    return key in st.session_state


def objects_of(key: str) -> list[CanvasObject] | None:
    """Return the objects in the last message of the canvas with this key; None before the first message."""
    state = st.session_state.get(key)
    drawing = state.get("drawing") if state is not None else None
    raw = (drawing or {}).get("raw")
    return None if raw is None else raw.get("objects", [])


def show(
    objects: Sequence[CanvasObject],
    background: bytes,
    view: View,
    *,
    key: str,
    mode: Mode = "polygon",
    colour: str = "#ffffff",
    visible_height: int | None = None,
    on_change: Callable[[], None] | None = None,
) -> None:
    """Draw a canvas with these objects. For one `key`, `objects` must be the same in every script run.

    In mode "polygon" the browser sends a polygon when it is closed. In "box" and "edit" it sends every change. In
    "edit" nothing can be drawn. In each mode, after a click on the pencil in the canvas's own tool bar, the user can
    move and reshape the objects.
    """
    from streamlit_drawable_canvas import st_canvas  # its import needs a running Streamlit

    st_canvas(
        fill_color=translucent_fill(colour),
        stroke_color=colour if mode != "edit" else "rgba(0,0,0,0)",
        stroke_width=STROKE_WIDTH,
        background_image=background,
        initial_drawing={"objects": list(objects)},
        width=view.canvas_width,
        height=view.canvas_height,
        max_display_height=visible_height,
        drawing_mode=_TOOLS[mode],
        on_change=on_change,
        key=key,
    )
