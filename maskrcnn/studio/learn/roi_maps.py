"""The two maps of the RoIPool and RoIAlign page and their charts: how RoIPool and one other method read the box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.lessons import roi_pooling
from maskrcnn.lessons.roi_pooling import AlignSamples, Box, PoolBins, bilinear
from maskrcnn.studio.components.chart import Chart, Spec, draw, field, table
from maskrcnn.studio.learn.pooled_roi import RoiOnMap
from maskrcnn.studio.learn.roi_colours import BOX_COLOUR, LOOKS, ROI_POOL_COLOUR
from maskrcnn.studio.learn.roi_layout import AXIS, PAGE, RoiLayout
from maskrcnn.studio.learn.roi_texts import DEVIATION, NAMES, READING, ROUNDING
from maskrcnn.studio.shell import url_state

MapWindow = tuple[float, float, float]
"""Left, top and side of a square part of a map, in cells."""


def show(roi: RoiOnMap, layout: RoiLayout) -> str:
    """Draw both maps, and return the method that the user compares with RoIPool."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.markdown(f"{NAMES['pool']} beside", width="content")
        method = url_state.segments(
            "Beside RoIPool",
            "method",
            ("warp", "align-legacy", "align"),
            "align",
            page=PAGE,
            show=lambda method: roi_pooling.METHODS[method],
        )
    pool_column, other_column = st.columns(2)
    samples = roi.samples(method)
    view = map_window(roi.cells, roi.pool_bins.cells, samples.box)
    side = layout.map_side
    with pool_column:
        st.markdown(f"{NAMES['pool']} {ROUNDING['pool']}", help=READING["pool"])
        draw(pool_chart(roi.feature_map, roi.cells, roi.pool_bins, view, side), width="content")
        _show_map_deviation(roi, "pool")
    with other_column:
        st.markdown(f"{NAMES[method]} {ROUNDING[method]}", help=READING[method])
        draw(samples_chart(roi.feature_map, roi.cells, samples, method, view, side), width="content")
        _show_map_deviation(roi, method)
    return method


def _show_map_deviation(roi: RoiOnMap, method: str) -> None:
    """Draw the line under a map: how far the box that the method reads deviates from the drawn box."""
    if method == "align":
        st.markdown("Off by **0 px**, IoU **1**")
        return
    off, iou = roi.deviation(method)
    st.markdown(
        f"Off by up to **{max(map(abs, off)):.1f} px**, IoU **{iou:.3f}**",
        help=f"Left {off[0]:+.1f}, top {off[1]:+.1f}, right {off[2]:+.1f}, bottom {off[3]:+.1f} picture pixels: "
        f"{DEVIATION[method]} IoU is intersection over union of the two boxes.",
    )


def map_window(*boxes: Box, margin: float = 1.5, least: float = 6.0) -> MapWindow:
    """Return the square part of a map around boxes (xyxy, in cells) with a margin, at least `least` cells wide."""
    x1, y1 = (min(box[axis] for box in boxes) for axis in (0, 1))
    x2, y2 = (max(box[axis] for box in boxes) for axis in (2, 3))
    side = max(x2 - x1 + 2 * margin, y2 - y1 + 2 * margin, least)
    return (x1 + x2 - side) / 2, (y1 + y2 - side) / 2, side


def pool_chart(feature_map: np.ndarray, box: Box, bins: PoolBins, view: MapWindow, side: int) -> Chart:
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
        _cells_layer(),
        _rectangles_layer(
            "bins",
            {"type": "rect", "fill": ROI_POOL_COLOUR, "fillOpacity": 0.13, "strokeWidth": 1.2, **line},
            tooltip=field("bin", "nominal", title="bin"),
        ),
        _rectangles_layer("read", {"type": "rect", "fill": None, "strokeWidth": 3.5, **line}),
        *_box_layers(),
        _points_layer(ROI_POOL_COLOUR, 60),
    ]
    left, right, top, bottom, names = zip(*rows, strict=True) if rows else ((),) * 5
    tables = {
        "cells": _cells_table(feature_map, view),
        "bins": {
            "x": np.array(left, float),
            "x2": np.array(right, float),
            "y": np.array(top, float),
            "y2": np.array(bottom, float),
            "bin": list(names),
        },
        "read": _box_table(read),
        "drawn": _box_table(box),
        "points": _largest_cells_table(feature_map, [row[:4] for row in rows]),
    }
    return _map_chart(layers, tables, view, side)


def samples_chart(
    feature_map: np.ndarray, box: Box, samples: AlignSamples, method: str, view: MapWindow, side: int
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
    bin_edges, drawn = _rectangles_layer("edges", rule), _box_layers()
    layers = [
        _cells_layer(),
        # The drawn box is below the bins if they fill it exactly (RoIAlign), else above them.
        *([*drawn, bin_edges] if method == "align" else [bin_edges, *drawn]),
        _points_layer(look.colour, 34 if len(samples.points) <= 200 else 12),
    ]
    points = np.asarray(samples.points, float)
    tables = {
        "cells": _cells_table(feature_map, view),
        "edges": dict(zip(("x", "x2", "y", "y2"), np.array(edges, float).T, strict=True)),
        "drawn": _box_table(box),
        "points": {"x": points[:, 0], "y": points[:, 1], "value": bilinear(feature_map, samples.points)},
    }
    if method == "warp":
        thick = {"type": "rect", "fill": None, "stroke": look.colour, "strokeWidth": 3.5, "clip": True}
        layers.insert(2, _rectangles_layer("rounded", thick))
        tables["rounded"] = _box_table(samples.box)
    return _map_chart(layers, tables, view, side)


def _cells_layer() -> Spec:
    """Return the layer of the map's cells inside the window; high values are bright."""
    tips = [
        field("y", title="row"),
        field("x", title="column"),
        field("value", format=".3f"),
    ]
    colour = field("value", scale={"scheme": "greys", "reverse": True}, legend=None)
    return _rectangles_layer("cells", {"type": "rect", "clip": True}, color=colour, tooltip=tips)


def _cells_table(feature_map: np.ndarray, view: MapWindow) -> dict[str, Any]:
    """Return the columns of the table `cells`: corners and value of each cell inside the window."""
    left, top, side = view
    height, width = feature_map.shape
    rows = np.arange(max(0, int(np.floor(top))), min(height, int(np.ceil(top + side))))
    columns = np.arange(max(0, int(np.floor(left))), min(width, int(np.ceil(left + side))))
    grid_y, grid_x = np.meshgrid(rows.astype(np.int16), columns.astype(np.int16), indexing="ij")
    x, y = grid_x.ravel(), grid_y.ravel()
    return {"x": x, "x2": x + 1, "y": y, "y2": y + 1, "value": feature_map[y, x]}


def _box_layers() -> list[Spec]:
    """Return the layers of the box that the user drew. A white edge keeps it visible on any map."""
    lines = (("white", 3.5), (BOX_COLOUR, 2))
    return [
        _rectangles_layer("drawn", {"type": "rect", "fill": None, "stroke": colour, "strokeWidth": width, "clip": True})
        for colour, width in lines
    ]


def _largest_cells_table(feature_map: np.ndarray, bins: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    """Return the columns of the table `points`: centre and value of the largest cell in each bin.

    A bin is (left, right, top, bottom) in cells.
    """
    found = []
    for left, right, top, bottom in bins:
        cells = feature_map[int(top) : int(bottom), int(left) : int(right)]
        row, column = np.unravel_index(int(cells.argmax()), cells.shape)
        found.append((int(left) + column + 0.5, int(top) + row + 0.5, float(cells.max())))
    return dict(zip(("x", "y", "value"), np.array(found, float).reshape(-1, 3).T, strict=True))


def _points_layer(colour: str, size: int) -> Spec:
    """Return the layer of the table `points`: discs with an area of `size` square pixels."""
    mark = {"type": "circle", "size": size, "color": colour, "opacity": 1, "stroke": "white", "strokeWidth": 1}
    tips = [field(name, format=".3f") for name in ("x", "y", "value")]
    return {"data": {"name": "points"}, "mark": {**mark, "clip": True}, "encoding": {"tooltip": tips}}


def _rectangles_layer(name: str, mark: Spec, **encoding: Any) -> Spec:
    """Return a layer with one mark for each row of the table `name`, which has the columns `x`, `y`, `x2` and `y2`."""
    corners = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {"data": {"name": name}, "mark": mark, "encoding": {**corners, **encoding}}


def _map_axes(view: MapWindow) -> Spec:
    """Return the encoding of x and y with their axes, for a map that shows this window."""
    left, top, side = view

    # The side of the square map, as a Vega expression. On the page the plot is square (width == height) and the map
    # fills it. In full screen the plot is as large as the window, and the map leaves `AXIS` pixels for its axes.
    map_side = f"(min(width, height) - (width == height ? 0 : {AXIS}))"

    def axis(title: str, **look: Any) -> Spec:
        look |= {"titleFontWeight": "normal", "titlePadding": 2, "format": "d", "tickMinStep": 1}
        return {"title": title, "grid": False, **look}

    square = {"nice": False, "zero": False, "range": [0, {"expr": map_side}]}
    across = axis("cells across", offset={"expr": f"{map_side} - height"})
    return {
        "x": field("x", scale={"domain": [left, left + side], **square}, axis=across),
        "y": field("y", scale={"domain": [top, top + side], **square}, axis=axis("cells down")),
    }


def _box_table(box: Sequence[float]) -> dict[str, Any]:
    """Return the columns of a table with one row: the box (xyxy)."""
    return {name: np.array([edge], float) for name, edge in zip(("x", "y", "x2", "y2"), box, strict=True)}


def _map_chart(layers: list[Spec], tables: dict[str, dict[str, Any]], view: MapWindow, side: int) -> Chart:
    """Return the chart of a map with these layers and tables; `side` is its width and height in CSS pixels."""
    spec = {
        "width": side,
        "height": side,
        # With the default autosize the axes would take space from the plot, and the cells would not be square.
        "autosize": {"type": "pad"},
        "encoding": _map_axes(view),
        "layer": layers,
        "resolve": {"scale": {"color": "independent"}},
    }
    return Chart(spec, {name: table(columns) for name, columns in tables.items()})
