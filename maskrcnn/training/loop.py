"""The training loop, top to bottom, in the order in which things happen."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from maskrcnn.config import Config
from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.epochs import pictures_per_step, steps_per_pass
from maskrcnn.runs.folder import Row, RunFolder, shown_pictures
from maskrcnn.runs.schedule import Clock
from maskrcnn.training.averaging import RunningMean
from maskrcnn.training.distributed import Team
from maskrcnn.training.failures import diverged, not_finite, pictures_at_fault, words_for_disk, words_for_memory
from maskrcnn.training.loader import Batch, Loader, loader_threads
from maskrcnn.training.run_history import Course, position, result
from maskrcnn.training.samples import LabelledPictures
from maskrcnn.training.saved_state import save_state
from maskrcnn.training.step_measures import Measures
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
"""Seconds after which the state of a long epoch is saved, so that a killed run loses no more."""


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
    state that the run goes on from (`state.load_state`). Of a `team` every process calls this, and the first one
    writes. Raises `StudioError` when a loss stops being finite and when memory or the disk is full; what was saved
    before stays.
    """
    config, team = model.config, team or Team()
    seed_everything(config.seed)
    model.transform.resized = True
    team.equalise(model)
    optimiser = make_optimiser(model)
    average = RunningMean(model, config.ema)
    clock = Clock(config, steps_per_pass(config.batch_size, len(training)))
    course = Course()
    if resumed:
        restore(resumed, model, optimiser, average, clock, course)
        if team.leads:
            run.cut_metrics(clock.step, course.finished)
    threads = loader_threads(config, next(model.parameters()).device)

    def save() -> None:
        if team.leads:
            save_state(run.state, state_of(model, optimiser, average, clock, course))
        course.saved = clock.elapsed

    def record(row: Row) -> None:
        if team.leads:
            run.append_metrics(row)
        report(row)

    with ExitStack() as stack:
        stack.enter_context(words_for_memory(config))
        stack.enter_context(words_for_disk(run.path))
        if not resumed:
            save()  # from here on the run can be resumed, whatever comes
        loader = stack.enter_context(Loader(training, config, clock.step, team.rank, team.size, threads))
        measures = Measures(model, pictures_per_step(config.batch_size, len(training)))
        layers = ""
        network: nn.Module = model
        while not course.stopped_early and (course.finished == 0 or clock.progress < 1 or clock.step_of_epoch):
            model.train()
            measures.start()
            while not clock.epoch_is_over:
                # One step: the losses, their weighted sum, its gradient, a bounded move against it.
                if clock.stage.layers != layers:
                    layers = clock.stage.layers
                    model.set_layers(layers)
                    network = team.wrap(model)
                rate = clock.learning_rate
                values = step(network, optimiser, next(loader), rate, clock.step + 1, course.finished + 1, team)
                average.update()
                measured = measures.row(loader.waited)

                elapsed, stop = team.total([clock.time() * team.leads, float(cancelled())])
                clock.tick(elapsed)
                values |= {"learning_rate": rate, **measured}
                course.add(values, layers)
                record({**position(clock, course, "step"), "layers": layers, **values})
                if stop:
                    save()
                    return result("cancelled", clock, course)
                if clock.elapsed - course.saved > STATE_EVERY:
                    save()

            row = course.means(clock.step_of_epoch)
            try:
                with average.instead():
                    trained = clock.elapsed
                    row |= validate(model, training, validation, run, course.finished + 1, team, cancelled)
                    clock.look(team.total([clock.time() * team.leads])[0])
                    row["validation_seconds"] = clock.elapsed - trained
                    course.finish(config, row, validated=validation is not None)
                    if team.leads:
                        keep_weights(model, run, course, config.checkpoints_kept)
            except Interrupted:
                save()
                return result("cancelled", clock, course)
            record({**position(clock, course, "epoch", epoch=course.finished), **row})
            clock.next_epoch()
            save()
    return result("done", clock, course)


def step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    rate: float,
    number: int,
    epoch: int,
    team: Team,
) -> dict[str, float]:
    """Learn from a batch at that learning rate; give back its losses, `loss` and `gradient_norm`.

    `network` is the model, or what `team.wrap` made of it. Raises `StudioError` where one is not finite.
    """
    model: Any = getattr(network, "module", network)
    config: Config = model.config
    for group in optimiser.param_groups:
        group["lr"] = rate
    sizes = [picture.shape[1:] for picture, _ in batch.samples]
    model.transform.room = team.largest([max(sides) for sides in zip(*sizes, strict=True)])
    parts = team.balance(losses(network, batch.samples, batch.seeds), sampled(model))
    model.transform.room = (0, 0)
    loss: Tensor = weighted_sum(config, parts)
    optimiser.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip_norm)
    told = {**parts, "loss": loss, "gradient_norm": norm}
    values = dict(zip(told, team.mean(numbers(told.values())), strict=True))
    if not_finite(values):
        at_fault = team.gather(pictures_at_fault(model, batch))
        raise diverged(values, epoch, number, team.gather(batch.names), at_fault)
    optimiser.step()
    return values


def sampled(model: StudioRCNN) -> dict[str, int]:
    """How many anchors or RoIs each loss of the last step is a mean of."""
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
    """Losses and AP on the validation set, whose detections are written; without one, detections on some training
    pictures, to look at."""
    asked = cancelled if team.size == 1 else never  # or one of them would leave the others waiting
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


def keep_weights(model: StudioRCNN, run: RunFolder, course: Course, kept: int) -> None:
    """Write the checkpoint of the epoch that has just ended, as the best one too if it is; drop those that are old."""
    weights.save(model, run.checkpoint(course.finished), course.finished)
    if course.best_epoch == course.finished:
        weights.save(model, run.best, course.finished)
    for old in list(run.checkpoints().values())[: -kept or None]:
        old.unlink()


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    cv2.setNumThreads(1)  # its pictures are small, and its threads would take turns with torch's


def make_optimiser(model: StudioRCNN) -> torch.optim.Optimizer:
    """AdamW or SGD over all weights, of which those without a gradient stay as they are; weight decay pulls weights,
    not biases or norms (they have one dimension)."""
    config = model.config
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.learning_momentum)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.learning_momentum, 0.999))


def state_of(
    model: StudioRCNN, optimiser: torch.optim.Optimizer, average: RunningMean, clock: Clock, course: Course
) -> dict[str, Any]:
    """All that the next step depends on. What is random follows from the seed and the number of the step."""
    return {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.state(),
        "clock": clock.state(),
        "course": course.state(),
    }


def restore(
    state: dict[str, Any],
    model: StudioRCNN,
    optimiser: torch.optim.Optimizer,
    average: RunningMean,
    clock: Clock,
    course: Course,
) -> None:
    """Put everything to where `state_of` found it."""
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    average.restore(state["average"])
    clock.restore(state["clock"])
    course.restore(state["course"])
