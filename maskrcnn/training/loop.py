"""The training loop, top to bottom, in the order in which things happen."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from maskrcnn.errors import StudioError
from maskrcnn.model import weights
from maskrcnn.model.build import StudioRCNN
from maskrcnn.training.run_folder import Row, RunFolder, finest_ap
from maskrcnn.training.samples import LabelledPictures, batches
from maskrcnn.training.schedule import Clock
from maskrcnn.training.validation import average_precision, detect_all, losses, validation_losses, weighted_sum

CHECKPOINTS_KEPT = 3
"""How many of the last epochs keep their checkpoint, beside the best one."""


def train(
    model: StudioRCNN,
    training: LabelledPictures,
    validation: LabelledPictures | None,
    run: RunFolder,
    report: Callable[[Row], None] = lambda row: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Row:
    """Train `model` as its config says, writing metrics, detections and checkpoints into `run`; return the result.

    `report` gets every row that is written to `metrics.jsonl`; `cancelled` is asked after every step. Raises
    `StudioError` when a loss stops being finite; the checkpoints of earlier epochs stay.
    """
    config = model.config
    seed_everything(config.seed)
    model.set_layers(config.layers)
    model.transform.resized = True
    optimiser = make_optimiser(model)
    stream = batches(training, config.batch_size, config.seed)
    clock = Clock(config, steps_per_pass=math.ceil(len(training) / config.batch_size))
    best: tuple[float, int] = (-1.0, 0)
    epoch = 0

    while (epoch == 0 or clock.progress < 1) and not cancelled():
        epoch += 1
        clock.next_epoch()
        sums: dict[str, float] = {}
        model.train()
        while not clock.epoch_is_over and not cancelled():
            # One step: the losses, their weighted sum, its gradient, a bounded move against it.
            rate = clock.learning_rate
            for group in optimiser.param_groups:
                group["lr"] = rate
            began = clock.elapsed
            parts = losses(model, next(stream))
            loss = weighted_sum(config, parts)
            values = {name: value.item() for name, value in parts.items()} | {"loss": loss.item()}
            refuse_if_not_finite(values, epoch, clock.step + 1)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip_norm)
            optimiser.step()

            clock.tick()
            sums = {name: sums.get(name, 0.0) + value for name, value in values.items()}
            pace = config.batch_size / max(clock.elapsed - began, 1e-9)
            record(
                run,
                report,
                {**position(clock, epoch, "step"), **values, "learning_rate": rate, "images_per_second": pace},
            )
        if cancelled():
            break

        row: Row = {name: total / clock.step_of_epoch for name, total in sums.items()}
        if validation is not None and len(validation):
            row |= validation_losses(model, validation)
            detections = detect_all(model, validation)
            run.write_detections(epoch, detections)
            row |= average_precision(config, validation.document, detections)
        weights.save(model, run.checkpoint(epoch), epoch)
        # Without a validation set the last epoch counts as the best.
        score = row.get(finest_ap(row) or "") if validation is not None else float(epoch)
        if epoch == 1 or (score is not None and score > best[0]):
            best = (score if score is not None else -1.0, epoch)
            weights.save(model, run.best, epoch)
        for old in list(run.checkpoints().values())[:-CHECKPOINTS_KEPT]:
            old.unlink()
        record(run, report, {**position(clock, epoch, "epoch"), **row})

    finished = run.epochs()
    state = "cancelled" if cancelled() else "done"
    return {"state": state, "epochs": len(finished), "best_epoch": best[1], "seconds": clock.elapsed}


def seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_optimiser(model: StudioRCNN) -> torch.optim.Optimizer:
    """AdamW or SGD over what learns; weight decay pulls weights, not biases or norms (they have one dimension)."""
    config = model.config
    learning = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.learning_momentum)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.learning_momentum, 0.999))


def refuse_if_not_finite(values: dict[str, float], epoch: int, step: int) -> None:
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise StudioError(
            f"{bad[0]} is {values[bad[0]]} at epoch {epoch}, step {step}; try a learning_rate ten times lower"
        )


def position(clock: Clock, epoch: int, event: str) -> Row:
    """The part of a row that says where in the run it was written."""
    return {
        "event": event,
        "epoch": epoch,
        "step": clock.step,
        "progress": clock.progress,
        "elapsed": clock.elapsed,
        "eta": clock.eta,
    }


def record(run: RunFolder, report: Callable[[Row], None], row: Row) -> None:
    run.append_metrics(row)
    report(row)
