"""Lines as Altair charts: training solid with filled points, validation dashed with hollow ones, steps faint behind.

The axes are laid out for the whole run and do not move when a point arrives.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from maskrcnn.studio.components.chart_axes import XAxis, integer_ticks, log_ticks, name_offsets, round_down, round_up

Kind = Literal["training", "validation", "steps", "smoothed"]
Note = dict[str, str]

SOLID, DASHED = [1, 0], [6, 4]
SERIES: tuple[Kind, Kind] = ("training", "validation")

INK = "currentColor"
"""The colour of text on an axis: that of the text around it. Streamlit's own grey is too faint for a projector."""

SMALL = 200
"""A chart less high than this has fewer numbers on its axes."""

_OUTLIERS = 95.0
"""Percentile of the steps that the y axis reaches: one wild step must not press the others flat."""

_NAMES = {"epochs": "epoch", "passes": "passes", "steps": "step", "minutes": "minutes"}


@dataclass(frozen=True)
class Line:
    """One line of a chart: `x` and `y` (N,), what is not finite is left out. `notes` says for each point what hovering
    over it shows, title -> text; without, nothing. `name` is written at its end where it is not empty."""

    x: np.ndarray
    y: np.ndarray
    kind: Kind
    colour: str
    shape: str = "circle"
    notes: Sequence[Note] = ()
    name: str = ""


class Chart(NamedTuple):
    """A Vega-Lite specification and the table that it draws, for `st.vega_lite_chart`. They are kept apart so that
    the browser puts new points into the chart that it has, and Altair checks the specification only when it changes."""

    spec: dict[str, Any]
    points: pd.DataFrame


def line_chart(
    lines: Sequence[Line],
    height: int,
    axis: XAxis = "epochs",
    end: float = 0.0,
    y_end: float | None = None,
    log: bool = False,
) -> Chart:
    """The lines over an x axis from 0 to `end` or the last point, and a y axis from 0 to `y_end`, else to a round
    number; with `log`, a logarithmic one around the values there are."""
    titles = tuple(dict.fromkeys(title for line in lines for note in line.notes[:1] for title in note))
    rows = [row for number, line in enumerate(lines) for row in _points(number, line, titles, log)]
    last = max([2.0 if axis != "minutes" else 0.1, end, *(row["x"] for row in rows)])
    domain = _log_domain(lines) if log else (0.0, y_end or _top(lines))
    rows += _names(lines, last, domain[1])
    # The more lines there are, the fainter are single steps.
    steps = sum(line.kind == "steps" for line in lines)
    faint = (0.25 if any(line.kind == "smoothed" for line in lines) else 0.45) / max(1, steps) ** 0.7
    spec = json.loads(_specification(titles, height, axis, last, domain, log, round(faint, 2)))
    columns = ["line", "x", "y", "kind", "colour", "shape", "text", "dx", "dy", "align"]
    return Chart(spec, pd.DataFrame(rows, columns=[*columns, *(f"note{number}" for number in range(len(titles)))]))


@lru_cache(maxsize=128)
def _specification(
    titles: tuple[str, ...],
    height: int,
    axis: XAxis,
    last: float,
    domain: tuple[float, float],
    log: bool,
    faint: float,
) -> str:
    """The chart without its points, as JSON."""
    small = height < SMALL
    about: dict[str, Any] = {"titlePadding": 4, "labelPadding": 4, "labelColor": INK, "titleColor": INK}
    ticks: dict[str, Any] = {"tickCount": 4 if small else 8}
    if last >= 4 and axis != "minutes":
        ticks = {"values": integer_ticks(0, math.floor(last), 6 if small else 11), "format": "d", "labelOverlap": False}
    x = alt.X(
        "x:Q",
        title=_NAMES[axis],
        scale=alt.Scale(domain=[0, last], nice=False),
        axis=alt.Axis(grid=False, labelFlush=True, **ticks, **about),
    )
    scale = alt.Scale(domain=list(domain), nice=False, type="log" if log else "linear", clamp=log)
    heights: dict[str, Any] = {"tickCount": 3 if small else 5}
    if log:
        heights = {"values": log_ticks(*domain, 5 if small else 8)}
    y = alt.Y("y:Q", title=None, scale=scale, axis=alt.Axis(**heights, **about))
    shape = alt.Shape("shape:N", scale=None)
    base = alt.Chart().encode(x=x, y=y, color=alt.Color("colour:N", scale=None), detail="line:N")
    kind = alt.datum.kind

    layers = [
        base.mark_line(strokeWidth=1, opacity=faint, clip=True).transform_filter(kind == "steps"),
        base.mark_line(strokeWidth=1.25, opacity=0.75, clip=True).transform_filter(kind == "smoothed"),
    ]
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=list(SERIES), range=[SOLID, DASHED]), legend=None)
    thick = base.mark_line(strokeWidth=2, clip=True).encode(strokeDash=dash)
    layers.append(thick.transform_filter((kind == "training") | (kind == "validation")))
    for series, filled in zip(SERIES, (True, False), strict=True):
        points = base.mark_point(size=16 if small else 24, filled=filled, opacity=1, strokeWidth=1.5)
        layers.append(points.encode(shape=shape).transform_filter(kind == series))
    written: dict[str, Any] = {"dy": alt.ExprRef("datum.dy"), "dx": alt.ExprRef("datum.dx")}
    named = base.mark_text(fontWeight="bold", align=alt.ExprRef("datum.align"), **written).encode(text="text:N")
    layers.append(named.transform_filter(kind == "name"))
    if titles:
        # The point nearest to the pointer is marked and tells what it knows.
        near = alt.selection_point(name="hover", nearest=True, on="pointerover", clear="pointerout")
        tips = [alt.Tooltip(f"note{number}:N", title=title) for number, title in enumerate(titles)]
        marked = base.mark_point(size=70, strokeWidth=2, aria=False, clip=True).encode(
            opacity=alt.when(near, empty=False).then(alt.value(1)).otherwise(alt.value(0)), tooltip=tips
        )
        layers.append(marked.transform_filter("isValid(datum.note0)").add_params(near))
    return alt.LayerChart(layer=layers, height=height).to_json(indent=None)


def _points(number: int, line: Line, titles: Sequence[str], log: bool) -> list[dict[str, Any]]:
    notes = line.notes or [{}] * len(line.x)
    return [
        {
            "line": number,
            "x": x,
            "y": y,
            "kind": line.kind,
            "colour": line.colour,
            "shape": line.shape,
            **({f"note{place}": note.get(title, "–") for place, title in enumerate(titles)} if note else {}),
        }
        for x, y, note in zip(line.x.tolist(), line.y.tolist(), notes, strict=True)
        if math.isfinite(x) and math.isfinite(y) and (y > 0 or not log)
    ]


def _names(lines: Sequence[Line], last: float, top: float) -> list[dict[str, Any]]:
    """Each named line at its end: after its last point, or before it at the edge."""
    ends = []
    for number, line in enumerate(lines):
        there = np.flatnonzero(np.isfinite(line.y))
        if line.name and len(there):
            ends.append((float(line.y[there[-1]]), float(line.x[there[-1]]), number))
    ends.sort()
    at_edge = bool(ends) and max(x for _, x, _ in ends) > 0.8 * last
    offsets = name_offsets([y / top for y, _, _ in ends], 14 if at_edge else 7)
    return [
        {
            "line": number,
            "x": x,
            "y": y,
            "kind": "name",
            "colour": lines[number].colour,
            "text": lines[number].name,
            "dy": offset,
            "dx": 0 if at_edge else 8,
            "align": "right" if at_edge else "left",
        }
        for (y, x, number), offset in zip(ends, offsets, strict=True)
    ]


def _heights(lines: Sequence[Line]) -> np.ndarray:
    """What the y axis has to hold: every epoch, and nearly every step."""
    parts = []
    for line in lines:
        values = line.y[np.isfinite(line.y)]
        if line.kind in ("steps", "smoothed") and len(values):
            values = values[values <= np.percentile(values, _OUTLIERS)]
        parts.append(values)
    return np.concatenate(parts) if parts else np.empty(0)


def _top(lines: Sequence[Line]) -> float:
    values = _heights(lines)
    return round_up(float(values.max())) if len(values) else 1.0


def _log_domain(lines: Sequence[Line]) -> tuple[float, float]:
    values = _heights(lines)
    values = values[values > 0]
    if not len(values):
        return 0.1, 1.0
    low, high = round_down(float(values.min())), round_up(float(values.max()))
    return low, high if high > low else 10 * low
