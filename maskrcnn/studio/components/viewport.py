"""The room that the browser gives: width of a column and height of the window. `viewport.js` measures them."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from maskrcnn.studio.components import browser_component

_measure = browser_component.register(__file__)


class Room(NamedTuple):
    """Width of a column and height of the window, in CSS pixels."""

    width: int
    height: int


LAPTOP = Room(676, 900)
"""The canvas's column on a laptop, until the browser answers."""


def room(key: str, at_first: Room = LAPTOP) -> Room:
    """The width of the column this is called in and the height of the window; `at_first` until the browser answers.

    Every page uses its own `key`; the answer is kept for the session, so coming back to a page starts with it.
    """
    remembered = st.session_state.get(f"{key}_room", at_first)
    answer = _measure(key=key, default={"room": None}, on_room_change=lambda: None, width="stretch", height=1).get(
        "room"
    )
    if answer:
        remembered = Room(int(answer["width"]), int(answer["height"]))
        st.session_state[f"{key}_room"] = remembered
    return remembered
