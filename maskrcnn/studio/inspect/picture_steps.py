"""Choice of a picture by its name, with buttons and keys for the previous and next one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.studio.shell import hotkeys, url_state


def choose(
    names: Sequence[str],
    default: str,
    page: str,
    shortcuts: Sequence[hotkeys.Shortcut],
    picture_column: DeltaGenerator,
    step_column: DeltaGenerator,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> int:
    """Draw the list of pictures of a page and its buttons, listen to its keys, and return the position of the choice.

    `shortcuts` are the keys of the page, with the actions `previous` and `next`.
    """
    with picture_column:
        name = url_state.select(
            "Picture",
            "image",
            list(names),
            default,
            page=page,
            show=lambda text: f"{names.index(text) + 1} / {len(names)}   {text}",
            label_visibility=label_visibility,
        )
    position = names.index(name)
    with step_column.container(horizontal=True, gap="small", wrap=False):
        _show_steps(names, position, page, shortcuts)
    return position


def _show_steps(names: Sequence[str], position: int, page: str, shortcuts: Sequence[hotkeys.Shortcut]) -> None:
    """Draw buttons and listen to keys for the previous and next picture. After the last picture comes the first."""
    steps = {
        action: partial(url_state.choose, "image", names[(position + step) % len(names)])
        for action, step in (("previous", -1), ("next", 1))
    }
    for action, icon in (("previous", ":material/chevron_left:"), ("next", ":material/chevron_right:")):
        st.button("", key=f"{page}_{action}", icon=icon, help=hotkeys.tip(shortcuts, action), on_click=steps[action])
    # The other keys of the page are answered by the pictures in the browser.
    listened = [entry for entry in shortcuts if entry.action in (*steps, hotkeys.SHEET.action)]
    hotkeys.listen(listened, steps, f"{page}_keys")
    hotkeys.sheet_button(shortcuts, f"{page}_sheet", label="")
