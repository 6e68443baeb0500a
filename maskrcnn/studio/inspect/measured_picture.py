"""The numbers of the chosen picture on the Predictions page: matches for an explanation, and AP."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import ImageMatches, Report
from maskrcnn.evaluation.matching import image_matches
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, epoch_report, measured_set
from maskrcnn.studio.inspect.inspected_run import PAGE, InspectedRun
from maskrcnn.studio.inspect.picture_choice import PictureChoice
from maskrcnn.studio.runs.run_words import format_ap

EVALUATION_PAGE = "pages/inspect/evaluation.py"
TRY_IT_PAGE = "pages/inspect/try_it.py"


@dataclass(frozen=True)
class MeasuredPicture:
    """The matches of a picture, and the report of all pictures of the epoch."""

    matches: ImageMatches
    report: Report


def measure(inspected: InspectedRun, choice: PictureChoice, min_score: float, iou: float) -> MeasuredPicture:
    """Match the detections of the chosen picture, of at least `min_score`, with its objects at `iou`.

    Raises `StudioError` if a file cannot be read, or if the run is not any more what the page has read of it.
    """
    run = inspected.run
    measured = measured_set(EpochFiles.of(run, choice.epoch))
    report = epoch_report(run, choice.epoch, min_score, iou)
    read_now = {measured.pictures, tuple(row.image_id for row in report.per_image)}  # both read the run again
    if read_now != {tuple(image["id"] for image in choice.images)}:
        raise StudioError(f"{run.name}: its labels were changed or deleted just now; load the page again")
    return MeasuredPicture(image_matches(measured, measured.match(min_score, iou), choice.position), report)


def show_figures(project: Project, inspected: InspectedRun, choice: PictureChoice, measured: MeasuredPicture) -> None:
    """Draw AP and F1 of the picture, and the link to the page that measures all pictures."""
    row, definitions = measured.report.per_image[choice.position], measured.report.definitions
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        learned = "" if inspected.is_validated else " The network learned from this picture, so it says little."
        st.metric("AP of this picture", format_ap(row.ap), help=definitions["ap"] + learned, width="content")
        st.metric("F1", format_ap(row.f1), help=definitions["f1"], width="content")
        if "keypoints" in inspected.config.tasks:
            st.markdown(f"**{format_ap(row.keypoints_ap)}** keypoint AP", help=definitions["keypoints_ap"])
        if measured.matches.matched_by == "bbox":
            st.markdown(":small[Judged by boxes: this network finds no masks.]", help=definitions["matched_by"])
        address = {
            "project": project.folder.name,
            "run": str(st.session_state.get(f"{PAGE}_run") or inspected.run.name),
            "epoch": str(choice.epoch),
        }
        st.page_link(
            EVALUATION_PAGE,
            label="All pictures: Evaluation",
            icon=":material/fact_check:",
            query_params={**address, "image": choice.name},
        )
        st.page_link(TRY_IT_PAGE, label="New pictures: Try it", icon=":material/experiment:", query_params=address)
