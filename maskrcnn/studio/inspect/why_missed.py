"""The panel of the Predictions page that explains why an object was missed.

It runs the network on the picture again and traces the boxes filter by filter; see `model.tracing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from maskrcnn.drawing.region_crops import boxed_crop
from maskrcnn.evaluation.matching import ImageMatches, MatchedObject
from maskrcnn.runs.checkpoint_files import checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.inspect.filter_survivors import COLOURS, MISSED, FilterStep, survivor_steps, survivors_chart
from maskrcnn.studio.inspect.traced_picture import counted_objects, load_labelled_picture, traced
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import path_key, stamp
from maskrcnn.studio.shell.markdown_escape import plain

if TYPE_CHECKING:
    from maskrcnn.model import ObjectStory

KEY = "why_missed_panel"
"""Key of the panel, by which the browser finds it."""
_CROP = 84
"""Length of a crop's longer side in CSS pixels."""


@dataclass(frozen=True)
class Sliders:
    """The minimum score of detections that count, and the IoU from which on they find an object."""

    min_score: float
    iou: float


def follow(run: RunFolder, epoch: int, image: dict[str, Any]) -> None:
    """Have `panel` follow this picture through the network, as its button does."""
    st.session_state.setdefault(_wanted(run, epoch, image), {})


def verdicts(run: RunFolder, epoch: int, image: dict[str, Any], sliders: Sliders) -> dict[str, str]:
    """Return what the network told about missed objects, as far as `panel` has shown it: annotation id -> sentences."""
    told = st.session_state.get(_wanted(run, epoch, image)) or {}
    found: dict[str, str] = told.get(sliders, {})
    return found


def panel(
    run: RunFolder,
    epoch: int,
    image: dict[str, Any],
    matches: ImageMatches,
    sliders: Sliders,
    selected: str | None = None,
) -> None:
    """Draw the panel, or nothing if the run kept no network.

    `image` is the picture's entry in the run's dataset. `matches` are the matches at the `sliders`. The network runs
    after a click on the button or `follow`, once for each picture. If `selected` is the annotation id of a missed
    object, as text, its story is the first.
    """
    networks = checkpoints_by_epoch(run)
    if not networks:
        return
    wanted = _wanted(run, epoch, image)
    is_wanted = wanted in st.session_state
    with st.expander("Why was an object missed?", icon=":material/help_center:", key=KEY, expanded=is_wanted):
        checkpoint = networks.get(epoch)
        if checkpoint is None:
            epochs = ", ".join(map(str, networks))
            others = f"is that of epoch {epochs}" if len(networks) == 1 else f"are those of epochs {epochs}"
            st.markdown(
                f"This follows a picture through the network, and the one of epoch {epoch} was not kept. Kept "
                f"{others}: choose one above."
            )
            return
        if not is_wanted:
            st.markdown(
                "From many thousand anchors a few detections are left, filter by filter. Follow this picture through "
                "the network and see where each missed object was lost, and what lies on it instead."
                if any(truth.status == "fn" for truth in matches.truths)
                else "No object of this picture was missed. You can still see how many boxes each filter leaves."
            )
            st.button(
                "Follow this picture",
                icon=":material/filter_alt:",
                key="why_missed_start",
                on_click=follow,
                args=(run, epoch, image),
            )
            return
        told: dict[str, str] = {}
        with session.fail_softly(stop=False):
            truths = counted_objects(matches)
            pixels = load_labelled_picture(run, image)
            with st.spinner("Running the picture through the network"):
                picture = run.picture_path(image)
                stories, steps = _stories(
                    str(checkpoint),
                    stamp(checkpoint),
                    path_key(picture),
                    stamp(picture),
                    sliders,
                    run,
                    image,
                    truths,
                    tuple((truth.annotation_id, truth.status) for truth in truths),
                )
            _show_result(pixels, truths, stories, steps, sliders.iou, selected)
            told = {
                str(truth.annotation_id): verdict_in_words(story)
                for truth, story in zip(truths, stories, strict=True)
                if truth.status == "fn"
            }
    if st.session_state[wanted] != {sliders: told}:
        st.session_state[wanted] = {sliders: told}
        st.rerun()  # the pictures above show the verdicts, too


def _wanted(run: RunFolder, epoch: int, image: dict[str, Any]) -> str:
    """The session state key that says that a picture is to be followed; its value is what was told at which sliders."""
    return f"why_missed_{run.path}_{epoch}_{image['id']}"


def _show_result(
    picture: np.ndarray,
    truths: Sequence[MatchedObject],
    stories: Sequence[ObjectStory],
    steps: Sequence[FilterStep],
    iou: float,
    selected: str | None,
) -> None:
    """Draw the chart of boxes after each filter, and a crop and a verdict for each missed object."""
    chart_column, stories_column = st.columns([10, 13], gap="medium")
    with chart_column:
        st.markdown(
            "**Boxes that are left after each filter**",
            help=f"Grey: all of them. Blue: those that overlap a missed object by at least IoU {iou:.2f}, and from the "
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
    sliders: Sliders,
    _run: RunFolder,
    _image: dict[str, Any],
    _truths: list[MatchedObject],
    object_keys: tuple[tuple[int | str, str], ...],
) -> tuple[list[ObjectStory], list[FilterStep]]:
    """Return the story of each object, and the bars of the chart.

    The arguments without underscore are the cache key. `object_keys` (annotation id, status) represent `_truths` in it.
    """
    from maskrcnn.model import explain

    found = traced(_run, Path(checkpoint), _image, _truths)
    stories = explain(found, sliders.min_score, sliders.iou)
    missed = [story for story, truth in zip(stories, _truths, strict=True) if truth.status == "fn"]
    return stories, survivor_steps(found, missed, sliders.min_score)


def _heading(missed: int) -> str:
    """Return the heading above the verdicts, with the number of missed objects."""
    return {0: "No object was missed", 1: "One object was missed"}.get(missed, f"{missed} objects were missed")
