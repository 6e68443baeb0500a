"""Predictions page: the detections of a run in each validation picture, next to the labels of that picture."""

import streamlit as st

from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.inspect import (
    drawing_options,
    inspected_run,
    measured_picture,
    picture_choice,
    validation_report,
    why_missed,
)
from maskrcnn.studio.shell import session

st.title("Predictions")
project = session.current_project()
with session.fail_softly():
    own = runs_in(project.runs_folder)
    runs = network_choice.on_offer(own)
if not runs:
    inspected_run.show_no_runs(project)
    st.stop()

# Choice of run, epoch and picture

run_column, *other_columns = st.columns([3, 2.2, 3.6, 2], vertical_alignment="bottom")
with session.fail_softly(), run_column:
    inspected = inspected_run.choose(runs)
inspected_run.show_what_run_lacks(project, inspected)
if not inspected.has_detections:
    st.stop()
if not own:
    inspected_run.show_shipped_note(project)
network_choice.show_shipped_model_card(inspected.run)
choice = picture_choice.show(inspected, *other_columns)

# The picture

picture_row = st.container()
options = drawing_options.show(inspected.config)
with session.fail_softly():
    measured = measured_picture.measure(inspected, choice, options.min_score)
with picture_row:
    measured_picture.show(project, inspected, choice, measured, options)
measured_picture.show_figures(inspected, choice, measured, options)
why_missed.panel(inspected.run, choice.epoch, choice.image, measured.matches, options.min_score)

# The whole validation set. Training pictures cannot measure a network, so the section is skipped for them.

if inspected.is_validated:
    with session.fail_softly():
        validation_report.show(inspected, choice, options.min_score)
