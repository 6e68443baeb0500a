"""Histograms of the scores and of the areas of found objects."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from maskrcnn.studio.components.chart import INK, Chart, Spec, field, table

PLAIN = "#4f8fd6"
"""Colour of a histogram of several classes."""

_HEIGHT = 150
_AXIS: Spec = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "titlePadding": 8}


def scores(values: np.ndarray, colour: str) -> Chart:
    """A histogram of scores in [0, 1], in steps of 0.05.

    >>> scores(np.array([0.5, 0.97, 1.0]), "#000000").tables["rows"]["objects"].to_pylist()[-1]
    2
    """
    ends = np.round(np.linspace(0, 1, 21), 2)
    counts, _ = np.histogram(values, ends)
    axis = {"values": [0, 0.25, 0.5, 0.75, 1], "format": ".2~f", "grid": False, **_AXIS}
    x = field("from", bin="binned", title="score", scale={"domain": [0, 1], "nice": False}, axis=axis)
    return _chart(ends, counts, x, colour, "{:.2f}")


def areas(values: np.ndarray, unit: str, colour: str) -> Chart:
    """A histogram of areas in `unit`, on a logarithmic axis, in steps of a factor of the square root of 2."""
    positive = values[values > 0]
    low, high = (positive.min(), positive.max()) if len(positive) else (1.0, 100.0)
    steps = np.arange(np.floor(np.log2(low)), np.ceil(np.log2(high) + 1e-9) + 0.01, 0.5)
    ends = 2.0 ** (steps if len(steps) > 1 else np.array([steps[0], steps[0] + 1]))
    counts, _ = np.histogram(positive, ends)
    scale = {"type": "log", "base": 2, "domain": [float(ends[0]), float(ends[-1])], "nice": False}
    axis = {"tickCount": 5, "format": ".2~s", "grid": False, **_AXIS}
    return _chart(ends, counts, field("from", bin="binned", title=f"area, {unit}", scale=scale, axis=axis), colour)


def _chart(ends: np.ndarray, counts: np.ndarray, x: Spec, colour: str, form: str = "{:.4g}") -> Chart:
    """Bars between the `ends` (N + 1) with the heights `counts` (N)."""
    words = [f"{form.format(low)} to {form.format(high)}" for low, high in pairwise(ends)]
    columns = {"from": ends[:-1].astype(float), "to": ends[1:].astype(float), "objects": counts, "between": words}
    largest = int(counts.max(initial=0))
    count_axis = {"format": "d", "tickCount": min(5, max(1, largest)), "tickMinStep": 1, **_AXIS}
    spec: Spec = {
        "height": _HEIGHT,
        "data": {"name": "rows"},
        "layer": [{"mark": {"type": "bar", "color": colour, "binSpacing": 1}}],
        "encoding": {
            "x": x,
            "x2": {"field": "to"},
            "y": field("objects", title="objects", axis=count_axis),
            "tooltip": [field("between", "nominal"), field("objects")],
        },
        "config": {"view": {"strokeWidth": 0}},
    }
    return Chart(spec, {"rows": table(columns)})
