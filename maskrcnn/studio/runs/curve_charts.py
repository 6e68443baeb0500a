"""Draw the charts of one or several runs: the total loss, AP, each loss, and gauges such as speed and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.runs.folder import CONFIG, RunFolder
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.components.chart_axes import XAxis
from maskrcnn.studio.components.line_charts import Line, line_chart
from maskrcnn.studio.runs.curve_lines import (
    Curves,
    ap_lines,
    aps_drawn,
    gauge_lines,
    loss_lines,
    losses_in,
    small_words,
    steps_words,
)
from maskrcnn.studio.runs.curve_points import most_steps, x_end
from maskrcnn.studio.runs.curve_words import AP_LINES, AP_MEANING, GAUGES, LOSS_MEANINGS, LOSS_TITLES
from maskrcnn.studio.shell import session

_LARGE, _SMALL = 220, 150
_GAUGES_IN_A_ROW = 4


@dataclass(frozen=True)
class View:
    """The display options of the charts: x axis and its end, smoothing of steps in [0, 1), and logarithmic scale."""

    axis: XAxis
    end: float
    smoothing: float
    log: bool


def end_of(runs: Sequence[RunFolder], curves: Sequence[Curves], axis: XAxis) -> float:
    """The end of the x axis: the maximum of the (planned) ends of the runs."""
    ends = [
        x_end(
            axis,
            one.rows.last,
            (run.read_json(CONFIG) or {}).get("epochs"),
            session.backend().state(run).active,
            one.pass_steps,
        )
        for run, one in zip(runs, curves, strict=True)
        if one.rows.last
    ]
    return max(ends, default=0.0)


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
        steps_words(curves[0].rows)
        if len(curves) == 1
        else f"at most {most_steps(len(curves)) + 1} single steps of each run"
    )
    mean = ", and the running mean of all of them" if view.smoothing else ""
    st.markdown(
        ":small[Solid, filled: mean over the training steps of an epoch. Dashed, hollow: the validation pictures. "
        f"Faint: {faint}{small_words(curves)}{mean}.]",
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
