"""Predictions page: the detections of a run in each validation picture, next to the labels of that picture."""

import streamlit as st

from maskrcnn.studio.inspect import (
    editor_link,
    inspected_run,
    match_sliders,
    measured_picture,
    picture_choice,
    prediction_pictures,
    soft_mask_panel,
    why_missed,
)
from maskrcnn.studio.shell import session

TITLE = "Predictions"
project = session.current_project()
runs = inspected_run.offered(project, TITLE)

# Choice of run, epoch and picture

title_column, run_column, *other_columns = st.columns([2.1, 2.6, 2.2, 3.3, 2.5], vertical_alignment="bottom")
title_column.title(TITLE)
inspected = inspected_run.choose(project, runs, run_column)
choice = picture_choice.show(inspected, *other_columns)

# The picture

run, epoch, image = inspected.run, choice.epoch, choice.image
sliders = why_missed.Sliders(match_sliders.min_score(), match_sliders.iou())
with session.fail_softly():
    asked = prediction_pictures.show(project, inspected, choice, why_missed.verdicts(run, epoch, image, sliders))
    if asked and asked.action == "editor":
        editor_link.open_editor(project, run, epoch, image, asked.key)
    elif asked and asked.action == "follow":
        why_missed.follow(run, epoch, image)
    elif asked and asked.position is not None:
        soft_mask_panel.ask(run, epoch, image, asked.position)
    measured = measured_picture.measure(inspected, choice, sliders.min_score, sliders.iou)
soft_mask_panel.panel(run, epoch, image, measured.matches)
measured_picture.show_figures(project, inspected, choice, measured)
selected = prediction_pictures.selected_object(choice)
why_missed.panel(run, epoch, image, measured.matches, sliders, selected)
