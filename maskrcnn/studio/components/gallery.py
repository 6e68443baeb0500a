"""A grid of thumbnails: a click opens a picture, a check box selects it. The whole grid is one Streamlit component.

`gallery.js` and `gallery.css` draw it in the browser.
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
    """One picture of the grid.

    `picture` is a JPEG (None: the picture cannot be shown). `says` is the line below the name, `title` the tooltip, and
    `badge` a word in the corner.
    """

    id: int
    picture: bytes | None
    name: str
    says: str
    title: str
    badge: str = ""


def ticked(key: str) -> list[int]:
    """Return the ids of the ticked tiles of a gallery, in the order of its tiles.

    This also works before the gallery is drawn in this script run.
    """
    return list((st.session_state.get(key) or {}).get("ticked") or [])


def show(tiles: Sequence[Tile], key: str, all_words: str, is_large: bool = False) -> int | None:
    """Draw the grid of thumbnails, and return the id of the picture that was just clicked, else None.

    `all_words` is the label of the check box that ticks all tiles. Large tiles show whole pictures, and the line below
    the name in full.
    """
    data: dict[str, Any] = {
        "tiles": [
            {
                "id": tile.id,
                "picture": tile.picture and thumbnails.thumbnail_url(tile.picture, f"{key} {tile.id}"),
                "name": tile.name,
                "says": tile.says,
                "title": tile.title,
                "badge": tile.badge,
            }
            for tile in tiles
        ],
        "ticked": ticked(key),
        "all": all_words,
        "isLarge": is_large,
    }
    answer = _grid(
        key=key, data=data, default={"ticked": []}, on_ticked_change=lambda: None, on_opened_change=lambda: None
    )
    return answer.get("opened")
