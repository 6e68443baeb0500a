"""The charts of the Statistics view, in the class colours of the project."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from maskrcnn.annotations.statistics import GRID, SIZES, ClassRow, Statistics
from maskrcnn.drawing.labelled_picture import Colours
from maskrcnn.studio.components.chart import INK, Chart, Spec, constant, field, table
from maskrcnn.studio.components.chart_axes import integer_ticks

NO_CLASS = "(no class)"
MOST_CLASSES = 20
"""Maximum number of classes in a chart, the most common ones. The table has all classes."""

SIZE_COLOURS: dict[str, str] = {"small": "#86b6e8", "medium": "#4f8fd6", "large": "#2b62ad"}
"""Three blues, from light to dark. These colours have no meaning elsewhere on the pages."""
_PLAIN = "#4f8fd6"
_BARS: dict[str, Any] = {"type": "bar", "color": _PLAIN, "binSpacing": 1}
_ROW, _AXES = 30, 62  # pixels of a bar with its gap, and of the axis below

_AXIS: Spec = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "titlePadding": 8}
_LEGEND: Spec = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}


def classes(found: Statistics, colours: Colours) -> Chart:
    """Return a bar chart of the number of objects of each class, with the number beside each bar."""
    rows = common(found)
    names, objects = [row.name for row in rows], [row.objects for row in rows]
    columns = {"class": names, "objects": objects, "pictures": [row.pictures for row in rows]}
    encoding = {
        "x": field("objects", title="objects", axis=_count_axis(max(objects))),
        "y": field("class", "nominal", title=None, sort=names, axis={"labelLimit": 170, **_AXIS}),
        "tooltip": [field("class", "nominal"), field("objects"), field("pictures")],
    }
    layers = [
        {"mark": {"type": "bar"}, "encoding": {"color": field("colour", "nominal", scale=None)}},
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": INK},
            "encoding": {"text": field("objects")},
        },
    ]
    columns["colour"] = [colours[row.name] for row in rows]
    return _chart(columns, encoding, layers, _ROW * len(rows) + _AXES)


def sizes(found: Statistics) -> Chart:
    """Return a chart of the shares of small, medium and large objects, with a stacked bar for each class."""
    columns: dict[str, list[Any]] = {"class": [], "size": [], "objects": [], "share": [], "order": []}
    for row in common(found):
        sized = row.small + row.medium + row.large
        for place, (size, number) in enumerate(zip(SIZES, (row.small, row.medium, row.large), strict=True)):
            if sized:
                for name, value in zip(columns, (row.name, size, number, number / sized, place), strict=True):
                    columns[name].append(value)
    names = list(dict.fromkeys(columns["class"]))
    # The entries are below each other, because a legend wider than the plot is cut off in a narrow column.
    legend = {"title": None, "orient": "top", "padding": 0, "columns": 1, "symbolSize": 60, **_LEGEND}
    colours = {"domain": list(SIZES), "range": list(SIZE_COLOURS.values())}
    bars = {"mark": {"type": "bar"}, "encoding": {"color": field("size", "nominal", scale=colours, legend=legend)}}
    encoding = {
        "x": field(
            "share",
            title="share of the class's objects",
            scale={"domain": [0, 1], "nice": False},
            axis={"format": "%", "tickCount": 5, **_AXIS},
        ),
        "y": field("class", "nominal", title=None, sort=names, axis={"labelLimit": 170, **_AXIS}),
        "order": field("order"),
        "tooltip": [
            field("class", "nominal"),
            field("size", "nominal"),
            field("objects"),
            field("share", format=".1%"),
        ],
    }
    return _chart(columns, encoding, [bars], _ROW * max(1, len(names)) + _AXES + 66)


def per_picture(found: Statistics, height: int) -> Chart:
    """Return a histogram of the number of objects per picture."""
    numbers = found.per_picture()
    most = int(numbers.max(initial=0))
    width = max(1, -(-(most + 1) // 40))
    counts = np.bincount(numbers // width)
    first = np.arange(len(counts)) * width
    columns = {
        "from": first - 0.5,
        "to": first + width - 0.5,
        "objects": [str(low) if width == 1 else f"{low} to {low + width - 1}" for low in first.tolist()],
        "pictures": counts,
    }
    x = field(
        "from",
        bin="binned",
        title="objects in a picture",
        scale={"domain": [-0.5, len(counts) * width - 0.5], "nice": False},
        axis={"values": integer_ticks(0, most, 9) if most else [0], "format": "d", "grid": False, **_AXIS},
    )
    encoding = {
        "x": x,
        "x2": {"field": "to"},
        "y": field("pictures", title="pictures", axis=_count_axis(int(counts.max(initial=0)))),
        "tooltip": [field("objects", "nominal"), field("pictures")],
    }
    return _chart(columns, encoding, [{"mark": _BARS}], height)


def aspects(found: Statistics, height: int) -> Chart:
    """Return a histogram of width / height of the objects, from 1/8 to 8 in steps of a quarter octave."""
    values = found.aspect()
    values = np.clip(np.log2(values[np.isfinite(values) & (values > 0)]), -3, 3)
    steps = np.linspace(-3.125, 3.125, 26)
    counts, _ = np.histogram(values, steps)
    ends = 2**steps
    words = [f"{low:.2f} to {high:.2f}" for low, high in pairwise(ends)]
    columns = {"from": ends[:-1], "to": ends[1:], "objects": counts, "width / height": words}
    labels = "{'0.125': '1:8', '0.25': '1:4', '0.5': '1:2', '1': '1:1', '2': '2:1', '4': '4:1', '8': '8:1'}"
    ticks = {"values": [0.125, 0.25, 0.5, 1, 2, 4, 8], "labelExpr": f"{labels}[datum.value]", "grid": False}
    encoding = {
        "x": field(
            "from",
            bin="binned",
            title="width : height of the box",
            scale=_octaves(float(ends[0]), float(ends[-1])),
            axis={**ticks, **_AXIS},
        ),
        "x2": {"field": "to"},
        "y": field("objects", title="objects", axis=_count_axis(int(counts.max(initial=0)))),
        "tooltip": [field("width / height", "nominal"), field("objects")],
    }
    return _chart(columns, encoding, [{"mark": _BARS}], height)


def areas(found: Statistics, height: int) -> Chart:
    """Return a histogram of object sizes (the side of a square of the same area) with COCO's two size limits."""
    sides = np.sqrt(found.area[found.area > 0])
    low, high = (np.floor(np.log2(sides.min())), np.ceil(np.log2(sides.max()) + 1e-9)) if len(sides) else (4.0, 8.0)
    low, high = min(low, 4.0), max(high, 7.0)
    steps = np.arange(low, high + 0.01, 0.25)
    counts, _ = np.histogram(np.log2(sides), steps)
    ends = 2**steps
    columns = {
        "from": ends[:-1],
        "to": ends[1:],
        "objects": counts,
        "side": [f"{left:.0f} to {right:.0f} px" for left, right in pairwise(ends)],
    }
    scale = _octaves(float(2**low), float(2**high))
    ticks = [float(2**power) for power in range(int(low), int(high) + 1)]
    bars = {
        "x": field(
            "from",
            bin="binned",
            title="side of a square of its area (px)",
            scale=scale,
            axis={"values": ticks, "format": "d", "grid": False, **_AXIS},
        ),
        "x2": {"field": "to"},
        "y": field("objects", title="objects", axis=_count_axis(int(counts.max(initial=0)))),
        "tooltip": [field("side", "nominal"), field("objects")],
    }
    bound = {"x": field("bound", scale=scale)}
    layers: list[Spec] = [
        {"mark": _BARS, "encoding": bars},
        {
            "data": {"name": "bounds"},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": INK},
            "encoding": bound,
        },
        {
            "data": {"name": "bounds"},
            "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 4, "color": INK},
            "encoding": {**bound, "y": constant(0), "text": field("words", "nominal")},
        },
    ]
    chart = _chart(columns, {}, layers, height)
    return chart._replace(
        tables={**chart.tables, "bounds": table({"bound": [32.0, 96.0], "words": ["32 px", "96 px"]})}
    )


def coverage(cells: np.ndarray, side: int) -> Chart:
    """Return the map of `Statistics.coverage`: where in the pictures, stretched to a square, objects are."""
    rows, columns = np.indices(cells.shape)
    corners = {
        "x": columns.ravel() / GRID,
        # Each cell reaches a little into the next one, which is drawn over it, so that there are no gaps.
        "x2": np.minimum(columns.ravel() + 1.2, GRID) / GRID,
        "y": rows.ravel() / GRID,
        "y2": np.minimum(rows.ravel() + 1.2, GRID) / GRID,
    }
    top = max(float(cells.max(initial=0)), 1e-9)
    axis = {"format": "%", "values": [0, 0.25, 0.5, 0.75, 1], "grid": False, **_AXIS}
    legend = {"title": "covered", "format": ".0%" if top >= 0.05 else ".1%", "gradientLength": side - 90, **_LEGEND}
    encoding = {
        "x": field("x", title="from the left (share of the width)", scale={"domain": [0, 1], "nice": False}, axis=axis),
        "x2": {"field": "x2"},
        "y": field("y", title="from the top (share of the height)", scale={"domain": [1, 0], "nice": False}, axis=axis),
        "y2": {"field": "y2"},
        "color": field("covered", scale={"scheme": "viridis", "domain": [0, top]}, legend=legend),
        "tooltip": [field("covered", format=".1%", title="covered in this share of the pictures")],
    }
    values = np.asarray(cells, float).ravel()
    return _chart({**corners, "covered": values}, encoding, [{"mark": {"type": "rect", "stroke": None}}], side)


def common(found: Statistics) -> list[ClassRow]:
    """Return the rows of the `MOST_CLASSES` most common classes, which the charts show, in the order of the project."""
    rows = [row for row in found.table() if row.name is not None]
    kept = sorted(range(len(rows)), key=lambda place: (-rows[place].objects, place))[:MOST_CLASSES]
    return [rows[place] for place in sorted(kept)]


def _count_axis(largest: int) -> Spec:
    """Return the properties of an axis for counts of at most `largest`, with whole numbers as ticks."""
    return {"format": "d", "tickCount": min(5, max(1, largest)), "tickMinStep": 1, **_AXIS}


def _octaves(low: float, high: float) -> Spec:
    """Return a logarithmic scale to the base 2."""
    return {"type": "log", "base": 2, "domain": [low, high], "nice": False}


def _chart(columns: Mapping[str, Any], encoding: Spec, layers: list[Spec], height: int) -> Chart:
    """Return a chart whose only table is `rows`."""
    spec = {"height": height, "data": {"name": "rows"}, "encoding": encoding, "layer": layers}
    return Chart({**spec, "config": {"view": {"strokeWidth": 0}}}, {"rows": table(columns)})
