"""The numbers of the chosen picture on the Predictions page: matches for an explanation, and AP."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import ImageMatches, Report, match_image
from maskrcnn.studio.inspect.inspected_run import InspectedRun
from maskrcnn.studio.inspect.picture_choice import PictureChoice
from maskrcnn.studio.inspect.validation_report import epoch_report
from maskrcnn.studio.runs.run_words import format_ap


@dataclass(frozen=True)
class MeasuredPicture:
    """The matches of a picture, and the report of all pictures of the epoch."""

    matches: ImageMatches
    report: Report


def measure(inspected: InspectedRun, choice: PictureChoice, min_score: float, iou: float) -> MeasuredPicture:
    """Read the detections and match those of the chosen picture, of at least `min_score`, with its objects at `iou`.

    Raises `StudioError` if a file cannot be read, or if the run is not any more what the page has read of it.
    """
    run, config = inspected.run, inspected.config
    detections = run.detections(choice.epoch)
    matches = match_image(inspected.truth, detections, choice.image["id"], min_score, iou, config.tasks)
    report = epoch_report(run, choice.epoch, min_score)
    if len(report.per_image) != len(choice.images):  # it reads the run again
        raise StudioError(f"{run.name}: its labels were changed or deleted just now; load the page again")
    return MeasuredPicture(matches, report)


def show_figures(inspected: InspectedRun, choice: PictureChoice, measured: MeasuredPicture) -> None:
    """Draw the AP of the picture."""
    row, definitions = measured.report.per_image[choice.position], measured.report.definitions
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        learned = "" if inspected.is_validated else " The network learned from this picture, so it says little."
        st.metric("AP of this picture", format_ap(row.ap), help=definitions["ap"] + learned, width="content")
        if "keypoints" in inspected.config.tasks:
            st.markdown(f"**{format_ap(row.keypoints_ap)}** keypoint AP", help=definitions["keypoints_ap"])
        if measured.matches.matched_by == "bbox":
            st.markdown(":small[Judged by boxes: this network finds no masks.]", help=definitions["matched_by"])
