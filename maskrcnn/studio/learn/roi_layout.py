"""Sizes of the picture, maps and grids of the RoIPool and RoIAlign page, so that they fit into the window."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.studio.components import viewport
from maskrcnn.studio.components.viewport import ViewportSize

PAGE = "roi_align"
"""Prefix of the page's keys in the session state, and name under which its choices are remembered."""

AT_FIRST = ViewportSize(906, 768)
"""Default until the browser answers: the page on a laptop of 1366 x 768 pixels."""

NARROW = 700
"""If the page is narrower than this (CSS pixels), columns are placed below each other."""

PICTURE_AND_MAPS = (1.04, 2.05)
GRIDS_AND_NUDGE = (4, 1.75)
"""Width ratios of two columns that are side by side."""

_GAP = 16  # CSS pixels between columns
AXIS = 48
"""CSS pixels of a map's width or height that its axis takes."""
_CONTROLS = (2.1, 2.1, 1, 1.1, 1.1, 2.2)


@dataclass(frozen=True)
class RoiLayout:
    """Sizes in CSS pixels: maximum size of the picture, side of each square map and grid, height of the nudge chart."""

    narrow: bool
    picture_width: int
    picture_height: int
    map_side: int
    grid_side: int
    nudge_height: int

    def controls(self) -> list[DeltaGenerator]:
        """Return a column for each of the six choices."""
        if self.narrow:
            return [*st.columns(3), *st.columns(3)]
        return [*st.columns(_CONTROLS)]

    def grids(self) -> list[DeltaGenerator]:
        """Return a column for each of the four grids. On a narrow page they are two by two."""
        return [*st.columns(2), *st.columns(2)] if self.narrow else [*st.columns(4)]

    def two_columns(self, first: float, second: float) -> tuple[DeltaGenerator, DeltaGenerator]:
        """Return two columns with these shares of the width. On a narrow page the second is below the first."""
        if self.narrow:
            return st.container(), st.container()
        left, right = st.columns([first, second])
        return left, right


def layout() -> RoiLayout:
    """Return the layout for the current browser window."""
    return layout_for(viewport.viewport_size(PAGE, AT_FIRST))


def layout_for(size: ViewportSize) -> RoiLayout:
    """Return the layout for a page of this width in a window of this height."""
    narrow = size.width < NARROW
    picture, maps = _widths(size.width, *PICTURE_AND_MAPS, narrow=narrow)
    grids, _ = _widths(size.width, *GRIDS_AND_NUDGE, narrow=narrow)
    each_map, each_grid = (maps - _GAP) / 2, (grids - _GAP) / 2 if narrow else (grids - 3 * _GAP) / 4
    # A third of the window's height leaves space for the choices above and the line below each map.
    map_side = int(max(90, min(each_map - AXIS, size.height / 3, 360)))
    grid_side = int(max(60, min(each_grid, 0.6 * map_side)))
    return RoiLayout(
        narrow=narrow,
        picture_width=int(max(120, min(picture, 560))),
        picture_height=map_side + 60,
        map_side=map_side,
        grid_side=grid_side,
        nudge_height=max(190, grid_side + 55),  # with space for the axis title
    )


def _widths(width: int, first: float, second: float, *, narrow: bool) -> tuple[float, float]:
    """Return the widths of two columns with these shares; both are the full width if the page is narrow."""
    if narrow:
        return width, width
    room = width - _GAP
    return room * first / (first + second), room * second / (first + second)
