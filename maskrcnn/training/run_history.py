"""The history of a run: number of finished epochs, the best epoch, and sums over the steps of the current epoch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from maskrcnn.config import Config
from maskrcnn.runs.best_epoch import Best, better
from maskrcnn.runs.folder import Row
from maskrcnn.training.schedule import ScheduleClock


@dataclass
class RunHistory:
    """The history of a run so far.

    `finished` is the number of finished epochs. `best_epoch` is the best of them, with `best_score` of `best_measure`
    (see `runs.best_epoch`), and `stale` the number of epochs since then. `stopped_early` says that the patience ran
    out. `sums` are the sums of the values over the steps of the current epoch, `layers` the layers that the last step
    trained. `saved` is the time of the last saved state, in seconds of the run.
    """

    finished: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    best_measure: str | None = None
    stale: int = 0
    stopped_early: bool = False
    sums: dict[str, float] = field(default_factory=dict)
    layers: str = ""
    saved: float = 0.0

    def add(self, values: dict[str, float], layers: str) -> None:
        """Add the values of a step that trained `layers` to the current epoch."""
        self.layers = layers
        self.sums = {name: self.sums.get(name, 0.0) + value for name, value in values.items()}

    def means(self, steps: int) -> Row:
        """The means over the `steps` steps of the current epoch, and the trained layers."""
        return {"layers": self.layers, **{name: total / steps for name, total in self.sums.items()}}

    def finish(self, config: Config, row: Row, *, validated: bool) -> None:
        """End the current epoch, whose metrics are `row`: update the best epoch, and whether the patience has run out.

        Without a validation set, the last epoch is the best.
        """
        self.finished += 1
        self.sums = {}
        best = better(self.best, self.finished, row) if validated else Best(self.finished)
        self.best_epoch, self.best_score, self.best_measure = best.epoch, best.score, best.measure
        self.stale = 0 if best.epoch == self.finished else self.stale + 1
        self.stopped_early = validated and config.patience is not None and self.stale >= config.patience

    @property
    def best(self) -> Best | None:
        """The best epoch so far; None before the end of the first."""
        return Best(self.best_epoch, self.best_score, self.best_measure) if self.best_epoch else None

    def state(self) -> dict[str, Any]:
        """The history as a dictionary for `restore`, to resume the run."""
        return asdict(self)

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from `state`. If the patience had run out, it starts again."""
        for name, value in state.items():
            setattr(self, name, value)
        if self.best_score is not None and self.best_score < 0:  # older versions wrote -1 if nothing was measured
            self.best_score = None
        if self.stopped_early:
            self.stopped_early, self.stale = False, 0

    def row_position(self, clock: ScheduleClock, event: str, epoch: int | None = None) -> Row:
        """The fields of a metrics row that give its position in the run: event, epoch, step, progress and times.

        `epoch` is the current one if it is None.
        """
        return {
            "event": event,
            "epoch": epoch or self.finished + 1,
            "step": clock.step,
            "progress": clock.progress,
            "elapsed": clock.elapsed,
            "eta": clock.eta,
        }

    def result(self, state: str, clock: ScheduleClock) -> Row:
        """The content of result.json of a run that ends now with this `state` ("done" or "cancelled")."""
        return {
            "state": state,
            "epochs": self.finished,
            "best_epoch": self.best_epoch,
            "stopped_early": self.stopped_early,
            "seconds": clock.elapsed,
        }
