"""The runs that a page offers: those of the project, and the models that ship with the studio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.project_runs import runs_and_faults_in
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.runs import run_choice
from maskrcnn.studio.shell import session


@dataclass(frozen=True)
class OfferedRuns:
    """Label -> run, those of the project first (see `network_choice.on_offer`).

    `own` is the number of runs of the project. `has_faulty` is True if it has others that cannot be read.
    """

    runs: Mapping[str, RunFolder]
    own: int
    has_faulty: bool


def read(project: Project, title: str, about: str, icon: str) -> OfferedRuns:
    """Read the runs, and draw a message about those that cannot be read.

    If there is none, draw the title of the page, a sentence `about` it with an icon, and a button to the Launch page;
    the page script stops.
    """
    with session.fail_softly():
        own, faulty = runs_and_faults_in(project.runs_folder)
        run_choice.show_faulty(faulty)
        runs = network_choice.on_offer(own)
    if not runs:
        st.title(title)
        st.info(f"{about} This project has no training yet.", icon=icon)
        if st.button("Start a training", type="primary", icon=":material/rocket_launch:"):
            st.switch_page("pages/train/launch.py", query_params={"project": project.folder.name})
        st.stop()
    return OfferedRuns(runs, len(own), bool(faulty))
