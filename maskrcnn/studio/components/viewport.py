"""Width of a page's column and height of the browser window, as measured by `viewport.js`."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from maskrcnn.studio.components import browser_component

_measure = browser_component.register(__file__)


class ViewportSize(NamedTuple):
    """Width of a column and height of the window, in CSS pixels."""

    width: int
    height: int


LAPTOP = ViewportSize(676, 900)
"""Size of the canvas column on a laptop, used until the browser answers."""


def viewport_size(key: str, at_first: ViewportSize = LAPTOP) -> ViewportSize:
    """Return the width of the current column and the height of the window; `at_first` until the browser answers.

    Every page uses its own `key`. The answer is stored in the session, so a page that is opened again starts with it.
    """
    remembered = st.session_state.get(f"{key}_room", at_first)
    answer = _measure(key=key, default={"room": None}, on_room_change=lambda: None, width="stretch", height=1).get(
        "room"
    )
    if answer:
        remembered = ViewportSize(int(answer["width"]), int(answer["height"]))
        st.session_state[f"{key}_room"] = remembered
    return remembered
