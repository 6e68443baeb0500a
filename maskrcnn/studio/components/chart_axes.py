"""Axis ends and ticks, chosen so that a chart does not shift when points are added."""

from __future__ import annotations

import math
from typing import Literal, get_args

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
