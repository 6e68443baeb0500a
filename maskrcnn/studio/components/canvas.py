"""streamlit-drawable-canvas as the pages use it: a canvas with objects, and a picture on which one box is dragged.

A canvas whose key was on the page before mounts with the objects it was first given. Its next message then lacks all
that was drawn in between, and saving it would lose that. So each mount has a key of its own, which ends in a generation
counter, and is given the present regions. While it is mounted it is given nothing new, because that would drop an
unfinished polygon; for the same reason new shapes are white, whatever class is chosen.

The background is sent as JPEG bytes of at most `LONGEST_SIDE`: a PIL image would become a PNG of tens of megabytes.
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
    translucent,
)
from maskrcnn.studio.components.canvas_view import View

LONGEST_SIDE = 1280
"""Greatest longer side of a background in pixels; the canvas stretches it."""

Mode = Literal["polygon", "box", "edit"]
_TOOLS = {"polygon": "polygon", "box": "rect", "edit": "line"}

Box = tuple[float, float, float, float]
"""xyxy in picture pixels."""


def mounted(key: str) -> bool:
    """Whether the canvas of this key was on the page in the previous run of the script."""
    return key in st.session_state


def objects_of(key: str) -> list[CanvasObject] | None:
    """The objects in the last message of this canvas; None before the first one."""
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
    """Put a canvas on the page. `objects` are on it from its first run under this key and must stay the same after.

    In mode "polygon" the browser sends a polygon when it is closed, in "box" and "edit" every change. In "edit" nothing
    can be drawn; the pencil in the canvas's own tool bar turns editing on in each mode.
    """
    from streamlit_drawable_canvas import st_canvas  # looks for its files at import, which needs a running Streamlit

    st_canvas(
        fill_color=translucent(colour),
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
    """A picture on which one box is dragged: the newest box replaces the one before it.

    `picture` is uint8 RGB `(H, W, 3)`; boxes are xyxy in its pixels. `box` is shown at first, and again when the caller
    passes another one than was returned. Returns the present box, clipped to the picture; None where there is none.
    """
    height, width = picture.shape[:2]
    view = View.fit(width, height, max_width, max_height)
    state: _BoxState | None = st.session_state.get(f"{key}_state")
    if state is None or state.view != view or box not in (state.seed, state.box) or not mounted(_box_key(key, state)):
        state = _BoxState(state.generation + 1 if state else 0, box, box, view)
    elif (objects := objects_of(_box_key(key, state))) is not None:
        drawn = [item for item in objects if not item.get("strokeDashOffset") and _box_of(item, view)]
        if drawn:
            newest = _box_of(drawn[-1], view)
            state = _BoxState(state.generation + 1, newest, newest, view)
        else:
            shown = [found for item in objects if (found := _box_of(item, view))]
            state = state._replace(box=_unmoved(shown[-1], state.seed, view) if shown else None)
    st.session_state[f"{key}_state"] = state
    seed = []
    if state.seed is not None:
        x0, y0, x1, y1 = state.seed
        seed.append(canvas_object(Rect(x0, y0, x1 - x0, y1 - y0), view, colour, number=1))
    show(seed, jpeg(picture, LONGEST_SIDE), view, key=_box_key(key, state), mode="box", colour=colour)
    return state.box


def _box_key(key: str, state: _BoxState) -> str:
    return f"{key}_{state.generation}"


def _unmoved(box: Box, seed: Box | None, view: View) -> Box:
    """The seed itself where the box differs from it by the canvas's rounding only."""
    if seed is not None and np.abs((np.array(box) - seed) * np.tile(view.scale, 2)).max() < 0.05:
        return seed
    return box


def _box_of(item: dict[str, Any], view: View) -> Box | None:
    """The box around an object, inside the picture; None where the object has no area."""
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
