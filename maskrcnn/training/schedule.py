"""The schedule of a training: the progress, the stages, the ends of epochs, and the learning rate of each step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from maskrcnn.config import Config, Stage
from maskrcnn.runs.epochs_and_passes import steps_per_epoch

TIMED_STEPS = 5
"""Number of steps that are timed to determine the length of an epoch in a run by minutes."""


class ScheduleClock:
    """The progress of a run, from 0 to 1, and everything that depends on it: stage, learning rate, end of the epoch.

    In a run by `epochs`, the progress is the share of the steps. In a run by `minutes`, it is the share of the time, so
    that the schedule ends with the time budget on any machine. `runs.epochs_and_passes.EPOCH_MEANING` defines the
    length of an epoch. In a run by minutes it is determined at step `_length_known_at`, from the time of the
    `TIMED_STEPS` steps before it, when most pictures are in memory. This step is a multiple of `steps_per_pass`, so
    that the first epoch has whole passes, too.

    Time is read only in `tick` and `read_time`. So several processes with the same times make the same decisions.
    """

    def __init__(self, config: Config, steps_per_pass: int, now: Callable[[], float] = time.monotonic) -> None:
        self.config = config
        self.steps_per_pass = steps_per_pass
        self.steps_per_epoch = config.steps_per_epoch or steps_per_pass
        self.stages = config.stages
        self.step = 0
        self.step_of_epoch = 0
        self.elapsed = 0.0
        self._now = now
        self._started = now()
        self._timed_from = 0.0
        self._epoch_length_is_known = config.minutes is None or config.steps_per_epoch is not None
        # The first steps are not timed: they are slow, because of the warm-up and the reading of pictures.
        passes = 1 if steps_per_pass > TIMED_STEPS else 1 + math.ceil(TIMED_STEPS / steps_per_pass)
        self._length_known_at = passes * steps_per_pass
        # The progress and the step at which the current stage began.
        self._stage = 0
        self._stage_from = (0.0, 0)

    @property
    def progress(self) -> float:
        """The progress of the run: 0 at the start, 1 at the end."""
        if self.config.minutes is not None:
            return min(1.0, self.elapsed / (60 * self.config.minutes))
        return min(1.0, self.step / (self.config.epochs or 1) / self.steps_per_epoch)

    @property
    def eta(self) -> float | None:
        """Estimated seconds until the end; None before the first step."""
        progress = self.progress
        return self.elapsed * (1 - progress) / progress if progress > 0 and self.step else None

    @property
    def epoch_is_over(self) -> bool:
        """Whether the epoch ends after this step, so that a validation follows.

        An epoch has at least one step. A rest of the run of up to half an epoch is added to the last epoch. In a run by
        minutes, the first epoch does not end before the length of an epoch is known (see `tick`), or the run is over.
        """
        if self.step_of_epoch == 0:
            return False
        if self.progress >= 1:
            return True
        steps_left = self.step * (1 - self.progress) / max(self.progress, 1e-9)
        is_long_enough = self.step_of_epoch >= self.steps_per_epoch
        return self._epoch_length_is_known and is_long_enough and steps_left > self.steps_per_epoch / 2

    @property
    def stage(self) -> Stage:
        """The current stage: the layers that are trained, the progress at its end, and its learning rate factor."""
        return self.stages[self._stage]

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step.

        Each stage has a linear warm-up over `warmup_steps` and a cosine decay to 0 (Loshchilov and Hutter 2017, eq. 5).
        """
        start, first_step = self._stage_from
        share = min(1.0, (self.progress - start) / max(self.stage.until - start, 1e-9))
        warmup = min(1.0, (self.step - first_step + 1) / (self.config.warmup_steps + 1))
        return self.config.learning_rate * self.stage.rate * warmup * 0.5 * (1 + math.cos(math.pi * share))

    def time(self) -> float:
        """Seconds of training so far, including those before a resume."""
        return self._now() - self._started

    def next_epoch(self) -> None:
        """Begin the next epoch."""
        self.step_of_epoch = 0

    def read_time(self, elapsed: float | None = None) -> None:
        """Set `elapsed` to the given seconds of training (None: read the clock). Begin the next stage if it is due."""
        self.elapsed = self.time() if elapsed is None else elapsed
        while self.progress >= self.stage.until and self._stage + 1 < len(self.stages):
            self._stage += 1
            self._stage_from = (self.progress, self.step)

    def tick(self, elapsed: float | None = None) -> None:
        """Count a finished step and read the time.

        In a run by minutes the length of the epochs is not known at first. It is determined at the step
        `_length_known_at`, from the time of the `TIMED_STEPS` steps before it.
        """
        self.step += 1
        self.step_of_epoch += 1
        self.read_time(elapsed)
        if self.step == self._length_known_at - TIMED_STEPS:
            self._timed_from = self.elapsed
        if self.step == self._length_known_at and not self._epoch_length_is_known:
            seconds = max((self.elapsed - self._timed_from) / TIMED_STEPS, 1e-6)
            self.steps_per_epoch = steps_per_epoch(self.config, self.steps_per_pass, seconds)
            self._epoch_length_is_known = True

    def state(self) -> dict[str, Any]:
        """The state of the clock as a dictionary for `restore`, to resume the run."""
        return {
            "step": self.step,
            "step_of_epoch": self.step_of_epoch,
            "elapsed": self.elapsed,
            "steps_per_epoch": self.steps_per_epoch,
            "epoch_is_fixed": self._epoch_length_is_known,
            "timed_from": self._timed_from,
            "stages": [list(stage) for stage in self.stages],
            "stage": self._stage,
            "stage_from": list(self._stage_from),
            "length": [self.config.epochs, self.config.minutes],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the `state` of an earlier attempt.

        If the config has a longer run than the state, only the last stage is extended, to the new end of the run; the
        others end at the same step or second as before. If the last stage had begun already, it starts again, with a
        warm-up and the full learning rate (warm restart, Loshchilov and Hutter 2017).
        """
        self.step, self.step_of_epoch, self.elapsed = state["step"], state["step_of_epoch"], state["elapsed"]
        self.steps_per_epoch, self._epoch_length_is_known = state["steps_per_epoch"], state["epoch_is_fixed"]
        self._timed_from = state["timed_from"]
        self._started = self._now() - self.elapsed
        self.stages = tuple(Stage(*stage) for stage in state["stages"])
        self._stage, self._stage_from = state["stage"], (state["stage_from"][0], state["stage_from"][1])
        planned_epochs, planned_minutes = state["length"]
        if (planned_epochs, planned_minutes) != (self.config.epochs, self.config.minutes):
            # The length was planned in one of the two units; the other is None.
            self._extend_last_stage(planned_epochs or planned_minutes)

    def _extend_last_stage(self, old_length: float) -> None:
        """Extend the last stage of the schedule, because the run now has the length in `config`.

        `old_length` is the length before, in epochs or minutes.
        """
        # Progress is the share of the length, so at the same step it is smaller in the longer run.
        new_length = self.config.epochs or self.config.minutes or 1
        scale = old_length / new_length
        *before, last = self.stages
        self.stages = (*(stage._replace(until=stage.until * scale) for stage in before), last)
        if self.stage is last:
            self._stage_from = (self.progress, self.step)
        else:
            started, step = self._stage_from
            self._stage_from = (started * scale, step)
