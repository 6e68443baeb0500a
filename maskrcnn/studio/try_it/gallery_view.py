"""All pictures of a set as small pictures with their objects: sorted, page by page; a click opens one."""

from __future__ import annotations

import streamlit as st

from maskrcnn.studio.components.crops import crop_grid
from maskrcnn.studio.components.crops.crop_grid import Tile
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.try_it import drawn_thumbnails
from maskrcnn.studio.try_it.opened_set import PAGE, OpenedSet
from maskrcnn.studio.try_it.picture_view import Choice
from maskrcnn.studio.try_it.sets.figures import SetFigures, ordered
from maskrcnn.words import counted

SORTS = {"name": "by name", "count": "most objects first", "confidence": "lowest score first"}


def sort(opened: OpenedSet) -> str:
    """The order of the pictures, from the URL: a key of `SORTS`. It is also that of the previous and next picture."""
    asked = url_state.current("sort", "name", page=PAGE, owner=opened.tried.id)
    return asked if asked in SORTS else "name"


def show(opened: OpenedSet, figures: SetFigures, choice: Choice) -> None:
    """Draw the heading with the order, and a page of the small pictures."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Pictures")
        st.space("stretch")
        url_state.segments("Order", "sort", list(SORTS), "name", page=PAGE, show=SORTS.__getitem__)
    by_position = {picture.position: picture for picture in figures.pictures}
    names = opened.tried.pictures

    def tile(item: str) -> Tile:
        """The tile of a picture."""
        picture = by_position[int(item)]
        scores = picture.scores
        says = counted(len(scores), "object") + (f" · lowest score {picture.lowest:.2f}" if len(scores) else "")
        address = drawn_thumbnails.drawn_url(opened, picture.position, choice.selection)
        return Tile(item, address, names[picture.position].name, says, is_editable=False)

    def open_picture(item: object) -> None:
        """Show a picture large (callback)."""
        if isinstance(item, str) and item.isdecimal() and int(item) in by_position:
            url_state.choose("image", names[int(item)].name)

    order = [str(position) for position in ordered(figures, sort(opened))]
    crop_grid.show(order, tile, f"{PAGE}_gallery_{opened.tried.id}", "No picture was looked at yet.", open_picture)
