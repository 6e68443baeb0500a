"""The points of the line charts of a training, and their columns in the table that is sent to the browser.

Only numbers are sent, each once, in the shortest type that holds what the chart shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from maskrcnn.studio.components.chart_axes import XAxis

DECIMALS = 4
"""Number of decimals that the tooltips show of a number from 0.001 to 10, unless the chart has another one."""


@dataclass(frozen=True)
class DrawnRun:
    """How a run is drawn in a chart.

    `name` is its name in tooltips, `colour` and `shape` those of its lines and points. They are empty if the chart has
    one run only. `pass_steps` is the number of steps per pass, None if it is unknown.
    """

    name: str = ""
    colour: str = ""
    shape: str = ""
    pass_steps: float | None = None


@dataclass(frozen=True, eq=False)
class RunPoints:
    """N points of a run: its drawn steps, or its epochs (`is_epochs`).

    `x` are the positions on the x axis. `epoch`, `step` and `elapsed` (seconds since the start) are shown in tooltips.
    `values` are numbers of the points by name (an identifier). All arrays are (N,); NaN means that there is no number.
    """

    run: DrawnRun
    is_epochs: bool
    x: np.ndarray
    epoch: np.ndarray
    step: np.ndarray
    elapsed: np.ndarray
    values: Mapping[str, np.ndarray]


def point_values(points: Sequence[RunPoints]) -> dict[str, np.ndarray]:
    """Return the columns of the table `points` with the values of the points, (N,) each; NaN: a point has none."""
    names = dict.fromkeys(name for part in points for name in part.values)
    nothing = [np.full(len(part.x), np.nan) for part in points]
    return {
        name: np.concatenate([part.values.get(name, none) for part, none in zip(points, nothing, strict=True)])
        for name in names
    }


def point_columns(points: Sequence[RunPoints], runs: Sequence[DrawnRun], axis: XAxis) -> dict[str, Any]:
    """Return the columns of the table `points` that say where the points are, without the values.

    `x` is sent only where the browser cannot compute it: for the steps of the axis "epochs".
    """
    lengths = [len(part.x) for part in points]
    none = np.empty(0)
    epoch, step, elapsed = (
        np.concatenate([none, *(getattr(part, name) for part in points)]) for name in ("epoch", "step", "elapsed")
    )
    is_epochs = np.repeat([part.is_epochs for part in points], lengths).astype(bool)
    columns: dict[str, Any] = {
        "run": np.repeat([runs.index(part.run) for part in points], lengths).astype(np.uint8),
        "is_epoch": is_epochs,
        "epoch": _integer_column(epoch),
        "step": _integer_column(step),
        "elapsed": _number_column(elapsed)
        if axis == "minutes"
        else _integer_column(np.floor(np.maximum(elapsed, 0) + 0.5)),
    }
    if axis == "epochs":
        x = np.concatenate([none, *(part.x for part in points)])
        columns["x"] = _number_column(np.where(is_epochs, np.nan, x))
    return columns


def _integer_column(values: np.ndarray) -> pa.Array:
    """Return whole numbers of at least 0 as a column of the table `points`; NaN becomes null.

    Its type is the smallest unsigned integer type that holds the numbers.
    """
    known = np.isfinite(values)
    small = np.where(known, values, 0).astype(np.int64)
    return pa.array(small.astype(np.min_scalar_type(int(small.max(initial=0)))), mask=~known)


def _number_column(values: np.ndarray) -> pa.Array:
    """Return numbers as a float32 column of the table `points`; what is not finite becomes null."""
    return pa.array(values.astype(np.float32), mask=~np.isfinite(values))


def fixed_point(values: np.ndarray, decimals: int | None) -> tuple[pa.Array, float]:
    """Return (numbers, factor), so that numbers x factor are the values as the tooltips show them.

    The numbers are 16-bit integers if these can hold the values, otherwise float32 with a factor of 1. Tooltips show
    `decimals` decimals; if that is None, about four significant digits.

    >>> array, factor = fixed_point(np.array([0.5, np.nan, 1.23456]), None)
    >>> array.type, array.to_pylist(), factor
    (DataType(uint16), [5000, None, 12346], 0.0001)
    >>> fixed_point(np.array([0.5, 90_000.0]), None)[0].type
    DataType(float)
    """
    known = values[np.isfinite(values)]
    scale = 10 ** (DECIMALS if decimals is None else decimals)
    has_four_digits = decimals is not None or ((known == 0) | (known >= 0.001)).all()
    fit_16_bits = ((known >= 0) & (known * scale < 2**16 - 1)).all()
    if has_four_digits and fit_16_bits:
        return _integer_column(np.rint(values * scale)), 1 / scale
    return _number_column(values), 1.0


def pass_steps_of_point(runs: Sequence[DrawnRun]) -> str:
    """Return the Vega expression that gives, for a row of `points`, the steps per pass of its run; null if unknown."""
    return f"{json.dumps([run.pass_steps for run in runs])}[datum.run]"
