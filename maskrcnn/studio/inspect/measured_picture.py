"""The chosen picture on the Predictions page: drawings of ground truth and prediction, and its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.store import Project
from maskrcnn.drawing import overlays
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import Mark
from maskrcnn.evaluation import ImageMatches, Report, match_image
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.inspect.drawing_options import BOTH, FOUND, TRUTH, DrawingOptions
from maskrcnn.studio.inspect.inspected_run import InspectedRun
from maskrcnn.studio.inspect.picture_choice import PictureChoice
from maskrcnn.studio.inspect.validation_report import epoch_report
from maskrcnn.studio.runs.labels_and_detections import detection_stamps
from maskrcnn.studio.runs.run_words import format_ap
from maskrcnn.studio.shell import file_stamps, session
from maskrcnn.words import counted, decimals_below

_HEIGHT = {BOTH: 400, TRUTH: 640, FOUND: 640}
"""View -> height of a picture on the page in CSS pixels."""


@dataclass(frozen=True)
class MeasuredPicture:
    """A picture with its matches, and the detections and the report of all pictures of the epoch.

    `stamps` are the modification times of the files from which the matches were computed.
    """

    picture: Path
    stamps: tuple[int, ...]
    matches: ImageMatches
    detections: list[dict[str, Any]]
    report: Report


def measure(inspected: InspectedRun, choice: PictureChoice, min_score: float) -> MeasuredPicture:
    """Read the detections and match those of the chosen picture with its objects.

    Raises `StudioError` if a file cannot be read.
    """
    run, config = inspected.run, inspected.config
    picture = run.picture_path(choice.image)
    stamps = (file_stamps.stamp(picture), *detection_stamps(run, choice.epoch))
    detections = run.detections(choice.epoch)
    matches = match_image(inspected.truth, detections, choice.image["id"], min_score, tasks=config.tasks)
    report = epoch_report(run, choice.epoch, min_score)
    return MeasuredPicture(picture, stamps, matches, detections, report)


def show(
    project: Project,
    inspected: InspectedRun,
    choice: PictureChoice,
    measured: MeasuredPicture,
    options: DrawingOptions,
) -> None:
    """Draw ground truth and prediction side by side, or only one of them, larger."""
    if options.view == BOTH:
        for column, view in zip(st.columns(2, gap="small"), (TRUTH, FOUND), strict=True):
            with column:
                _draw_measured_picture(view, project, inspected, choice, measured, options)
    else:
        _draw_measured_picture(options.view, project, inspected, choice, measured, options)
    _note_highest_score(measured, choice, options.min_score)


def _draw_measured_picture(
    view: str,
    project: Project,
    inspected: InspectedRun,
    choice: PictureChoice,
    measured: MeasuredPicture,
    options: DrawingOptions,
) -> None:
    """Draw the measured picture with its objects (view `TRUTH`) or detections (`FOUND`), and their number above it."""
    row, categories = measured.report.per_image[choice.position], inspected.truth["categories"]
    if view == TRUTH:
        heading, marks_of = f"**Ground truth** · {counted(row.n_gt, 'object')}", overlays.truth_marks
        description = f"{choice.name} with its labelled objects"
    else:
        heading, marks_of = f"**Prediction** · {counted(row.n_pred, 'detection')}", overlays.prediction_marks
        description = f"{choice.name} with what {inspected.run.name} found in it"
    names = {category["id"]: category["name"] for category in categories}
    colours = category_colours(project, categories) if options.by_class else None
    marks = marks_of(measured.matches, names, colours, inspected.config.keypoint_edges)
    st.markdown(heading)
    look = (view, str(inspected.run.path), choice.epoch, choice.image["id"], options.min_score, colours)
    with session.fail_softly():
        drawn, width = _marked_picture(
            str(measured.picture), measured.stamps, repr(look), _HEIGHT[options.view], options.parts, marks
        )
    st.image(drawn, width=width, alt=description)


@st.cache_resource(max_entries=300, show_spinner=False)
def _marked_picture(
    picture: str, stamps: tuple[int, ...], look: str, height: int, parts: dict[str, bool], _marks: list[Mark]
) -> tuple[bytes, int]:
    """Return a JPEG of the picture with marks, and its width on the page for a height of `height` CSS pixels.

    The result is cached. Streamlit does not compare `_marks`, as their name begins with "_". Instead it compares what
    they depend on: `stamps` (modification times of the files) and `look` (the choices on the page, as text).
    """
    pixels = pictures.load(picture)
    width = round(height * pixels.shape[1] / pixels.shape[0])
    return jpeg(overlays.draw(pixels, _marks, **parts), max(height, width)), width


def _note_highest_score(measured: MeasuredPicture, choice: PictureChoice, min_score: float) -> None:
    """Below the measured picture, draw a line with its highest score if all are below the minimum score."""
    scores = [found["score"] for found in measured.detections if found["image_id"] == choice.image["id"]]
    if scores and max(scores) < min_score:
        highest = decimals_below(max(scores), min_score)
        st.markdown(f":small[The highest score here is {highest}: move the slider down to see it.]")


def show_figures(
    inspected: InspectedRun, choice: PictureChoice, measured: MeasuredPicture, options: DrawingOptions
) -> None:
    """Draw the AP of the picture and its numbers of TP, FP and FN. This row is also the legend of the colours."""
    row, definitions = measured.report.per_image[choice.position], measured.report.definitions
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        learned = "" if inspected.is_validated else " The network learned from this picture, so it says little."
        st.metric("AP of this picture", format_ap(row.ap), help=definitions["ap"] + learned, width="content")
        if "keypoints" in inspected.config.tasks:
            st.markdown(f"**{format_ap(row.keypoints_ap)}** keypoint AP", help=definitions["keypoints_ap"])
        for colour, words, line, field in (
            ("green", "found, TP", "solid", "tp"),
            ("orange", "wrong, FP", "hatched", "fp"),
            ("blue", "missed, FN", "dashed", "fn"),
        ):
            style = "" if options.by_class else f" ({line})"
            st.markdown(f":{colour}-badge[**{getattr(row, field)}**] {words}{style}", help=definitions[field])
        if measured.matches.matched_by == "bbox":
            st.markdown(":small[Judged by boxes: this network finds no masks.]", help=definitions["matched_by"])
