"""Choice of the run on the Predictions and Evaluation pages, its best epoch, and messages about what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs import metric_rows
from maskrcnn.runs.best_epoch import Best, best_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.inspect import offered_runs
from maskrcnn.studio.inspect.offered_runs import OfferedRuns
from maskrcnn.studio.runs.labels_and_detections import is_validated, pictures_with_detections
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

PAGE = "predictions"
"""Prefix of the page's keys in the session state, and name under which its choices are remembered."""


@dataclass(frozen=True)
class InspectedRun:
    """A run with what the page needs of it.

    `epochs` are the epochs with saved detections. `truth` is the COCO document of the pictures of these detections:
    the validation pictures, or some training pictures if the run has no validation pictures. `is_validated` is True if
    it has validation pictures.
    """

    run: RunFolder
    config: Config
    epochs: list[int]
    truth: dict[str, Any]
    is_validated: bool

    @property
    def has_detections(self) -> bool:
        """Whether there are saved detections and pictures to show."""
        return bool(self.epochs and self.truth["images"])


def offered(project: Project, title: str) -> OfferedRuns:
    """Read the runs that a page offers. Without any, draw an explanation of the page and stop its script."""
    about = "Here you see, picture by picture, what a trained network finds beside what you drew, and how good that is."
    return offered_runs.read(project, title, about, ":material/image_search:")


def choose(project: Project, runs: OfferedRuns, run_column: DeltaGenerator) -> InspectedRun:
    """Draw the list of runs and what there is to say about the chosen one; stop the script if it has no detections."""
    with session.fail_softly(), run_column:
        inspected = _chosen(runs.runs)
    _show_what_run_lacks(project, inspected)
    if not inspected.has_detections:
        st.stop()
    if not runs.own:
        _show_shipped_note(project, runs.has_faulty)
    network_choice.show_shipped_model_card(inspected.run)
    return inspected


def _chosen(runs: Mapping[str, RunFolder]) -> InspectedRun:
    """Draw the list of runs, and read the chosen run. The default is the newest run with detections.

    Raises `StudioError` if the run cannot be read.
    """
    newest = next((label for label, run in runs.items() if run.detection_epochs()), next(iter(runs)))
    run = runs[url_state.select("Run", "run", list(runs), newest, page=PAGE, resets=["epoch"])]
    epochs = run.detection_epochs()
    return InspectedRun(run, run.config(), epochs, pictures_with_detections(run), is_validated(run))


def _show_what_run_lacks(project: Project, inspected: InspectedRun) -> None:
    """Draw a message and a button if the inspected run has no validation pictures or no finished epoch."""
    run = inspected.run
    pictures = inspected.truth["images"]
    if not inspected.is_validated and run.epochs():
        st.info(
            f"{plain(run.name)} was trained without validation pictures, so nothing says how well it finds objects on "
            f"pictures that it has not seen. Below: {counted(len(pictures), 'picture')} that it learned from. Keep "
            "some labelled pictures back for validation, then train again.",
            icon=":material/image_search:",
        )
        if st.button("Choose validation pictures", type="primary", icon=":material/call_split:"):
            st.switch_page("pages/label/dataset.py", query_params={"project": project.folder.name, "view": "split"})
    elif not inspected.has_detections:
        st.info(
            f"{plain(run.name)} has not finished an epoch yet. Its detections appear here after the first one.",
            icon=":material/hourglass_top:",
        )
        if st.button("See how the run is doing", type="primary"):
            st.switch_page("pages/train/runs.py", query_params={"project": project.folder.name, "run": run.name})


def _show_shipped_note(project: Project, has_faulty: bool) -> None:
    """Draw a note that the network shown is a shipped one because the project has no usable run, and a link to Launch.

    `has_faulty` is True if it has runs that cannot be read.
    """
    why = "No training of this project can be read" if has_faulty else "This project has no training yet"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{why}; here is a network that ships with the studio, on its own pictures.")
        st.page_link(
            "pages/train/launch.py",
            label="Start a training",
            icon=":material/rocket_launch:",
            query_params={"project": project.folder.name},
        )


def best_kept_epoch(run: RunFolder, kept: list[int]) -> Best:
    """The epoch that the page shows first of an inspected run: the best (see `runs.best_epoch`) of the `kept` ones.

    `kept` are the epochs with saved detections (at least 1). If no epoch was measured, it is the last one.
    """
    found = best_epoch(row for row in metric_rows.read(run).epochs if row["epoch"] in kept)
    return found if found and found.score is not None else Best(kept[-1])
