"""The training loop, from top to bottom: `train` is the whole run, `step` one step of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.temporary_attributes import temporary_attributes
from maskrcnn.runs.epochs_and_passes import pictures_per_step, steps_per_pass
from maskrcnn.runs.folder import Row, RunFolder
from maskrcnn.training.averaging import RunningMean
from maskrcnn.training.batch_loader import Batch, BatchLoader, loader_threads
from maskrcnn.training.distributed import Team
from maskrcnn.training.hardware import seed_everything
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.losses import batch_losses, fetched_losses, loss_sample_counts, weighted_loss
from maskrcnn.training.optimiser import make_optimiser
from maskrcnn.training.run_history import RunHistory
from maskrcnn.training.saved_state import load_training_state, save_epoch_checkpoint, save_state, training_state
from maskrcnn.training.schedule import ScheduleClock
from maskrcnn.training.step_metrics import StepMetrics
from maskrcnn.training.training_errors import disk_errors_explained, memory_errors_explained, require_finite
from maskrcnn.training.training_speedups import prepared_for_training
from maskrcnn.training.validation import Interrupted, never_cancelled, validate

STATE_EVERY = 60.0
"""Seconds between two saved states within a long epoch: a killed run loses at most this time."""


def train(
    model: StudioRCNN,
    training: LabelledSamples,
    validation: LabelledSamples | None,
    run: RunFolder,
    report: Callable[[Row], None] = lambda row: None,
    cancelled: Callable[[], bool] = never_cancelled,
    resumed: dict[str, Any] | None = None,
    team: Team | None = None,
) -> Row:
    """Train `model` with its config, write metrics, detections and checkpoints into `run`, and return the result.

    `report` is called with every row of `metrics.jsonl`, `cancelled` after every step. `resumed` is the state from
    which the run continues (`saved_state.load_state`). In a `team` every process calls this, and only the first one
    writes. Afterwards `model` has the weights of the last step, and computes as it was built.

    Raises `StudioError` if a loss is not finite, or the memory or the disk is full; files that were saved before are
    kept.
    """
    config, team = model.config, team or Team()
    seed_everything(config.seed)
    team.broadcast_weights(model)
    optimiser = make_optimiser(model)
    average = RunningMean(model, config.ema)
    clock = ScheduleClock(config, steps_per_pass(config.batch_size, len(training)))
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
        stack.enter_context(memory_errors_explained(config))
        stack.enter_context(disk_errors_explained(run.path))
        stack.enter_context(prepared_for_training(model))
        if not resumed:
            save()  # from here on the run can be resumed
        loader = stack.enter_context(BatchLoader(training, config, clock.step, team.rank, team.size, threads))
        metrics = StepMetrics(model, pictures_per_step(config.batch_size, len(training)))
        layers = ""
        network: nn.Module = model
        while not history.stopped_early and (history.finished == 0 or clock.progress < 1 or clock.step_of_epoch):
            model.train()
            metrics.start()
            while not clock.epoch_is_over:
                if clock.stage.layers != layers:
                    layers = clock.stage.layers
                    model.set_layers(layers)
                    network = team.wrap(model)
                rate = clock.learning_rate
                values = step(network, optimiser, next(loader), rate, clock.step + 1, history.finished + 1, team)
                average.update()
                measured = metrics.row(loader.waited)

                elapsed, stop = team.total([clock.time() * team.leads, float(cancelled())])
                clock.tick(elapsed)
                values |= {"learning_rate": rate, **measured}
                history.add(values, layers)
                record({**history.row_position(clock, "step"), "layers": layers, **values})
                if stop:
                    save()
                    return history.result("cancelled", clock)
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
                        save_epoch_checkpoint(model, run, history, config.checkpoints_kept)
            except Interrupted:
                save()
                return history.result("cancelled", clock)
            record({**history.row_position(clock, "epoch", epoch=history.finished), **row})
            clock.next_epoch()
            save()
    return history.result("done", clock)


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

    Returns the losses, their weighted sum `loss`, and `gradient_norm` (before clipping). `network` is the model, or the
    result of `team.wrap`; `rate` is the learning rate. Raises `StudioError` if a value is not finite, before the
    weights change; `number` and `epoch` are used in its message.
    """
    model: Any = getattr(network, "module", network)
    config = model.config
    for group in optimiser.param_groups:
        group["lr"] = rate

    # Forward: the losses of the batch, and their weighted sum.
    sizes = [picture.shape[1:] for picture, _ in batch.samples]
    largest_sides = team.largest([max(sides) for sides in zip(*sizes, strict=True)])
    # Every process pads its pictures to the same size: "room" is the minimum size of the padded batch.
    with temporary_attributes((model.transform, "room", largest_sides)):
        parts = batch_losses(network, batch.samples, batch.seeds)
    parts = team.balance(parts, loss_sample_counts(model))
    loss: Tensor = weighted_loss(config, parts)

    # Backward: the gradient of this sum for every trained weight.
    optimiser.zero_grad()
    loss.backward()

    # Clip: a gradient longer than `gradient_clip_norm` is scaled to this length.
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip_norm)

    found = {**parts, "loss": loss, "gradient_norm": norm}
    values = dict(zip(found, team.mean(fetched_losses(found.values())), strict=True))
    require_finite(values, model, batch, epoch, number, team)

    # Step: move the weights against the gradient.
    optimiser.step()
    return values
