"""Costs of a training (seconds per step, per picture and for the start), and the estimated duration of a run.

Costs are measured before a training (`training.trial_steps`), or are those of an earlier run, from its metrics.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from maskrcnn.config import Config
from maskrcnn.config.layer_schedule import layer_shares
from maskrcnn.durations import about, short
from maskrcnn.errors import StudioError
from maskrcnn.runs import epochs_and_passes
from maskrcnn.runs.folder import CONFIG, PROCESS, Row, RunFolder
from maskrcnn.words import byte_size, counted

_WARM_UP_STEPS = 2
"""Number of steps at the start of a run that are ignored, because they are slow."""

_USUAL_START = 10.0
"""Seconds from the start of the process to the first step, used if a run does not record them."""


@dataclass(frozen=True)
class Costs:
    """The costs of a training on one machine, in seconds.

    `step`: group of layers (a value of `config.LAYERS`) -> one step on a full batch while these layers are trained,
    with pictures in memory. The time of a smaller batch is proportional. `first_read`: extra time of a picture that is
    read for the first time. `validation`: one validation picture, losses and detections. `epoch`: other time per epoch,
    to prepare the validation and to write the weights. `start`: from the start of the process to the first step.
    `memory_mb` (in 2**20 bytes): memory of the GPU if one is used, otherwise of the process.
    """

    step: Mapping[str, float]
    first_read: float
    validation: float
    epoch: float
    start: float
    memory_mb: float

    @classmethod
    def parse(cls, fields: Any) -> Costs:
        """The costs from the dictionary of `asdict`, for example from a file. Raises `StudioError` if it is invalid."""
        try:
            step = {str(word): float(seconds) for word, seconds in fields["step"].items()}
            others = [float(fields[name]) for name in ("first_read", "validation", "epoch", "start", "memory_mb")]
            if not step or min(step.values()) <= 0 or not all(map(math.isfinite, [*step.values(), *others])):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StudioError("this is no measurement of a training; measure it again") from None
        return cls(step, *others)


@dataclass(frozen=True)
class Estimate:
    """The estimated duration of a run.

    `seconds` is the whole duration from the start of the process; with `patience` it is the maximum. `seconds_per_step`
    is the mean over the stages of the run. `epochs` is the number of epochs; with `minutes`, about how many fit.
    `passes` is how many times an epoch uses each training picture. `validation_seconds` is the validation time per
    epoch.
    """

    seconds_per_step: float
    steps_per_epoch: int
    validation_seconds: float
    seconds_to_start: float
    seconds: float
    images_per_second: float
    memory_mb: float
    epochs: int
    passes: float
    costs: Costs

    @property
    def seconds_of_training(self) -> float:
        """The duration from the first step on, including validations. This is the time that a finished run records."""
        return self.seconds - self.seconds_to_start

    def as_json(self) -> dict[str, Any]:
        """The dictionary that `train --estimate` prints as JSON in its last line."""
        return asdict(self)


def estimate_of(costs: Costs, config: Config, pictures: int, validated: int) -> Estimate:
    """Estimate the duration of the run `config` from `costs`.

    `pictures` and `validated` are the numbers of training and validation pictures. With `epochs`, each stage has a
    share of the steps, so the mean step time is the weighted mean over the stages. With `minutes`, each stage has a
    share of the time, so it is the weighted harmonic mean. If the minutes end before the first epoch does, the epoch
    has the steps that fit.
    """
    shares = layer_shares(config.stages)
    per_step = epochs_and_passes.pictures_per_step(config.batch_size, pictures)
    step_of = {word: costs.step[word] * per_step / config.batch_size for word in shares}
    per_pass = epochs_and_passes.steps_per_pass(config.batch_size, pictures)
    validation = validated * costs.validation
    seconds_after_steps = validation + costs.epoch
    first_pass = pictures * costs.first_read
    if config.minutes is None:
        step = sum(share * step_of[word] for word, share in shares.items())
        steps = epochs_and_passes.steps_per_epoch(config, per_pass, step)
        epochs = config.epochs or 1
        seconds = epochs * (steps * step + seconds_after_steps) + first_pass
    else:
        step = 1 / sum(share / step_of[word] for word, share in shares.items())
        seconds = 60 * config.minutes
        fitting = max(1, round(seconds / (step + per_step * costs.first_read)))
        steps = min(epochs_and_passes.steps_per_epoch(config, per_pass, step), fitting)
        epochs = max(1, round((seconds - first_pass) / (steps * step + seconds_after_steps)))
    return Estimate(
        seconds_per_step=step,
        steps_per_epoch=steps,
        validation_seconds=validation,
        seconds_to_start=costs.start,
        seconds=costs.start + seconds,
        images_per_second=per_step / step,
        memory_mb=costs.memory_mb,
        epochs=epochs,
        passes=epochs_and_passes.passes(steps, config.batch_size, pictures),
        costs=costs,
    )


def costs_of_run(run: RunFolder, config: Config, rows: list[Row]) -> Costs | None:
    """The costs of an earlier run, measured from its metrics `rows`; None if it has too few rows."""
    paces: dict[str, list[float]] = {}
    for row in rows:
        if row["event"] == "step" and row["step"] > _WARM_UP_STEPS and row["images_per_second"] > 0:
            paces.setdefault(row.get("layers", config.layers), []).append(row["images_per_second"])
    if not paces:
        return None
    validations = [row["validation_seconds"] for row in rows if row.get("validation_seconds")]
    validated = len((run.dataset()["val"] or {"images": ()})["images"]) if validations else 0
    return Costs(
        step={word: config.batch_size / statistics.median(found) for word, found in paces.items()},
        first_read=0.0,  # in the median step, the pictures are in memory already
        validation=statistics.median(validations) / validated if validated else 0.0,
        epoch=0.0,  # the rows do not say how long the checkpoints took
        start=_start_cost(run),
        memory_mb=max((row["memory_mb"] for row in rows if row.get("memory_mb")), default=0.0),
    )


def _start_cost(run: RunFolder) -> float:
    """The cost of a run's start: seconds from the start of its process until config.json was written.

    That is shortly before the first step.
    """
    started = (run.read_json(PROCESS) or {}).get("started")
    took = (run.path / CONFIG).stat().st_mtime - started if started else -1.0
    return took if 0 < took < 600 else _USUAL_START  # otherwise, the times are from different attempts


# Texts, the same for the pages and the terminal


def estimate_parts_in_words(found: Estimate, config: Config) -> str:
    """The parts of an `Estimate` as text: `0.9 s a step, 16 steps an epoch (once through the pictures), 20 epochs,
    3 s of validation each, 12 s to start, 1.9 GB of memory`"""
    nearly = "" if config.minutes is None else "about "
    steps = counted(found.steps_per_epoch, "step")
    parts = [
        f"{short(found.seconds_per_step)} a step",
        f"{nearly if config.steps_per_epoch != found.steps_per_epoch else ''}{steps} an epoch "
        f"({epochs_and_passes.times_through(found.passes)})",
        f"{nearly}{counted(found.epochs, 'epoch')}",
    ]
    if found.validation_seconds:
        parts.append(f"{short(found.validation_seconds)} of validation each")
    parts.append(f"{short(found.seconds_to_start)} to start")
    if found.memory_mb:
        parts.append(f"{byte_size(found.memory_mb * 2**20)} of memory")
    return ", ".join(parts)


def estimate_in_words(found: Estimate, config: Config) -> str:
    """A cost estimate as text: `about 12 minutes: 0.9 s a step, 16 steps an epoch (once through the pictures), ...`.

    The total is the time of the training without the start-up time, which is listed as a part.
    """
    most = "at most " if config.patience else ""
    return f"{most}{about(found.seconds_of_training)}: {estimate_parts_in_words(found, config)}"
