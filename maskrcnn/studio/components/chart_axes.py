"""Where axes end, where their numbers stand and where lines are named: such that nothing moves when a point arrives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

from maskrcnn.runs.folder import Row

XAxis = Literal["epochs", "passes", "steps", "minutes"]
"""What the curves of a run are drawn over."""

X_AXES: tuple[XAxis, ...] = get_args(XAxis)

COMPARED_AXES: tuple[XAxis, ...] = ("passes", "steps", "minutes")
"""What several runs are drawn over: an epoch of one may be as long as ten of another."""


def x_end(axis: XAxis, row: Row, epochs: int | None, active: bool, pass_steps: float | None = None) -> float:
    """Where the x axis of a run ends whose last row is `row`: where the run will, as far as that can be told.

    `epochs` is None for a run whose length is set in minutes; how many they become is judged by the pace so far, in
    fives. `pass_steps` is the number of steps in a pass; without it nobody knows how many passes there are: 0. A row
    that does not say how far the run is (of another version) is where its axis ends.
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
        whole = row["step"] / progress
        return float(max(round(whole) if epochs else round_up(whole), row["step"]))
    return float(5 * math.ceil(row["epoch"] / progress / 5 - 1e-9))


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 (times a power of ten): an axis end that seldom moves."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))


def round_down(value: float) -> float:
    """The same downwards, for the lower end of a logarithmic axis: the next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))


def integer_ticks(first: int, last: int, most: int) -> list[int]:
    """At most `most` whole numbers: `first`, `last`, and the multiples of 1, 2, 5, 10, ... that fit between them."""
    step = next(
        factor * 10**power
        for power in range(12)
        for factor in (1, 2, 5)
        if (last - first) / (factor * 10**power) + 2 <= most
    )
    between = [tick for tick in range(first // step * step, last, step) if tick > first and last - tick >= step * 0.6]
    return [first, *between, last]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Ticks of a logarithmic axis: 1, 2, 5 of each power of ten between the ends, or 1 alone where these are more than
    `most`; with as few as fit at the worst, the ends."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{factor}e{power}") for power in powers for factor in factors]
        inside = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if 2 <= len(inside) <= most:
            return inside
    return [low, high]


def name_offsets(values: Sequence[float], gap: int, text: int = 14) -> list[int]:
    """How far below its point (pixels; negative: above) each of up to three lines is named that end at these ascending
    values, so that no name lies on another, on the axis or outside the plot.

    The highest is named above and the lowest below; one between them goes where there is more room.
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
