"""The interface of a backend that runs trainings, on this machine or on a cluster.

A backend starts a training, reports its state and progress, and cancels it. The trainer writes its results into the run
folder. The backend only adds what the folder does not contain: whether the process or the cluster job is still alive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from maskrcnn.jobs.devices import ANY
from maskrcnn.jobs.run_state import JobState, Progress
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest


@dataclass(frozen=True)
class Training:
    """A training to start: its run folder and the request with the options that the user chose.

    With `resume`, the run folder exists already and its training is continued; the request then only adds to its
    length. `device` is the name of a device of the backend, or "any". `expected_seconds` is the estimated duration,
    None if unknown.
    """

    run: RunFolder
    request: TrainingRequest = field(default_factory=TrainingRequest)
    device: str = ANY
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
        """The state of the run's training. Raises `StudioError` for a damaged run folder."""

    def progress(self, run: RunFolder) -> Progress:
        """The progress of the run's training. Raises `StudioError` for a damaged run folder."""

    def cancel(self, run: RunFolder) -> None:
        """Ask the training to end after its current step. A waiting training is removed from the queue.

        A second call, some time later, kills the process. Raises `StudioError` if the training has ended, or if the
        first call was so recent that the training may still end by itself.
        """

    def can_be_forced(self, run: RunFolder) -> bool:
        """Whether the next `cancel` kills the training, because it did not end by itself in time."""

    def delete(self, run: RunFolder) -> None:
        """Delete a run folder with all its files; a waiting run is removed from the queue first.

        Raises `StudioError` if the run is training, or the folder is no run.
        """
