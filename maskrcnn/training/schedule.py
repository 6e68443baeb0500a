"""How long a run lasts and how fast it learns at each moment."""

from __future__ import annotations

import math
import time

from maskrcnn.config import Config

EPOCHS_IN_A_BUDGET = 20
"""How many epochs a run of fixed minutes aims at, so that its curves have as many points."""

TIMED_STEPS = 5
"""After how many steps that length is known."""


class Clock:
    """Where a run stands between 0 and 1, and what is left of it.

    With `epochs` the progress counts steps; with `minutes` it counts time, and the learning rate follows, so that the
    schedule always ends with the budget, on any machine. An epoch of a run with `minutes` is at least one pass through
    the pictures, and long enough that about `EPOCHS_IN_A_BUDGET` fit.
    """

    def __init__(self, config: Config, steps_per_pass: int) -> None:
        self.config = config
        self.steps_per_pass = steps_per_pass
        self.steps_per_epoch = config.steps_per_epoch or steps_per_pass
        self.step = 0
        self.step_of_epoch = 0
        self._started = time.monotonic()
        self._timed_from = 0.0
        self._epoch_is_fixed = config.minutes is None or config.steps_per_epoch is not None

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

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

    def next_epoch(self) -> None:
        self.step_of_epoch = 0

    def tick(self) -> None:
        """Count a step that has just been taken."""
        self.step += 1
        self.step_of_epoch += 1
        if self.step == 1:  # the first step pays for warming up and is not timed
            self._timed_from = self.elapsed
        if self.step == 1 + TIMED_STEPS and self.config.minutes is not None and not self._epoch_is_fixed:
            seconds = max((self.elapsed - self._timed_from) / TIMED_STEPS, 1e-6)
            fitting = 60 * self.config.minutes / EPOCHS_IN_A_BUDGET / seconds
            self.steps_per_epoch = max(self.steps_per_pass, round(fitting))
            self._epoch_is_fixed = True

    @property
    def learning_rate(self) -> float:
        """Linear warm-up over `warmup_steps`, then half a cosine down to 0 (Loshchilov and Hutter 2017, eq. 5)."""
        warmup = min(1.0, (self.step + 1) / (self.config.warmup_steps + 1))
        return self.config.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * self.progress))
