"""The tooltips of line charts: their rows, and the layer of points that show them.

The texts are Vega expressions, which the browser computes from the numbers in the table `points`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maskrcnn.studio.components.chart import Spec, constant, field
from maskrcnn.studio.components.chart_points import (
    DECIMALS,
    DrawnRun,
    pass_steps_of_point,
)


@dataclass(frozen=True)
class Tooltip:
    """A row of the tooltips: the number in `column`, and that in `validation` after it, if there is one."""

    title: str
    column: str
    validation: str = ""


def run_name_expression(runs: Sequence[DrawnRun]) -> str:
    """Return the Vega expression of the run's name in a tooltip."""
    return f"{json.dumps([run.name for run in runs])}[datum.run]"


def position_expression(runs: Sequence[DrawnRun]) -> str:
    """Return the Vega expression of the position in a tooltip: `epoch 3, step 51, 12.8 passes`.

    The number of passes is as in `passes_in_words`: below 0.1 it has two significant digits.
    """
    text = "'epoch ' + datum.epoch + ', step ' + datum.step"
    if not any(run.pass_steps for run in runs):
        return text
    steps = pass_steps_of_point(runs)
    passes = f"datum.step / {steps}"
    return f"{text} + ({steps} ? ', ' + format({passes}, {passes} < 0.0995 ? '.2~g' : '.1f') + ' passes' : '')"


def time_expression() -> str:
    """Return the Vega expression of the time in a tooltip, like `durations.clock`: `1:04:10 since the start`."""
    seconds = "floor(datum.elapsed + 0.5)"
    minutes = f"floor({seconds} / 60)"
    clock = (
        f"({seconds} < 3600 ? {minutes} : floor({seconds} / 3600) + ':' + format({minutes} % 60, '02d'))"
        f" + ':' + format({seconds} % 60, '02d')"
    )
    return f"(datum.elapsed === null ? '–' : {clock}) + ' since the start'"


def number_expression(column: str, decimals: int | None) -> str:
    """Return the Vega expression of a number in a tooltip: 0.0371, 1.2340 or 187; a dash if there is none."""
    value = f"datum.{column}"
    style = f"abs({value}) < 0.001 || abs({value}) >= 10 ? '.4~g' : '.{DECIMALS}f'"
    if decimals is not None:
        style = f"'.{decimals}f'"
    return f"(isValid({value}) ? format({value}, {style}) : '–')"


def tooltip_layer(
    colours: Mapping[str, str],
    tooltips: Sequence[Tooltip],
    known: set[str],
    runs: Sequence[DrawnRun],
    log: bool,
    decimals: int | None,
) -> Spec:
    """Return the invisible layer of all points with tooltips. The one that is hovered over is visible.

    `colours` maps the columns of its points to the colours of their lines, and `known` are all columns with values. See
    `line_chart` for the other arguments.
    """
    texts = {"run": run_name_expression(runs)} if any(run.name for run in runs) else {}
    texts |= {"at": position_expression(runs), "time": time_expression()}
    for tip in tooltips:
        after = ""
        if tip.validation in known:
            number = number_expression(tip.validation, decimals)
            after = f" + (isValid(datum.{tip.validation}) ? '  ·  val ' + {number} : '')"
        texts[tip.title] = number_expression(tip.column, decimals) + after
    colour: Spec = {}
    if not any(run.colour for run in runs):
        scale = {"domain": list(colours), "range": list(colours.values())}
        colour = {"color": field("line", "nominal", scale=scale, legend=None)}
    return {
        "name": "hovered",
        "mark": {"type": "point", "size": 70, "strokeWidth": 2, "aria": False, "clip": True},
        "encoding": {
            "y": field("value"),
            "opacity": {"condition": [{"param": "hover", "empty": False, "value": 1}], **constant(0)},
            "tooltip": [field(f"tip{place}", "nominal", title=title) for place, title in enumerate(texts)],
            **colour,
        },
        "transform": [
            *({"calculate": text, "as": f"tip{place}"} for place, text in enumerate(texts.values())),
            {"fold": list(colours), "as": ["line", "value"]},
            {"filter": "isValid(datum.value)" + (" && datum.value > 0" if log else "")},
        ],
    }
