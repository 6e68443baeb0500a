"""How much room the browser gives: the width of a column and the height of the window, in CSS pixels."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

_measure = st.components.v2.component(
    "studio_viewport",
    html="<div></div>",
    js="""
export default function ({ parentElement, setStateValue }) {
  let last = "";
  const report = () => {
    const width = Math.floor((parentElement.host ?? parentElement).getBoundingClientRect().width);
    const room = { width, height: window.innerHeight };
    const text = JSON.stringify(room);
    if (width > 0 && text !== last) { last = text; setStateValue("room", room); }
  };
  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(report, 250); };
  const observer = new ResizeObserver(later);
  observer.observe(parentElement.host ?? parentElement);
  window.addEventListener("resize", later);
  report();
  return () => { clearTimeout(timer); observer.disconnect(); window.removeEventListener("resize", later); };
}
""",
)


class Room(NamedTuple):
    width: int
    height: int


LAPTOP = Room(676, 900)


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
