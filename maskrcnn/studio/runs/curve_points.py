"""The arithmetic of curves: where each step lies on the x axis, smoothing, and which of many steps are drawn."""

from __future__ import annotations

import math

import numpy as np

from maskrcnn.runs.folder import Row
from maskrcnn.runs.metric_rows import RunRows
from maskrcnn.studio.components.chart_axes import XAxis

MOST_STEPS = 320
"""Most steps of a run that a chart draws; the page says how many of how many these are."""


MOST_IN_SMALL = 161
"""The same of a small chart, which is about as many pixels wide."""


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """(N,): TensorBoard's smoothing, an exponential running mean that forgets `1 - weight` of itself at each value and
    is divided by what it has seen so far, so that it does not start at 0. What is not finite stays and is passed over.
    """
    if weight <= 0:
        return np.asarray(values, dtype=float)
    mean, unseen, result = 0.0, 1.0, []
    for value in values.tolist():
        if math.isfinite(value):
            mean = mean * weight + (1 - weight) * value
            unseen *= weight
            value = mean / (1 - unseen)
        result.append(value)
    return np.array(result)


def drawn_steps(count: int, most: int = MOST_STEPS) -> np.ndarray:
    """(n,) int64, n <= most + 1: which of `count` steps are drawn. Every 1st, 2nd, 4th, 8th, ... from the first on, and
    the last; so what is drawn stays drawn while steps arrive, until every other point goes at once."""
    stride = 1
    while math.ceil(count / stride) > most:
        stride *= 2
    chosen = np.arange(0, count, stride)
    return chosen if not count or chosen[-1] == count - 1 else np.append(chosen, count - 1)


def step_positions(
    rows: RunRows, axis: XAxis, first_epoch: int | None = None, pass_steps: float | None = None
) -> np.ndarray:
    """(N,): where each step lies. An epoch is 1 long whatever its number of steps: the last step of epoch 3 lies at 3.

    The epoch that is not yet over is taken to be as long as the one before; of the first, `first_epoch` is its number
    of steps, where anybody knows. `pass_steps` is the number of steps in a pass; without it no step has a place among
    the passes.
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
    """(E,): where each epoch lies: at its end."""
    if axis == "passes":
        return np.array([float(row["step"]) for row in epochs]) / (pass_steps or np.nan)
    if axis == "minutes":
        return epoch_values(epochs, "elapsed") / 60
    return np.array([float(row["epoch" if axis == "epochs" else "step"]) for row in epochs])


def epoch_values(epochs: tuple[Row, ...], field: str) -> np.ndarray:
    """(E,): a field of the epoch rows, NaN where one has no such number."""
    return np.array([np.nan if row.get(field) is None else float(row[field]) for row in epochs])
