"""The data of curves: of each run the rows, the losses and APs in them, the steps that are drawn, positions on the
x axis, and smoothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from maskrcnn.config import LOSSES, MEASURES
from maskrcnn.runs import metric_rows
from maskrcnn.runs.epochs_and_passes import first_epoch_steps, mean_pass_steps
from maskrcnn.runs.folder import CONFIG, Row, RunFolder
from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.chart_axes import COMPARED_AXES, X_AXES, XAxis, round_up
from maskrcnn.studio.components.chart_points import DrawnRun, RunPoints
from maskrcnn.studio.runs.curve_words import (
    AP_LINES,
    RUN_COLOURS,
    RUN_SHAPES,
)
from maskrcnn.studio.runs.labels_and_detections import pictures_of_run
from maskrcnn.studio.shell import session

MOST_STEPS = 320
"""Maximum number of steps in a chart of one run. The page shows how many steps are drawn."""

MOST_OF_SEVERAL = 160
"""Maximum number of steps in a chart of several runs, all runs together."""

MOST_IN_SMALL = 161
"""Maximum number of steps in a small chart, which is about this many pixels wide."""

MOST_RUNS = len(RUN_COLOURS)
"""Maximum number of runs in a chart: the number of distinguishable colours."""


@dataclass(frozen=True)
class Curves:
    """The data for the curves of one run.

    `first_epoch` is the number of steps in the first epoch, and `pass_steps` the number of steps per pass (see
    `epochs_and_passes.passes`), None if unknown. `name`, `colour` and point `shape` are set if several runs are drawn
    together, and `most` is the maximum number of drawn steps.
    """

    rows: MetricRows
    first_epoch: int | None = None
    name: str = ""
    colour: str = ""
    shape: str = ""
    pass_steps: float | None = None
    most: int = MOST_STEPS

    @cached_property
    def drawn(self) -> np.ndarray:
        """The indices of the steps that are drawn, (n,) int64; the same in all charts of the run."""
        return drawn_steps(len(self.rows), self.most)

    @property
    def look(self) -> DrawnRun:
        """How the run is drawn in charts."""
        return DrawnRun(self.name, self.colour, self.shape, self.pass_steps)

    def step_points(self, axis: XAxis, values: Mapping[str, np.ndarray], is_small: bool = False) -> RunPoints:
        """The drawn steps as points of a chart; `values` are numbers of all steps, (N,) each, by name.

        In a small chart there are at most `most_in_small` of them.
        """
        chosen = self.drawn
        if is_small:
            chosen = chosen[drawn_steps(len(chosen), self.most_in_small)]
        x = step_positions(self.rows, axis, self.first_epoch, self.pass_steps)
        epoch, step, elapsed = (self.rows.column(name)[chosen] for name in ("epoch", "step", "elapsed"))
        taken = {name: column[chosen] for name, column in values.items()}
        return RunPoints(self.look, False, x[chosen], epoch, step, elapsed, taken)

    def epoch_points(self, axis: XAxis, fields: Iterable[str]) -> RunPoints:
        """The epochs as points of a chart, with the values of these fields of their rows."""
        epochs = self.rows.epochs
        epoch, step, elapsed = (epoch_values(epochs, name) for name in ("epoch", "step", "elapsed"))
        values = {name: epoch_values(epochs, name) for name in fields}
        return RunPoints(self.look, True, epoch_positions(epochs, axis, self.pass_steps), epoch, step, elapsed, values)

    @property
    def most_in_small(self) -> int:
        """The maximum number of steps in a small chart: half of `most`, plus one, and no more than `MOST_IN_SMALL`."""
        return min(MOST_IN_SMALL, self.most // 2 + 1)

    @property
    def is_thinned_in_small(self) -> bool:
        """Whether a small chart draws only a part of the drawn steps."""
        return len(self.drawn) > self.most_in_small


def x_axes(runs: Sequence[RunFolder]) -> tuple[XAxis, ...]:
    """The x axes that can be used for these runs, the default first. "passes" needs the number of training pictures."""
    offered = X_AXES if len(runs) == 1 else COMPARED_AXES
    has_passes = all(mean_pass_steps(run, pictures_of_run(run).train) for run in runs)
    return offered if has_passes else tuple(axis for axis in offered if axis != "passes")


def curves(runs: Sequence[RunFolder]) -> list[Curves]:
    """The `Curves` of each run. Several runs get different colours and point shapes."""
    if len(runs) == 1:
        return [_curves_of_run(runs[0])]
    return [
        replace(
            _curves_of_run(run),
            name=run.name,
            colour=RUN_COLOURS[number],
            shape=RUN_SHAPES[number],
            most=most_steps(len(runs)),
        )
        for number, run in enumerate(runs)
    ]


def _curves_of_run(run: RunFolder) -> Curves:
    """The `Curves` of a run that is drawn alone."""
    pictures = pictures_of_run(run).train
    return Curves(metric_rows.read(run), first_epoch_steps(run, pictures), pass_steps=mean_pass_steps(run, pictures))


def x_axis_end(runs: Sequence[RunFolder], curves: Sequence[Curves], axis: XAxis) -> float:
    """The end of the x axis for the points of these curves: the maximum of `x_end`, the (planned) ends of the runs."""
    backend = session.backend()
    ends = [
        x_end(
            axis,
            one.rows.last,
            (run.read_json(CONFIG) or {}).get("epochs"),
            backend.state(run).active,
            one.pass_steps,
        )
        for run, one in zip(runs, curves, strict=True)
        if one.rows.last
    ]
    return max(ends, default=0.0)


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
    the one before; if it is the first, it is assumed to have `first_epoch` steps. `pass_steps` is the number of steps
    per pass (one run over all training pictures); without it, positions on the axis "passes" are NaN.
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
    """Return where the x axis of a curve chart ends, for a run with the last row `row`.

    For an `active` run it is the expected end of the run. For others, it is the last row; also if the row has no
    progress (it is from another version) and the end is not known without it.

    `epochs` is the planned number of epochs. It is None for a run whose length is set in minutes; the number of epochs
    is then estimated from the pace so far and rounded up to a multiple of 5. `pass_steps` is the number of steps per
    pass (one run over all training pictures); without it the end on the axis "passes" is 0.
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
    all_epochs = row["epoch"] / progress  # of a run whose length is set in minutes
    return float(5 * math.ceil(all_epochs / 5 - 1e-9))


def losses_in(rows: MetricRows) -> tuple[str, ...]:
    """The losses for which a run has points of a curve, in the order of `LOSSES`."""
    return tuple(loss for loss in LOSSES if rows.has(loss))


def losses_of_runs(curves: Sequence[Curves]) -> tuple[str, ...]:
    """The losses for which any of the runs has points of a curve."""
    return tuple(dict.fromkeys(loss for run in curves for loss in losses_in(run.rows)))


def aps_in(rows: MetricRows) -> tuple[str, ...]:
    """The AP fields for which a run has points of a curve, in the order of `AP_LINES`."""
    return tuple(field for field in AP_LINES if any(row.get(field) is not None for row in rows.epochs))


def aps_drawn(curves: Sequence[Curves]) -> tuple[str, ...]:
    """The AP fields whose points are drawn for these curves: masks before keypoints before boxes.

    The first field must be one that every run has, if possible, because several runs are compared by it only, and mask
    AP cannot be compared with box AP. So the fields of all runs come before the others. Runs without AP do not count.
    """
    measured = [fields for one in curves if (fields := aps_in(one.rows))]
    finest = [field for kind in MEASURES if (field := f"{kind}_ap") in AP_LINES]
    shared = [field for field in finest if measured and all(field in fields for fields in measured)]
    others = [field for field in finest if field not in shared and any(field in fields for fields in measured)]
    return (*shared, *others)
