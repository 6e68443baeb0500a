"""Lines as charts: training solid with filled points, validation dashed with hollow ones, steps faint behind.

The axes are laid out for the whole run and do not move when a point arrives.
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
from maskrcnn.studio.components.chart_axes import XAxis, integer_ticks, log_ticks, name_offsets, round_down, round_up

Kind = Literal["training", "validation", "steps", "smoothed"]
Note = dict[str, str]

SOLID, DASHED = [1, 0], [6, 4]
SERIES: tuple[Kind, Kind] = ("training", "validation")

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


def line_chart(
    lines: Sequence[Line],
    height: int,
    axis: XAxis = "epochs",
    end: float = 0.0,
    y_end: float | None = None,
    log: bool = False,
) -> Chart:
    """The lines over an x axis from 0 to `end` or the last point, and a y axis from 0 to `y_end`, else to a round
    number; with `log`, a logarithmic one around the values there are. The only table is `points`."""
    shown = [np.isfinite(line.x) & np.isfinite(line.y) & ((line.y > 0) | (not log)) for line in lines]
    last = max(
        [
            2.0 if axis != "minutes" else 0.1,
            end,
            *(float(line.x[there].max(initial=0.0)) for line, there in zip(lines, shown, strict=True)),
        ]
    )
    domain = _log_domain(lines) if log else (0.0, y_end or _top(lines))
    names = _names(lines, last, domain[1])
    notes = _Notes.of(lines, shown, len(names))
    # The more lines there are, the fainter are single steps.
    steps = sum(line.kind == "steps" for line in lines)
    faint = (0.25 if any(line.kind == "smoothed" for line in lines) else 0.45) / max(1, steps) ** 0.7
    spec = _specification(notes, bool(names), height, axis, last, domain, log, round(faint, 2))
    return Chart(spec, {"points": _points(lines, shown, names, notes)})


@dataclass(frozen=True)
class _Notes:
    """What hovering shows, a column for each of `titles` with a text or None for each point. The words around the
    numbers, which are the same for every point, are not in the columns but in `around`: before and after."""

    titles: tuple[str, ...]
    columns: list[list[str | None]]
    around: list[tuple[str, str]]

    @classmethod
    def of(cls, lines: Sequence[Line], shown: Sequence[np.ndarray], without: int) -> _Notes:
        """Those of the points that are shown, and of `without` further rows that have none."""
        titles = tuple(dict.fromkeys(title for line in lines for note in line.notes[:1] for title in note))
        chosen = [
            [line.notes[place] for place in np.flatnonzero(there).tolist()] if line.notes else [None] * int(there.sum())
            for line, there in zip(lines, shown, strict=True)
        ]
        columns, around = [], []
        for title in titles:
            texts = [note and note.get(title, "–") for notes in chosen for note in notes]
            before, after = _around([text for text in texts if text is not None])
            kept = slice(len(before), -len(after) or None)
            columns.append([None if text is None else text[kept] for text in texts] + [None] * without)
            around.append((before, after))
        return cls(titles, columns, around)


def _around(texts: Sequence[str]) -> tuple[str, str]:
    """The words before the first and after the last digit that all texts share, so that they need not be sent with
    each point: `epoch ` and ` passes` of `epoch 3, step 51, 12.8 passes`. No digit is among them, or they would change
    when a point arrives."""
    if not any(map(_DIGIT.search, texts)):
        return "", ""
    before = _DIGIT.split(_start(texts), maxsplit=1)[0]
    after = _DIGIT.split(_start([text[len(before) :][::-1] for text in texts]), maxsplit=1)[0]
    return before, after[::-1]


def _start(texts: Sequence[str]) -> str:
    """The characters that all texts begin with: those of the first and the last of them in the order of characters."""
    first, last = min(texts), max(texts)
    same = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(same, len(first))]


_DIGIT = re.compile("[0-9]")


def _specification(
    notes: _Notes,
    named: bool,
    height: int,
    axis: XAxis,
    last: float,
    domain: tuple[float, float],
    log: bool,
    faint: float,
) -> Spec:
    """The chart without its points."""
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
            title=_NAMES[axis],
            scale={"domain": [0, last], "nice": False},
            axis={"grid": False, "labelFlush": True, **ticks, **about},
        ),
        "y": field("y", title=None, scale=scale, axis={**heights, **about}),
        "color": field("colour", "nominal", scale=None),
        "detail": field("line", "nominal"),
    }
    dash = {"domain": list(SERIES), "range": [SOLID, DASHED]}
    layers: list[Spec] = [
        {"mark": {"type": "line", "strokeWidth": 1, "opacity": faint, "clip": True}, "transform": [_only("steps")]},
        {
            "mark": {"type": "line", "strokeWidth": 1.25, "opacity": 0.75, "clip": True},
            "transform": [_only("smoothed")],
        },
        {
            "mark": {"type": "line", "strokeWidth": 2, "clip": True},
            "encoding": {"strokeDash": field("kind", "nominal", scale=dash, legend=None)},
            "transform": [_only(*SERIES)],
        },
    ]
    for series, filled in zip(SERIES, (True, False), strict=True):
        mark = {"type": "point", "size": 16 if small else 24, "filled": filled, "opacity": 1, "strokeWidth": 1.5}
        shape = {"shape": field("shape", "nominal", scale=None)}
        layers.append({"mark": mark, "encoding": shape, "transform": [_only(series)]})
    if named:
        moved = {name: {"expr": f"datum.{name}"} for name in ("align", "dx", "dy")}
        text = {"type": "text", "fontWeight": "bold", **moved}
        layers.append({"mark": text, "encoding": {"text": field("text", "nominal")}, "transform": [_only("name")]})
    spec: Spec = {"height": height, "data": {"name": "points"}, "encoding": encoding, "layer": layers}
    if notes.titles:
        # The point nearest to the pointer is marked and tells what it knows.
        near = {"type": "point", "nearest": True, "on": "pointerover", "clear": "pointerout"}
        spec["params"] = [{"name": "hover", "select": near, "views": ["hovered"]}]
        tips = [field(f"tip{number}", "nominal", title=title) for number, title in enumerate(notes.titles)]
        opacity = {"condition": [{"param": "hover", "empty": False, "value": 1}], **datum(0)}
        told = [
            {"calculate": f"{json.dumps(before)} + datum.note{number} + {json.dumps(after)}", "as": f"tip{number}"}
            for number, (before, after) in enumerate(notes.around)
        ]
        layers.append(
            {
                "name": "hovered",
                "mark": {"type": "point", "size": 70, "strokeWidth": 2, "aria": False, "clip": True},
                "encoding": {"opacity": opacity, "tooltip": tips},
                "transform": [{"filter": "isValid(datum.note0)"}, *told],
            }
        )
    return spec


def _only(*kinds: str) -> Spec:
    """A filter that leaves the points of these kinds."""
    return {"filter": " || ".join(f"datum.kind === '{kind}'" for kind in kinds)}


def _points(
    lines: Sequence[Line], shown: Sequence[np.ndarray], names: Sequence[dict[str, Any]], notes: _Notes
) -> pa.Table:
    """A row for each point that is shown, then one for each name."""
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
