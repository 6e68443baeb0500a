"""A grid of thumbnails: a click on one opens it, a tick chooses it. It is one element of the page, for 50 tiles too.

What runs in the browser is `gallery.js`, with `gallery.css`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskrcnn.studio.components import browser_component, thumbnails

_grid = browser_component.register(
    __file__, html='<label class="all"><input type="checkbox"><span></span></label><div class="grid"></div>'
)


@dataclass(frozen=True)
class Tile:
    """One picture of the grid: JPEG bytes (None: it cannot be shown), its name, a line below it, what hovering it says,
    and a word in its corner."""

    id: int
    picture: bytes | None
    name: str
    says: str
    title: str
    badge: str = ""


def ticked(key: str) -> list[int]:
    """The ids that are ticked in the gallery of this key, in its order; also before it is drawn in this run."""
    return list((st.session_state.get(key) or {}).get("ticked") or [])


def show(tiles: Sequence[Tile], key: str, all_words: str) -> int | None:
    """Draw the grid; returns the id of the picture that was just clicked. `all_words` is beside the box for all."""
    data: dict[str, Any] = {
        "tiles": [
            {
                "id": tile.id,
                "picture": tile.picture and thumbnails.address(tile.picture, f"{key} {tile.id}"),
                "name": tile.name,
                "says": tile.says,
                "title": tile.title,
                "badge": tile.badge,
            }
            for tile in tiles
        ],
        "ticked": ticked(key),
        "all": all_words,
    }
    answer = _grid(
        key=key, data=data, default={"ticked": []}, on_ticked_change=lambda: None, on_opened_change=lambda: None
    )
    return answer.get("opened")
