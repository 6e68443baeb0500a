"""The panel of the Predictions page that explains why an object was missed.

It runs the network on the picture again and traces the boxes filter by filter; see `model.tracing`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.drawing.region_crops import boxed_crop
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.matching import ImageMatches, MatchedObject
from maskrcnn.runs.checkpoint_files import checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.inspect.filter_survivors import COLOURS, MISSED, FilterStep, survivor_steps, survivors_chart
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import path_key, stamp
from maskrcnn.studio.shell.markdown_escape import plain

if TYPE_CHECKING:
    from maskrcnn.model import ObjectStory, Trace

_CROP = 84
"""Length of a crop's longer side in CSS pixels."""


def panel(
    run: RunFolder,
    epoch: int,
    image: dict[str, Any],
    matches: ImageMatches,
    min_score: float,
    selected: str | None = None,
) -> None:
    """Draw the panel, or nothing if the run kept no network.

    `image` is the picture's entry in the run's dataset. `matches` are the matches of the detections with a score of at
    least `min_score`. The network runs after a click on the button, once for each picture. If `selected` is the
    annotation id of a missed object, as text, its story is the first.
    """
    networks = checkpoints_by_epoch(run)
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
            pixels = pictures.load(picture)
            _require_size_of_labels(pixels, image)
            with st.spinner("Running the picture through the network"):
                stories, steps = _stories(
                    str(checkpoint),
                    stamp(checkpoint),
                    path_key(picture),
                    stamp(picture),
                    min_score,
                    truths,
                    tuple((truth.annotation_id, truth.status) for truth in truths),
                )
            _show_result(pixels, truths, stories, steps, selected)


def _require_size_of_labels(pixels: np.ndarray, image: dict[str, Any]) -> None:
    """Raise `StudioError` if a picture does not have the size that its labels are for: the file was replaced."""
    height, width = pixels.shape[:2]
    if (width, height) != (image["width"], image["height"]):
        raise StudioError(
            f"{image['file_name']}: is {width} x {height} px, but was {image['width']} x {image['height']} px when the "
            "network was trained; put that file back"
        )


def _show_result(
    picture: np.ndarray,
    truths: Sequence[MatchedObject],
    stories: Sequence[ObjectStory],
    steps: Sequence[FilterStep],
    selected: str | None,
) -> None:
    """Draw the chart of boxes after each filter, and a crop and a verdict for each missed object."""
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
        st.markdown(f"**{_heading(len(missed))}**")
        missed.sort(key=lambda pair: str(pair[0].annotation_id) != selected)
        for truth, story in missed:
            crop_column, words_column = st.columns([1, 6], vertical_alignment="center")
            crop = boxed_crop(picture, truth.bbox, 2 * _CROP, COLOURS[MISSED])  # for screens of twice the density
            crop_column.image(crop, width=_CROP, alt=f"The {story.name} that was missed")
            x, y, width, height = truth.bbox
            is_selected = str(truth.annotation_id) == selected
            words_column.markdown(
                f"**{plain(story.name)}** :small[at ({x:.0f}, {y:.0f}), {width:.0f} × {height:.0f} px"
                f"{', selected above' if is_selected else ''}]  \n"
                f"{plain(verdict_in_words(story))}"
            )


def verdict_in_words(story: ObjectStory) -> str:
    """Return the verdict on an object, with a note if the trace found it although the saved detections missed it."""
    if not story.found:
        return story.verdict
    return f"{story.verdict} The saved detections lie a little off, so there it counts as missed."


@st.cache_data(max_entries=16, show_spinner=False)
def _stories(
    checkpoint: str,
    changed: int,
    picture: bytes,
    picture_changed: int,
    min_score: float,
    _truths: list[MatchedObject],
    object_keys: tuple[tuple[int, str], ...],
) -> tuple[list[ObjectStory], list[FilterStep]]:
    """Return the story of each object, and the bars of the chart.

    The arguments without underscore are the cache key. `object_keys` (annotation id, status) represent `_truths` in it.
    """
    from maskrcnn.model import explain

    traced = _trace(checkpoint, changed, picture, picture_changed, _truths, tuple(number for number, _ in object_keys))
    stories = explain(traced, min_score)
    missed = [story for story, truth in zip(stories, _truths, strict=True) if truth.status == "fn"]
    return stories, survivor_steps(traced, missed, min_score)


@st.cache_resource(max_entries=1, show_spinner=False)
def _trace(
    checkpoint: str,
    changed: int,
    picture: bytes,
    picture_changed: int,
    _truths: list[MatchedObject],
    objects: tuple[int, ...],
) -> Trace:
    """Run the network on the picture and trace its boxes. `objects` (annotation ids) stand for `_truths` in the key."""
    from maskrcnn.model import trace

    boxes = np.array([truth.bbox for truth in _truths], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    targets: dict[str, Any] = {"boxes": boxes, "labels": [truth.category_id for truth in _truths]}
    if _truths and all(truth.rle for truth in _truths):
        targets["masks"] = np.stack([coco_mask.decode(truth.rle) for truth in _truths])
    return trace(network_choice.network(checkpoint, changed), pictures.load(os.fsdecode(picture)), targets)


def _heading(missed: int) -> str:
    """Return the heading above the verdicts, with the number of missed objects."""
    return {0: "No object was missed", 1: "One object was missed"}.get(missed, f"{missed} objects were missed")
