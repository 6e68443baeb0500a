"""The pooled grids of the RoIPool and RoIAlign page and how they change when the box moves right, with their charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from maskrcnn.lessons.roi_pooling import METHODS
from maskrcnn.studio.components.chart import Chart, Spec, draw, field, table
from maskrcnn.studio.learn.pooled_roi import RoiOnMap
from maskrcnn.studio.learn.roi_colours import LOOKS, Scheme
from maskrcnn.studio.learn.roi_layout import PAGE, RoiLayout
from maskrcnn.studio.learn.roi_texts import NAMES

_SHOWN = {"values": "its values", "differences": "its difference from RoIAlign's"}
_FOLLOWED = {"mean": "mean of the grid", "middle bin": "middle bin"}


def show(roi: RoiOnMap, layout: RoiLayout) -> None:
    """Draw the grid of each method as a heat map: its values, or their differences from RoIAlign's values."""
    grids = {method: roi.grid(method) for method in METHODS}
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
            grid_chart(differences[method], "blueorange", layout.grid_side, largest=largest)
            if shown == "differences" and method in differences
            else grid_chart(grid, LOOKS[method].scheme, layout.grid_side)
        )
        draw(chart, column, width="content")


def show_nudged(roi: RoiOnMap, method: str, layout: RoiLayout) -> None:
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

    chart = nudge_chart(list(steps), changes("pool"), changes(method), method, layout.nudge_height)
    draw(chart)


_CELL_COLOUR = "scale('color', datum.value)"
_NUMBER_COLOUR = {
    "condition": {"test": f"contrast('white', {_CELL_COLOUR}) > contrast('black', {_CELL_COLOUR})", "value": "white"},
    "value": "black",
}
"""Colour of the number on a grid cell, chosen as in `drawing.text_contrast.text_colour`.

It is computed in the browser because only the browser knows the colours of the scale.
"""


def grid_chart(grid: np.ndarray, scheme: Scheme, side: int, *, largest: float | None = None) -> Chart:
    """Return a heat map of a pooled grid (size, size), with the values as numbers if they fit into the cells.

    By default the colour scale covers the values of the grid. If `largest` is given, the grid is a difference and the
    scale goes from -`largest` to `largest`. The only table is `grid`.
    """
    size = len(grid)
    difference = largest is not None
    low, high = (-largest, largest) if largest is not None else (float(grid.min()), float(grid.max()))
    high = max(high, low + 1e-9)
    written = size <= 5 and side >= 26 * size
    legend = {"orient": "bottom", "title": None, "gradientLength": side, "tickCount": 3, "format": ".2g"}
    colour = field("value", scale={"scheme": scheme, "domain": [low, high]}, legend=None if written else legend)
    square = {"padding": 0, "range": [0, {"expr": "min(width, height)"}]}  # square also in full screen
    layers: list[Spec] = [
        {"mark": {"type": "rect", "stroke": "#808080", "strokeWidth": 0.5}, "encoding": {"color": colour}}
    ]
    if written:
        text = field("value", format="+.2f" if difference else ".2f")
        mark = {"type": "text", "fontSize": 13 if size <= 3 else 11}
        layers.append({"mark": mark, "encoding": {"text": text, "color": _NUMBER_COLOUR}})
    encoding = {
        "x": field("column", "ordinal", axis=None, scale=square),
        "y": field("row", "ordinal", axis=None, scale=square),
        "tooltip": [field("row"), field("column"), field("value", format=".4f")],
    }
    rows, columns = np.indices(grid.shape) + 1
    spec = {"width": side, "height": side, "data": {"name": "grid"}, "encoding": encoding, "layer": layers}
    values = np.asarray(grid, float).ravel()
    return Chart(spec, {"grid": table({"row": rows.ravel(), "column": columns.ravel(), "value": values})})


def nudge_chart(shifts: Sequence[float], pooled: np.ndarray, other: np.ndarray, method: str, height: int) -> Chart:
    """Return a chart of how a pooled value changes while the box moves right, for RoIPool and for `method`.

    `shifts` (N,) are in picture pixels. `pooled` (RoIPool) and `other` (`method`) are (N,): the value minus its value
    at the first position. The tables `pool` and `other` contain the points of the two lines. Tables `pool name` and
    `other name` contain the point of the line where the name of its method is written.
    """
    encoding = {
        "x": field("shift", title="box moved right (picture px)", scale={"nice": False}),
        # The padding leaves space for the names above and below the lines.
        "y": field("change", title="change (map values)", scale={"nice": False, "padding": 18}),
    }
    apart = int(np.abs(pooled - other).argmax())
    align = "right" if apart > len(shifts) / 2 else "left"
    tips = [field("method", "nominal"), field("shift", format=".0f"), field("change", format="+.4f")]
    layers: list[Spec] = []
    tables = {}
    for place, name, values, others in (("pool", "pool", pooled, other), ("other", method, other, pooled)):
        look = LOOKS[name]
        rounds_the_box = name in ("pool", "warp")  # to whole cells, so the value changes in steps
        shape = "step-after" if rounds_the_box else "linear"
        line = {"type": "line", "interpolate": shape, "strokeWidth": 2.5, "strokeDash": list(look.dash)}
        circle = {"type": "circle", "size": 22 if len(shifts) <= 50 else 6, "opacity": 1}
        # The name is written where the lines are farthest apart, on the side away from the other line.
        above = values[apart] > others[apart] or (name == "pool" and values[apart] == others[apart])
        text = {"type": "text", "dy": -12 if above else 14, "align": align, "fontWeight": "bold", "fontSize": 13}
        colour = {"color": look.colour}
        text_encoding = {"text": field("method", "nominal")}
        layers += [
            {"data": {"name": place}, "mark": line | colour},
            {"data": {"name": place}, "mark": circle | colour, "encoding": {"tooltip": tips}},
            {"data": {"name": f"{place} name"}, "mark": text | colour, "encoding": text_encoding},
        ]
        columns = {"shift": np.array(shifts, float), "change": np.asarray(values, float)}
        tables[place] = table(columns | {"method": [METHODS[name]] * len(shifts)})
        tables[f"{place} name"] = tables[place].slice(apart, 1)
    return Chart({"height": height, "encoding": encoding, "layer": layers}, tables)
