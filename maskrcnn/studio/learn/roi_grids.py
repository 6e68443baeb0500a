"""The pooled grids of the RoIPool and RoIAlign page, and the chart of a box that is moved to the right."""

from __future__ import annotations

import numpy as np
import streamlit as st

from maskrcnn.lessons import roi_pooling
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.learn import roi_charts
from maskrcnn.studio.learn.pooled_roi import RoiOnMap
from maskrcnn.studio.learn.roi_layout import PAGE, Layout
from maskrcnn.studio.learn.roi_texts import NAMES

_SHOWN = {"values": "its values", "differences": "its difference from RoIAlign's"}
_FOLLOWED = {"mean": "mean of the grid", "middle bin": "middle bin"}


def show(roi: RoiOnMap, layout: Layout) -> None:
    """Draw the grid of each method as a heat map: its values, or their differences from RoIAlign's values."""
    grids = {method: roi.grid(method) for method in roi_pooling.METHODS}
    shown = st.segmented_control(
        "The grid of each",
        list(_SHOWN),
        default="values",
        required=True,
        format_func=_SHOWN.__getitem__,
        key=f"{PAGE}_shown",
        persist_state="session",
        help="Values of the feature map, which have no unit: RoIPool takes the largest of each bin, the others the "
        "average of its points. A difference is "
        "orange where the method's value is larger than RoIAlign's, blue where it is smaller; all have one scale.",
    )
    differences = {method: grid - grids["align"] for method, grid in grids.items() if method != "align"}
    largest = max(float(abs(difference).max()) for difference in differences.values())
    for column, (method, grid) in zip(layout.grids(), grids.items(), strict=True):
        column.markdown(NAMES[method])
        chart = (
            roi_charts.grid_chart(differences[method], "blueorange", layout.grid_side, largest=largest)
            if shown == "differences" and method in differences
            else roi_charts.grid_chart(grid, roi_charts.LOOKS[method].scheme, layout.grid_side)
        )
        draw(chart, column, width="content")


def show_nudged(roi: RoiOnMap, method: str, layout: Layout) -> None:
    """Draw how the grids of RoIPool and of `method` change while the box moves right by two cells, pixel by pixel."""
    followed = st.segmented_control(
        "Nudge the box and follow",
        list(_FOLLOWED),
        default="mean",
        required=True,
        format_func=_FOLLOWED.__getitem__,
        key=f"{PAGE}_followed",
        persist_state="session",
        help="The box is moved right pixel by pixel, by two cells in all. The heights of the two differ, because one "
        "takes the largest value and the other the average, so both start at 0 here. Look at the shape.",
    )
    steps = range(round(2 * roi.cell_width) + 1)

    def changes(method: str) -> np.ndarray:
        """Return the followed value at each step, minus its value at the first step, (N,)."""
        grids = roi.shifted_grids(method, steps)
        values = grids.mean(axis=(1, 2)) if followed == "mean" else grids[:, roi.size // 2, roi.size // 2]
        return values - values[0]

    chart = roi_charts.nudge_chart(list(steps), changes("pool"), changes(method), method, layout.nudge_height)
    draw(chart)
