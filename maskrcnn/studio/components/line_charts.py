"""Line charts of a training: training curves are solid, validation curves dashed, single steps faint behind them.

The axes cover the whole run, so they do not change when a point is added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from maskrcnn.studio.components.chart import INK, Chart, Spec, datum, field, table
from maskrcnn.studio.components.chart_axes import XAxis, integer_ticks, log_ticks, round_down, round_up
from maskrcnn.studio.components.chart_points import (
    DrawnRun,
    RunPoints,
    Tooltip,
    fixed_point,
    number_text,
    pass_steps_text,
    point_columns,
    point_values,
    position_text,
    run_name_text,
    time_text,
)

Kind = Literal["training", "validation", "steps", "smoothed"]

SOLID, DASHED = [1, 0], [6, 4]

SMALL = 200
"""A chart of less than this height (pixels) has fewer ticks on its axes."""

_OUTLIERS = 95.0
"""The y axis reaches this percentile of the steps, so that one outlier does not flatten the other values."""

_AXIS_TITLES = {"epochs": "epoch", "passes": "passes", "steps": "step", "minutes": "minutes"}


@dataclass(frozen=True)
class Line:
    """A line for each run of a chart: the values named `column` of its steps or epochs.

    `colour` and `shape` (of the points) hold unless the run has its own. `name` is written at the end of the line,
    unless it is empty. Only the points of a line that `has_tooltips` have tooltips.
    """

    column: str
    kind: Kind
    colour: str
    shape: str = "circle"
    name: str = ""
    has_tooltips: bool = True

    @property
    def is_epochs(self) -> bool:
        """Whether the points of the line are epochs, and not steps."""
        return self.kind in ("training", "validation")

    def values_of(self, points: RunPoints) -> np.ndarray:
        """Return the values (N,) of the line at these points; all NaN if the line has none there."""
        has_values = points.is_epochs == self.is_epochs and self.column in points.values
        return points.values[self.column] if has_values else np.full(len(points.x), np.nan)


def line_chart(
    points: Sequence[RunPoints],
    lines: Sequence[Line],
    tooltips: Sequence[Tooltip],
    height: int,
    axis: XAxis = "epochs",
    end: float = 0.0,
    y_end: float | None = None,
    log: bool = False,
    decimals: int | None = None,
) -> Chart:
    """Return a chart of the lines. Its tables are `points`, a row for each point, and `names`, those of the lines.

    The x axis goes from 0 to `end`, or to the last point if that is further. The y axis goes from 0 to `y_end`; if that
    is None, to a round number above the values. With `log`, the y axis is logarithmic and covers the values. Tooltips
    show numbers with so many `decimals`; if that is None, with about four significant digits.
    """
    curves = [(line, part.x, line.values_of(part)) for line in lines for part in points]
    curves = [(line, x, y) for line, x, y in curves if (np.isfinite(x) & np.isfinite(y)).any()]
    shown = [x[np.isfinite(x) & np.isfinite(y) & ((y > 0) | (not log))] for _, x, y in curves]
    last = max([2.0 if axis != "minutes" else 0.1, end, *(float(x.max(initial=0.0)) for x in shown)])
    domain = _log_domain(curves) if log else (0.0, y_end or _y_end(curves))
    names = _line_names(curves, last, domain[1])
    runs = list(dict.fromkeys(part.run for part in points))
    columns = point_columns(points, runs, axis)
    sent = {name: fixed_point(values, decimals) for name, values in point_values(points).items()}
    factors = {name: factor for name, (_, factor) in sent.items()}
    # Steps are drawn fainter if there are more lines.
    n_steps = sum(line.kind == "steps" for line, _, _ in curves)
    faint = (0.25 if any(line.kind == "smoothed" for line in lines) else 0.45) / max(1, n_steps) ** 0.7
    spec: Spec = {
        "height": height,
        "data": {"name": "points"},
        "transform": _transforms(factors, runs, axis),
        "encoding": _axes(height < SMALL, axis, last, domain, log) | _run_looks(runs),
        "layer": [
            *_line_layers(lines, runs, log, round(faint, 2)),
            *_point_layers(lines, runs, log, height < SMALL),
        ],
    }
    tables = {"points": table(columns | {name: values for name, (values, _) in sent.items()})}
    if names:
        moved = {name: {"expr": f"datum.{name}"} for name in ("align", "dx", "dy")}
        encoding = {"y": field("y"), "text": field("text", "nominal"), "color": field("colour", "nominal", scale=None)}
        mark = {"type": "text", "fontWeight": "bold", **moved}
        spec["layer"].append({"data": {"name": "names"}, "mark": mark, "encoding": encoding})
        tables["names"] = table({name: [row[name] for row in names] for name in names[0]})
    hovered = list(dict.fromkeys(line.column for line in lines if line.has_tooltips and line.column in factors))
    if hovered and tooltips:
        # The point nearest to the pointer is marked and shows its tooltip.
        near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"}
        spec["params"] = [{"name": "hover", "select": near, "views": ["hovered"]}]
        shown_tooltips = [tip for tip in tooltips if tip.column in factors]
        spec["layer"].append(_hovered_layer(hovered, lines, shown_tooltips, set(factors), runs, log, decimals))
    return Chart(spec, tables)


def _transforms(factors: Mapping[str, float], runs: Sequence[DrawnRun], axis: XAxis) -> list[Spec]:
    """Return the Vega-Lite transforms that compute the values and x from the columns of the table `points`."""
    decoded = [
        {"calculate": f"datum.{name} === null ? null : datum.{name} * {factor:g}", "as": name}
        for name, factor in factors.items()
        if factor != 1
    ]
    x = {
        "epochs": "datum.is_epoch ? datum.epoch : datum.x",
        "passes": f"datum.step / {pass_steps_text(runs)}",
        "steps": "datum.step",
        "minutes": "datum.elapsed === null ? null : datum.elapsed / 60",
    }
    return [*decoded, {"calculate": x[axis], "as": "x"}, {"filter": "isValid(datum.x) && isFinite(datum.x)"}]


def _axes(small: bool, axis: XAxis, last: float, domain: tuple[float, float], log: bool) -> Spec:
    """Return the encoding of the x axis (0 to `last`) and of the y axis (`domain`) of a line chart."""
    about: Spec = {"titlePadding": 4, "labelPadding": 4, "labelColor": INK, "titleColor": INK}
    ticks: Spec = {"tickCount": 4 if small else 8}
    if last >= 4 and axis != "minutes":
        ticks = {"values": integer_ticks(0, math.floor(last), 6 if small else 11), "format": "d", "labelOverlap": False}
    heights: Spec = {"values": log_ticks(*domain, 5 if small else 8)} if log else {"tickCount": 3 if small else 5}
    scale = {"domain": list(domain), "nice": False, "type": "log" if log else "linear", "clamp": log}
    return {
        "x": field(
            "x",
            title=_AXIS_TITLES[axis],
            scale={"domain": [0, last], "nice": False},
            axis={"grid": False, "labelFlush": True, **ticks, **about},
        ),
        "y": {"title": None, "scale": scale, "axis": {**heights, **about}, "type": "quantitative"},
    }


def _run_looks(runs: Sequence[DrawnRun]) -> Spec:
    """Return the encoding of the runs' own colours; empty if the chart has one run, whose lines have theirs."""
    if not any(run.colour for run in runs):
        return {}
    scale = {"domain": list(range(len(runs))), "range": [run.colour for run in runs]}
    return {"color": field("run", "nominal", scale=scale, legend=None)}


def _has_point(line: Line, log: bool) -> str:
    """Return the Vega expression of whether a row of the table `points` is a point of the line."""
    kind = "datum.is_epoch" if line.is_epochs else "!datum.is_epoch"
    return f"{kind} && isValid(datum.{line.column})" + (f" && datum.{line.column} > 0" if log else "")


def _layer(line: Line, runs: Sequence[DrawnRun], log: bool, mark: Spec, **encoding: Any) -> Spec:
    """Return a layer that draws a line, or its points, for each run."""
    colour = {} if any(run.colour for run in runs) else {"color": line.colour}
    return {
        "mark": {**mark, **colour},
        "encoding": {"y": field(line.column), **encoding},
        "transform": [{"filter": _has_point(line, log)}],
    }


def _line_layers(lines: Sequence[Line], runs: Sequence[DrawnRun], log: bool, faint: float) -> list[Spec]:
    """Return the layers of the lines. Epochs are drawn on top of the steps, whose opacity is `faint`."""
    marks: dict[Kind, Spec] = {
        "steps": {"type": "line", "strokeWidth": 1, "opacity": faint, "clip": True},
        "smoothed": {"type": "line", "strokeWidth": 1.25, "opacity": 0.75, "clip": True},
        "training": {"type": "line", "strokeWidth": 2, "clip": True, "strokeDash": SOLID},
        "validation": {"type": "line", "strokeWidth": 2, "clip": True, "strokeDash": DASHED},
    }
    ordered = sorted(lines, key=lambda line: list(marks).index(line.kind))
    return [_layer(line, runs, log, marks[line.kind]) for line in ordered]


def _point_layers(lines: Sequence[Line], runs: Sequence[DrawnRun], log: bool, small: bool) -> list[Spec]:
    """Return the layers of the points of epochs: those of training are filled, those of validation hollow."""
    encoding: Spec = {}
    if any(run.shape for run in runs):
        scale = {"domain": list(range(len(runs))), "range": [run.shape for run in runs]}
        encoding = {"shape": field("run", "nominal", scale=scale, legend=None)}
    layers = []
    for line in sorted((line for line in lines if line.is_epochs), key=lambda line: line.kind):
        mark: Spec = {"type": "point", "size": 16 if small else 24, "filled": line.kind == "training", "opacity": 1}
        mark |= {"strokeWidth": 1.5} | ({} if encoding else {"shape": line.shape})
        layers.append(_layer(line, runs, log, mark, **encoding))
    return layers


def _hovered_layer(
    columns: Sequence[str],
    lines: Sequence[Line],
    tooltips: Sequence[Tooltip],
    known: set[str],
    runs: Sequence[DrawnRun],
    log: bool,
    decimals: int | None,
) -> Spec:
    """Return the invisible layer of all points with tooltips. The one that is hovered over is visible.

    `columns` are those of its lines, and `known` all columns with values. See `line_chart` for the other arguments.
    """
    texts = {"run": run_name_text(runs)} if any(run.name for run in runs) else {}
    texts |= {"at": position_text(runs), "time": time_text()}
    for tip in tooltips:
        after = ""
        if tip.validation in known:
            number = number_text(tip.validation, decimals)
            after = f" + (isValid(datum.{tip.validation}) ? '  ·  val ' + {number} : '')"
        texts[tip.title] = number_text(tip.column, decimals) + after
    colours = {line.column: line.colour for line in lines}
    colour: Spec = {}
    if not any(run.colour for run in runs):
        scale = {"domain": list(columns), "range": [colours[name] for name in columns]}
        colour = {"color": field("line", "nominal", scale=scale, legend=None)}
    return {
        "name": "hovered",
        "mark": {"type": "point", "size": 70, "strokeWidth": 2, "aria": False, "clip": True},
        "encoding": {
            "y": field("value"),
            "opacity": {"condition": [{"param": "hover", "empty": False, "value": 1}], **datum(0)},
            "tooltip": [field(f"tip{place}", "nominal", title=title) for place, title in enumerate(texts)],
            **colour,
        },
        "transform": [
            *({"calculate": text, "as": f"tip{place}"} for place, text in enumerate(texts.values())),
            {"fold": list(columns), "as": ["line", "value"]},
            {"filter": "isValid(datum.value)" + (" && datum.value > 0" if log else "")},
        ],
    }


Curve = tuple[Line, np.ndarray, np.ndarray]
"""A line of one run: x and y of its points, (N,) each."""


def _line_names(curves: Sequence[Curve], last: float, top: float) -> list[dict[str, Any]]:
    """Return a row for the name of each named line: after its last point, or before it if there is no space."""
    ends = []
    for line, x, y in curves:
        there = np.flatnonzero(np.isfinite(y))
        if line.name and len(there):
            ends.append((float(y[there[-1]]), float(x[there[-1]]), line))
    ends.sort(key=lambda end: end[:2])
    at_edge = bool(ends) and max(x for _, x, _ in ends) > 0.8 * last
    offsets = line_name_offsets([y / top for y, _, _ in ends], 14 if at_edge else 7)
    return [
        {
            "x": x,
            "y": y,
            "colour": line.colour,
            "text": line.name,
            "dy": offset,
            "dx": 0 if at_edge else 8,
            "align": "right" if at_edge else "left",
        }
        for (y, x, line), offset in zip(ends, offsets, strict=True)
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


def _y_values(curves: Sequence[Curve]) -> np.ndarray:
    """Return the values that the y axis must cover: those of all epochs, and those of the steps without outliers."""
    parts = []
    for line, _, y in curves:
        values = y[np.isfinite(y)]
        if not line.is_epochs and len(values):
            values = values[values <= np.percentile(values, _OUTLIERS)]
        parts.append(values)
    return np.concatenate(parts) if parts else np.empty(0)


def _y_end(curves: Sequence[Curve]) -> float:
    """Return the upper end of a linear y axis; 1 if there are no values."""
    values = _y_values(curves)
    return round_up(float(values.max())) if len(values) else 1.0


def _log_domain(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the ends of a logarithmic y axis; (0.1, 1) if there are no positive values."""
    values = _y_values(curves)
    values = values[values > 0]
    if not len(values):
        return 0.1, 1.0
    low, high = round_down(float(values.min())), round_up(float(values.max()))
    return low, high if high > low else 10 * low
