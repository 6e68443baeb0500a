"""The section of the Runs page with the detections after each epoch, on the same few pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.drawing import overlays
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import scaled_mark
from maskrcnn.evaluation import ImageMatches, match_image
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs.labels_and_detections import (
    detection_stamps,
    detections_in_picture,
    document_of_picture,
    is_validated,
    names_with_detections,
    pictures_with_detections,
)
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import path_key, stamp
from maskrcnn.studio.shell.markdown_escape import plain

MOST = 4
"""Maximum number of pictures that are shown side by side."""

PLAYING = "runs-playing"
"""Session key of the toggle Play: whether one epoch follows another by itself."""

_WAS_PLAYING = "runs-was-playing"
"""Session key: the state of Play when the page last took notice of it."""

_WAS_DRAWN = "runs-ticked"
"""Session key: whether the section was drawn since Play was switched on."""

SIDE = 640
"""The longer side of a shown picture in pixels; about a quarter of a wide window."""


def first_choice(run: RunFolder) -> list[str]:
    """The file names of the default pictures: the first pictures with objects, then others."""
    document = pictures_with_detections(run)
    labelled = {annotation["image_id"] for annotation in document["annotations"]}
    images = sorted(document["images"], key=lambda image: image["id"] not in labelled)
    return [image["file_name"] for image in images[:MOST]]


def drawing(run: RunFolder, epoch: int, name: str, min_score: float, truth: bool) -> tuple[bytes, str]:
    """Draw the detections of an epoch with a score of at least `min_score`. Returns a JPEG file and a line of counts.

    Correct detections are green and solid, wrong ones red-orange and hatched. With `truth`, labelled objects are drawn
    dashed, missed ones in blue. Raises `StudioError` if the picture or the labels cannot be read.
    """
    return _drawing(str(run.path), epoch, detection_stamps(run, epoch), name, min_score, truth)


@st.cache_data(max_entries=400, show_spinner=False)
def _drawing(
    path: str, epoch: int, stamps: tuple[int, int, int], name: str, min_score: float, truth: bool
) -> tuple[bytes, str]:
    """The cached result of `drawing`; `stamps` are those of `detection_stamps`."""
    run = RunFolder(path)
    labels_stamp, _, detections_stamp = stamps
    document = document_of_picture(path, labels_stamp, name)
    [image] = document["images"]
    picture = run.picture_path(image)
    canvas = _reduced_picture(path_key(picture), stamp(picture))
    scale = max(canvas.shape[:2]) / max(image["width"], image["height"])
    found = detections_in_picture(path, epoch, detections_stamp, image["id"])
    matches = match_image(document, found, image["id"], min_score, tasks=run.config().tasks)
    classes = {category["id"]: category["name"] for category in document["categories"]}
    edges = run.config().keypoint_edges
    look: dict[str, Any] = {"longest": max(canvas.shape[:2]), "labels": False, "boxes": matches.matched_by == "bbox"}
    marks = [scaled_mark(mark, scale, canvas) for mark in overlays.prediction_marks(matches, classes, edges=edges)]
    canvas = overlays.draw(canvas, marks, **look)
    if truth:
        drawn = [
            replace(scaled_mark(mark, scale, canvas), style="dashed") for mark in overlays.truth_marks(matches, classes)
        ]
        canvas = overlays.draw(canvas, drawn, **look, opacity=0.0)
    return jpeg(canvas, SIDE), found_wrong_missed(matches)


def found_wrong_missed(matches: ImageMatches) -> str:
    """The line under the predictions of an epoch in a picture, as coloured Markdown: `3 found · 1 wrong · 2 missed`."""
    parts = ((matches.tp, "green", "found"), (matches.fp, "orange", "wrong"), (matches.fn, "blue", "missed"))
    return "  ·  ".join(f":{colour}[**{number}** {word}]" for number, colour, word in parts)


def stepped(epochs: Sequence[int], epoch: int, by: int) -> int:
    """The epoch that is `by` positions after `epoch` in the list, limited to the ends of the list."""
    return epochs[min(max(epochs.index(epoch) + by, 0), len(epochs) - 1)]


def show(run: RunFolder, epochs: Sequence[int], page: str, address: dict[str, str]) -> None:
    """Draw the section: a slider over `epochs`, a score threshold, the pictures, and links to `page` for each picture.

    While the slider is at the newest epoch, it moves with new epochs. Raises `StudioError` if the run cannot be read.
    """
    chosen_names = names_with_detections(run)
    slider = f"runs-epoch-{run.name}"
    _move_slider(run, epochs, slider)
    unseen = "" if is_validated(run) else ", of those that it learned from: there are none to validate on"
    st.markdown(f"**The same pictures after each epoch**{unseen}", help=_HELP)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        epoch = _choose_epoch(epochs, slider)
        min_score = st.slider(
            "Show scores from",
            0.05,
            0.95,
            0.5,
            0.05,
            key="runs-score",
            persist_state="session",
            width=170,
            help="Detections below this score are neither drawn nor counted. AP uses all of them.",
        )
        truth = st.toggle("Ground truth", key="runs-truth", persist_state="session", help="What a person drew, dashed.")
        with st.popover("Pictures", icon=":material/photo_library:"):
            kept = [name for name in st.session_state.get(_CHOSEN.format(run.name), []) if name in chosen_names]
            st.session_state[_CHOSEN.format(run.name)] = kept or first_choice(run)
            chosen = st.multiselect(
                "Pictures", chosen_names, key=_CHOSEN.format(run.name), max_selections=MOST, select_all=False
            )
    for name, column in zip(chosen, st.columns(_column_widths(run, chosen)) if chosen else [], strict=False):
        with column, session.fail_softly(stop=False):
            picture, line = drawing(run, epoch, name, min_score, truth)
            st.image(picture, width="stretch", alt=f"{name} with what {run.name} found after epoch {epoch}")
            st.markdown(f":small[{line}]")
            at_picture = {**address, "epoch": str(epoch), "image": name}
            st.page_link(page, label=plain(name), icon=":material/open_in_full:", query_params=at_picture)


_HELP = (
    "What the network found after the chosen epoch. Right ones are green and solid, wrong ones red-orange and hatched, "
    "missed objects blue and dashed, at IoU 0.5. A click on a name opens it under Predictions."
)
_CHOSEN = "runs-pictures-{}"


_ROW, _TALLEST = 1000, {1: 480, 2: 400}
"""The approximate width of the page, and the maximum height of 1 or 2 pictures, in pixels; for 3 or 4 it is 300."""


def _column_widths(run: RunFolder, chosen: Sequence[str]) -> list[float]:
    """The widths of the columns that show predictions, relative to the height of the pictures.

    Pictures are drawn side by side with one height. If it would be more than `_TALLEST`, an empty column is added.
    """
    aspects = {
        image["file_name"]: image["width"] / image["height"] for image in pictures_with_detections(run)["images"]
    }
    widths = [aspects[name] for name in chosen]
    max_height = _TALLEST.get(len(chosen), 300)
    row_width = _ROW / max_height  # of the whole page, in picture heights
    empty_width = row_width - sum(widths)
    return [*widths, empty_width] if empty_width > 0.05 else widths


def _move_slider(run: RunFolder, epochs: Sequence[int], slider: str) -> None:
    """Set the slider of epochs, whose session key is `slider`, before the predictions of its epoch are drawn.

    If it was at the newest epoch, it goes to the epoch that is the newest now. While predictions are played, it goes to
    the next epoch each time the section is drawn, except the first time, so that the chosen epoch is seen as long as
    the others.
    """
    newest = f"runs-newest-{run.name}"
    epoch = st.session_state.get(slider, epochs[-1])
    if epoch not in epochs or epoch == st.session_state.get(newest):
        epoch = epochs[-1]
    if st.session_state.get(PLAYING):
        if st.session_state.get(_WAS_DRAWN):
            epoch = epochs[(epochs.index(epoch) + 1) % len(epochs)]
        st.session_state[_WAS_DRAWN] = True
    st.session_state[slider], st.session_state[newest] = epoch, epochs[-1]


def _choose_epoch(epochs: Sequence[int], slider: str) -> int:
    """Draw the slider of epochs, its buttons and Play, if there are several epochs; return the epoch to be shown.

    Switching Play on or off reruns the whole page: the page sets how often this section is redrawn.
    """
    if len(epochs) == 1:
        return epochs[0]
    epoch = st.select_slider("Epoch", epochs, key=slider, width=280)
    for icon, by, words in ((":material/skip_previous:", -1, "before"), (":material/skip_next:", 1, "after")):
        move = partial(_set_epoch, slider, stepped(epochs, epoch, by))
        st.button("", key=f"runs-{words}", icon=icon, help=f"The epoch {words}", on_click=move)
    playing = st.toggle("Play", key=PLAYING)
    if playing != st.session_state.get(_WAS_PLAYING, False):
        st.session_state[_WAS_PLAYING] = playing
        st.session_state.pop(_WAS_DRAWN, None)
        st.rerun()
    return epoch


def _set_epoch(key: str, epoch: int) -> None:
    """Move the slider over the predictions by epoch, whose session key is `key`, to an epoch."""
    st.session_state[key] = epoch


@st.cache_data(max_entries=32, show_spinner=False)
def _reduced_picture(path: bytes, changed: int) -> np.ndarray:
    """The picture that detections are drawn on, uint8 (h, w, 3), with its longer side at `SIDE`."""
    return overlays.resize_for_overlay(pictures.reduced(os.fsdecode(path), SIDE), SIDE)[0]
