"""The picture of the RoIPool and RoIAlign page, on which the user drags the box."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from maskrcnn.annotations import raster
from maskrcnn.annotations.store import Project
from maskrcnn.lessons.roi_pooling import Box
from maskrcnn.studio.components.box_canvas import box_canvas
from maskrcnn.studio.learn import roi_colours
from maskrcnn.studio.learn.roi_choices import RoiChoices
from maskrcnn.studio.learn.roi_layout import PAGE, RoiLayout


def show(project: Project, chosen: RoiChoices, layout: RoiLayout) -> Box | None:
    """Draw the picture with its box, and return the box (xyxy, picture pixels), or None if there is no box.

    The session remembers the box of each picture. The initial box is that of `initial_box`.
    """
    st.markdown("**The picture**: drag a box, or move it")
    image = chosen.image
    memory = f"{PAGE}_box_{project.folder}_{image.id}"
    if memory not in st.session_state:
        shapes = [region.shape for region in project.regions(image.id)[0] if raster.has_area(region.shape)]
        st.session_state[memory] = initial_box(map(raster.bounds, shapes), image.width, image.height)
    box = box_canvas(
        chosen.picture,
        st.session_state[memory],
        f"{PAGE}_canvas_{image.id}",
        max_width=layout.picture_width,
        max_height=layout.picture_height,
        colour=roi_colours.BOX_COLOUR,
    )
    if box is not None:
        st.session_state[memory] = box
    return box


def initial_box(objects: Iterable[Box], width: int, height: int) -> Box:
    """Return the initial box on a picture of size `width` x `height`, clipped to the picture.

    It is the box of the largest object that is not close to the border. If there is none, it is that of the largest
    object. If there are no objects, it is a fixed part of the picture.
    """

    def rank(box: Box) -> tuple[bool, float]:
        x1, y1, x2, y2 = box
        inside = x1 > 0.04 * width and y1 > 0.04 * height and x2 < 0.96 * width and y2 < 0.96 * height
        return inside, (x2 - x1) * (y2 - y1)

    x1, y1, x2, y2 = max(objects, key=rank, default=(0.2 * width, 0.2 * height, 0.75 * width, 0.7 * height))
    x1, x2 = (round(min(max(edge, 0.0), float(width)), 2) for edge in (x1, x2))
    y1, y2 = (round(min(max(edge, 0.0), float(height)), 2) for edge in (y1, y2))
    return x1, y1, x2, y2
