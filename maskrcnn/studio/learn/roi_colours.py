"""The colours and line styles of the pooling methods, in all charts of the RoIPool and RoIAlign page.

RoIPool is orange and RoIAlign is blue. RoIWarp is teal. RoIAlign (legacy) is blue and dashed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ROI_POOL_COLOUR = "#e8710a"
ROI_ALIGN_COLOUR = "#1f6feb"
ROI_WARP_COLOUR = "#0b8a7f"
BOX_COLOUR = "#e5007d"
"""Colour of the box that the user drew, on the picture and on the maps."""

Scheme = Literal["oranges", "teals", "blues", "blueorange"]
"""A colour scheme of Vega for the values of a grid."""


@dataclass(frozen=True)
class MethodLook:
    """Drawing style of one method: colour, dash pattern of its lines (empty: solid) and colour scheme of its grids."""

    colour: str
    dash: tuple[int, ...]
    scheme: Scheme


LOOKS = {
    "pool": MethodLook(ROI_POOL_COLOUR, (), "oranges"),
    "warp": MethodLook(ROI_WARP_COLOUR, (), "teals"),
    "align-legacy": MethodLook(ROI_ALIGN_COLOUR, (5, 3), "blues"),
    "align": MethodLook(ROI_ALIGN_COLOUR, (), "blues"),
}
"""Method (a key of `roi_pooling.METHODS`) -> drawing style."""
