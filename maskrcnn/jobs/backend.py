"""What every place that trains must offer: the interface of the local backend, and of those on clusters.

A backend starts a training, tells its state and its progress, and cancels it. The trainer writes into the run folder,
so a backend adds only what the folder cannot say: whether the process, or the job of a cluster, still lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from maskrcnn.runs.folder import Row, RunFolder


class JobState(StrEnum):
    """What a training is doing. The values are stored in jobs.db and in result.json.

    >>> JobState("running").active, JobState("queued").ended
    (True, False)
    """

    QUEUED = "queued"
    """It waits for its device, or in the queue of a cluster."""
    STARTING = "starting"
    """It has its device; the first step is not done."""
    RUNNING = "running"
    CANCELLING = "cancelling"
    """It was asked to end and finishes its step."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Its process is gone and wrote no result: it was killed, or the machine was switched off."""

    @property
    def active(self) -> bool:
        """Whether its process is alive and holds its device."""
        return self in (JobState.STARTING, JobState.RUNNING, JobState.CANCELLING)

    @property
    def ended(self) -> bool:
        """Whether it neither trains nor waits."""
        return not self.active and self is not JobState.QUEUED


@dataclass(frozen=True)
class Training:
    """A training that is to be started: its run folder, and what was chosen.

    `options` are those of `python -m maskrcnn train`, without `--out`, `--device` and `--resume`. With `resume` the run
    folder is there already and is continued. `device` is a name that the backend knows, or "any". `expected_seconds`:
    the estimated duration, None where it is not known.
    """

    run: RunFolder
    options: tuple[str, ...]
    device: str = "any"
    resume: bool = False
    expected_seconds: float | None = None


@dataclass(frozen=True)
class Progress:
    """How far a training is. `fraction` lies in [0, 1]; `elapsed` and `eta` are seconds, None where nobody can know.

    `epoch` counts from 1 and is 0 before the first step; `epochs` is None for a run whose length is set in minutes.
    `row` is the last row of the metrics, None before the first step.
    """

    state: JobState
    epoch: int
    epochs: int | None
    fraction: float
    elapsed: float | None
    eta: float | None
    row: Row | None

    @property
    def active(self) -> bool:
        return self.state.active


class Backend(Protocol):
    """A place where trainings run. Every method returns at once and raises `StudioError` with the mend.

    Each start is a new attempt (`runs.attempts`): a backend makes its id and hands it to the trainer.
    """

    def start(self, training: Training) -> None:
        """Start a training, or queue it until there is room for it.

        Raises `ArgumentError` where the run folder exists already, the device is unknown or an option is not one of a
        training, and `StudioError` where the training cannot be resumed or nothing can be written.
        """

    def state(self, run: RunFolder) -> JobState:
        """What the training of that run is doing."""

    def progress(self, run: RunFolder) -> Progress:
        """How far the training of that run is."""

    def cancel(self, run: RunFolder) -> None:
        """Ask the training to end after its step; one that waits leaves the queue. Asked again later, kill it.

        Raises `StudioError` where it has ended, or where it was asked a moment ago and may still end by itself.
        """
