"""How long a run takes, from what its parts cost on a machine. Knows no torch, so that a page can work with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.training.schedule import EPOCHS_IN_A_BUDGET


@dataclass(frozen=True)
class Costs:
    """What the parts of a training take on one machine, in seconds.

    `step`: word of `config.LAYERS` -> one step while these learn, pictures from memory; `first_read`: what a picture
    takes more when it is seen for the first time; `validation`: one validation picture, losses and detections; `epoch`:
    what each epoch takes besides, to make the network ready for that and to write its weights; `start`: from the start
    of the process to the first step. `memory_mb` is of the graphics card where one computes, else of the process.
    """

    step: Mapping[str, float]
    first_read: float
    validation: float
    epoch: float
    start: float
    memory_mb: float

    @classmethod
    def parse(cls, fields: Any) -> Costs:
        """From what `asdict` gave, which may have been on disk. Raises `StudioError` where that is something else."""
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
    """How long a run takes.

    `seconds` is all of it, from the start of the process; with `patience` it is the most that it can take.
    `seconds_per_step` is the mean over the run's stages; `epochs` is how many there are or, with `minutes`, how many
    fit; `validation_seconds` are those of one epoch.
    """

    seconds_per_step: float
    steps_per_epoch: int
    validation_seconds: float
    seconds_to_start: float
    seconds: float
    images_per_second: float
    memory_mb: float
    epochs: int
    costs: Costs

    def as_json(self) -> dict[str, Any]:
        """What `train --estimate` prints as its last line."""
        return asdict(self)


def estimate_of(costs: Costs, config: Config, pictures: int, validated: int) -> Estimate:
    """How long the run that `config` describes takes at these costs, with so many pictures to learn from and to
    validate on.

    With `epochs`, a stage's share is one of steps, so the mean step is the weighted mean of its stages' steps. With
    `minutes` it is a share of the time, in which a cheap stage takes more steps: then it is the harmonic mean.
    """
    shares = shares_of(config)
    per_pass = math.ceil(pictures / config.batch_size)
    validation = validated * costs.validation
    besides = validation + costs.epoch
    first_pass = pictures * costs.first_read
    if config.minutes is None:
        step = sum(share * costs.step[word] for word, share in shares.items())
        steps = config.steps_per_epoch or per_pass
        epochs = config.epochs or 1
        seconds = epochs * (steps * step + besides) + first_pass
    else:
        step = 1 / sum(share / costs.step[word] for word, share in shares.items())
        seconds = 60 * config.minutes
        steps = config.steps_per_epoch or max(per_pass, round(seconds / EPOCHS_IN_A_BUDGET / step))
        epochs = max(1, round((seconds - first_pass) / (steps * step + besides)))
    return Estimate(
        seconds_per_step=step,
        steps_per_epoch=steps,
        validation_seconds=validation,
        seconds_to_start=costs.start,
        seconds=costs.start + seconds,
        images_per_second=config.batch_size / step,
        memory_mb=costs.memory_mb,
        epochs=epochs,
        costs=costs,
    )


def shares_of(config: Config) -> dict[str, float]:
    """Word of `config.LAYERS` -> the share of the run in (0, 1] during which these layers learn."""
    shares: dict[str, float] = {}
    begins = 0.0
    for stage in config.stages:
        shares[stage.layers] = shares.get(stage.layers, 0.0) + stage.until - begins
        begins = stage.until
    return shares
