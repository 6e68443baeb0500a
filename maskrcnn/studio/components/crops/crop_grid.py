"""A grid of crops around detections and objects: a click opens one in its picture, a button in the editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from maskrcnn.studio.components import browser_component

PER_PAGE = 24
"""Number of crops that are shown at once."""

_grid = browser_component.register(__file__, html='<div class="crops"></div>')


@dataclass(frozen=True)
class Tile:
    """One crop. `item` names the detection or object; `title`, `says` and `place` are lines below it.

    `picture` is the address of the crop; None if it cannot be shown. `badge` is what it is: "FP", "FN" or "TP".
    """

    item: str
    picture: str | None
    title: str
    says: str
    badge: str = ""
    place: str = ""
    is_editable: bool = True


def show(
    items: Sequence[str],
    tile_of: Callable[[str], Tile],
    key: str,
    empty: str,
    opened: Callable[[object], None],
    per_page: int = PER_PAGE,
) -> object:
    """Draw a page of the crops of detections and objects; `empty` is said if there are none.

    `tile_of` makes the tile of an item of the page. `opened` is called (as a callback) with the item of a crop that was
    clicked. Returns the item whose editor button was clicked just now; None without such a click. Both come from the
    browser, so they may be anything.
    """
    pages = max(1, -(-len(items) // per_page))
    page = max(0, min(_page(key), pages - 1))
    tiles = [tile_of(item) for item in items[page * per_page : (page + 1) * per_page]]
    answer = _grid(
        key=key,
        data={
            "tiles": [asdict(tile) for tile in tiles],
            "page": page,
            "pages": pages,
            "all": len(items),
            "first": page * per_page + 1,
            "empty": empty,
        },
        default={"page": 0},
        on_page_change=lambda: None,
        on_opened_change=lambda: opened(_sent(key, "opened")),
        on_edited_change=lambda: None,
    )
    return answer.get("edited")


def _page(key: str) -> int:
    """The page that was chosen; the first one before, and instead of what is no number."""
    page = _sent(key, "page")
    return int(page) if isinstance(page, int | float) and abs(page) < 1e9 else 0


def _sent(key: str, name: str) -> object:
    """A value that the grid has sent; None before the first one."""
    state = st.session_state.get(key)
    return state.get(name) if state else None
