"""The training loop, top to bottom, in the order in which things happen: `train` is the run, `step` one step of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.temporary_attributes import temporary_attributes
from maskrcnn.runs.epochs import pictures_per_step, steps_per_pass
from maskrcnn.runs.folder import Row, RunFolder, shown_pictures
from maskrcnn.runs.schedule import Clock
from maskrcnn.training.averaging import RunningMean
from maskrcnn.training.distributed import Team
from maskrcnn.training.failures import require_finite, words_for_disk, words_for_memory
from maskrcnn.training.loader import Batch, Loader, loader_threads
from maskrcnn.training.optimiser import make_optimiser
from maskrcnn.training.run_history import RunHistory, position, result
from maskrcnn.training.samples import LabelledPictures
from maskrcnn.training.saved_state import load_training_state, save_state, training_state
from maskrcnn.training.step_measures import Measures
from maskrcnn.training.training_speedups import prepared_for_training
from maskrcnn.training.validation import (
    Interrupted,
    average_precision,
    detect_all,
    losses,
    never,
    numbers,
    validation_losses,
    weighted_sum,
)

STATE_EVERY = 60.0
"""Seconds after which the state is saved within a long epoch, so that a killed run loses no more."""


def train(
    model: StudioRCNN,
    training: LabelledPictures,
    validation: LabelledPictures | None,
    run: RunFolder,
    report: Callable[[Row], None] = lambda row: None,
    cancelled: Callable[[], bool] = never,
    resumed: dict[str, Any] | None = None,
    team: Team | None = None,
) -> Row:
    """Train `model` as its config says, writing metrics, detections and checkpoints into `run`; return the result.

    `report` gets every row that is written to `metrics.jsonl`; `cancelled` is asked after every step. `resumed` is the
    state from which the run continues (`saved_state.load_state`). In a `team` every process calls this, and the first
    one writes. Afterwards `model` has the weights of the last step and computes as it was built.

    Raises `StudioError` when a loss is not finite and when memory or the disk is full; what was saved before stays.
    """
    config, team = model.config, team or Team()
    seed_everything(config.seed)
    team.broadcast_weights(model)
    optimiser = make_optimiser(model)
    average = RunningMean(model, config.ema)
    clock = Clock(config, steps_per_pass(config.batch_size, len(training)))
    history = RunHistory()
    if resumed:
        load_training_state(resumed, model, optimiser, average, clock, history)
        if team.leads:
            run.cut_metrics(clock.step, history.finished)
    threads = loader_threads(config, next(model.parameters()).device)

    def save() -> None:
        if team.leads:
            save_state(run.state, training_state(model, optimiser, average, clock, history))
        history.saved = clock.elapsed

    def record(row: Row) -> None:
        if team.leads:
            run.append_metrics(row)
        report(row)

    with ExitStack() as stack:
        stack.enter_context(words_for_memory(config))
        stack.enter_context(words_for_disk(run.path))
        stack.enter_context(prepared_for_training(model))
        if not resumed:
            save()  # from here on the run can be resumed
        loader = stack.enter_context(Loader(training, config, clock.step, team.rank, team.size, threads))
        measures = Measures(model, pictures_per_step(config.batch_size, len(training)))
        layers = ""
        network: nn.Module = model
        while not history.stopped_early and (history.finished == 0 or clock.progress < 1 or clock.step_of_epoch):
            model.train()
            measures.start()
            while not clock.epoch_is_over:
                if clock.stage.layers != layers:
                    layers = clock.stage.layers
                    model.set_layers(layers)
                    network = team.wrap(model)
                rate = clock.learning_rate
                values = step(network, optimiser, next(loader), rate, clock.step + 1, history.finished + 1, team)
                average.update()
                measured = measures.row(loader.waited)

                elapsed, stop = team.total([clock.time() * team.leads, float(cancelled())])
                clock.tick(elapsed)
                values |= {"learning_rate": rate, **measured}
                history.add(values, layers)
                record({**position(clock, history, "step"), "layers": layers, **values})
                if stop:
                    save()
                    return result("cancelled", clock, history)
                if clock.elapsed - history.saved > STATE_EVERY:
                    save()

            row = history.means(clock.step_of_epoch)
            try:
                with average.in_place():
                    trained = clock.elapsed
                    row |= validate(model, training, validation, run, history.finished + 1, team, cancelled)
                    clock.read_time(team.total([clock.time() * team.leads])[0])
                    row["validation_seconds"] = clock.elapsed - trained
                    history.finish(config, row, validated=validation is not None)
                    if team.leads:
                        keep_weights(model, run, history, config.checkpoints_kept)
            except Interrupted:
                save()
                return result("cancelled", clock, history)
            record({**position(clock, history, "epoch", epoch=history.finished), **row})
            clock.next_epoch()
            save()
    return result("done", clock, history)


def step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    rate: float,
    number: int,
    epoch: int,
    team: Team,
) -> dict[str, float]:
    """One step of gradient descent on a batch: forward, backward, clip, step.

    Returns the losses, `loss` and `gradient_norm` (that before clipping). `network` is the model, or what `team.wrap`
    made of it; `rate` is the learning rate. Raises `StudioError` where a value is not finite, before the weights
    change; `number` and `epoch` are for its message.
    """
    model: Any = getattr(network, "module", network)
    config = model.config
    for group in optimiser.param_groups:
        group["lr"] = rate

    # Forward: the losses of the batch, and their weighted sum.
    sizes = [picture.shape[1:] for picture, _ in batch.samples]
    room = team.largest([max(sides) for sides in zip(*sizes, strict=True)])
    with temporary_attributes((model.transform, "room", room)):
        parts = losses(network, batch.samples, batch.seeds)
    parts = team.balance(parts, sampled(model))
    loss: Tensor = weighted_sum(config, parts)

    # Backward: the gradient of that sum for every weight that learns.
    optimiser.zero_grad()
    loss.backward()

    # Clip: a gradient longer than that is scaled to this length.
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip_norm)

    found = {**parts, "loss": loss, "gradient_norm": norm}
    values = dict(zip(found, team.mean(numbers(found.values())), strict=True))
    require_finite(values, model, batch, epoch, number, team)

    # Step: move the weights against the gradient.
    optimiser.step()
    return values


def sampled(model: StudioRCNN) -> dict[str, int]:
    """Loss -> number of anchors or RoIs of the last step whose mean it is."""
    rpn, roi = model.samplers["rpn"], model.samplers["roi"]
    of_all = {"rpn": rpn.positives + rpn.negatives, "mrcnn": roi.positives + roi.negatives}
    on_objects = ("mrcnn_mask_loss", "mrcnn_keypoint_loss")
    return {
        name: roi.positives if name in on_objects else of_all[name.partition("_")[0]] for name in model.config.losses
    }


def validate(
    model: StudioRCNN,
    training: LabelledPictures,
    validation: LabelledPictures | None,
    run: RunFolder,
    epoch: int,
    team: Team,
    cancelled: Callable[[], bool],
) -> Row:
    """Losses and AP on the validation set, whose detections are written into `run`; without a set, only detections on
    some training pictures, to look at.

    Raises `Interrupted` when `cancelled`, which is asked in a process on its own only: in a team the others would wait
    for it.
    """
    asked = cancelled if team.size == 1 else never
    row: Row = {}
    if validation is not None:
        row |= validation_losses(model, validation, team, asked)
        detections = detect_all(model, validation, None, team, asked)
        row |= average_precision(model.config, validation.document, detections)
    else:
        shown = shown_pictures(training.document, None)
        detections = detect_all(model, training, shown["images"], team, asked)
    if team.leads:
        run.write_detections(epoch, detections)
    return row


def keep_weights(model: StudioRCNN, run: RunFolder, history: RunHistory, kept: int) -> None:
    """Write the checkpoint of the epoch that has just ended, also as the best one where it is; delete all but the last
    `kept`."""
    weights.save(model, run.checkpoint(history.finished), history.finished)
    if history.best_epoch == history.finished:
        weights.save(model, run.best, history.finished)
    for old in list(run.checkpoints().values())[: -kept or None]:
        old.unlink()


def seed_everything(seed: int) -> None:
    """Seed the random numbers of Python, numpy and torch, and keep OpenCV to one thread."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    cv2.setNumThreads(1)  # its pictures are small, and its threads would compete with torch's
