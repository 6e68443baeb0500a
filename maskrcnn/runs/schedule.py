"""The schedule of a run: its progress, its stages and the learning rate at each step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from maskrcnn.config import Config, Stage
from maskrcnn.runs.epochs import steps_per_epoch

TIMED_STEPS = 5
"""Steps by which the length of an epoch of a run with minutes is worked out."""


class Clock:
    """Where a run stands between 0 and 1, and what is left of it.

    With `epochs` the progress counts steps; with `minutes` it counts time, and the learning rate follows, so that the
    schedule always ends with the budget, on any machine. How long an epoch is says `epochs.EPOCH_MEANING`. With
    `minutes` it is known from step `_length_known_at` on, a multiple of `steps_per_pass`, so that the first epoch is
    whole passes, too; the steps that are timed for it are the last ones before, when most pictures are in memory.

    Time is read in `tick` and `read_time` only, so several processes that are given the same times decide the same.
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
        self._epoch_is_fixed = config.minutes is None or config.steps_per_epoch is not None
        # The first steps pay for warming up and for reading the pictures, and are not timed.
        passes = 1 if steps_per_pass > TIMED_STEPS else 1 + math.ceil(TIMED_STEPS / steps_per_pass)
        self._length_known_at = passes * steps_per_pass
        # Where the current stage began: its progress and its step.
        self._stage = 0
        self._stage_from = (0.0, 0)

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end."""
        if self.config.minutes is not None:
            return min(1.0, self.elapsed / (60 * self.config.minutes))
        return min(1.0, self.step / (self.config.epochs or 1) / self.steps_per_epoch)

    @property
    def eta(self) -> float | None:
        """Seconds left; None before the first step."""
        progress = self.progress
        return self.elapsed * (1 - progress) / progress if progress > 0 and self.step else None

    @property
    def epoch_is_over(self) -> bool:
        """Whether it is time to validate: after one step at least, and not when the rest is too short for an epoch."""
        if self.step_of_epoch == 0:
            return False
        if self.progress >= 1:
            return True
        rest = self.step * (1 - self.progress) / max(self.progress, 1e-9)
        return self._epoch_is_fixed and self.step_of_epoch >= self.steps_per_epoch and rest > self.steps_per_epoch / 2

    @property
    def stage(self) -> Stage:
        """What learns now, until when, and at which rate."""
        return self.stages[self._stage]

    @property
    def learning_rate(self) -> float:
        """In each stage a linear warm-up over `warmup_steps`, then half a cosine down to 0 (Loshchilov and Hutter 2017,
        eq. 5)."""
        start, first_step = self._stage_from
        share = min(1.0, (self.progress - start) / max(self.stage.until - start, 1e-9))
        warmup = min(1.0, (self.step - first_step + 1) / (self.config.warmup_steps + 1))
        return self.config.learning_rate * self.stage.rate * warmup * 0.5 * (1 + math.cos(math.pi * share))

    def time(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self._now() - self._started

    def next_epoch(self) -> None:
        self.step_of_epoch = 0

    def read_time(self, elapsed: float | None = None) -> None:
        """Set `elapsed` to the given seconds of training, or to those by this machine's clock; begin the next stage
        if it is due."""
        self.elapsed = self.time() if elapsed is None else elapsed
        while self.progress >= self.stage.until and self._stage + 1 < len(self.stages):
            self._stage += 1
            self._stage_from = (self.progress, self.step)

    def tick(self, elapsed: float | None = None) -> None:
        """Count a step that has just been taken, and read the time."""
        self.step += 1
        self.step_of_epoch += 1
        self.read_time(elapsed)
        if self.step == self._length_known_at - TIMED_STEPS:
            self._timed_from = self.elapsed
        if self.step == self._length_known_at and not self._epoch_is_fixed:
            seconds = max((self.elapsed - self._timed_from) / TIMED_STEPS, 1e-6)
            self.steps_per_epoch = steps_per_epoch(self.config, self.steps_per_pass, seconds)
            self._epoch_is_fixed = True

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {
            "step": self.step,
            "step_of_epoch": self.step_of_epoch,
            "elapsed": self.elapsed,
            "steps_per_epoch": self.steps_per_epoch,
            "epoch_is_fixed": self._epoch_is_fixed,
            "timed_from": self._timed_from,
            "stages": [list(stage) for stage in self.stages],
            "stage": self._stage,
            "stage_from": list(self._stage_from),
            "length": [self.config.epochs, self.config.minutes],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`. Where the run has been made longer since, the stages end when they were to end, and the
        last one goes on to the new end; if it has begun, with a warm restart (Loshchilov and Hutter 2017)."""
        self.step, self.step_of_epoch, self.elapsed = state["step"], state["step_of_epoch"], state["elapsed"]
        self.steps_per_epoch, self._epoch_is_fixed = state["steps_per_epoch"], state["epoch_is_fixed"]
        self._timed_from = state["timed_from"]
        self._started = self._now() - self.elapsed
        self.stages = tuple(Stage(*stage) for stage in state["stages"])
        self._stage, self._stage_from = state["stage"], (state["stage_from"][0], state["stage_from"][1])
        planned = state["length"]
        if planned != [self.config.epochs, self.config.minutes]:
            shorter = (planned[0] or planned[1]) / (self.config.epochs or self.config.minutes or 1)
            *before, last = self.stages
            self.stages = (*(stage._replace(until=stage.until * shorter) for stage in before), last)
            started, step = self._stage_from
            self._stage_from = (started * shorter, step)
            if self.stage is last:
                self._stage_from = (self.progress, self.step)
