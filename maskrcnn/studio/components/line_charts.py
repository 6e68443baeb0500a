"""Line charts of a training: training curves are solid, validation curves dashed, single steps faint behind them.

The axes cover the whole run, so they do not change when a point is added.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from maskrcnn.studio.components.chart import INK, Chart, Spec, datum, encoded, field, table
from maskrcnn.studio.components.chart_axes import XAxis, integer_ticks, log_ticks, round_down, round_up

Kind = Literal["training", "validation", "steps", "smoothed"]
Note = dict[str, str]

SOLID, DASHED = [1, 0], [6, 4]
SERIES: tuple[Kind, Kind] = ("training", "validation")

SMALL = 200
"""A chart of less than this height (pixels) has fewer ticks on its axes."""

_OUTLIERS = 95.0
"""The y axis reaches this percentile of the steps, so that one outlier does not flatten the other values."""

_AXIS_TITLES = {"epochs": "epoch", "passes": "passes", "steps": "step", "minutes": "minutes"}


@dataclass(frozen=True)
class Line:
    """One line of a chart. `x` and `y` are (N,); points that are not finite are skipped.

    `notes` has the tooltip of each point (title -> text); if it is empty, the line has no tooltips. `name` is written
    at the end of the line, unless it is empty.
    """

    x: np.ndarray
    y: np.ndarray
    kind: Kind
    colour: str
    shape: str = "circle"
    notes: Sequence[Note] = ()
    name: str = ""


def line_chart(
    lines: Sequence[Line],
    height: int,
    axis: XAxis = "epochs",
    end: float = 0.0,
    y_end: float | None = None,
    log: bool = False,
) -> Chart:
    """Return a chart of the lines; its only table is `points`.

    The x axis goes from 0 to `end`, or to the last point if that is further. The y axis goes from 0 to `y_end`; if that
    is None, to a round number above the values. With `log`, the y axis is logarithmic and covers the values.
    """
    shown = [np.isfinite(line.x) & np.isfinite(line.y) & ((line.y > 0) | (not log)) for line in lines]
    last = max(
        [
            2.0 if axis != "minutes" else 0.1,
            end,
            *(float(line.x[there].max(initial=0.0)) for line, there in zip(lines, shown, strict=True)),
        ]
    )
    domain = _log_domain(lines) if log else (0.0, y_end or _y_end(lines))
    names = _line_names(lines, last, domain[1])
    notes = _Tooltips.of_points(lines, shown, len(names))
    # Steps are drawn fainter if there are more lines.
    steps = sum(line.kind == "steps" for line in lines)
    faint = (0.25 if any(line.kind == "smoothed" for line in lines) else 0.45) / max(1, steps) ** 0.7
    spec = _specification(notes, bool(names), height, axis, last, domain, log, round(faint, 2))
    return Chart(spec, {"points": _points_table(lines, shown, names, notes)})


@dataclass(frozen=True)
class _Tooltips:
    """The tooltips of a line chart: one column for each of `titles`, with a text or None for each point.

    `around` has, for each column, the common start and end of all its texts. The columns contain only the rest of the
    texts, and the browser adds `around` again, so that less data is sent.
    """

    titles: tuple[str, ...]
    columns: list[list[str | None]]
    around: list[tuple[str, str]]

    @classmethod
    def of_points(cls, lines: Sequence[Line], shown: Sequence[np.ndarray], n_names: int) -> _Tooltips:
        """Return the tooltips of the points with `shown` True, followed by `n_names` rows without a tooltip."""
        titles = tuple(dict.fromkeys(title for line in lines for note in line.notes[:1] for title in note))
        notes: list[Note | None] = []
        for line, there in zip(lines, shown, strict=True):
            notes += [line.notes[place] if line.notes else None for place in np.flatnonzero(there).tolist()]
        columns, around = [], []
        for title in titles:
            texts = [None if note is None else note.get(title, "–") for note in notes]
            start, end = _common_tooltip_ends([text for text in texts if text is not None])
            rest = [None if text is None else text.removeprefix(start).removesuffix(end) for text in texts]
            columns.append(rest + [None] * n_names)
            around.append((start, end))
        return cls(titles, columns, around)


def _common_tooltip_ends(texts: Sequence[str]) -> tuple[str, str]:
    """Return the common start and the common end of the tooltip texts, so that they are not sent with each point.

    Neither contains a digit, because then they would change when a point is added. Example: `epoch ` and ` passes` for
    texts like `epoch 3, step 51, 12.8 passes`. Both are empty if no text has a digit.
    """
    if not any(map(_DIGIT.search, texts)):
        return "", ""
    before = _DIGIT.split(_common_tooltip_start(texts), maxsplit=1)[0]
    after = _DIGIT.split(_common_tooltip_start([text[len(before) :][::-1] for text in texts]), maxsplit=1)[0]
    return before, after[::-1]


def _common_tooltip_start(texts: Sequence[str]) -> str:
    """Return the longest common prefix of the tooltip texts. It is that of the first and last text in sorted order."""
    first, last = min(texts), max(texts)
    same = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(same, len(first))]


_DIGIT = re.compile("[0-9]")


def _specification(
    notes: _Tooltips,
    named: bool,
    height: int,
    axis: XAxis,
    last: float,
    domain: tuple[float, float],
    log: bool,
    faint: float,
) -> Spec:
    """Return the Vega-Lite specification of the chart; the points are in the table `points`."""
    small = height < SMALL
    about: Spec = {"titlePadding": 4, "labelPadding": 4, "labelColor": INK, "titleColor": INK}
    ticks: Spec = {"tickCount": 4 if small else 8}
    if last >= 4 and axis != "minutes":
        ticks = {"values": integer_ticks(0, math.floor(last), 6 if small else 11), "format": "d", "labelOverlap": False}
    heights: Spec = {"values": log_ticks(*domain, 5 if small else 8)} if log else {"tickCount": 3 if small else 5}
    scale = {"domain": list(domain), "nice": False, "type": "log" if log else "linear", "clamp": log}
    encoding = {
        "x": field(
            "x",
            title=_AXIS_TITLES[axis],
            scale={"domain": [0, last], "nice": False},
            axis={"grid": False, "labelFlush": True, **ticks, **about},
        ),
        "y": field("y", title=None, scale=scale, axis={**heights, **about}),
        "color": field("colour", "nominal", scale=None),
        "detail": field("line", "nominal"),
    }
    dash = {"domain": list(SERIES), "range": [SOLID, DASHED]}
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "strokeWidth": 1, "opacity": faint, "clip": True},
            "transform": [_points_of_kind("steps")],
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.25, "opacity": 0.75, "clip": True},
            "transform": [_points_of_kind("smoothed")],
        },
        {
            "mark": {"type": "line", "strokeWidth": 2, "clip": True},
            "encoding": {"strokeDash": field("kind", "nominal", scale=dash, legend=None)},
            "transform": [_points_of_kind(*SERIES)],
        },
    ]
    for series, filled in zip(SERIES, (True, False), strict=True):
        mark = {"type": "point", "size": 16 if small else 24, "filled": filled, "opacity": 1, "strokeWidth": 1.5}
        shape = {"shape": field("shape", "nominal", scale=None)}
        layers.append({"mark": mark, "encoding": shape, "transform": [_points_of_kind(series)]})
    if named:
        moved = {name: {"expr": f"datum.{name}"} for name in ("align", "dx", "dy")}
        text = {"type": "text", "fontWeight": "bold", **moved}
        layers.append(
            {"mark": text, "encoding": {"text": field("text", "nominal")}, "transform": [_points_of_kind("name")]}
        )
    spec: Spec = {"height": height, "data": {"name": "points"}, "encoding": encoding, "layer": layers}
    if notes.titles:
        # The point nearest to the pointer is marked and shows its tooltip.
        near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"}
        spec["params"] = [{"name": "hover", "select": near, "views": ["hovered"]}]
        tips = [field(f"tip{number}", "nominal", title=title) for number, title in enumerate(notes.titles)]
        opacity = {"condition": [{"param": "hover", "empty": False, "value": 1}], **datum(0)}
        tip_texts = [
            {"calculate": f"{json.dumps(before)} + datum.note{number} + {json.dumps(after)}", "as": f"tip{number}"}
            for number, (before, after) in enumerate(notes.around)
        ]
        layers.append(
            {
                "name": "hovered",
                "mark": {"type": "point", "size": 70, "strokeWidth": 2, "aria": False, "clip": True},
                "encoding": {"opacity": opacity, "tooltip": tips},
                "transform": [{"filter": "isValid(datum.note0)"}, *tip_texts],
            }
        )
    return spec


def _points_of_kind(*kinds: str) -> Spec:
    """Return the Vega-Lite filter of a line chart's layer that keeps the points of these kinds."""
    return {"filter": " || ".join(f"datum.kind === '{kind}'" for kind in kinds)}


def _points_table(
    lines: Sequence[Line], shown: Sequence[np.ndarray], names: Sequence[dict[str, Any]], notes: _Tooltips
) -> pa.Table:
    """Return the table `points`: one row for each point with `shown` True, then one for each name of a line."""
    x = [line.x[there] for line, there in zip(lines, shown, strict=True)] + [np.array([row["x"] for row in names])]
    y = [line.y[there] for line, there in zip(lines, shown, strict=True)] + [np.array([row["y"] for row in names])]
    counts = [int(there.sum()) for there in shown]
    number = np.repeat(np.arange(len(lines)), counts)
    rows = counts + [1] * len(names)
    columns: dict[str, Any] = {
        "line": np.concatenate([number, [row["line"] for row in names]]).astype(np.int8),
        "x": np.concatenate(x),
        "y": np.concatenate(y),
        "kind": encoded([line.kind for line in lines] + ["name"] * len(names), rows),
        "colour": encoded([line.colour for line in lines] + [row["colour"] for row in names], rows),
        "shape": encoded([line.shape for line in lines] + ["circle"] * len(names), rows),
    }
    columns |= {f"note{place}": pa.array(column, pa.string()) for place, column in enumerate(notes.columns)}
    for name in ("text", "dx", "dy", "align") if names else ():
        columns[name] = pa.array([None] * len(number) + [row[name] for row in names])
    return table(columns)


def _line_names(lines: Sequence[Line], last: float, top: float) -> list[dict[str, Any]]:
    """Return a row for the name of each named line: after its last point, or before it if there is no space."""
    ends = []
    for number, line in enumerate(lines):
        there = np.flatnonzero(np.isfinite(line.y))
        if line.name and len(there):
            ends.append((float(line.y[there[-1]]), float(line.x[there[-1]]), number))
    ends.sort()
    at_edge = bool(ends) and max(x for _, x, _ in ends) > 0.8 * last
    offsets = line_name_offsets([y / top for y, _, _ in ends], 14 if at_edge else 7)
    return [
        {
            "line": number,
            "x": x,
            "y": y,
            "colour": lines[number].colour,
            "text": lines[number].name,
            "dy": offset,
            "dx": 0 if at_edge else 8,
            "align": "right" if at_edge else "left",
        }
        for (y, x, number), offset in zip(ends, offsets, strict=True)
    ]


def line_name_offsets(values: Sequence[float], gap: int, text: int = 14) -> list[int]:
    """Return the vertical offset of each line's name from the line's last point, in pixels (positive: downwards).

    `values` are the ends of up to three lines, ascending, as shares of the y axis (0 to 1). With these offsets no name
    overlaps another name or the axis, or lies outside the plot. The highest line has its name above, the lowest below,
    and the middle one on the side with more space.
    """
    all_above = [-gap - text * place for place in range(len(values))]
    all_below = [gap + text * place for place in reversed(range(len(values)))]
    on_axis, at_top = min(values, default=0) < 0.1, max(values, default=0) > 0.9
    if on_axis and at_top:  # the names of the lines in the lower half are above, those in the upper half below
        n_low = sum(value < 0.5 for value in values)
        return all_above[:n_low] + all_below[n_low:]
    if at_top:
        return all_below
    if on_axis or len(values) == 1:
        return all_above
    if len(values) == 2 or values[-1] - values[-2] > values[-2] - values[-3]:
        return [gap, *all_above[:-1]]  # only the lowest line has its name below
    return [*all_below[1:], -gap]  # only the highest line has its name above


def _y_values(lines: Sequence[Line]) -> np.ndarray:
    """Return the values that the y axis must cover: those of all epochs, and those of the steps without outliers."""
    parts = []
    for line in lines:
        values = line.y[np.isfinite(line.y)]
        if line.kind in ("steps", "smoothed") and len(values):
            values = values[values <= np.percentile(values, _OUTLIERS)]
        parts.append(values)
    return np.concatenate(parts) if parts else np.empty(0)


def _y_end(lines: Sequence[Line]) -> float:
    """Return the upper end of a linear y axis; 1 if there are no values."""
    values = _y_values(lines)
    return round_up(float(values.max())) if len(values) else 1.0


def _log_domain(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the ends of a logarithmic y axis; (0.1, 1) if there are no positive values."""
    values = _y_values(lines)
    values = values[values > 0]
    if not len(values):
        return 0.1, 1.0
    low, high = round_down(float(values.min())), round_up(float(values.max()))
    return low, high if high > low else 10 * low
