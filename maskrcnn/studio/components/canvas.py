"""Wrapper of streamlit-drawable-canvas: a canvas with editable objects, and a picture on which one box is dragged.

If a canvas is mounted again under an old key, it starts with the objects of its first mount. Its next message then
lacks everything that was drawn later, and saving that message would lose it. So each mount gets a new key, which ends
in a generation counter, and the current regions. While a canvas is mounted, its arguments must not change, because
that would drop an unfinished polygon. For the same reason new shapes are white, whatever class is chosen.

The background is sent as JPEG bytes of at most `LONGEST_SIDE` pixels. A PIL image would become a PNG of tens of
megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st

from maskrcnn.annotations.regions import Polygon, Rect
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.studio.components.canvas_objects import (
    STROKE_WIDTH,
    CanvasObject,
    canvas_object,
    shape_of,
    translucent_fill,
)
from maskrcnn.studio.components.canvas_view import View

LONGEST_SIDE = 1280
"""Maximum length of a background's longer side in pixels. The canvas stretches it to its own size."""

Mode = Literal["polygon", "box", "edit"]
_TOOLS = {"polygon": "polygon", "box": "rect", "edit": "line"}

Box = tuple[float, float, float, float]
"""xyxy in picture pixels."""


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
    "edit" nothing can be drawn. In each mode the pencil in the canvas's own tool bar turns editing on.
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


class _BoxState(NamedTuple):
    """State of a `box_canvas`: the number of its mount, the box at mount, the current box, and the view."""

    generation: int
    seed: Box | None
    box: Box | None
    view: View


def box_canvas(
    picture: np.ndarray,
    box: Box | None,
    key: str,
    *,
    max_width: int = 700,
    max_height: int = 560,
    colour: str = "#e69f00",
) -> Box | None:
    """Draw a picture on which the user drags one box; a new box replaces the old one.

    `picture` is uint8 RGB `(H, W, 3)`; boxes are xyxy in its pixels. `box` is the initial box. If a caller later passes
    a box that differs from the returned one, that box is shown. Returns the current box, clipped to the picture, or
    None if there is no box.
    """
    height, width = picture.shape[:2]
    view = View.fit(width, height, max_width, max_height)
    state: _BoxState | None = st.session_state.get(f"{key}_state")
    if (
        state is None
        or state.view != view
        or box not in (state.seed, state.box)
        or not mounted(_box_canvas_key(key, state))
    ):
        state = _BoxState(state.generation + 1 if state else 0, box, box, view)
    elif (objects := objects_of(_box_canvas_key(key, state))) is not None:
        drawn = [item for item in objects if not item.get("strokeDashOffset") and _box_of_object(item, view)]
        if drawn:
            newest = _box_of_object(drawn[-1], view)
            state = _BoxState(state.generation + 1, newest, newest, view)
        else:
            shown = [found for item in objects if (found := _box_of_object(item, view))]
            state = state._replace(box=_box_or_seed(shown[-1], state.seed, view) if shown else None)
    st.session_state[f"{key}_state"] = state
    seed = []
    if state.seed is not None:
        x0, y0, x1, y1 = state.seed
        seed.append(canvas_object(Rect(x0, y0, x1 - x0, y1 - y0), view, colour, number=1))
    show(seed, jpeg(picture, LONGEST_SIDE), view, key=_box_canvas_key(key, state), mode="box", colour=colour)
    return state.box


def _box_canvas_key(key: str, state: _BoxState) -> str:
    """Return the widget key of the present mount of a `box_canvas`."""
    return f"{key}_{state.generation}"


def _box_or_seed(box: Box, seed: Box | None, view: View) -> Box:
    """Return `seed` if `box` differs from it only by the rounding of the canvas, else `box`."""
    if seed is not None and np.abs((np.array(box) - seed) * np.tile(view.scale, 2)).max() < 0.05:
        return seed
    return box


def _box_of_object(item: dict[str, Any], view: View) -> Box | None:
    """Return the box around a canvas object, xyxy in picture pixels and clipped; None if the object has no area."""
    shape = shape_of(item, view)
    if isinstance(shape, Rect):
        points = np.array([(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)])
    elif isinstance(shape, Polygon):
        points = np.array(shape.points)
    else:
        return None
    points = np.clip(points, 0, (view.width, view.height))
    (x0, y0), (x1, y1) = points.min(axis=0).round(2).tolist(), points.max(axis=0).round(2).tolist()
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
