"""The interface of a backend that runs trainings, on this machine or on a cluster.

A backend starts a training, reports its state and progress, and cancels it. The trainer writes its results into the run
folder. The backend only adds what the folder does not contain: whether the process or the cluster job is still alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from maskrcnn.jobs.run_state import JobState, Progress
from maskrcnn.runs.folder import RunFolder


@dataclass(frozen=True)
class Training:
    """A training to start: its run folder and its options.

    `options` are options of `python -m maskrcnn train`, without `--out`, `--device` and `--resume`. With `resume`, the
    run folder exists already and its training is continued. `device` is the name of a device of the backend, or "any".
    `expected_seconds` is the estimated duration, None if unknown.
    """

    run: RunFolder
    options: tuple[str, ...]
    device: str = "any"
    resume: bool = False
    expected_seconds: float | None = None


class Backend(Protocol):
    """A place where trainings run. Each method returns at once; a `StudioError` says how to solve the problem.

    Each start is a new attempt (see `runs.attempts`). The backend creates the id of the attempt and passes it to the
    trainer.
    """

    def start(self, training: Training) -> None:
        """Start a training, or add it to the queue until a device is free.

        Raises `ArgumentError` if a new run's folder exists already, the device is unknown, or an option is invalid.
        Raises `StudioError` if the training cannot be resumed, or files cannot be written.
        """

    def state(self, run: RunFolder) -> JobState:
        """The state of the run's training."""

    def progress(self, run: RunFolder) -> Progress:
        """The progress of the run's training."""

    def cancel(self, run: RunFolder) -> None:
        """Ask the training to end after its current step. A waiting training is removed from the queue.

        A second call, some time later, kills the process. Raises `StudioError` if the training has ended, or if the
        first call was so recent that the training may still end by itself.
        """
