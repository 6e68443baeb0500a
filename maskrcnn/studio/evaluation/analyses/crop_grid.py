"""A grid of crops around detections and objects: a click opens one in its picture, a button in the editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from maskrcnn.studio.components import browser_component
from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.epoch_routes import base_url
from maskrcnn.studio.evaluation.page_state import ShownEpoch

PER_PAGE = 24
"""Number of crops that are shown at once."""

_grid = browser_component.register(__file__, html='<div class="crops"></div>')


@dataclass(frozen=True)
class Tile:
    """One crop. `item` names the detection or object (see `page_state.parsed`); `title` and `says` are lines below it.

    `badge` is what it is: "FP", "FN" or "TP".
    """

    item: str
    title: str
    says: str
    badge: str = ""


def show(shown: ShownEpoch, items: Sequence[str], tile_of: Callable[[str], Tile], key: str, empty: str) -> None:
    """Draw a page of the crops of detections and objects; `empty` is said if there are none.

    `tile_of` makes the tile of an item of the page. A click opens its picture at the top of the page.
    """
    pages = max(1, -(-len(items) // PER_PAGE))
    page = min(int(page_state.component_value(key, "page") or 0), pages - 1)
    page = max(0, page)
    tiles = [tile_of(item) for item in items[page * PER_PAGE : (page + 1) * PER_PAGE]]
    base = base_url(shown.files)
    answer = _grid(
        key=key,
        data={
            "tiles": [asdict(tile) | {"picture": f"{base}/{tile.item.replace('-', '/')}"} for tile in tiles],
            "page": page,
            "pages": pages,
            "all": len(items),
            "first": page * PER_PAGE + 1,
            "empty": empty,
        },
        default={"page": 0},
        on_page_change=lambda: None,
        on_opened_change=lambda: page_state.open_item(shown, page_state.component_value(key, "opened")),
        on_edited_change=lambda: None,
    )
    if (item := answer.get("edited")) is not None:
        page_state.open_editor(shown, item)
