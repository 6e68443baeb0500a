"""Runs page: watch trainings, compare their curves, stop, resume and download them, and see predictions by epoch."""

import streamlit as st

from maskrcnn.runs.project_runs import runs_and_faults_in
from maskrcnn.studio.runs import (
    curve_charts,
    model_card_view,
    model_files,
    predictions_by_epoch,
    queue_view,
    run_choice,
    run_status,
    run_tables,
)
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

with session.fail_softly():
    project = session.current_project()
    usable, faulty = runs_and_faults_in(project.runs_folder)
    runs = {run.name: run for run in usable}
    run_choice.show_faulty(faulty)

if not runs:
    st.title("Runs")
    st.markdown(
        f"Nothing was trained in **{plain(project.name)}** yet. Here the losses and the AP of each training grow epoch "
        "by epoch; you can stop a training, and come back to it later."
    )
    if st.button("Launch a training", type="primary", icon=":material/rocket_launch:"):
        st.switch_page(run_choice.LAUNCH_PAGE, query_params={"project": project.folder.name})
    model_files.show_drop_area(project)
    st.stop()

chosen = run_choice.show(project, runs)


# While the training is active, the fragments below rerun at their interval. They read everything from the run folder.
@st.fragment(run_every="2s" if chosen.active else None)
def head() -> None:
    """State and progress of the chosen run."""
    run_status.show(chosen)


@st.fragment(run_every="2s" if chosen.active else None)
def curves() -> None:
    """Loss and AP curves of the chosen run and of the runs compared with it."""
    curve_charts.show(chosen)


@st.fragment(
    run_every="0.8s" if st.session_state.get(predictions_by_epoch.PLAYING) else "4s" if chosen.active else None
)
def pictures() -> None:
    """Predictions of the chosen run on one picture, epoch by epoch."""
    with session.fail_softly(stop=False):
        if epochs := chosen.run.detection_epochs():
            predictions_by_epoch.show(chosen.run, epochs, run_choice.PREDICTIONS_PAGE, chosen.address)


@st.fragment(run_every="5s" if chosen.active else None)
def tables() -> None:
    """Epoch table and log of the chosen run."""
    run_tables.show(chosen.run)


head()
queue_view.show_queue()
curves()
pictures()
model_card_view.show(chosen)
tables()
if len(runs) > 1:
    run_tables.show_all(runs.values())
model_files.show_opening(project)
