"""The axes of charts: quantities, ends and ticks, chosen so that a chart does not shift when points are added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from maskrcnn.studio.components.chart import INK, Spec, field

XAxis = Literal["epochs", "passes", "steps", "minutes"]
"""Quantity on the x axis of a run's curves."""

X_AXES: tuple[XAxis, ...] = get_args(XAxis)

COMPARED_AXES: tuple[XAxis, ...] = ("passes", "steps", "minutes")
"""Quantities on the x axis when runs are compared. Epochs are missing because their length differs between runs."""


def round_up(value: float) -> float:
    """Round up to 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 or 10 times a power of ten, so that the axis end seldom changes.

    Returns 1 if `value` is not positive.
    """
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))


def round_down(value: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten, for the lower end of a logarithmic axis."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))


def integer_ticks(first: int, last: int, most: int) -> list[int]:
    """Return at most `most` integer ticks: `first`, `last`, and multiples of 1, 2, 5, 10, ... between them."""
    step = next(
        factor * 10**power
        for power in range(12)
        for factor in (1, 2, 5)
        if (last - first) / (factor * 10**power) + 2 <= most
    )
    between = [tick for tick in range(first // step * step, last, step) if tick > first and last - tick >= step * 0.6]
    return [first, *between, last]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` ticks of a logarithmic axis from `low` to `high`.

    They are 1, 2 and 5 times the powers of ten; if these are too many, 1 and 3 times; then powers of ten only. If none
    of these gives at least two ticks, the ticks are the ends of the axis.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{factor}e{power}") for power in powers for factor in factors]
        inside = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if 2 <= len(inside) <= most:
            return inside
    return [low, high]


_OUTLIERS = 95.0
"""The y axis reaches this percentile of the steps, so that one outlier does not flatten the other values."""

_AXIS_TITLES = {"epochs": "epoch", "passes": "passes", "steps": "step", "minutes": "minutes"}


def axes_encoding(small: bool, axis: XAxis, last: float, domain: tuple[float, float], log: bool) -> Spec:
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


def _y_axis_values(epochs: Sequence[np.ndarray], steps: Sequence[np.ndarray]) -> np.ndarray:
    """Return the values that the y axis of a line chart must cover: all epochs, and the steps without outliers."""
    covered = [values[np.isfinite(values)] for values in epochs]
    for values in steps:
        known = values[np.isfinite(values)]
        covered.append(known[known <= np.percentile(known, _OUTLIERS)] if len(known) else known)
    return np.concatenate(covered) if covered else np.empty(0)


def linear_y_end(epochs: Sequence[np.ndarray], steps: Sequence[np.ndarray]) -> float:
    """Return the upper end of a linear y axis; 1 if there are no values.

    `epochs` and `steps` are the y values of the curves of epochs and of steps; NaN means that there is no value.
    """
    values = _y_axis_values(epochs, steps)
    return round_up(float(values.max())) if len(values) else 1.0


def log_y_domain(epochs: Sequence[np.ndarray], steps: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the ends of a logarithmic y axis; (0.1, 1) if there are no positive values.

    The arguments are those of `linear_y_end`.
    """
    values = _y_axis_values(epochs, steps)
    values = values[values > 0]
    if not len(values):
        return 0.1, 1.0
    low, high = round_down(float(values.min())), round_up(float(values.max()))
    if high <= low:
        high = 10 * low
    return low, high
