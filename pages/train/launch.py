"""Launch page: choose the settings of a training, see its data and estimated duration, and start it."""

from dataclasses import replace

import streamlit as st

from maskrcnn.jobs import devices
from maskrcnn.studio.launch import launch_data, request_from_inputs
from maskrcnn.studio.launch.network_inputs import choose_network, choose_preset, choose_tasks
from maskrcnn.studio.launch.summary import summarise
from maskrcnn.studio.launch.training_inputs import choose_length, choose_training
from maskrcnn.studio.shell import session

RUNS_PAGE = "pages/train/runs.py"

with session.fail_softly():
    project = session.current_project()
    machine = devices.available()

st.title("Launch a training")
with session.fail_softly():
    labels = launch_data.cached_labels(project)
form, summary = st.columns([5, 3], gap="medium")

with form, session.fail_softly():
    preset = choose_preset(machine)
    length = choose_length(preset)
    tasks = choose_tasks(preset, labels)
    keypoints = labels.keypoints if "keypoints" in tasks else None
    network = choose_network(preset, tasks)
    training = choose_training(preset, network)
    # The configuration checks that sigmas, limbs and keypoint names match the number of keypoints.
    keypoint_count = {"num_keypoints": keypoints.count} if keypoints else {}
    request = request_from_inputs.with_changes(
        network.request, {**length, **network.values, **keypoint_count, **training}
    )
    request = replace(request, data=str(project.folder))

with summary:
    run = summarise(project, request, labels.data_for(tasks), keypoints, machine)
    if run:
        st.switch_page(RUNS_PAGE, query_params={"project": project.folder.name, "run": run.name})
