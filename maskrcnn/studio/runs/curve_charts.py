"""The section of the Runs page with the curves of one or several runs: controls, charts, their lines and hover texts.

The charts are the total loss, AP, each loss, and gauges such as speed and memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING, PASS_MEANING
from maskrcnn.studio.components.chart import Chart, draw
from maskrcnn.studio.components.chart_axes import XAxis
from maskrcnn.studio.components.chart_tooltips import Tooltip
from maskrcnn.studio.components.line_charts import Line, line_chart
from maskrcnn.studio.runs import curve_data, run_choice, run_tables
from maskrcnn.studio.runs.curve_data import (
    Curves,
    aps_drawn,
    losses_in,
    losses_of_runs,
    most_steps,
    smoothed,
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
    drawn_steps_words,
    small_charts_words,
)
from maskrcnn.studio.runs.run_choice import RunChoice
from maskrcnn.studio.shell import session

_LARGE, _SMALL = 220, 150
_GAUGES_IN_A_ROW = 4


@dataclass(frozen=True)
class CurveView:
    """The display options of the charts: x axis and its end, smoothing of steps in [0, 1), and logarithmic scale."""

    axis: XAxis
    end: float
    smoothing: float
    log: bool


def show_losses(curves: Sequence[Curves], view: CurveView) -> None:
    """Draw the total loss and AP side by side, and a small chart for each loss that any of the runs has."""
    kinds = losses_of_runs(curves)
    left, right = st.columns(2)
    left.markdown(
        f"**loss**, the sum of the {len(kinds)} below", help="Each loss times its weight. This is what is minimised."
    )
    _draw(loss_chart(curves, "loss", view), left, "Sum of the losses")
    _show_ap(right, curves, view)
    for loss, column in zip(kinds, st.columns(len(kinds)), strict=True):
        column.markdown(f"**{LOSS_TITLES[loss]}**", help=f"{loss}: {LOSS_MEANINGS[loss]}")
        _draw(loss_chart(curves, loss, view, is_small=True), column, LOSS_TITLES[loss])
    faint = (
        drawn_steps_words(curves[0].rows, len(curves[0].drawn))
        if len(curves) == 1
        else f"at most {most_steps(len(curves)) + 1} single steps of each run"
    )
    is_thinned = any(one.is_thinned_in_small for one in curves)
    mean = ", and the running mean of all of them" if view.smoothing else ""
    st.markdown(
        ":small[Solid, filled: mean over the training steps of an epoch. Dashed, hollow: the validation pictures. "
        f"Faint: {faint}{small_charts_words(is_thinned)}{mean}.]",
        help="A chart of many thousand points would be slow, so of a long run every 2nd, 4th, 8th, ... step is drawn. "
        "All that were recorded are in Download, Steps (CSV).",
    )


def show_gauges(curves: Sequence[Curves], view: CurveView) -> None:
    """Draw a small chart for each of `GAUGES` that any of the runs has recorded."""
    recorded = [gauge for gauge in GAUGES if any(one.rows.has(line[0]) for one in curves for line in gauge.lines)]
    if not recorded:
        st.markdown("Nothing was recorded of it; the run is of an older studio, or has not made its first step.")
    for start in range(0, len(recorded), _GAUGES_IN_A_ROW):
        row = zip(recorded[start : start + _GAUGES_IN_A_ROW], st.columns(_GAUGES_IN_A_ROW), strict=False)
        for gauge, column in row:
            column.markdown(f"**{gauge.title}**", help=gauge.meaning)
            _draw(gauge_chart(curves, gauge, view), column, gauge.title)
            if len(gauge.lines) > 1 and len(curves) == 1:
                shown = [line for line in gauge.lines if curves[0].rows.has(line[0])]
                words = [f":{word}[{name}]" for (_, name, _), word in zip(shown, ("blue", "orange"), strict=False)]
                column.markdown(f":small[{', '.join(words)}]")


def _show_ap(place: DeltaGenerator, curves: Sequence[Curves], view: CurveView) -> None:
    """Draw the chart of the AP, or a text that there is none (yet)."""
    fields = aps_drawn(curves)
    named = f"**{AP_LINES[fields[0]][0]}**" if len(curves) > 1 and fields else "**AP**"
    place.markdown(f"{named} on the validation pictures", help=AP_MEANING)
    if fields:
        _draw(ap_chart(curves, fields, view), place, "Average precision")
    elif any(one.rows.epochs for one in curves):
        place.info("There were no labelled validation pictures, so there is no AP.")
    else:
        place.markdown("The first point comes with the end of the first epoch; until then, losses step by step.")


def _draw(chart: Chart, place: DeltaGenerator, name: str) -> None:
    """Draw a chart of curves, with a description for screen readers from `name`."""
    draw(chart, place, alt=f"{name} over the run")


def loss_chart(curves: Sequence[Curves], loss: str, view: CurveView, is_small: bool = False) -> Chart:
    """The chart of one loss of each run: its steps, raw and smoothed, and its values per epoch (training, validation).

    Hovering over the total loss shows all losses at that point; hovering over another loss shows only this loss.
    """
    shown = ("loss", *losses_of_runs(curves)) if loss == "loss" else (loss,)
    points = []
    for run in curves:
        steps = {name: run.rows.column(name) for name in shown}
        if view.smoothing:
            steps["smoothed"] = smoothed(run.rows.column(loss), view.smoothing)
        points.append(run.step_points(view.axis, steps, is_small))
        points.append(run.epoch_points(view.axis, [prefix + name for name in shown for prefix in ("", "val_")]))
    colour = LOSS_COLOURS[loss]
    lines = [
        Line(loss, "steps", colour),
        *([Line("smoothed", "smoothed", colour, has_tooltips=False)] if view.smoothing else []),
        Line(loss, "training", colour),
        Line(f"val_{loss}", "validation", colour),
    ]
    tooltips = [Tooltip(LOSS_TITLES[name], name, f"val_{name}") for name in shown]
    height = _SMALL if is_small else _LARGE
    return line_chart(points, lines, tooltips, height, view.axis, view.end, log=view.log)


def ap_chart(curves: Sequence[Curves], fields: Sequence[str], view: CurveView) -> Chart:
    """The chart of AP per epoch: for one run a labelled line per field, for several runs only the first field."""
    measured = [name for name in AP_NAMES if any(name in row for run in curves for row in run.rows.epochs)]
    points = [run.epoch_points(view.axis, measured) for run in curves]
    if len(curves) > 1:
        lines = [Line(fields[0], "validation", AP_LINES[fields[0]][1])]
    else:
        lines = [
            Line(field, "validation", colour, shape, name)
            for field, (name, colour, shape) in ((field, AP_LINES[field]) for field in fields)
        ]
    tooltips = [Tooltip(AP_NAMES[name], name) for name in measured]
    return line_chart(points, lines, tooltips, _LARGE, view.axis, view.end, 1.0, decimals=3)


def gauge_chart(curves: Sequence[Curves], gauge: Gauge, view: CurveView) -> Chart:
    """The chart of a gauge over the steps: for one run all lines of the gauge, for several runs only the first."""
    recorded = [line for line in gauge.lines if any(run.rows.has(line[0]) for run in curves)]
    drawn = recorded[: None if len(curves) == 1 else 1]
    points, lines = [], []
    for field, _, colour in drawn:
        lines.append(Line(field, "steps" if gauge.noisy else "smoothed", colour))
        if gauge.noisy and view.smoothing:
            lines.append(Line(f"{field}_smoothed", "smoothed", colour, has_tooltips=False))
    for run in curves:
        steps = {field: run.rows.column(field) * gauge.factor for field, _, _ in drawn}
        if gauge.noisy and view.smoothing:
            steps |= {f"{field}_smoothed": smoothed(values, view.smoothing) for field, values in steps.items()}
        points.append(run.step_points(view.axis, steps, is_small=True))
    tooltips = [Tooltip(name, field) for field, name, _ in drawn]
    return line_chart(points, lines, tooltips, _SMALL, view.axis, view.end, gauge.end)


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
            axes = curve_data.x_axes([chosen.run, *compared])
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
            run_tables.show_comparison(drawn)
        lines = curve_data.curves(drawn)
        if any(losses_in(one.rows) for one in lines):
            view = CurveView(axis, curve_data.x_axis_end(drawn, lines, axis), smoothing, log)
            show_losses(lines, view)
            with st.expander("How it computes", icon=":material/speed:", key="runs-computes", on_change="rerun") as box:
                if box.open:
                    show_gauges(lines, view)
        elif session.backend().state(chosen.run).active:
            st.info("The first losses come when packages and pictures are loaded.", icon=":material/hourglass_top:")
