"""Charts of what a dataset holds. Classes keep the colours of the project; text has the colour of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from maskrcnn.annotations.statistics import GRID, SIZES, ClassRow, Statistics
from maskrcnn.studio.components.line_charts import INK, integer_ticks

NO_CLASS = "(no class)"
MOST_CLASSES = 20
"""Bars of at most this many classes are drawn, the most common ones; the table holds them all."""

SIZE_COLOURS: dict[str, str] = {"small": "#86b6e8", "medium": "#4f8fd6", "large": "#2b62ad"}
"""Light to dark, blue: no class, no loss and no kind of match means anything here."""
_PLAIN = "#4f8fd6"
_ROW, _AXES = 30, 62  # pixels of a bar with its gap, and of the axis below

Colours = Mapping[str | None, str]

_AXIS: dict[str, Any] = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "titlePadding": 8}
_LEGEND: dict[str, Any] = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}


def classes(found: Statistics, colours: Colours) -> alt.LayerChart:
    """Objects of each class, a bar with its number."""
    frame = pd.DataFrame(
        [
            {
                "class": row.name,
                "objects": row.objects,
                "pictures": row.pictures,
                "colour": colours[row.name],
            }
            for row in common(found)
        ]
    )
    bars = alt.Chart(frame).encode(
        x=alt.X("objects:Q", title="objects", axis=_counts(int(frame["objects"].max()))),
        y=alt.Y("class:N", title=None, sort=list(frame["class"]), axis=alt.Axis(labelLimit=170, **_AXIS)),
        tooltip=["class", "objects", "pictures"],
    )
    text = bars.mark_text(align="left", dx=5, color=INK).encode(text="objects:Q")
    return _sized(bars.mark_bar().encode(color=alt.Color("colour:N", scale=None)) + text, _ROW * len(frame) + _AXES)


def sizes(found: Statistics) -> alt.LayerChart:
    """Share of small, medium and large objects of each class, a full bar for each."""
    lines = []
    for row in common(found):
        sized = row.small + row.medium + row.large
        for place, (size, number) in enumerate(zip(SIZES, (row.small, row.medium, row.large), strict=True)):
            if sized:
                lines.append(
                    {
                        "class": row.name,
                        "size": size,
                        "objects": number,
                        "share": number / sized,
                        "order": place,
                    }
                )
    frame = pd.DataFrame(lines, columns=["class", "size", "objects", "share", "order"])
    names = list(dict.fromkeys(frame["class"]))
    chart = alt.Chart(frame).mark_bar()
    chart = chart.encode(
        x=alt.X(
            "share:Q",
            title="share of the class's objects",
            scale=alt.Scale(domain=[0, 1], nice=False),
            axis=alt.Axis(format="%", tickCount=5, **_AXIS),
        ),
        y=alt.Y("class:N", title=None, sort=names, axis=alt.Axis(labelLimit=170, **_AXIS)),
        color=alt.Color(
            "size:N",
            scale=alt.Scale(domain=list(SIZES), range=list(SIZE_COLOURS.values())),
            # One below the other: a legend that is wider than the plot is cut off in a narrow column.
            legend=alt.Legend(title=None, orient="top", padding=0, columns=1, symbolSize=60, **_LEGEND),
        ),
        order="order:Q",
        tooltip=["class", "size", "objects", alt.Tooltip("share:Q", format=".1%")],
    )
    return _sized(alt.layer(chart), _ROW * max(1, len(names)) + _AXES + 66)


def per_picture(found: Statistics, height: int) -> alt.LayerChart:
    """How many pictures have how many objects."""
    numbers = found.per_picture()
    most = int(numbers.max(initial=0))
    width = max(1, -(-(most + 1) // 40))
    counts = np.bincount(numbers // width)
    frame = pd.DataFrame(
        [
            {
                "from": place * width,
                "to": (place + 1) * width,
                "objects": str(place) if width == 1 else f"{place * width} to {(place + 1) * width - 1}",
                "pictures": int(number),
            }
            for place, number in enumerate(counts)
        ]
    )
    ticks = integer_ticks(0, most, 9) if most else [0]
    x = alt.X(
        "from:Q",
        bin="binned",
        title="objects in a picture",
        scale=alt.Scale(domain=[-0.5, (len(counts)) * width - 0.5], nice=False),
        axis=alt.Axis(values=ticks, format="d", grid=False, **_AXIS),
    )
    frame["from"] -= 0.5
    frame["to"] -= 0.5
    bars = alt.Chart(frame).mark_bar(color=_PLAIN, binSpacing=1)
    return _sized(
        alt.layer(
            bars.encode(
                x=x,
                x2="to:Q",
                y=alt.Y("pictures:Q", title="pictures", axis=_counts(int(counts.max(initial=0)))),
                tooltip=["objects", "pictures"],
            )
        ),
        height,
    )


def aspects(found: Statistics, height: int) -> alt.LayerChart:
    """How many objects have which width / height, in steps of a quarter octave, from 1/8 to 8."""
    values = found.aspect()
    values = np.clip(np.log2(values[np.isfinite(values) & (values > 0)]), -3, 3)
    steps = np.linspace(-3.125, 3.125, 26)
    counts, _ = np.histogram(values, steps)
    frame = pd.DataFrame({"from": 2 ** steps[:-1], "to": 2 ** steps[1:], "objects": counts})
    frame["width / height"] = [f"{low:.2f} to {high:.2f}" for low, high in zip(frame["from"], frame["to"], strict=True)]
    ticks = [0.125, 0.25, 0.5, 1, 2, 4, 8]
    words = "{'0.125': '1:8', '0.25': '1:4', '0.5': '1:2', '1': '1:1', '2': '2:1', '4': '4:1', '8': '8:1'}"
    bars = alt.Chart(frame).mark_bar(color=_PLAIN, binSpacing=1)
    return _sized(
        alt.layer(
            bars.encode(
                x=alt.X(
                    "from:Q",
                    bin="binned",
                    title="width : height of the box",
                    scale=alt.Scale(
                        type="log", base=2, domain=[float(2 ** steps[0]), float(2 ** steps[-1])], nice=False
                    ),
                    axis=alt.Axis(values=ticks, labelExpr=f"{words}[datum.value]", grid=False, **_AXIS),
                ),
                x2="to:Q",
                y=alt.Y("objects:Q", title="objects", axis=_counts(int(counts.max(initial=0)))),
                tooltip=["width / height", "objects"],
            )
        ),
        height,
    )


def areas(found: Statistics, height: int) -> alt.LayerChart:
    """How many objects have which side of a square of the same area, with COCO's two bounds."""
    sides = np.sqrt(found.area[found.area > 0])
    low, high = (np.floor(np.log2(sides.min())), np.ceil(np.log2(sides.max()) + 1e-9)) if len(sides) else (4.0, 8.0)
    low, high = min(low, 4.0), max(high, 7.0)
    steps = np.arange(low, high + 0.01, 0.25)
    counts, _ = np.histogram(np.log2(sides), steps)
    middle = 2 ** (steps[:-1] + 0.125)
    frame = pd.DataFrame(
        {
            "from": 2 ** steps[:-1],
            "to": 2 ** steps[1:],
            "objects": counts,
            "size": [SIZES[int(np.searchsorted((32, 96), side))] for side in middle],
        }
    )
    frame["side"] = [f"{low:.0f} to {high:.0f} px" for low, high in zip(frame["from"], frame["to"], strict=True)]
    top = int(counts.max(initial=0))
    scale = alt.Scale(type="log", base=2, domain=[float(2**low), float(2**high)], nice=False)
    ticks = [float(2**power) for power in range(int(low), int(high) + 1)]
    bars = alt.Chart(frame).mark_bar(color=_PLAIN, binSpacing=1)
    bars = bars.encode(
        x=alt.X(
            "from:Q",
            bin="binned",
            title="side of a square of its area (px)",
            scale=scale,
            axis=alt.Axis(values=ticks, format="d", grid=False, **_AXIS),
        ),
        x2="to:Q",
        y=alt.Y("objects:Q", title="objects", axis=_counts(top)),
        tooltip=["side", "objects"],
    )
    bounds = pd.DataFrame({"bound": [32.0, 96.0], "words": ["32 px", "96 px"]})
    rule = alt.Chart(bounds).mark_rule(strokeDash=[5, 4], color=INK).encode(x=alt.X("bound:Q", scale=scale))
    label = (
        alt.Chart(bounds)
        .mark_text(align="left", baseline="top", dx=4, color=INK)
        .encode(x=alt.X("bound:Q", scale=scale), y=alt.value(0), text="words:N")
    )
    return _sized(bars + rule + label, height)


def coverage(cells: np.ndarray, side: int) -> alt.LayerChart:
    """The map of `Statistics.coverage`: where in the picture objects lie, the picture stretched to a square."""
    rows, columns = np.indices(cells.shape)
    frame = pd.DataFrame(
        {
            "x": columns.ravel() / GRID,
            # A little into the next cell, which is drawn over it: else the page shines through between them.
            "x2": np.minimum(columns.ravel() + 1.2, GRID) / GRID,
            "y": rows.ravel() / GRID,
            "y2": np.minimum(rows.ravel() + 1.2, GRID) / GRID,
            "covered": cells.ravel(),
        }
    )
    top = max(float(cells.max(initial=0)), 1e-9)
    across: dict[str, Any] = {
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], grid=False, **_AXIS),
    }
    down = {**across, "scale": alt.Scale(domain=[1, 0], nice=False)}
    chart = alt.Chart(frame).mark_rect(stroke=None)
    chart = chart.encode(
        x=alt.X("x:Q", title="from the left (share of the width)", **across),
        x2="x2:Q",
        y=alt.Y("y:Q", title="from the top (share of the height)", **down),
        y2="y2:Q",
        color=alt.Color(
            "covered:Q",
            scale=alt.Scale(scheme="viridis", domain=[0, top]),
            legend=alt.Legend(
                title="covered", format=".0%" if top >= 0.05 else ".1%", gradientLength=side - 90, **_LEGEND
            ),
        ),
        tooltip=[alt.Tooltip("covered:Q", format=".1%", title="covered in this share of the pictures")],
    )
    return _sized(alt.layer(chart), side)


def common(found: Statistics) -> list[ClassRow]:
    """The rows of the classes that are drawn, in the project's order: of more than `MOST_CLASSES` the most common ones,
    and of equally common ones the first."""
    rows = [row for row in found.table() if row.name is not None]
    kept = sorted(range(len(rows)), key=lambda place: (-rows[place].objects, place))[:MOST_CLASSES]
    return [rows[place] for place in sorted(kept)]


def _counts(most: int) -> alt.Axis:
    """An axis of whole numbers."""
    return alt.Axis(format="d", tickCount=min(5, max(1, most)), tickMinStep=1, **_AXIS)


def _sized(chart: Any, height: int) -> alt.LayerChart:
    return chart.properties(height=height).configure_view(strokeWidth=0)
