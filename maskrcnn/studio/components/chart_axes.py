"""Axis ends, ticks and positions of line names, chosen so that a chart does not shift when points are added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

from maskrcnn.runs.folder import Row

XAxis = Literal["epochs", "passes", "steps", "minutes"]
"""Quantity on the x axis of a run's curves."""

X_AXES: tuple[XAxis, ...] = get_args(XAxis)

COMPARED_AXES: tuple[XAxis, ...] = ("passes", "steps", "minutes")
"""Quantities on the x axis when runs are compared. Epochs are missing because their length differs between runs."""


def x_end(axis: XAxis, row: Row, epochs: int | None, active: bool, pass_steps: float | None = None) -> float:
    """Return the end of the x axis for a run with the last row `row`: the expected end of the run, if it is known.

    `epochs` is the planned number of epochs. It is None for a run whose length is set in minutes; the number of epochs
    is then estimated from the pace so far and rounded up to a multiple of 5. `pass_steps` is the number of steps per
    pass; without it the end on the axis "passes" is 0. If the row has no progress (it is from another version), the
    axis ends at the row.
    """
    if axis == "passes":
        return x_end("steps", row, epochs, active) / pass_steps if pass_steps else 0.0
    elapsed, progress = row.get("elapsed") or 0.0, row.get("progress")
    if active and axis == "minutes":
        return round_up((elapsed + (row.get("eta") or 0.0)) / 60)
    if active and axis == "epochs" and epochs:
        return float(max(epochs, row["epoch"]))
    if not active or not progress:
        now = {"epochs": row["epoch"], "steps": row["step"], "minutes": elapsed / 60}
        return float(now[axis])
    progress = max(progress, 1e-6)
    if axis == "steps":
        all_steps = row["step"] / progress
        return float(max(round(all_steps) if epochs else round_up(all_steps), row["step"]))
    return float(5 * math.ceil(row["epoch"] / progress / 5 - 1e-9))


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


def name_offsets(values: Sequence[float], gap: int, text: int = 14) -> list[int]:
    """Return the vertical offset of each line's name from the line's last point, in pixels (positive: downwards).

    `values` are the ends of up to three lines, ascending, as shares of the axis (0 to 1). With these offsets no name
    overlaps another name or the axis, or lies outside the plot. The highest line has its name above, the lowest below,
    and the middle one on the side with more space.
    """
    above = [-gap - text * place for place in range(len(values))]
    below = [gap + text * place for place in reversed(range(len(values)))]
    on_axis, at_top = min(values, default=0) < 0.1, max(values, default=0) > 0.9
    if on_axis and at_top:
        low = sum(value < 0.5 for value in values)
        return above[:low] + below[low:]
    if on_axis or at_top or len(values) == 1:
        return below if at_top else above
    middle_above = len(values) == 2 or values[-1] - values[-2] > values[-2] - values[-3]
    return [gap, *above[:-1]] if middle_above else [*below[1:], -gap]
