"""How large the picture, the maps and the grids of the RoIPool and RoIAlign page are, so that nothing is cut off."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.studio.components import viewport
from maskrcnn.studio.components.viewport import Room

PAGE = "roi_align"
"""What the session's keys of the page begin with, and what its choices are remembered under."""

AT_FIRST = Room(906, 768)
"""The page on a laptop of 1366 x 768 pixels."""

NARROW = 700
"""Below this width of the page, in CSS pixels, what stands side by side elsewhere stands below one another."""

PICTURE_AND_MAPS = (1.04, 2.05)
GRIDS_AND_NUDGE = (4, 1.75)
"""Shares of the width of columns that are side by side."""

_GAP = 16  # between columns
_AXIS = 48  # what a map's axis takes of its width
_CONTROLS = (2.1, 2.1, 1, 1.1, 1.1, 2.2)


@dataclass(frozen=True)
class Layout:
    """Sizes in CSS pixels: the most that the picture may take, the sides of the square plots of maps and grids."""

    narrow: bool
    picture_width: int
    picture_height: int
    map_side: int
    grid_side: int
    nudge_height: int

    def controls(self) -> list[DeltaGenerator]:
        """A column for each of the six choices."""
        if self.narrow:
            return [*st.columns(3), *st.columns(3)]
        return [*st.columns(_CONTROLS)]

    def grids(self) -> list[DeltaGenerator]:
        """A column for each of the four grids, two by two where the page is narrow."""
        return [*st.columns(2), *st.columns(2)] if self.narrow else [*st.columns(4)]

    def beside(self, first: float, second: float) -> tuple[DeltaGenerator, DeltaGenerator]:
        """Two columns of these shares, or one below the other."""
        if self.narrow:
            return st.container(), st.container()
        left, right = st.columns([first, second])
        return left, right


def layout() -> Layout:
    """The layout for the window in which the page is open."""
    return of_room(viewport.room(PAGE, AT_FIRST))


def of_room(room: Room) -> Layout:
    """The layout for a page of that width in a window of that height."""
    narrow = room.width < NARROW
    picture, maps = _shares(room.width, *PICTURE_AND_MAPS, narrow=narrow)
    grids, _ = _shares(room.width, *GRIDS_AND_NUDGE, narrow=narrow)
    each_map, each_grid = (maps - _GAP) / 2, (grids - _GAP) / 2 if narrow else (grids - 3 * _GAP) / 4
    # A third of the window's height leaves room for the choices above and the line of each map below.
    map_side = int(max(90, min(each_map - _AXIS, room.height / 3, 360)))
    grid_side = int(max(60, min(each_grid, 0.6 * map_side)))
    return Layout(
        narrow=narrow,
        picture_width=int(max(120, min(picture, 560))),
        picture_height=map_side + 60,
        map_side=map_side,
        grid_side=grid_side,
        nudge_height=max(190, grid_side + 55),  # room for the title of its axis
    )


def _shares(width: int, first: float, second: float, *, narrow: bool) -> tuple[float, float]:
    """The widths of two columns."""
    if narrow:
        return width, width
    room = width - _GAP
    return room * first / (first + second), room * second / (first + second)
