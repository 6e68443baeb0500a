"""Costs of the parts of a training (seconds per step, per picture, to start), and how long a run takes by them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from maskrcnn.config import Config
from maskrcnn.durations import short
from maskrcnn.errors import StudioError
from maskrcnn.runs import epochs as epoch_rules
from maskrcnn.runs.folder import CONFIG, PROCESS, Row, RunFolder
from maskrcnn.words import byte_size, counted

_WARM_UP_STEPS = 2
"""Steps at the start of a run that are not counted: they are slow."""

_USUAL_START = 10.0
"""Seconds from the start of the process to the first step, where a run does not say."""


@dataclass(frozen=True)
class Costs:
    """What the parts of a training take on one machine, in seconds.

    `step`: word of `config.LAYERS` -> one step on a full batch while these learn, pictures from memory (of fewer
    pictures than a batch has, a step takes as much less); `first_read`: what a picture takes more when it is seen for
    the first time; `validation`: one validation picture, losses and detections; `epoch`: what each epoch takes besides,
    to make the network ready for that and to write its weights; `start`: from the start of the process to the first
    step. `memory_mb` (in 2**20 bytes) is of the graphics card where one computes, else of the process.
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

    `seconds` is all of it, from the start of the process; with `patience` it is the most that it can take. Without
    `seconds_to_start` it is `seconds_of_training`, which is what a run says that it took. `seconds_per_step` is the
    mean over the run's stages; `epochs` is how many there are or, with `minutes`, about how many fit; `passes` is how
    many times an epoch goes through the training pictures; `validation_seconds` are those of one epoch.
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
        """From the first step on, with all validations: the time that the run will have taken."""
        return self.seconds - self.seconds_to_start

    def as_json(self) -> dict[str, Any]:
        """What `train --estimate` prints as its last line."""
        return asdict(self)


def estimate_of(costs: Costs, config: Config, pictures: int, validated: int) -> Estimate:
    """How long the run that `config` describes takes at these costs, with so many pictures to learn from and to
    validate on.

    With `epochs`, a stage's share is one of steps, so the mean step is the weighted mean of its stages' steps. With
    `minutes` it is a share of the time, in which a cheap stage takes more steps: then it is the harmonic mean. A run
    whose minutes are over before its first epoch is has the steps that fit.
    """
    shares = shares_of(config)
    per_step = epoch_rules.pictures_per_step(config.batch_size, pictures)
    step_of = {word: costs.step[word] * per_step / config.batch_size for word in shares}
    per_pass = epoch_rules.steps_per_pass(config.batch_size, pictures)
    validation = validated * costs.validation
    besides = validation + costs.epoch
    first_pass = pictures * costs.first_read
    if config.minutes is None:
        step = sum(share * step_of[word] for word, share in shares.items())
        steps = epoch_rules.steps_per_epoch(config, per_pass, step)
        epochs = config.epochs or 1
        seconds = epochs * (steps * step + besides) + first_pass
    else:
        step = 1 / sum(share / step_of[word] for word, share in shares.items())
        seconds = 60 * config.minutes
        fitting = max(1, round(seconds / (step + per_step * costs.first_read)))
        steps = min(epoch_rules.steps_per_epoch(config, per_pass, step), fitting)
        epochs = max(1, round((seconds - first_pass) / (steps * step + besides)))
    return Estimate(
        seconds_per_step=step,
        steps_per_epoch=steps,
        validation_seconds=validation,
        seconds_to_start=costs.start,
        seconds=costs.start + seconds,
        images_per_second=per_step / step,
        memory_mb=costs.memory_mb,
        epochs=epochs,
        passes=epoch_rules.passes(steps, config.batch_size, pictures),
        costs=costs,
    )


def costs_of_run(run: RunFolder, config: Config, rows: list[Row]) -> Costs | None:
    """Seconds per step, validation and start, from the `rows` of the metrics of a run; None for too few rows."""
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
        first_read=0.0,  # the median step is one whose pictures are in memory
        validation=statistics.median(validations) / validated if validated else 0.0,
        epoch=0.0,  # the rows do not say how long the checkpoints took
        start=_seconds_to_start(run),
        memory_mb=max((row["memory_mb"] for row in rows if row.get("memory_mb")), default=0.0),
    )


def _seconds_to_start(run: RunFolder) -> float:
    """Seconds from the start of the process until the Config was written, shortly before the first step."""
    started = (run.read_json(PROCESS) or {}).get("started")
    took = (run.path / CONFIG).stat().st_mtime - started if started else -1.0
    return took if 0 < took < 600 else _USUAL_START  # else the two are of different attempts


def shares_of(config: Config) -> dict[str, float]:
    """Word of `config.LAYERS` -> the share of the run in (0, 1] during which these layers learn."""
    shares: dict[str, float] = {}
    begins = 0.0
    for stage in config.stages:
        shares[stage.layers] = shares.get(stage.layers, 0.0) + stage.until - begins
        begins = stage.until
    return shares


# Words, the same on a page and on a terminal


def parts_in_words(found: Estimate, config: Config) -> str:
    """`0.9 s a step, 16 steps an epoch (once through the pictures), 20 epochs, 3 s of validation each, 12 s to start,
    1.9 GB of memory`"""
    nearly = "" if config.minutes is None else "about "
    steps = counted(found.steps_per_epoch, "step")
    parts = [
        f"{short(found.seconds_per_step)} a step",
        f"{nearly if config.steps_per_epoch != found.steps_per_epoch else ''}{steps} an epoch "
        f"({times_through(found.passes)})",
        f"{nearly}{counted(found.epochs, 'epoch')}",
    ]
    if found.validation_seconds:
        parts.append(f"{short(found.validation_seconds)} of validation each")
    parts.append(f"{short(found.seconds_to_start)} to start")
    if found.memory_mb:
        parts.append(f"{byte_size(found.memory_mb * 2**20)} of memory")
    return ", ".join(parts)


def times_through(passes: float) -> str:
    """`once through the pictures`, `4 times through the pictures`, `0.5 times ...`, `0.017 times ...`

    A pass is rounded up to whole steps, so what is nearly once counts as once. What is little stays more than nothing.
    """
    if 0 < passes < 0.1:
        return f"{passes:.2g} times through the pictures"
    times = f"{passes:.0f}" if passes >= 9.95 or abs(passes - round(passes)) < 0.05 else f"{passes:.1f}"
    return "once through the pictures" if times in ("1", "1.0") else f"{times} times through the pictures"
