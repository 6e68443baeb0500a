"""Choice of the picture on the Compare page, with buttons and keys for the previous and next one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.studio.compare.compared_runs import PAGE
from maskrcnn.studio.shell import hotkeys, url_state


def show(names: Sequence[str], default: str, picture_column: DeltaGenerator, step_column: DeltaGenerator) -> int:
    """Draw the list of pictures, and return the position of the chosen one.

    `default` is the one to open with. It is put into the URL, so that other epochs leave the page at that picture.
    """
    if url_state.current("image", "", page=PAGE) not in names:
        url_state.choose("image", default)
    with picture_column:
        name = url_state.select(
            "Picture",
            "image",
            list(names),
            default,
            page=PAGE,
            show=lambda text: f"{names.index(text) + 1} / {len(names)}   {text}",
            label_visibility="collapsed",
        )
    position = names.index(name)
    with step_column.container(horizontal=True, gap="small", wrap=False):
        _show_steps(names, position)
    return position


def _show_steps(names: Sequence[str], position: int) -> None:
    """Draw buttons and listen to keys for the previous and next picture. After the last picture comes the first."""
    steps = {
        action: partial(url_state.choose, "image", names[(position + step) % len(names)])
        for action, step in (("previous", -1), ("next", 1))
    }
    for action, icon in (("previous", ":material/chevron_left:"), ("next", ":material/chevron_right:")):
        tip = hotkeys.tip(hotkeys.COMPARE, action)
        st.button("", key=f"{PAGE}_{action}", icon=icon, help=tip, on_click=steps[action])
    # The other keys of the page are answered by the pictures in the browser.
    shortcuts = [entry for entry in hotkeys.COMPARE if entry.action in (*steps, hotkeys.SHEET.action)]
    hotkeys.listen(shortcuts, steps, f"{PAGE}_keys")
    hotkeys.sheet_button(hotkeys.COMPARE, f"{PAGE}_sheet", label="")
