"""The picture of the RoIPool and RoIAlign page, on which the box is dragged."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from maskrcnn.annotations import raster
from maskrcnn.annotations.store import Project
from maskrcnn.lessons.roi_pooling import Box, pyramid_level
from maskrcnn.studio.components.canvas import box_canvas
from maskrcnn.studio.learn import roi_charts
from maskrcnn.studio.learn.roi_choices import Choices
from maskrcnn.studio.learn.roi_layout import PAGE, Layout
from maskrcnn.studio.learn.roi_on_map import RoiOnMap


def show(project: Project, chosen: Choices, layout: Layout) -> Box | None:
    """Draw the picture with its box; returns the box, xyxy in picture pixels, or None where there is none.

    Each picture keeps its box for the session; the first one is around an object of the picture.
    """
    st.markdown("**The picture**: drag a box, or move it")
    image = chosen.image
    memory = f"{PAGE}_box_{project.folder}_{image.id}"
    if memory not in st.session_state:
        shapes = [region.shape for region in project.regions(image.id)[0] if raster.has_area(region.shape)]
        st.session_state[memory] = first_box(map(raster.bounds, shapes), image.width, image.height)
    box = box_canvas(
        chosen.picture,
        st.session_state[memory],
        f"{PAGE}_canvas_{image.id}",
        max_width=layout.picture_width,
        max_height=layout.picture_height,
        colour=roi_charts.BOX_COLOUR,
    )
    if box is not None:
        st.session_state[memory] = box
    return box


def show_scale(chosen: Choices, roi: RoiOnMap) -> None:
    """A line with the width of a cell on the picture, and with the pyramid level that a box of this size is pooled
    from."""
    level, takes = chosen.level, ""
    if chosen.roi_level is not None:
        pooled_from = pyramid_level(roi.seen, roi_level=chosen.roi_level)
        takes = f" For a box of this size Mask R-CNN takes P{pooled_from:d}."
    st.markdown(
        f":small[One cell of {level} is {roi.cell_width:.1f} picture pixels wide.{takes}]",
        help=f"The stride of {level} is {roi.stride:d} pixels of the picture as the network sees it, which is the "
        f"original times {roi.picture_scale[0]:.2f}. Which level of a pyramid a box is pooled from depends on its size "
        "(Lin et al. 2017, equation 1).",
    )


def first_box(objects: Iterable[Box], width: int, height: int) -> Box:
    """A box to begin with on a picture: around its largest object that keeps off the border, else the largest one, else
    a part of the picture. Clipped to the picture."""

    def rank(box: Box) -> tuple[bool, float]:
        x1, y1, x2, y2 = box
        inside = x1 > 0.04 * width and y1 > 0.04 * height and x2 < 0.96 * width and y2 < 0.96 * height
        return inside, (x2 - x1) * (y2 - y1)

    x1, y1, x2, y2 = max(objects, key=rank, default=(0.2 * width, 0.2 * height, 0.75 * width, 0.7 * height))
    x1, x2 = (round(min(max(edge, 0.0), float(width)), 2) for edge in (x1, x2))
    y1, y2 = (round(min(max(edge, 0.0), float(height)), 2) for edge in (y1, y2))
    return x1, y1, x2, y2
