"""Line charts of a training: training curves are solid, validation curves dashed, single steps faint behind them.

The axes cover the whole run, so they do not change when a point is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from maskrcnn.studio.components.chart import Chart, Spec, field, table
from maskrcnn.studio.components.chart_axes import XAxis, axes_encoding, linear_y_end, log_y_domain
from maskrcnn.studio.components.chart_points import (
    DrawnRun,
    RunPoints,
    fixed_point,
    pass_steps_of_point,
    point_columns,
    point_values,
)
from maskrcnn.studio.components.chart_tooltips import Tooltip, tooltip_layer

Kind = Literal["training", "validation", "steps", "smoothed"]

SOLID, DASHED = [1, 0], [6, 4]

SMALL = 200
"""A chart of less than this height (pixels) has fewer ticks on its axes."""


@dataclass(frozen=True)
class Line:
    """A line for each run of a chart: the values named `column` of its steps or epochs.

    `colour` and `shape` (of the points) are used only if the runs have no colours and shapes of their own. `name` is
    written at the end of the line, unless it is empty. Only the points of a line that `has_tooltips` have tooltips.
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
    epochs = [y for line, _, y in curves if line.is_epochs]
    steps = [y for line, _, y in curves if not line.is_epochs]
    domain = log_y_domain(epochs, steps) if log else (0.0, y_end or linear_y_end(epochs, steps))
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
        "encoding": axes_encoding(height < SMALL, axis, last, domain, log) | _run_colours(runs),
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
    hovered = {line.column: line.colour for line in lines if line.has_tooltips and line.column in factors}
    if hovered and tooltips:
        # The point nearest to the pointer is marked and shows its tooltip.
        near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"}
        spec["params"] = [{"name": "hover", "select": near, "views": ["hovered"]}]
        shown_tooltips = [tip for tip in tooltips if tip.column in factors]
        spec["layer"].append(tooltip_layer(hovered, shown_tooltips, set(factors), runs, log, decimals))
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
        "passes": f"datum.step / {pass_steps_of_point(runs)}",
        "steps": "datum.step",
        "minutes": "datum.elapsed === null ? null : datum.elapsed / 60",
    }
    return [*decoded, {"calculate": x[axis], "as": "x"}, {"filter": "isValid(datum.x) && isFinite(datum.x)"}]


def _run_colours(runs: Sequence[DrawnRun]) -> Spec:
    """Return the encoding that colours the lines by run. Empty if the runs have no colours, as in a chart of one run.

    Then `_layer_of_line` colours each line by its `Line.colour`.
    """
    if not any(run.colour for run in runs):
        return {}
    scale = {"domain": list(range(len(runs))), "range": [run.colour for run in runs]}
    return {"color": field("run", "nominal", scale=scale, legend=None)}


def _has_point(line: Line, log: bool) -> str:
    """Return the Vega expression that filters the points of one line of the line chart from the table `points`."""
    kind = "datum.is_epoch" if line.is_epochs else "!datum.is_epoch"
    return f"{kind} && isValid(datum.{line.column})" + (f" && datum.{line.column} > 0" if log else "")


def _layer_of_line(line: Line, runs: Sequence[DrawnRun], log: bool, mark: Spec, **encoding: Any) -> Spec:
    """Return a layer that draws a line of the line chart, or its points, for each run.

    If the runs have colours, `_run_colours` sets them for all layers, and the colour of the line is not used.
    """
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
    return [_layer_of_line(line, runs, log, marks[line.kind]) for line in ordered]


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
        layers.append(_layer_of_line(line, runs, log, mark, **encoding))
    return layers


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
    n = len(values)

    def above(lines: int) -> list[int]:
        """The offsets of names above their lines, from the lowest line to the highest, which has the highest name."""
        return [-gap - text * place for place in range(lines)]

    def below(lines: int) -> list[int]:
        """The offsets of names below their lines, from the lowest line, which has the lowest name, to the highest."""
        return [gap + text * place for place in reversed(range(lines))]

    on_axis, at_top = min(values, default=0) < 0.1, max(values, default=0) > 0.9
    if on_axis and at_top:  # the names of the lines in the lower half are above, those in the upper half below
        n_low = sum(value < 0.5 for value in values)
        return above(n_low) + below(n - n_low)
    if at_top:
        return below(n)
    if on_axis or n == 1:
        return above(n)
    if n == 2 or values[-1] - values[-2] > values[-2] - values[-3]:
        return below(1) + above(n - 1)
    return below(n - 1) + above(1)
