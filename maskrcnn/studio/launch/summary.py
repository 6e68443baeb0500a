"""The Launch page: the right column, with the run's name, errors, duration, start button and training data."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from maskrcnn.annotations.skeletons import KeypointLabels
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.config.derived_shapes import anchor_count
from maskrcnn.errors import StudioError
from maskrcnn.jobs.backend import Training
from maskrcnn.runs import project_runs
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.launch import (
    device_choice,
    doctor_summary,
    duration_estimate,
    launch_data,
    request_from_inputs,
    training_inputs,
    validation_holdout,
)
from maskrcnn.studio.launch.launch_data import LaunchData
from maskrcnn.studio.launch.network_inputs import BODY_WORDS, KIND_WORDS, POOLING_WORDS
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import counted
from maskrcnn.workspace import folder_name


def summarise(
    project: Project,
    request: TrainingRequest,
    data: LaunchData,
    keypoints: KeypointLabels | None,
    machine: Sequence[str],
) -> RunFolder | None:
    """Draw the right column. Returns the run that was added to the queue if the user clicked on start, otherwise None.

    `request` has the values of all inputs on the page, including the data. `keypoints` are the keypoints that are
    learned, None without this task. `machine` are the devices.
    """
    proposed = project_runs.free_run_name(project.runs_folder, project.name)
    name = st.text_input("Name of the run", proposed, key=f"launch-name-{project.folder}-{proposed}")
    device = device_choice.choose_device(machine)
    obstacles = data.obstacles()
    config: Config | None = None
    warnings: list[str] = []
    if data.classes:
        try:
            config = request_from_inputs.shown_config(request, {"classes": data.classes, "keypoints": keypoints})
            request.require_fit(config)
            warnings = data.warnings(config)
        except StudioError as error:
            config = None
            obstacles.append(str(error))
    for obstacle in obstacles:
        st.error(plain(on_page(obstacle)), icon=":material/block:")

    turn = device_choice.turn_on_device(device)
    estimate = None
    if config and not obstacles and request.has_files():
        estimate = duration_estimate.show(_estimated_training(project, request, config, data, device, turn))
    validation_holdout.offer(project, data)
    started = st.button(
        "Add to the queue" if turn.must_wait else "Start training",
        type="primary",
        icon=":material/playlist_add:" if turn.must_wait else ":material/rocket_launch:",
        width="stretch",
        disabled=bool(obstacles),
        key="launch-start",
    )
    if started:
        with session.fail_softly():
            request.require_files()
            run = RunFolder(project.runs_folder / folder_name(name, "run"))
            seconds = estimate.seconds if estimate else training_inputs.length_in_seconds(request.changed)
            session.backend().start(Training(run, request, device, expected_seconds=seconds))
            return run
    st.markdown(f":small[{turn.in_words()}]")
    _show_data(data)
    if config:
        st.markdown(f":small[{network_in_short(config)}]")
    if warnings:
        st.warning(bullets([on_page(line) for line in warnings], most=8), icon=":material/warning:")
    doctor_summary.show(project)
    return None


def _estimated_training(
    project: Project,
    request: TrainingRequest,
    config: Config,
    data: LaunchData,
    device: str,
    turn: device_choice.DeviceTurn,
) -> duration_estimate.EstimatedTraining:
    """The training whose duration the summary shows, for `duration_estimate.show`."""
    return duration_estimate.EstimatedTraining(
        config,
        request.to_argv(),
        project.folder,
        project.runs_folder,
        data.train.pictures,
        data.val.pictures if data.val.objects else 0,
        device,
        turn.seconds,
        turn.must_wait,
    )


def _show_data(data: LaunchData) -> None:
    """Draw the table of the training data, and a line about pictures that are not used."""
    st.markdown("**What it learns from**", help=launch_data.OBJECTS)
    st.dataframe(
        pd.DataFrame(data.table(), columns=["", "train", "val"]),
        hide_index=True,
        column_config={  # minimum widths, for a third of a projector's screen; on larger screens the columns grow
            "": st.column_config.TextColumn(width=80),
            "train": st.column_config.TextColumn(width=48, alignment="right", help="To learn from."),
            "val": st.column_config.TextColumn(
                width=60, alignment="right", help="Kept back, to measure the result on."
            ),
        },
    )
    if data.left_out():
        st.markdown(data.left_out())


def network_in_short(config: Config) -> str:
    """The line of the summary about the network: its usual name, backbone, RoI pooling, anchors, and output sizes."""
    extra = [task for task in config.tasks if task != "box"]
    name = {(): "Faster R-CNN", ("mask",): "Mask R-CNN", ("keypoints",): "Keypoint R-CNN"}.get(
        tuple(extra), "Mask R-CNN with keypoints"
    )
    parts = [name, f"{BODY_WORDS[config.body]}, {KIND_WORDS[config.kind]}", POOLING_WORDS[config.pooling]]
    parts.append(f"{anchor_count(config):,d} anchors on a large picture")
    if "mask" in extra:
        parts.append(f"masks of {config.mask_shape} x {config.mask_shape}")
    if "keypoints" in extra:
        parts.append(counted(config.num_keypoints, "keypoint"))
    return "  ·  ".join(parts)
