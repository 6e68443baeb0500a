"""The history of a run: how many epochs it has, which is the best, and sums of the epoch under way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from maskrcnn.config import Config
from maskrcnn.runs.best_epoch import Best, better
from maskrcnn.runs.folder import Row
from maskrcnn.training.schedule import ScheduleClock


@dataclass
class RunHistory:
    """`finished` epochs, the best of which (see `epochs.best_epoch`) is `best_epoch` with `best_score` of
    `best_measure`; since that one, `stale` have gone by.

    `sums` are those of the steps of the epoch under way, `layers` what learned in the last one of them; `saved` is when
    (in seconds of the run) it was last saved.
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
        """Count the values of a step in, in which these `layers` learned."""
        self.layers = layers
        self.sums = {name: self.sums.get(name, 0.0) + value for name, value in values.items()}

    def means(self, steps: int) -> Row:
        """The means over the `steps` of the epoch under way, and what learned."""
        return {"layers": self.layers, **{name: total / steps for name, total in self.sums.items()}}

    def finish(self, config: Config, row: Row, *, validated: bool) -> None:
        """An epoch has ended with that row: is it the best, and has patience run out?

        Where nothing is measured the last epoch counts as the best.
        """
        self.finished += 1
        self.sums = {}
        best = better(self.best, self.finished, row) if validated else Best(self.finished)
        self.best_epoch, self.best_score, self.best_measure = best.epoch, best.score, best.measure
        self.stale = 0 if best.epoch == self.finished else self.stale + 1
        self.stopped_early = validated and config.patience is not None and self.stale >= config.patience

    @property
    def best(self) -> Best | None:
        """The best epoch so far, None before the first has ended."""
        return Best(self.best_epoch, self.best_score, self.best_measure) if self.best_epoch else None

    def state(self) -> dict[str, Any]:
        return asdict(self)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`; patience that had run out begins anew."""
        for name, value in state.items():
            setattr(self, name, value)
        if self.best_score is not None and self.best_score < 0:  # how an older studio said that nothing was measured
            self.best_score = None
        if self.stopped_early:
            self.stopped_early, self.stale = False, 0


def position(clock: ScheduleClock, history: RunHistory, event: str, epoch: int | None = None) -> Row:
    """Fields of a row of `metrics.jsonl` for the position in the run: epoch, step, progress, time."""
    return {
        "event": event,
        "epoch": epoch or history.finished + 1,
        "step": clock.step,
        "progress": clock.progress,
        "elapsed": clock.elapsed,
        "eta": clock.eta,
    }


def result(state: str, clock: ScheduleClock, history: RunHistory) -> Row:
    """The content of `result.json` of a run that has ended."""
    return {
        "state": state,
        "epochs": history.finished,
        "best_epoch": history.best_epoch,
        "stopped_early": history.stopped_early,
        "seconds": clock.elapsed,
    }
