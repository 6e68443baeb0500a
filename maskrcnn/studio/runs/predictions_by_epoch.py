"""The section of the Runs page with the detections after each epoch, on the same few pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.drawing import overlays
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import Mark
from maskrcnn.evaluation import ImageMatches, match_image
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs.run_pictures import detection_stamps, is_validated, pictures_with_detections
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import stamp
from maskrcnn.studio.shell.markdown_escape import plain

MOST = 4
"""Maximum number of pictures that are shown side by side."""

SIDE = 640
"""The longer side of a shown picture in pixels; about a quarter of a wide window."""

Document = dict[str, Any]


def names(run: RunFolder) -> list[str]:
    """The file names of the pictures with saved detections, in natural order."""
    return [image["file_name"] for image in pictures_with_detections(run)["images"]]


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
    path: str, epoch: int, stamps: tuple[int, ...], name: str, min_score: float, truth: bool
) -> tuple[bytes, str]:
    """The cached result of `drawing`; `stamps` are the modification times of the files that it depends on."""
    run = RunFolder(path)
    document = _document_of_picture(path, stamps[0], name)
    [image] = document["images"]
    picture = run.picture_path(image)
    canvas = _reduced_picture(str(picture), stamp(picture))
    scale = max(canvas.shape[:2]) / max(image["width"], image["height"])
    found = _detections_in_picture(path, epoch, stamps[2], image["id"])
    matches = match_image(document, found, image["id"], min_score, tasks=run.config().tasks)
    classes = {category["id"]: category["name"] for category in document["categories"]}
    edges = run.config().keypoint_edges
    look: dict[str, Any] = {"longest": max(canvas.shape[:2]), "labels": False, "boxes": matches.matched_by == "bbox"}
    marks = [_scaled_mark(mark, scale, canvas) for mark in overlays.prediction_marks(matches, classes, edges=edges)]
    canvas = overlays.draw(canvas, marks, **look)
    if truth:
        drawn = [
            replace(_scaled_mark(mark, scale, canvas), style="dashed")
            for mark in overlays.truth_marks(matches, classes)
        ]
        canvas = overlays.draw(canvas, drawn, **look, opacity=0.0)
    return jpeg(canvas, SIDE), counts(matches)


def counts(matches: ImageMatches) -> str:
    """The numbers of correct, wrong and missed objects as coloured Markdown: `3 found · 1 wrong · 2 missed`."""
    parts = ((matches.tp, "green", "found"), (matches.fp, "orange", "wrong"), (matches.fn, "blue", "missed"))
    return "  ·  ".join(f":{colour}[**{number}** {word}]" for number, colour, word in parts)


def stepped(epochs: Sequence[int], epoch: int, by: int) -> int:
    """The epoch that is `by` positions after `epoch` in the list, limited to the ends of the list."""
    return epochs[min(max(epochs.index(epoch) + by, 0), len(epochs) - 1)]


def show(run: RunFolder, epochs: Sequence[int], page: str, address: dict[str, str]) -> None:
    """Draw the section: a slider over `epochs`, a score threshold, the pictures, and links to `page` for each picture.

    While the slider is at the newest epoch, it moves with new epochs. Raises `StudioError` if the run cannot be read.
    """
    chosen_names = names(run)
    at, seen, playing = f"runs-epoch-{run.name}", f"runs-newest-{run.name}", "runs-playing"
    epoch = st.session_state.get(at, epochs[-1])
    if epoch not in epochs or epoch == st.session_state.get(seen):
        epoch = epochs[-1]
    if st.session_state.get(playing):
        epoch = epochs[(epochs.index(epoch) + 1) % len(epochs)] if st.session_state.pop("runs-ticked", False) else epoch
        st.session_state["runs-ticked"] = True
    st.session_state[at], st.session_state[seen] = epoch, epochs[-1]

    unseen = "" if is_validated(run) else ", of those that it learned from: there are none to validate on"
    st.markdown(f"**The same pictures after each epoch**{unseen}", help=_HELP)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(epochs) > 1:
            epoch = st.select_slider("Epoch", epochs, key=at, width=280)
            for icon, by, words in ((":material/skip_previous:", -1, "before"), (":material/skip_next:", 1, "after")):
                move = partial(_set_epoch, at, stepped(epochs, epoch, by))
                st.button("", key=f"runs-{words}", icon=icon, help=f"The epoch {words}", on_click=move)
            if st.toggle("Play", key=playing) != st.session_state.get("runs-was-playing", False):
                st.session_state["runs-was-playing"] = st.session_state[playing]
                st.session_state.pop("runs-ticked", None)
                st.rerun()  # the page sets how often this section is refreshed
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
    for name, column in zip(chosen, st.columns(_picture_widths(run, chosen)) if chosen else [], strict=False):
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


def _picture_widths(run: RunFolder, chosen: Sequence[str]) -> list[float]:
    """The relative widths of the columns of the chosen pictures, so that all have the same height.

    An empty column is added if the pictures would be higher than `_TALLEST`.
    """
    sizes = {image["file_name"]: image["width"] / image["height"] for image in pictures_with_detections(run)["images"]}
    widths = [sizes[name] for name in chosen]
    empty_width = _ROW / _TALLEST.get(len(chosen), 300) - sum(widths)
    return [*widths, empty_width] if empty_width > 0.05 else widths


def _set_epoch(key: str, epoch: int) -> None:
    """Move the slider of epochs, whose session key is `key`."""
    st.session_state[key] = epoch


@st.cache_data(max_entries=64, show_spinner=False)
def _document_of_picture(path: str, changed: int, name: str) -> Document:
    """The COCO document of one picture of a run: its entry, its labels and the classes."""
    document = pictures_with_detections(RunFolder(path))
    [image, *_] = [image for image in document["images"] if image["file_name"] == name]
    annotations = [entry for entry in document["annotations"] if entry["image_id"] == image["id"]]
    return {**document, "images": [image], "annotations": annotations}


@st.cache_resource(max_entries=2, show_spinner=False)
def _detections_of_epoch(path: str, epoch: int, changed: int) -> dict[int, list[Document]]:
    """The saved detections of an epoch, by picture id."""
    found: dict[int, list[Document]] = {}
    for detection in RunFolder(path).detections(epoch):
        found.setdefault(detection["image_id"], []).append(detection)
    return found


@st.cache_data(max_entries=400, show_spinner=False)
def _detections_in_picture(path: str, epoch: int, changed: int, image: int) -> list[Document]:
    """The saved detections of an epoch in the picture with the id `image`."""
    return _detections_of_epoch(path, epoch, changed).get(image, [])


@st.cache_data(max_entries=32, show_spinner=False)
def _reduced_picture(path: str, changed: int) -> np.ndarray:
    """The picture that detections are drawn on, uint8 (h, w, 3), with its longer side at `SIDE`."""
    return overlays.resize_for_overlay(pictures.reduced(path, SIDE), SIDE)[0]


def _scaled_mark(mark: Mark, scale: float, canvas: np.ndarray) -> Mark:
    """Scale a mark from picture pixels to canvas pixels; `scale` is canvas pixels per picture pixel."""
    x, y, width, height = mark.bbox
    points = np.array(mark.keypoints, dtype=float).reshape(-1, 3) * (scale, scale, 1)
    rle = None
    if mark.rle is not None:
        # Sample the mask at the centre of each canvas pixel (nearest neighbour); ten times faster than averaging.
        mask = coco_mask.decode([mark.rle])[:, :, 0]
        rows, columns = (
            np.minimum(((np.arange(length) + 0.5) / scale).astype(int), whole - 1)
            for length, whole in zip(canvas.shape[:2], mask.shape, strict=True)
        )
        rle = coco_mask.encode(np.asfortranarray(mask[np.ix_(rows, columns)]))
    return replace(
        mark,
        bbox=(x * scale, y * scale, width * scale, height * scale),
        rle=rle,
        keypoints=tuple(points.ravel().tolist()),
    )
