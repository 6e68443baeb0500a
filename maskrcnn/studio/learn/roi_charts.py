"""The charts of the RoIPool and RoIAlign page. RoIPool is orange and RoIAlign blue, here and everywhere.

RoIWarp is teal; RoIAlign as it was first published is blue too, but dashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from maskrcnn.lessons.roi_pooling import METHODS, AlignSamples, Box, PoolBins, bilinear

ROI_POOL_COLOUR = "#e8710a"
ROI_ALIGN_COLOUR = "#1f6feb"
ROI_WARP_COLOUR = "#0b8a7f"
BOX_COLOUR = "#e5007d"
"""The box as it was drawn, on the picture and on the maps."""

_AXIS = 48  # pixels that an axis takes below a map

Scheme = Literal["oranges", "teals", "blues", "blueorange"]


@dataclass(frozen=True)
class Look:
    """How one method is drawn: its colour, the dashes of its lines (none: solid) and the colour scale of its grids."""

    colour: str
    dash: tuple[int, ...]
    scheme: Scheme


LOOKS = {
    "pool": Look(ROI_POOL_COLOUR, (), "oranges"),
    "warp": Look(ROI_WARP_COLOUR, (), "teals"),
    "align-legacy": Look(ROI_ALIGN_COLOUR, (5, 3), "blues"),
    "align": Look(ROI_ALIGN_COLOUR, (), "blues"),
}
"""Each of `roi_pooling.METHODS` -> how it is drawn."""

Window = tuple[float, float, float]
"""Left, top and side of a square part of a map, in cells."""


def window(*boxes: Box, margin: float = 1.5, least: float = 6.0) -> Window:
    """The square around boxes (xyxy, cells) with a margin, at least `least` cells wide."""
    x1, y1 = (min(box[axis] for box in boxes) for axis in (0, 1))
    x2, y2 = (max(box[axis] for box in boxes) for axis in (2, 3))
    side = max(x2 - x1 + 2 * margin, y2 - y1 + 2 * margin, least)
    return (x1 + x2 - side) / 2, (y1 + y2 - side) / 2, side


def pool_chart(feature_map: np.ndarray, box: Box, bins: PoolBins, view: Window, side: int) -> alt.LayerChart:
    """The map with the drawn `box` (cells), the cells that are read for it, the bins, and each bin's largest cell."""
    rows = [
        {"x": left, "x2": right, "y": top, "y2": bottom, "bin": f"row {row + 1}, column {column + 1}"}
        for row, (top, bottom) in enumerate(bins.y_edges.tolist())
        for column, (left, right) in enumerate(bins.x_edges.tolist())
        if right > left and bottom > top
    ]
    bin_layer = _rectangles(pd.DataFrame(rows, columns=["x", "x2", "y", "y2", "bin"]), view)
    height, width = feature_map.shape
    x1, y1, x2, y2 = bins.cells
    read = min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height)
    snapped = _rectangles(_frame(read), view)
    layers = [
        _cells(feature_map, view),
        bin_layer.mark_rect(
            fill=ROI_POOL_COLOUR, fillOpacity=0.13, stroke=ROI_POOL_COLOUR, strokeWidth=1.2, clip=True
        ).encode(tooltip=alt.Tooltip("bin:N", title="bin")),
        snapped.mark_rect(fill=None, stroke=ROI_POOL_COLOUR, strokeWidth=3.5, clip=True),
        *_drawn_box(box, view),
        _points(_largest_cells(feature_map, rows), view, ROI_POOL_COLOUR, 60),
    ]
    return _square(layers, side)


def samples_chart(
    feature_map: np.ndarray, box: Box, samples: AlignSamples, method: str, view: Window, side: int
) -> alt.LayerChart:
    """The map with the drawn `box` (cells), the bins that RoIAlign or RoIWarp works on, and where it reads the map.

    RoIWarp's bins fill the box that it has rounded, which is drawn thick as RoIPool's is.
    """
    # Each edge once: of two dashed lines on one another the gaps would not be seen.
    x, y = samples.x_edges.tolist(), samples.y_edges.tolist()
    edges = [{"x": edge, "x2": edge, "y": y[0], "y2": y[-1]} for edge in x]
    edges += [{"x": x[0], "x2": x[-1], "y": edge, "y2": edge} for edge in y]
    points = pd.DataFrame(samples.points, columns=["x", "y"])
    points["value"] = bilinear(feature_map, samples.points)
    look = LOOKS[method]
    bin_edges = _rectangles(pd.DataFrame(edges), view)
    drawn = _drawn_box(box, view)
    layers = [
        _cells(feature_map, view),
        # Beneath the bins where they fill it exactly, above them where they do not.
        *(drawn if method == "align" else []),
        bin_edges.mark_rule(stroke=look.colour, strokeWidth=1.6, strokeDash=list(look.dash), clip=True),
        *([] if method == "align" else drawn),
        _points(points, view, look.colour, 34 if len(points) <= 200 else 12),
    ]
    if method == "warp":
        rounded = _rectangles(_frame(samples.box), view)
        layers.insert(2, rounded.mark_rect(fill=None, stroke=look.colour, strokeWidth=3.5, clip=True))
    return _square(layers, side)


def grid_chart(grid: np.ndarray, scheme: Scheme, side: int, *, largest: float | None = None) -> alt.LayerChart:
    """A pooled grid (size, size) as a heat map on its own colour scale; numbers are written where they fit.

    With `largest` it is a difference, shown from -`largest` to `largest`.
    """
    size = len(grid)
    frame = pd.DataFrame(
        [
            {"row": row + 1, "column": column + 1, "value": float(grid[row, column])}
            for row in range(size)
            for column in range(size)
        ]
    )
    difference = largest is not None
    low, high = (-largest, largest) if largest is not None else (float(grid.min()), float(grid.max()))
    high = max(high, low + 1e-9)
    written = size <= 5 and side >= 26 * size
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme=scheme, domain=[low, high]),
        legend=None
        if written
        else alt.Legend(orient="bottom", title=None, gradientLength=side, tickCount=3, format=".2g"),
    )
    square = alt.Scale(padding=0, range=[0, alt.ExprRef("min(width, height)")])  # in full screen too
    base = alt.Chart(frame).encode(
        x=alt.X("column:O", axis=None, scale=square),
        y=alt.Y("row:O", axis=None, scale=square),
        tooltip=["row", "column", alt.Tooltip("value:Q", format=".4f")],
    )
    layers: list[alt.Chart] = [base.mark_rect(stroke="#808080", strokeWidth=0.5).encode(color=colour)]
    if written:
        dark = f"abs(datum.value) > {0.6 * high}" if difference else f"datum.value > {low + 0.6 * (high - low)}"
        ink = alt.condition(dark, alt.value("white"), alt.value("black"))
        text = base.mark_text(fontSize=13 if size <= 3 else 11)
        layers.append(text.encode(text=alt.Text("value:Q", format="+.2f" if difference else ".2f"), color=ink))
    return alt.LayerChart(layer=layers, width=side, height=side)


def nudge_chart(
    shifts: Sequence[float], pooled: np.ndarray, other: np.ndarray, method: str, height: int
) -> alt.LayerChart:
    """How a value changes while the box moves right: RoIPool's in steps, RoIAlign's smoothly.

    `shifts` (N,) are picture pixels; `pooled` and `other` (N,) are the value's change since the first position, by
    RoIPool and by `method`.
    """
    x = alt.X("shift:Q", title="box moved right (picture px)", scale=alt.Scale(nice=False))
    # Room for the names above and below the lines.
    y = alt.Y("change:Q", title="change (map values)", scale=alt.Scale(nice=False, padding=18))
    apart = int(np.abs(pooled - other).argmax())
    align: Literal["left", "right"] = "right" if apart > len(shifts) / 2 else "left"
    layers: list[alt.Chart] = []
    for name, values, others in (("pool", pooled, other), (method, other, pooled)):
        look = LOOKS[name]
        frame = pd.DataFrame({"shift": shifts, "change": values, "method": METHODS[name]})
        line = alt.Chart(frame).encode(x=x, y=y)
        shape: Literal["step-after", "linear"] = "step-after" if name in ("pool", "warp") else "linear"
        layers.append(line.mark_line(interpolate=shape, strokeWidth=2.5, strokeDash=list(look.dash), color=look.colour))
        layers.append(
            line.mark_circle(size=22 if len(shifts) <= 50 else 6, color=look.colour, opacity=1).encode(
                tooltip=["method", alt.Tooltip("shift:Q", format=".0f"), alt.Tooltip("change:Q", format="+.4f")]
            )
        )
        # Named where the lines are farthest apart, on the far side.
        above = values[apart] > others[apart] or (name == "pool" and values[apart] == others[apart])
        named = alt.Chart(frame.iloc[[apart]]).encode(x=x, y=y, text="method:N")
        layers.append(
            named.mark_text(dy=-12 if above else 14, align=align, fontWeight="bold", fontSize=13, color=look.colour)
        )
    return alt.LayerChart(layer=layers, height=height)


def _cells(feature_map: np.ndarray, view: Window) -> alt.Chart:
    """The cells of the map that lie in the window, bright where the value is high."""
    left, top, side = view
    height, width = feature_map.shape
    rows = np.arange(max(0, int(np.floor(top))), min(height, int(np.ceil(top + side))))
    columns = np.arange(max(0, int(np.floor(left))), min(width, int(np.ceil(left + side))))
    grid_y, grid_x = np.meshgrid(rows, columns, indexing="ij")
    x, y = grid_x.ravel(), grid_y.ravel()
    frame = pd.DataFrame({"x": x, "x2": x + 1, "y": y, "y2": y + 1, "value": feature_map[y, x]})
    return (
        _rectangles(frame, view)
        .mark_rect(clip=True)
        .encode(
            color=alt.Color("value:Q", scale=alt.Scale(scheme="greys", reverse=True), legend=None),
            tooltip=[
                alt.Tooltip("y:Q", title="row"),
                alt.Tooltip("x:Q", title="column"),
                alt.Tooltip("value:Q", format=".3f"),
            ],
        )
    )


def _drawn_box(box: Box, view: Window) -> list[alt.Chart]:
    """The box as it was drawn, with a white edge, seen on any map."""
    chart = _rectangles(_frame(box), view)
    lines = (("white", 3.5), (BOX_COLOUR, 2))
    return [chart.mark_rect(fill=None, stroke=ink, strokeWidth=width, clip=True) for ink, width in lines]


def _largest_cells(feature_map: np.ndarray, rows: list[dict[str, float]]) -> pd.DataFrame:
    """The middle of the cell that each bin takes its value from."""
    found = []
    for entry in rows:
        left, top = int(entry["x"]), int(entry["y"])
        cells = feature_map[top : int(entry["y2"]), left : int(entry["x2"])]
        row, column = np.unravel_index(int(cells.argmax()), cells.shape)
        found.append({"x": left + column + 0.5, "y": top + row + 0.5, "value": float(cells.max())})
    return pd.DataFrame(found, columns=["x", "y", "value"])


def _points(frame: pd.DataFrame, view: Window, colour: str, size: int) -> alt.Chart:
    x, y = _axes(view)
    return (
        alt.Chart(frame)
        .mark_circle(size=size, color=colour, opacity=1, stroke="white", strokeWidth=1, clip=True)
        .encode(x=x, y=y, tooltip=[alt.Tooltip(field, format=".3f") for field in ("x:Q", "y:Q", "value:Q")])
    )


def _rectangles(frame: pd.DataFrame, view: Window) -> alt.Chart:
    x, y = _axes(view)
    return alt.Chart(frame).encode(x=x, x2="x2", y=y, y2="y2")


def _axes(view: Window) -> tuple[alt.X, alt.Y]:
    left, top, side = view

    # Full screen gives the plot the proportions of the window. The map stays a square there, with its axes beside it.
    shown = f"(min(width, height) - (width == height ? 0 : {_AXIS}))"

    def axis(title: str, **look: Any) -> alt.Axis:
        look |= {"titleFontWeight": "normal", "titlePadding": 2, "format": "d", "tickMinStep": 1}
        return alt.Axis(title=title, grid=False, **look)

    square: dict[str, Any] = {"nice": False, "zero": False, "range": [0, alt.ExprRef(shown)]}
    x = alt.Scale(domain=[left, left + side], **square)
    y = alt.Scale(domain=[top, top + side], **square)
    return (
        alt.X("x:Q", scale=x, axis=axis("cells across", offset=alt.ExprRef(f"{shown} - height"))),
        alt.Y("y:Q", scale=y, axis=axis("cells down")),
    )


def _frame(box: Box | tuple[int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame([{"x": box[0], "y": box[1], "x2": box[2], "y2": box[3]}])


def _square(layers: list[alt.Chart], side: int) -> alt.LayerChart:
    # "pad" keeps the plot itself square; by default the axes would take their room from it, and cells would be oblong.
    chart = alt.LayerChart(layer=layers, width=side, height=side, autosize=alt.AutoSizeParams(type="pad"))
    return chart.resolve_scale(color="independent")
