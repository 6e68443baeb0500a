"""Convert the metrics of one or several runs to the lines of charts (losses, AP, gauges) and to a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from maskrcnn.config import LOSSES, MEASURES
from maskrcnn.durations import clock
from maskrcnn.runs.epochs_and_passes import passes_in_words
from maskrcnn.runs.folder import Row
from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.chart_axes import XAxis
from maskrcnn.studio.components.line_charts import Kind, Line, Note
from maskrcnn.studio.runs.curve_points import (
    MOST_IN_SMALL,
    MOST_STEPS,
    drawn_steps,
    epoch_positions,
    epoch_values,
    smoothed,
    step_positions,
)
from maskrcnn.studio.runs.curve_words import AP_LINES, AP_NAMES, LOSS_COLOURS, LOSS_TITLES, Gauge
from maskrcnn.words import counted


@dataclass(frozen=True)
class Curves:
    """The data for the curves of one run. `first_epoch` is the number of steps in the first epoch, and `pass_steps` the
    number of steps per pass (see `epochs.passes`), None if unknown. `name`, `colour` and point `shape` are set if
    several runs are drawn together, and `most` is the maximum number of drawn steps."""

    rows: MetricRows
    first_epoch: int | None = None
    name: str = ""
    colour: str = ""
    shape: str = "circle"
    pass_steps: float | None = None
    most: int = MOST_STEPS

    @cached_property
    def drawn(self) -> np.ndarray:
        """The indices of the steps that are drawn, (n,) int64; the same in all charts of the run."""
        return drawn_steps(len(self.rows), self.most)

    @cached_property
    def step_places(self) -> list[Note]:
        """The texts about the position of each drawn step (epoch, step, time), for hovering."""
        columns = [self.rows.column(name)[self.drawn].tolist() for name in ("epoch", "step", "elapsed")]
        return [_place(self, *place) for place in zip(*columns, strict=True)]


def losses_in(rows: MetricRows) -> tuple[str, ...]:
    """The losses that a run has recorded, in the order of `LOSSES`."""
    return tuple(loss for loss in LOSSES if rows.has(loss))


def aps_in(rows: MetricRows) -> tuple[str, ...]:
    """The AP fields for which a run has values, in the order of `AP_LINES`."""
    return tuple(field for field in AP_LINES if any(row.get(field) is not None for row in rows.epochs))


def aps_drawn(curves: Sequence[Curves]) -> tuple[str, ...]:
    """The AP fields to draw for these runs: masks before keypoints before boxes.

    Fields that all runs with any AP have come first, because several runs are compared by the first field only, and
    mask AP cannot be compared with box AP.
    """
    measured = [fields for one in curves if (fields := aps_in(one.rows))]
    finest = [field for kind in MEASURES if (field := f"{kind}_ap") in AP_LINES]
    shared = [field for field in finest if measured and all(field in fields for fields in measured)]
    others = [field for field in finest if field not in shared and any(field in fields for fields in measured)]
    return (*shared, *others)


def table(rows: Iterable[Row], pass_steps: float | None = None) -> pd.DataFrame:
    """The metrics of a run as a table with one row per epoch.

    Columns are the epoch; steps, passes and seconds (`seconds_since_start`) from the start of the run to the end of the
    epoch; the seconds of the epoch with its validation (`seconds_of_epoch`); the total loss, AP and each loss. Empty
    columns are left out.
    """
    parts = [prefix + loss for loss in LOSSES for prefix in ("", "val_")]
    lines, before = [], {"epoch": 0, "elapsed": 0.0}
    for row in rows:
        known = before["epoch"] == row["epoch"] - 1 and None not in (row.get("elapsed"), before.get("elapsed"))
        lines.append(
            {"epoch": row["epoch"], "step": row["step"], "passes": row["step"] / pass_steps if pass_steps else None}
            | {name: row.get(name) for name in ("loss", "val_loss", *AP_NAMES)}
            | {"seconds_of_epoch": row["elapsed"] - before["elapsed"] if known else None}
            | {"seconds_since_start": row.get("elapsed")}
            | {name: row.get(name) for name in parts}
        )
        before = row
    return pd.DataFrame(lines).dropna(axis="columns", how="all")


def steps_words(rows: MetricRows) -> str:
    """A text about how many steps of a run are drawn: `all 120 steps`, `157 of 5,000 steps`, `151 of the 300 steps that
    were kept of 3,000`."""
    made, kept = rows.last["step"] if rows.last else 0, len(rows)
    drawn = len(drawn_steps(kept))
    if not kept:
        return f"none, as no step was kept of {made:,}" if made else "none yet"
    if kept < made:
        if kept == 1:
            return f"the 1 step that was kept of {made:,}"
        of_kept = f"all {kept:,}" if drawn == kept else f"{drawn:,} of the {kept:,}"
        return f"{of_kept} steps that were kept of {made:,}"
    return f"all {counted(kept, 'step')}" if drawn == kept else f"{drawn:,} of {counted(kept, 'step')}"


def small_words(curves: Sequence[Curves]) -> str:
    """A text that small charts draw only every second of these steps; empty if they draw all of them."""
    return (
        ", every 2nd of them in the small charts" if any(len(one.drawn) > _most_in_small(one) for one in curves) else ""
    )


def loss_lines(curves: Sequence[Curves], loss: str, axis: XAxis, weight: float, is_small: bool = False) -> list[Line]:
    """The lines of one loss for each run: its steps, the steps smoothed by `weight`, and its training and validation
    values per epoch. For a small chart (`is_small`), at most about `MOST_IN_SMALL` steps are drawn.

    Hovering over the total loss shows all losses at that point; hovering over another loss shows only this loss.
    """
    lines = []
    for run in curves:
        columns = {LOSS_TITLES[name]: run.rows.column(name) for name in _hover_losses(run, loss)}
        lines += _step_lines(
            run, run.rows.column(loss), run.colour or LOSS_COLOURS[loss], axis, weight, columns, is_small
        )
    for run in curves:  # after the steps of all runs, so that epochs are drawn on top
        notes = [_epoch_note(run, row, _hover_losses(run, loss)) for row in run.rows.epochs]
        colour = run.colour or LOSS_COLOURS[loss]
        series: tuple[tuple[Kind, str], ...] = (("training", loss), ("validation", f"val_{loss}"))
        x = epoch_positions(run.rows.epochs, axis, run.pass_steps)
        lines += [
            Line(x, epoch_values(run.rows.epochs, field), kind, colour, run.shape, notes) for kind, field in series
        ]
    return lines


def ap_lines(curves: Sequence[Curves], fields: Sequence[str], axis: XAxis) -> list[Line]:
    """The lines of AP per epoch: for one run a labelled line per field, for several runs only the first field."""
    lines = []
    for run in curves:
        notes = [_ap_note(run, row) for row in run.rows.epochs]
        x = epoch_positions(run.rows.epochs, axis, run.pass_steps)
        for field in fields[: None if len(curves) == 1 else 1]:
            name, colour, shape = AP_LINES[field]
            look = (run.colour, run.shape, "") if run.colour else (colour, shape, name)
            y = epoch_values(run.rows.epochs, field)
            lines.append(Line(x, y, "validation", look[0], look[1], notes, look[2]))
    return lines


def gauge_lines(curves: Sequence[Curves], gauge: Gauge, axis: XAxis, weight: float) -> list[Line]:
    """The lines of a gauge over the steps: for one run all lines of the gauge, for several runs only the first."""
    lines = []
    for run in curves:
        shown = [line for line in gauge.lines if np.isfinite(run.rows.column(line[0])).any()]
        for field, name, colour in shown[: None if len(curves) == 1 else 1]:
            values = run.rows.column(field) * gauge.factor
            smoothing = weight if gauge.noisy else 0.0
            drawn = _step_lines(run, values, run.colour or colour, axis, smoothing, {name: values}, is_small=True)
            lines += drawn if gauge.noisy else [replace(line, kind="smoothed") for line in drawn]
    return lines


def _step_lines(
    run: Curves,
    values: np.ndarray,
    colour: str,
    axis: XAxis,
    weight: float,
    hover_columns: Mapping[str, np.ndarray],
    is_small: bool = False,
) -> list[Line]:
    """The lines of the `values` (N,) of all steps: raw and, if `weight` is above 0, smoothed.

    `hover_columns` are the values (N,) that hovering shows, by title.
    """
    if not np.isfinite(values).any():
        return []
    places = drawn_steps(len(run.drawn), _most_in_small(run)) if is_small else np.arange(len(run.drawn))
    chosen = run.drawn[places]
    x = step_positions(run.rows, axis, run.first_epoch, run.pass_steps)[chosen]
    hover_texts = [[_number(value) for value in column[chosen].tolist()] for column in hover_columns.values()]
    notes = [
        place | dict(zip(hover_columns, texts, strict=True))
        for place, texts in zip([run.step_places[at] for at in places], zip(*hover_texts, strict=True), strict=True)
    ]
    lines = [Line(x, values[chosen], "steps", colour, run.shape, notes)]
    if weight > 0:
        lines.append(Line(x, smoothed(values, weight)[chosen], "smoothed", colour, run.shape))
    return lines


def _most_in_small(run: Curves) -> int:
    """The maximum number of steps of the run in a small chart: half of those in a large one."""
    return min(MOST_IN_SMALL, run.most // 2 + 1)


def _hover_losses(run: Curves, loss: str) -> tuple[str, ...]:
    """The losses that hovering over `loss` shows: all losses for the total loss."""
    return ("loss", *losses_in(run.rows)) if loss == "loss" else (loss,)


def _place(run: Curves, epoch: float, step: float, elapsed: float | None) -> Note:
    """The texts about the position of a point: `epoch 3, step 51, 12.8 passes` and `4:10 since the start`."""
    passes = f", {passes_in_words(step / run.pass_steps)} passes" if run.pass_steps else ""
    place = {"at": f"epoch {epoch:.0f}, step {step:.0f}{passes}", "time": f"{clock(elapsed)} since the start"}
    return {"run": run.name, **place} if run.name else place


def _epoch_note(run: Curves, row: Row, losses: Sequence[str]) -> Note:
    """The texts that hovering over an epoch shows: its position, and `1.234 · val 1.456` for each loss."""
    note = _place(run, row["epoch"], row["step"], row.get("elapsed"))
    for loss in losses:
        validation = row.get(f"val_{loss}")
        suffix = "" if validation is None else f"  ·  val {_number(validation)}"
        note[LOSS_TITLES[loss]] = _number(row.get(loss)) + suffix
    return note


def _ap_note(run: Curves, row: Row) -> Note:
    """The texts that hovering over a point of AP shows: its position, and every AP of the epoch."""
    return _place(run, row["epoch"], row["step"], row.get("elapsed")) | {
        title: "–" if row.get(field) is None else f"{row[field]:.3f}"
        for field, title in AP_NAMES.items()
        if field in row
    }


def _number(value: float | None) -> str:
    """A number as text, with about four significant digits: 0.0371, 1.234, 187."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.4f}" if 0.001 <= abs(value) < 10 else f"{value:.4g}"
