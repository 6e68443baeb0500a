"""The start of a training: make the run folder, the network and the labels of a new run, or load a run to resume it.

All checks are made before the first file is written.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from maskrcnn.annotations.learnable_objects import LearnableCounts
from maskrcnn.annotations.progress_callback import Watch
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.runs import attempts, shipped_models, trainer_process
from maskrcnn.runs.folder import CONFIG, DATASET, RESULT, START, RunFolder
from maskrcnn.runs.readiness import require_ready
from maskrcnn.runs.request import TrainingRequest, config_with_labels
from maskrcnn.runs.torchvision_catalogue import require_coco_detector
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training.distributed import Team, refuse_uneven
from maskrcnn.training.hardware import program_versions
from maskrcnn.training.labelled_samples import LabelledSamples, labelled_sets
from maskrcnn.training.saved_state import load_state
from maskrcnn.training.tensorboard import require_tensorboard
from maskrcnn.training.training_speedups import moved_to_device
from maskrcnn.words import counted

KNOWN_SOURCES = {"coco": "COCO", "imagenet": "ImageNet"}
"""Words for weights that torchvision downloads -> the name of the data set on which they were trained."""


@dataclass
class TrainingStart:
    """A training that is ready to begin: its run folder, its network on its device, and its labels.

    `documents` is the result of `training_documents`. `state` is the saved state of a resumed run. `lines` are the
    first lines of the log. `machine` is the machine of the earlier attempts of a resumed run.
    """

    run: RunFolder
    model: StudioRCNN
    documents: dict[str, Any]
    state: dict[str, Any] | None = None
    lines: list[str] = field(default_factory=list)
    machine: str | None = None


def begin(request: TrainingRequest, out: Path, device: torch.device, team: Team, watch: Watch) -> TrainingStart:
    """Start a new training: make the run folder `out`, the network with its initial weights, and the labels.

    The first process of a team makes them; the others read them from the run folder. `watch` wraps the pictures while
    they are checked, for a progress bar. Raises `ArgumentError` or `StudioError` if a part of the request is invalid;
    then no run folder was made.
    """
    if not team.leads:
        team.wait()
        run = RunFolder(RunFolder.open(out).path, made_here=True)
        return TrainingStart(run, moved_to_device(build(run.config()), device), run.dataset())
    run = RunFolder(out)
    run.refuse_if_taken()
    model, documents, lines = network_and_labels(request, out, watch)
    refuse_uneven(model.config, documents, team)
    model = moved_to_device(model, device)
    run = RunFolder(RunFolder.create(out).path, made_here=True)
    attempts.begin_attempt(run)
    run.write_json(DATASET, {"train": documents["train"], "val": documents["val"]})
    run.write_json(START, _start_document(request, documents))
    run.write_json(CONFIG, model.config.model_dump())
    team.wait()
    return TrainingStart(run, model, documents, lines=lines)


def _start_document(request: TrainingRequest, documents: dict[str, Any]) -> dict[str, Any]:
    """start.json: how the training was started, and which labels it does not learn (see `document_schemas.Started`)."""
    start = request.starting_weights()
    learned: dict[str, LearnableCounts | None] = documents["learned"]
    prefixes = {"train": "", "val": "of the validation set, "}
    return {
        "preset": request.preset,
        "init": start.init,
        "backbone_weights": start.weights,
        "options": request.to_argv(),
        "started": time.time(),
        "versions": program_versions(),
        "left_out": [
            prefix + line for split, prefix in prefixes.items() if (found := learned[split]) for line in found.remarks()
        ],
    }


def rehearse(
    request: TrainingRequest, out: Path, device: torch.device, watch: Watch
) -> tuple[StudioRCNN, LabelledSamples, LabelledSamples | None]:
    """The network, the training samples and the validation samples (or None) for `trial_steps`. Writes nothing."""
    model, documents, _ = network_and_labels(request, out, watch, snapshot=False)
    training, validation = labelled_sets(documents, RunFolder(out, made_here=True), model.config)
    return moved_to_device(model, device), training, validation


def resume(request: TrainingRequest, out: Path, device: torch.device, team: Team) -> TrainingStart:
    """Load the run in `out` to continue it, with a larger length if the request has one (`TrainingRequest.longer`).

    Raises `ArgumentError` if the request has other options, if the run is still training, or if it is finished and the
    request has no additional length.
    """
    epochs, minutes = request.longer()
    run = RunFolder.open(out)
    if team.leads and not trainer_process.noted_here(run) and trainer_process.is_training(run):
        raise ArgumentError(f"{run.path} is still training; cancel it first, or wait for it")
    ended = run.result() or {}
    if ended.get("state") == "done" and not ended.get("stopped_early") and epochs is minutes is None:
        raise ArgumentError(f"{run.path} has come to its end; --epochs N or --minutes M trains it so much longer")
    state = load_state(run.state, device)
    planned = run.config()
    config = resumed_config(planned, epochs, minutes)
    model = moved_to_device(build(config), device)
    documents = run.dataset()
    require_ready(documents)
    refuse_uneven(config, documents, team)
    step = state["clock"]["step"]
    team.wait()  # no process changes files that another one still reads
    if team.leads:
        attempts.begin_attempt(run)
        run.remove_temporary_files()
        run.write_json(CONFIG, config.model_dump())
        (run.path / RESULT).unlink(missing_ok=True)
    line = f"goes on after step {step}, epoch {state['course']['finished']}"
    if config != planned:
        line += f"; its length is {_length_words(config)} now, not {_length_words(planned)}"
    return TrainingStart(run, model, documents, state, [line], ended.get("machine"))


def _length_words(config: Config) -> str:
    """The length of a resumed training as text, for the first line of its log: "20 epochs" or "2.5 minutes"."""
    if config.minutes is not None:
        return f"{config.minutes:g} {'minute' if config.minutes == 1 else 'minutes'}"
    return counted(config.epochs or 0, "epoch")


def resumed_config(config: Config, epochs: int | None, minutes: float | None) -> Config:
    """The config of a resumed training: `config` with its length increased by `epochs` or `minutes` (None: not given).

    Raises `ArgumentError` if the length of `config` is set in the other unit, or the increase is not positive.
    """
    if epochs is not None and config.epochs is None:
        raise ArgumentError(f"--epochs {epochs}: the length of this run is set in minutes; give --minutes")
    if minutes is not None and config.minutes is None:
        raise ArgumentError(f"--minutes {minutes:g}: the length of this run is set in epochs; give --epochs")
    if epochs is not None and config.epochs is not None:
        if epochs < 1:
            raise ArgumentError(f"--epochs {epochs}: give how many more, 1 at least")
        return config.replace(epochs=config.epochs + epochs)
    if minutes is not None and config.minutes is not None:
        if minutes <= 0:
            raise ArgumentError(f"--minutes {minutes:g}: give how many more, above 0")
        return config.replace(minutes=config.minutes + minutes)
    return config


def network_and_labels(
    request: TrainingRequest, out: Path, watch: Watch, snapshot: bool = True
) -> tuple[StudioRCNN, dict[str, Any], list[str]]:
    """The network of a new training with its initial weights, its labels (`documents`), and lines of the log about the
    weights. `snapshot` is passed to `training_documents`."""
    if request.data is None:
        raise ArgumentError("--data is missing: labels to learn, a file, a folder or a project")
    start = request.starting_weights()
    config = request.config(torch_file=weights.torch_file_network)
    if start.init == "coco":
        require_coco_detector(config)  # raises before the labels are read if there are none for this backbone
    val, images = (Path(path) if path is not None else None for path in (request.val, request.images))
    documents = training_documents(
        Path(request.data), val, images, out, config.tasks, snapshot, watch, request.class_attribute
    )
    require_ready(documents)
    config = config_with_labels(config, documents)
    require_tensorboard(config)
    torch.manual_seed(config.seed)  # for the tensors that no weights fill
    model = build(config)
    lines = []
    if start.why:  # the weights are the default, not a choice of the user
        lines.append(f"starts from {start.why} (nobody chose; --init says otherwise)")
    if start.weights != "none":
        lines.append(weights.load_body(model, start.weights).describe(_weights_name(start.weights)))
    if start.init != "none":
        lines.append(weights.initialise(model, start.init).describe(_weights_name(start.init)))
    return model, documents, lines


def _weights_name(source: str) -> str:
    """The name of initial weights in the first lines of the log.

    It is "COCO" or "ImageNet", the name of a shipped model, or a file or folder name.
    """
    return KNOWN_SOURCES.get(source) or (source if shipped_models.folder(source) else Path(source).resolve().name)
