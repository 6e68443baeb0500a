"""How many boxes each filter of the network leaves, and how many of them lie on a missed object: the bars' numbers
and their chart."""

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
"""Grey for all boxes; blue for what is missed, as on every page."""

_ROW = 24  # pixels of a bar with its gap


@dataclass(frozen=True)
class Step:
    """One bar: the step's name, the number of boxes after it, and how many of them are on a missed object: they overlap
    it with IoU 0.5 at least, and detections also have its class."""

    words: str
    left: int
    on_missed: int


def survivor_steps(traced: Trace, missed: Sequence[ObjectStory], min_score: float) -> list[Step]:
    """A bar for each filter that can drop a box, and one for the detections that are shown."""
    from maskrcnn.model.tracing import filters

    config = traced.config
    words = {
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
    on_missed: dict[str, set[int]] = {}  # a box that lies on two missed objects is one box
    for story in missed:
        for standing in story.proposals + story.detections:
            on_missed.setdefault(standing.filter, set()).update(standing.candidates)
    left = {name: len(candidates) for name, candidates in on_missed.items()}
    steps = [
        Step(words[step.name].format(step.limit), step.count, left.get(step.name, 0))
        for step in traced.rpn.filters + traced.heads.filters
        if step.name in words and (step.name != filters.OBJECTNESS or step.limit > 0)
    ]
    shown = int((traced.detections.scores >= min_score).sum())
    return [*steps, Step(f"shown: score from {min_score:g}", shown, left.get("shown", 0))]


def survivors_chart(steps: Sequence[Step]) -> Chart:
    """Two bars for each step, one in front of the other, with their numbers, on a symmetric log scale, which has a 0.

    The chart's only table is `steps`.
    """
    left = [step.left for step in steps]
    columns = {
        "step": [step.words for step in steps],
        ALL: left,
        MISSED: [step.on_missed for step in steps],
        "text": [bar_label(step) for step in steps],
    }
    scale = {"type": "symlog", "constant": 1, "domain": [0, max(left) * 150]}
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


def bar_label(step: Step) -> str:
    """The number of boxes after a step, and of those on a missed object where there are any.

    >>> bar_label(Step("NMS", 1200, 3)), bar_label(Step("best", 20, 0))
    ('1,200 · 3', '20')
    """
    return f"{step.left:,} · {step.on_missed:,}" if step.on_missed else f"{step.left:,}"
