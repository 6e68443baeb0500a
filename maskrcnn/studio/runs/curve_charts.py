"""The section of the Runs page with the curves of one or several runs: controls, charts, their lines and hover texts.

The charts are the total loss, AP, each loss, and gauges such as speed and memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.config import LOSSES, MEASURES
from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING, PASS_MEANING
from maskrcnn.runs.folder import Row, RunFolder
from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.components.chart_axes import XAxis
from maskrcnn.studio.components.line_charts import Kind, Line, Note, line_chart
from maskrcnn.studio.runs import curve_points, run_choice, run_tables
from maskrcnn.studio.runs.curve_points import (
    MOST_IN_SMALL,
    Curves,
    _place,
    drawn_steps,
    epoch_positions,
    epoch_values,
    most_steps,
    smoothed,
    step_positions,
)
from maskrcnn.studio.runs.curve_words import (
    AP_LINES,
    AP_MEANING,
    AP_NAMES,
    GAUGES,
    LOSS_COLOURS,
    LOSS_MEANINGS,
    LOSS_TITLES,
    Gauge,
)
from maskrcnn.studio.runs.run_choice import RunChoice
from maskrcnn.studio.runs.run_pictures import judged_alike
from maskrcnn.studio.runs.run_tables import run_columns
from maskrcnn.studio.shell import session
from maskrcnn.words import counted

_LARGE, _SMALL = 220, 150
_GAUGES_IN_A_ROW = 4


@dataclass(frozen=True)
class View:
    """The display options of the charts: x axis and its end, smoothing of steps in [0, 1), and logarithmic scale."""

    axis: XAxis
    end: float
    smoothing: float
    log: bool


def losses(curves: Sequence[Curves], view: View) -> None:
    """Draw the total loss and AP side by side, and a small chart for each loss that any of the runs has."""
    kinds = list(dict.fromkeys(loss for one in curves for loss in losses_in(one.rows)))
    left, right = st.columns(2)
    left.markdown(
        f"**loss**, the sum of the {len(kinds)} below", help="Each loss times its weight. This is what is minimised."
    )
    _draw(left, loss_lines(curves, "loss", view.axis, view.smoothing), _LARGE, view, "Sum of the losses", log=view.log)
    _ap(right, curves, view)
    for loss, column in zip(kinds, st.columns(len(kinds)), strict=True):
        column.markdown(f"**{LOSS_TITLES[loss]}**", help=f"{loss}: {LOSS_MEANINGS[loss]}")
        lines = loss_lines(curves, loss, view.axis, view.smoothing, is_small=True)
        _draw(column, lines, _SMALL, view, LOSS_TITLES[loss], log=view.log)
    faint = (
        drawn_steps_words(curves[0].rows)
        if len(curves) == 1
        else f"at most {most_steps(len(curves)) + 1} single steps of each run"
    )
    mean = ", and the running mean of all of them" if view.smoothing else ""
    st.markdown(
        ":small[Solid, filled: mean over the training steps of an epoch. Dashed, hollow: the validation pictures. "
        f"Faint: {faint}{small_charts_words(curves)}{mean}.]",
        help="A chart of many thousand points would be slow, so of a long run every 2nd, 4th, 8th, ... step is drawn. "
        "All that were recorded are in Download, Steps (CSV).",
    )


def gauges(curves: Sequence[Curves], view: View) -> None:
    """Draw a small chart for each of `GAUGES` that any of the runs has recorded."""
    recorded = [gauge for gauge in GAUGES if any(one.rows.has(line[0]) for one in curves for line in gauge.lines)]
    if not recorded:
        st.markdown("Nothing was recorded of it; the run is of an older studio, or has not made its first step.")
    for start in range(0, len(recorded), _GAUGES_IN_A_ROW):
        row = zip(recorded[start : start + _GAUGES_IN_A_ROW], st.columns(_GAUGES_IN_A_ROW), strict=False)
        for gauge, column in row:
            column.markdown(f"**{gauge.title}**", help=gauge.meaning)
            lines = gauge_lines(curves, gauge, view.axis, view.smoothing)
            _draw(column, lines, _SMALL, view, gauge.title, gauge.end)
            if len(gauge.lines) > 1 and len(curves) == 1:
                shown = [line for line in gauge.lines if curves[0].rows.has(line[0])]
                words = [f":{word}[{name}]" for (_, name, _), word in zip(shown, ("blue", "orange"), strict=False)]
                column.markdown(f":small[{', '.join(words)}]")


def _ap(place: DeltaGenerator, curves: Sequence[Curves], view: View) -> None:
    """Draw the chart of the AP, or a text that there is none (yet)."""
    fields = aps_drawn(curves)
    named = f"**{AP_LINES[fields[0]][0]}**" if len(curves) > 1 and fields else "**AP**"
    place.markdown(f"{named} on the validation pictures", help=AP_MEANING)
    if fields:
        _draw(place, ap_lines(curves, fields, view.axis), _LARGE, view, "Average precision", 1.0)
    elif any(one.rows.epochs for one in curves):
        place.info("There were no labelled validation pictures, so there is no AP.")
    else:
        place.markdown("The first point comes with the end of the first epoch; until then, losses step by step.")


def _draw(
    place: DeltaGenerator,
    lines: Sequence[Line],
    height: int,
    view: View,
    name: str,
    y_end: float | None = None,
    log: bool = False,
) -> None:
    """Draw lines as a chart of this height (pixels), with a description from `name`."""
    draw(line_chart(lines, height, view.axis, view.end, y_end, log), place, alt=f"{name} over the run")


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


def drawn_steps_words(rows: MetricRows) -> str:
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


def small_charts_words(curves: Sequence[Curves]) -> str:
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


def show(chosen: RunChoice) -> None:
    """Draw the controls, the table of differences (if several runs are compared), and the charts."""
    with session.fail_softly():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            smoothing = st.slider(
                "Smoothing",
                0.0,
                0.99,
                0.6,
                0.01,
                key="runs-smoothing",
                persist_state="session",
                width=180,
                help="Of single steps: a running mean, as in TensorBoard. 0 shows them as they are.",
            )
            compared = run_choice.compared(chosen.others)
            axes = curve_points.x_axes([chosen.run, *compared])
            axis = st.segmented_control(
                "Over",
                axes,
                default=axes[0],
                required=True,
                key="runs-axis-compared" if compared else "runs-axis",
                persist_state="session",
                help=f"{EPOCH_MEANING} {PASS_MEANING} Several runs are not drawn over epochs, which may have "
                "different lengths.",
            )
            log = st.toggle("Log scale", key="runs-log", persist_state="session", help="Of the losses.")
            drawn = [chosen.run]
            if chosen.others:
                drawn += run_choice.choose_compared(chosen.others, compared)
        if len(drawn) > 1:
            _show_differences(drawn)
        lines = curve_points.curves(drawn)
        if any(losses_in(one.rows) for one in lines):
            view = View(axis, curve_points.x_axis_end(drawn, lines, axis), smoothing, log)
            losses(lines, view)
            with st.expander("How it computes", icon=":material/speed:", key="runs-computes", on_change="rerun") as box:
                if box.open:
                    gauges(lines, view)
        elif session.backend().state(chosen.run).active:
            st.info("The first losses come when packages and pictures are loaded.", icon=":material/hourglass_top:")


def _show_differences(drawn: Sequence[RunFolder]) -> None:
    """Draw the table of the compared runs, and a warning if their validation pictures differ."""
    st.dataframe(
        run_tables.comparison_table(drawn),
        hide_index=True,
        column_config={" ": st.column_config.ImageColumn(width=40), **run_columns()},
    )
    st.markdown(":small[Of the settings, the start and those that differ.]")
    if not judged_alike(drawn):
        st.warning("These runs were validated on different pictures, so their AP cannot be compared.")
