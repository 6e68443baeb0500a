"""The charts of the RoIPool and RoIAlign page.

On all pages RoIPool is orange and RoIAlign is blue. RoIWarp is teal. RoIAlign (legacy) is blue and dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from maskrcnn.lessons.roi_pooling import METHODS, AlignSamples, Box, PoolBins, bilinear
from maskrcnn.studio.components.chart import Chart, Spec, field, table

ROI_POOL_COLOUR = "#e8710a"
ROI_ALIGN_COLOUR = "#1f6feb"
ROI_WARP_COLOUR = "#0b8a7f"
BOX_COLOUR = "#e5007d"
"""Colour of the box that the user drew, on the picture and on the maps."""

_AXIS = 48  # CSS pixels of the axis below a map

_CELL_COLOUR = "scale('color', datum.value)"
_NUMBER_COLOUR = {
    "condition": {"test": f"contrast('white', {_CELL_COLOUR}) > contrast('black', {_CELL_COLOUR})", "value": "white"},
    "value": "black",
}
"""Colour of the number on a grid cell, chosen as in `drawing.ink.text_colour`.

It is computed in the browser because only the browser knows the colours of the scale.
"""

Scheme = Literal["oranges", "teals", "blues", "blueorange"]


@dataclass(frozen=True)
class Look:
    """Drawing style of one method: colour, dash pattern of its lines (empty: solid) and colour scheme of its grids."""

    colour: str
    dash: tuple[int, ...]
    scheme: Scheme


LOOKS = {
    "pool": Look(ROI_POOL_COLOUR, (), "oranges"),
    "warp": Look(ROI_WARP_COLOUR, (), "teals"),
    "align-legacy": Look(ROI_ALIGN_COLOUR, (5, 3), "blues"),
    "align": Look(ROI_ALIGN_COLOUR, (), "blues"),
}
"""Method (a key of `roi_pooling.METHODS`) -> drawing style."""

Window = tuple[float, float, float]
"""Left, top and side of a square part of a map, in cells."""


def window(*boxes: Box, margin: float = 1.5, least: float = 6.0) -> Window:
    """Return the square around boxes (xyxy, in cells) with a margin; it is at least `least` cells wide."""
    x1, y1 = (min(box[axis] for box in boxes) for axis in (0, 1))
    x2, y2 = (max(box[axis] for box in boxes) for axis in (2, 3))
    side = max(x2 - x1 + 2 * margin, y2 - y1 + 2 * margin, least)
    return (x1 + x2 - side) / 2, (y1 + y2 - side) / 2, side


def pool_chart(feature_map: np.ndarray, box: Box, bins: PoolBins, view: Window, side: int) -> Chart:
    """Return a chart of how RoIPool reads the map.

    It shows the cells of the map, the drawn `box` (in cells), the area that RoIPool reads, the bins, and the largest
    cell of each bin. Tables: `cells`, `bins`, `read`, `drawn`, `points`.
    """
    rows = [
        (left, right, top, bottom, f"row {row + 1}, column {column + 1}")
        for row, (top, bottom) in enumerate(bins.y_edges.tolist())
        for column, (left, right) in enumerate(bins.x_edges.tolist())
        if right > left and bottom > top
    ]
    height, width = feature_map.shape
    x1, y1, x2, y2 = bins.cells
    read = (min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height))
    line = {"stroke": ROI_POOL_COLOUR, "clip": True}
    layers = [
        _cells(),
        _rectangles(
            "bins",
            {"type": "rect", "fill": ROI_POOL_COLOUR, "fillOpacity": 0.13, "strokeWidth": 1.2, **line},
            tooltip=field("bin", "nominal", title="bin"),
        ),
        _rectangles("read", {"type": "rect", "fill": None, "strokeWidth": 3.5, **line}),
        *_drawn_box(),
        _points(ROI_POOL_COLOUR, 60),
    ]
    left, right, top, bottom, names = zip(*rows, strict=True) if rows else ((),) * 5
    tables = {
        "cells": _cell_values(feature_map, view),
        "bins": {
            "x": _floats(left),
            "x2": _floats(right),
            "y": _floats(top),
            "y2": _floats(bottom),
            "bin": list(names),
        },
        "read": _corners(read),
        "drawn": _corners(box),
        "points": _largest_cells(feature_map, [row[:4] for row in rows]),
    }
    return _square(layers, tables, view, side)


def samples_chart(
    feature_map: np.ndarray, box: Box, samples: AlignSamples, method: str, view: Window, side: int
) -> Chart:
    """Return a chart of how RoIAlign or RoIWarp (`method`) reads the map.

    It shows the cells of the map, the drawn `box` (in cells), the bins, and the sample points. For RoIWarp it also
    shows the rounded box with a thick line. Tables: `cells`, `edges`, `drawn`, `points`, and `rounded` for RoIWarp.
    """
    # Each edge is drawn once, because two dashed lines on top of each other would look solid.
    x, y = samples.x_edges.tolist(), samples.y_edges.tolist()
    edges = [(edge, edge, y[0], y[-1]) for edge in x] + [(x[0], x[-1], edge, edge) for edge in y]
    look = LOOKS[method]
    rule = {"type": "rule", "stroke": look.colour, "strokeWidth": 1.6, "strokeDash": list(look.dash), "clip": True}
    bin_edges, drawn = _rectangles("edges", rule), _drawn_box()
    layers = [
        _cells(),
        # The drawn box is below the bins if they fill it exactly (RoIAlign), else above them.
        *([*drawn, bin_edges] if method == "align" else [bin_edges, *drawn]),
        _points(look.colour, 34 if len(samples.points) <= 200 else 12),
    ]
    points = np.asarray(samples.points, float)
    tables = {
        "cells": _cell_values(feature_map, view),
        "edges": dict(zip(("x", "x2", "y", "y2"), np.array(edges, float).T, strict=True)),
        "drawn": _corners(box),
        "points": {"x": points[:, 0], "y": points[:, 1], "value": bilinear(feature_map, samples.points)},
    }
    if method == "warp":
        thick = {"type": "rect", "fill": None, "stroke": look.colour, "strokeWidth": 3.5, "clip": True}
        layers.insert(2, _rectangles("rounded", thick))
        tables["rounded"] = _corners(samples.box)
    return _square(layers, tables, view, side)


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
    at the first position. Tables: `pool` and `pool name`, `other` and `other name`.
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
        shape = "step-after" if name in ("pool", "warp") else "linear"
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


def _cells() -> Spec:
    """Return the layer of the map's cells inside the window; high values are bright."""
    tips = [
        field("y", title="row"),
        field("x", title="column"),
        field("value", format=".3f"),
    ]
    colour = field("value", scale={"scheme": "greys", "reverse": True}, legend=None)
    return _rectangles("cells", {"type": "rect", "clip": True}, color=colour, tooltip=tips)


def _cell_values(feature_map: np.ndarray, view: Window) -> dict[str, Any]:
    """Return the columns of the table `cells`: corners and value of each cell inside the window."""
    left, top, side = view
    height, width = feature_map.shape
    rows = np.arange(max(0, int(np.floor(top))), min(height, int(np.ceil(top + side))))
    columns = np.arange(max(0, int(np.floor(left))), min(width, int(np.ceil(left + side))))
    grid_y, grid_x = np.meshgrid(rows.astype(np.int16), columns.astype(np.int16), indexing="ij")
    x, y = grid_x.ravel(), grid_y.ravel()
    return {"x": x, "x2": x + 1, "y": y, "y2": y + 1, "value": feature_map[y, x]}


def _drawn_box() -> list[Spec]:
    """Return the layers of the box that the user drew. A white edge keeps it visible on any map."""
    lines = (("white", 3.5), (BOX_COLOUR, 2))
    return [
        _rectangles("drawn", {"type": "rect", "fill": None, "stroke": colour, "strokeWidth": width, "clip": True})
        for colour, width in lines
    ]


def _largest_cells(feature_map: np.ndarray, bins: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    """Return the columns of the table `points`: centre and value of the largest cell in each bin.

    A bin is (left, right, top, bottom) in cells.
    """
    found = []
    for left, right, top, bottom in bins:
        cells = feature_map[int(top) : int(bottom), int(left) : int(right)]
        row, column = np.unravel_index(int(cells.argmax()), cells.shape)
        found.append((int(left) + column + 0.5, int(top) + row + 0.5, float(cells.max())))
    return dict(zip(("x", "y", "value"), np.array(found, float).reshape(-1, 3).T, strict=True))


def _points(colour: str, size: int) -> Spec:
    """Return the layer of the table `points`: discs with an area of `size` square pixels."""
    mark = {"type": "circle", "size": size, "color": colour, "opacity": 1, "stroke": "white", "strokeWidth": 1}
    tips = [field(name, format=".3f") for name in ("x", "y", "value")]
    return {"data": {"name": "points"}, "mark": {**mark, "clip": True}, "encoding": {"tooltip": tips}}


def _rectangles(name: str, mark: Spec, **encoding: Any) -> Spec:
    """Return a layer with one mark for each row of the table `name`, which has the columns `x`, `y`, `x2` and `y2`."""
    corners = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {"data": {"name": name}, "mark": mark, "encoding": {**corners, **encoding}}


def _axes(view: Window) -> Spec:
    """Return the encoding of x and y with their axes, for a map that shows this window."""
    left, top, side = view

    # In full screen the plot gets the aspect ratio of the window. The map stays square, with the axes next to it.
    shown = f"(min(width, height) - (width == height ? 0 : {_AXIS}))"

    def axis(title: str, **look: Any) -> Spec:
        look |= {"titleFontWeight": "normal", "titlePadding": 2, "format": "d", "tickMinStep": 1}
        return {"title": title, "grid": False, **look}

    square = {"nice": False, "zero": False, "range": [0, {"expr": shown}]}
    across = axis("cells across", offset={"expr": f"{shown} - height"})
    return {
        "x": field("x", scale={"domain": [left, left + side], **square}, axis=across),
        "y": field("y", scale={"domain": [top, top + side], **square}, axis=axis("cells down")),
    }


def _corners(box: Sequence[float]) -> dict[str, Any]:
    """Return the columns of a table with one row: the box (xyxy)."""
    return {name: _floats([edge]) for name, edge in zip(("x", "y", "x2", "y2"), box, strict=True)}


def _floats(values: Sequence[float]) -> np.ndarray:
    return np.array(values, float)


def _square(layers: list[Spec], tables: dict[str, dict[str, Any]], view: Window, side: int) -> Chart:
    """Return the chart of a map with these layers and tables; `side` is its width and height in CSS pixels."""
    spec = {
        "width": side,
        "height": side,
        # With the default autosize the axes would take space from the plot, and the cells would not be square.
        "autosize": {"type": "pad"},
        "encoding": _axes(view),
        "layer": layers,
        "resolve": {"scale": {"color": "independent"}},
    }
    return Chart(spec, {name: table(columns) for name, columns in tables.items()})
