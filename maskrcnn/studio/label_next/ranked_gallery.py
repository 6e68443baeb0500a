"""The ranked pictures as a grid with what the network suggests, and the way into the editor."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.store import NextPicture, Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.hints.networks import Network
from maskrcnn.studio.annotate.review.page_links import NEXT
from maskrcnn.studio.components import gallery
from maskrcnn.studio.components.class_colours import class_colours
from maskrcnn.studio.components.gallery import Tile
from maskrcnn.studio.label_next.ranking import RankedPicture
from maskrcnn.studio.label_next.suggested_thumbnails import SURE, score_of, suggested_thumbnail
from maskrcnn.studio.shell import session
from maskrcnn.words import counted, sentence

_MEANING = (
    "The list goes through the pictures in this order. The editor shows what the network suggests dashed: A accepts a "
    "suggestion, Shift + X throws it away, and the arrow keys go through the list. Ticked pictures make a shorter list."
)


def show(project: Project, network: Network, pictures: Sequence[RankedPicture]) -> None:
    """Draw the button that begins the list, and the grid. A click on a picture begins the list at that picture."""
    key = f"label_next_{project.folder}_{network.key}"
    ticked = [entry for entry in pictures if entry.image.id in set(gallery.ticked(key))] or list(pictures)
    words = "Label this picture" if len(ticked) == 1 else f"Label these {len(ticked)} pictures"
    pressed = st.button(words, type="primary", icon=":material/draw:", help=_MEANING, key="label_next_begin")
    with st.spinner("Making the thumbnails"), session.fail_softly():
        tiles = _tiles(project, network, pictures)
    opened = gallery.show(tiles, key, f"all of this list: {counted(len(pictures), 'picture')}", is_large=True)
    clicked = next((entry for entry in pictures if entry.image.id == opened), None)
    if clicked is not None:
        ticked = ticked if clicked in ticked else list(pictures)
        _begin(project, ticked, clicked)
    elif pressed:
        _begin(project, ticked, ticked[0])


def _begin(project: Project, pictures: Sequence[RankedPicture], first: RankedPicture) -> None:
    """Keep the list in the project, and open the editor at one of its pictures."""
    with session.fail_softly():
        project.set_next_pictures([NextPicture(entry.image.id, entry.reason) for entry in pictures])
    st.switch_page(
        "pages/label/annotate.py",
        query_params={"project": project.folder.name, "image": first.image.file_name, "queue": NEXT},
    )


def _tiles(project: Project, network: Network, pictures: Sequence[RankedPicture]) -> list[Tile]:
    """Return a tile for each picture, in the order of the list."""
    colours = class_colours(project)
    tiles = []
    for place, entry in enumerate(pictures, 1):
        image = entry.image
        says, badge = sentence(entry.reason), str(place)
        kept = project.kept_suggestions(image.id, network.key)
        regions = kept.regions if kept else ()
        sure = sum(score_of(region) >= SURE for region in regions)
        title = f"{image.file_name}: {counted(sure, 'suggestion')}. Click to begin the list here."
        try:
            content = suggested_thumbnail(project, image, regions, colours)
        except StudioError as error:
            tiles.append(Tile(image.id, None, image.file_name, says, str(error), badge))
            continue
        tiles.append(Tile(image.id, content, image.file_name, says, title, badge))
    return tiles
