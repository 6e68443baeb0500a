"""Number of boxes after each filter of the network, in total and on missed objects, and the bar chart of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskrcnn.drawing.overlays import MATCH_COLOURS
from maskrcnn.studio.components.chart import INK, Chart, Spec, field, table

if TYPE_CHECKING:
    from maskrcnn.model import ObjectStory, Trace

ALL, MISSED = "all boxes", "on a missed object"
COLOURS = {ALL: "#9aa3b5", MISSED: MATCH_COLOURS["fn"]}
"""Colours of the bars: grey for all boxes, and the blue that marks missed objects on every page."""

_ROW = 24  # CSS pixels of a bar with its gap


@dataclass(frozen=True)
class FilterStep:
    """One bar: name of the step, number of boxes after it, and number of these boxes that are on a missed object.

    A box is on an object if their IoU is at least 0.5. A detection must also have the object's class.
    """

    name: str
    boxes: int
    on_missed: int


def survivor_steps(traced: Trace, missed: Sequence[ObjectStory], min_score: float) -> list[FilterStep]:
    """Return a bar for each filter that can remove boxes, and one for the detections that are shown.

    `missed` are the stories of the missed objects.
    """
    from maskrcnn.model.tracing import filters

    config = traced.config
    names = {
        filters.DECODED: "anchors, moved by the RPN",
        filters.PRE_NMS: "best {:.0f} of each level" if len(traced.maps) > 1 else "best {:.0f}",
        filters.OBJECTNESS: "objectness from {:g}",
        filters.RPN_NMS: "NMS at IoU {:g}",
        filters.POST_NMS: "best {:.0f}: the proposals",
        filters.REFINED: f"as each of {config.num_classes - 1} classes" if config.num_classes > 2 else "refined",
        filters.SCORE: "score above {:g}",
        filters.DETECTION_NMS: "NMS at IoU {:g}, per class" if config.num_classes > 2 else "NMS at IoU {:g} again",
        filters.BEST: "best {:.0f}: the detections",
    }
    on_missed: dict[str, set[int]] = {}  # sets, so that a box on two missed objects counts once
    for story in missed:
        for standing in story.proposals + story.detections:
            on_missed.setdefault(standing.filter, set()).update(standing.candidates)
    counts = {name: len(candidates) for name, candidates in on_missed.items()}
    steps = [
        FilterStep(names[step.name].format(step.limit), step.count, counts.get(step.name, 0))
        for step in traced.rpn.filters + traced.heads.filters
        if step.name in names and (step.name != filters.OBJECTNESS or step.limit > 0)
    ]
    shown = int((traced.detections.scores >= min_score).sum())
    return [*steps, FilterStep(f"shown: score from {min_score:g}", shown, counts.get("shown", 0))]


def survivors_chart(steps: Sequence[FilterStep]) -> Chart:
    """Return a bar chart with two overlaid bars for each step, labelled with their numbers.

    The x axis is a symmetric log scale, which includes 0. The only table is `steps`.
    """
    boxes = [step.boxes for step in steps]
    columns = {
        "step": [step.name for step in steps],
        ALL: boxes,
        MISSED: [step.on_missed for step in steps],
        "text": [bar_label(step) for step in steps],
    }
    scale = {"type": "symlog", "constant": 1, "domain": [0, max(boxes) * 150]}
    axis = {"labelLimit": 190, "labelColor": INK, "ticks": False}
    y = {"y": field("step", "nominal", title=None, sort=columns["step"], axis=axis)}
    tips = {"tooltip": [field("step", "nominal"), field(ALL), field(MISSED)]}
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "height": height, "color": COLOURS[name]},
            "encoding": {"x": field(name, scale=scale, axis=None), **tips},
        }
        for name, height in ((ALL, 18), (MISSED, 8))
    ]
    text = {"x": field(ALL, scale=scale), "text": field("text", "nominal")}
    layers.append({"mark": {"type": "text", "align": "left", "dx": 5, "color": INK}, "encoding": text})
    spec = {"height": _ROW * len(steps), "data": {"name": "steps"}, "encoding": y, "layer": layers}
    return Chart({**spec, "config": {"view": {"stroke": None}}}, {"steps": table(columns)})


def bar_label(step: FilterStep) -> str:
    """Return the label of a bar: the number of boxes, and the number of those on missed objects unless it is 0.

    >>> bar_label(FilterStep("NMS", 1200, 3)), bar_label(FilterStep("best", 20, 0))
    ('1,200 · 3', '20')
    """
    return f"{step.boxes:,} · {step.on_missed:,}" if step.on_missed else f"{step.boxes:,}"
