"""A picture on which the user drags one box: a canvas on which each new box replaces the one before."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from maskrcnn.annotations.regions import Polygon, Rect
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.studio.components import canvas
from maskrcnn.studio.components.canvas_objects import (
    canvas_object,
    region_number,
    shape_of,
)
from maskrcnn.studio.components.canvas_view import View

Box = tuple[float, float, float, float]
"""xyxy in picture pixels."""


class _BoxState(NamedTuple):
    """State of a `box_canvas`.

    `mount_number` says how many times a canvas was put on the page before. `seed` is the box that the canvas started
    with, and `box` the current one.
    """

    mount_number: int
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
        or not canvas.mounted(_box_canvas_key(key, state))
    ):
        state = _BoxState(state.mount_number + 1 if state else 0, box, box, view)
    elif (objects := canvas.objects_of(_box_canvas_key(key, state))) is not None:
        drawn = [item for item in objects if not region_number(item) and _dragged_box(item, view)]
        if drawn:
            newest = _dragged_box(drawn[-1], view)
            state = _BoxState(state.mount_number + 1, newest, newest, view)
        else:
            shown = [found for item in objects if (found := _dragged_box(item, view))]
            state = state._replace(box=_box_or_seed(shown[-1], state.seed, view) if shown else None)
    st.session_state[f"{key}_state"] = state
    seed = []
    if state.seed is not None:
        x0, y0, x1, y1 = state.seed
        seed.append(canvas_object(Rect(x0, y0, x1 - x0, y1 - y0), view, colour, number=1))
    canvas.show(
        seed, jpeg(picture, canvas.LONGEST_SIDE), view, key=_box_canvas_key(key, state), mode="box", colour=colour
    )
    return state.box


def _box_canvas_key(key: str, state: _BoxState) -> str:
    """Return the widget key of a `box_canvas`; after each mount it is another one."""
    return f"{key}_{state.mount_number}"


def _box_or_seed(box: Box, seed: Box | None, view: View) -> Box:
    """Return the initial box `seed` of a `box_canvas` if `box` differs from it only by rounding, else `box`."""
    if seed is not None and np.abs((np.array(box) - seed) * np.tile(view.scale, 2)).max() < 0.05:
        return seed
    return box


def _dragged_box(item: dict[str, Any], view: View) -> Box | None:
    """Return the box of an object of a `box_canvas`, xyxy in picture pixels and clipped; None if it has no area."""
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
