"""The folded panel of the Predictions page that says why an object was missed: the picture once more through the
network, this time filter by filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.drawing.overlays import MATCH_COLOURS
from maskrcnn.drawing.region_crops import boxed_crop
from maskrcnn.evaluation.matching import ImageMatches, Truth
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.kept_networks import kept
from maskrcnn.studio.components import trained_networks
from maskrcnn.studio.components.chart import INK, Chart, Spec, draw, field, table
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import stamp
from maskrcnn.studio.shell.plain_text import plain

if TYPE_CHECKING:
    from maskrcnn.model import ObjectStory, Trace

ALL, MISSED = "all boxes", "on a missed object"
COLOURS = {ALL: "#9aa3b5", MISSED: MATCH_COLOURS["fn"]}
"""Grey for all; blue is what is missed, as everywhere."""

_CROP = 84  # pixels on the screen
_ROW = 24  # pixels of a bar with its gap


@dataclass(frozen=True)
class Step:
    """One bar: what the step does, how many boxes are left after it, and how many of them overlap some missed object by
    at least half (for detections: and are of its class)."""

    words: str
    left: int
    on_missed: int


def panel(run: RunFolder, epoch: int, image: dict[str, Any], matches: ImageMatches, min_score: float) -> None:
    """Draw it. `image` is the picture's entry in the run's dataset; `matches` what the page counts as found and missed
    from `min_score` on. It is offered where the network of the epoch was kept; that runs only when the button is
    clicked, and once for each picture."""
    networks = kept(run)
    if not networks:
        return
    with st.expander("Why was an object missed?", icon=":material/help_center:"):
        wanted = f"why_missed_{run.path}_{epoch}_{image['id']}"
        missed = [truth for truth in matches.truths if truth.status == "fn"]
        checkpoint = networks.get(epoch)
        if checkpoint is None:
            epochs = ", ".join(map(str, networks))
            others = f"is that of epoch {epochs}" if len(networks) == 1 else f"are those of epochs {epochs}"
            st.markdown(
                f"This follows a picture through the network, and the one of epoch {epoch} was not kept. Kept "
                f"{others}: choose one above."
            )
            return
        if not st.session_state.get(wanted):
            st.markdown(
                "From many thousand anchors a few detections are left, filter by filter. Follow this picture through "
                "the network and see where each missed object was lost, and what lies on it instead."
                if missed
                else "No object of this picture was missed. You can still see how many boxes each filter leaves."
            )
            st.button(
                "Follow this picture",
                icon=":material/filter_alt:",
                key="why_missed_start",
                on_click=lambda: st.session_state.update({wanted: True}),
            )
            return
        with session.fail_softly(stop=False):
            truths = [truth for truth in matches.truths if truth.status != "ignored"]
            picture = run.picture_path(image)
            with st.spinner("Running the picture through the network"):
                stories, steps = _follow(
                    str(checkpoint),
                    stamp(checkpoint),
                    str(picture),
                    stamp(picture),
                    min_score,
                    truths,
                    tuple((truth.annotation_id, truth.status) for truth in truths),
                )
            _draw(pictures.load(picture), truths, stories, steps)


def _draw(picture: np.ndarray, truths: Sequence[Truth], stories: Sequence[ObjectStory], steps: Sequence[Step]) -> None:
    chart_column, stories_column = st.columns([10, 13], gap="medium")
    with chart_column:
        st.markdown(
            "**Boxes that are left after each filter**",
            help="Grey: all of them. Blue: those that overlap a missed object by at least half (IoU 0.5), and from the "
            "classes on only as its own class; each counts once, on however many missed objects it lies. The bars are "
            "as long as the logarithm of their number.",
        )
        draw(survivors_chart(steps))
    with stories_column:
        missed = [(truth, story) for truth, story in zip(truths, stories, strict=True) if truth.status == "fn"]
        st.markdown(f"**{_counted(len(missed))}**")
        for truth, story in missed:
            crop_column, words_column = st.columns([1, 6], vertical_alignment="center")
            crop = boxed_crop(picture, truth.bbox, 2 * _CROP, COLOURS[MISSED])  # for screens of twice the density
            crop_column.image(crop, width=_CROP, alt=f"The {story.name} that was missed")
            x, y, width, height = truth.bbox
            words_column.markdown(
                f"**{plain(story.name)}** :small[at ({x:.0f}, {y:.0f}), {width:.0f} × {height:.0f} px]  \n"
                f"{plain(sentence(story))}"
            )


def sentence(story: ObjectStory) -> str:
    """The verdict; where this trace finds what the saved detections miss, that too."""
    if not story.found:
        return story.verdict
    return f"{story.verdict} The saved detections lie a little off, so there it counts as missed."


@st.cache_data(max_entries=16, show_spinner=False)
def _follow(
    checkpoint: str,
    changed: int,
    picture: str,
    picture_changed: int,
    min_score: float,
    _truths: list[Truth],
    told_apart_by: tuple[tuple[int, str], ...],
) -> tuple[list[ObjectStory], list[Step]]:
    """The story of each object, and the bars."""
    from maskrcnn.model import explain

    traced = _trace(
        checkpoint, changed, picture, picture_changed, _truths, tuple(number for number, _ in told_apart_by)
    )
    stories = explain(traced, min_score)
    missed = [story for story, truth in zip(stories, _truths, strict=True) if truth.status == "fn"]
    return stories, steps_of(traced, missed, min_score)


@st.cache_resource(max_entries=1, show_spinner=False)
def _trace(
    checkpoint: str, changed: int, picture: str, picture_changed: int, _truths: list[Truth], objects: tuple[int, ...]
) -> Trace:
    from maskrcnn.model import trace

    boxes = np.array([truth.bbox for truth in _truths], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    targets: dict[str, Any] = {"boxes": boxes, "labels": [truth.category_id for truth in _truths]}
    if _truths and all(truth.rle for truth in _truths):
        targets["masks"] = np.stack([coco_mask.decode(truth.rle) for truth in _truths])
    return trace(trained_networks.network(checkpoint, changed), pictures.load(picture), targets)


def steps_of(traced: Trace, missed: Sequence[ObjectStory], min_score: float) -> list[Step]:
    """A bar for each filter that can drop something, and one for what is shown."""
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
    """Two bars for each step, one behind the other, with their numbers; on a logarithmic scale that has room for 0. The
    only table is `steps`."""
    columns = {
        "step": [step.words for step in steps],
        ALL: [step.left for step in steps],
        MISSED: [step.on_missed for step in steps],
        "text": [numbers(step) for step in steps],
    }
    scale = {"type": "symlog", "constant": 1, "domain": [0, max(columns[ALL]) * 150]}
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


def numbers(step: Step) -> str:
    """`1,200 · 3`: boxes that are left, and those on a missed object, where there is one left."""
    return f"{step.left:,} · {step.on_missed:,}" if step.on_missed else f"{step.left:,}"


def _counted(missed: int) -> str:
    return {0: "No object was missed", 1: "One object was missed"}.get(missed, f"{missed} objects were missed")
