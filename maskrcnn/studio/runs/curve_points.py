"""The arithmetic of curves: positions on the x axis, smoothing, and the choice of the steps that are drawn."""

from __future__ import annotations

import math

import numpy as np

from maskrcnn.runs.folder import Row
from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.chart_axes import XAxis, round_up

MOST_STEPS = 320
"""Maximum number of steps in a chart of one run. The page shows how many steps are drawn."""

MOST_OF_SEVERAL = 160
"""Maximum number of steps in a chart of several runs, all runs together: their texts for hovering are longer."""

MOST_IN_SMALL = 161
"""Maximum number of steps in a small chart, which is about this many pixels wide."""


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """Smooth `values` (N,) like TensorBoard: an exponential moving average with the decay `weight` and bias correction.

    Values that are not finite are returned unchanged and do not affect the average.
    """
    if weight <= 0:
        return np.asarray(values, dtype=float)
    mean, bias, result = 0.0, 1.0, []
    for value in values.tolist():
        if math.isfinite(value):
            mean = mean * weight + (1 - weight) * value
            bias *= weight
            value = mean / (1 - bias)
        result.append(value)
    return np.array(result)


def most_steps(runs: int) -> int:
    """The maximum number of steps of each run in a chart of so many `runs`.

    >>> most_steps(1), most_steps(2), most_steps(6)
    (320, 80, 26)
    """
    return MOST_STEPS if runs == 1 else MOST_OF_SEVERAL // runs


def drawn_steps(count: int, most: int = MOST_STEPS) -> np.ndarray:
    """The indices of the steps to draw, of `count` steps: (n,) int64, n <= most + 1.

    These are every 1st, 2nd, 4th, 8th, ... step, and the last. So drawn steps stay while new steps arrive, until the
    stride doubles.
    """
    stride = 1
    while math.ceil(count / stride) > most:
        stride *= 2
    chosen = np.arange(0, count, stride)
    return chosen if not count or chosen[-1] == count - 1 else np.append(chosen, count - 1)


def step_positions(
    rows: MetricRows, axis: XAxis, first_epoch: int | None = None, pass_steps: float | None = None
) -> np.ndarray:
    """The position (N,) of each step on the x axis. On the axis "epochs", the last step of epoch 3 is at 3.

    An epoch has the length 1 there, for any number of steps. The unfinished epoch is assumed to have as many steps as
    the one before; the first epoch, `first_epoch` steps. `pass_steps` is the number of steps per pass; without it,
    positions on the axis "passes" are NaN.
    """
    if axis == "minutes":
        return rows.column("elapsed") / 60
    steps = rows.column("step")
    if axis == "passes":
        return steps / (pass_steps or np.nan)
    if axis == "steps" or not len(steps):
        return steps
    ends, numbers = [0.0], [0.0]
    for row in rows.epochs:
        ends.append(float(row["step"]))
        numbers.append(float(row["epoch"]))
    length = ends[-1] - ends[-2] if len(ends) > 1 else float(first_epoch or 1)
    ends.append(max(ends[-1] + max(length, 1.0), steps[-1]))
    numbers.append(numbers[-1] + 1)
    return np.interp(steps, ends, numbers)


def epoch_positions(epochs: tuple[Row, ...], axis: XAxis, pass_steps: float | None = None) -> np.ndarray:
    """The position (E,) of each epoch on the x axis: that of its last step."""
    if axis == "passes":
        return np.array([float(row["step"]) for row in epochs]) / (pass_steps or np.nan)
    if axis == "minutes":
        return epoch_values(epochs, "elapsed") / 60
    return np.array([float(row["epoch" if axis == "epochs" else "step"]) for row in epochs])


def epoch_values(epochs: tuple[Row, ...], field: str) -> np.ndarray:
    """A field of the epoch rows, (E,); NaN for a row without it."""
    return np.array([np.nan if row.get(field) is None else float(row[field]) for row in epochs])


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
