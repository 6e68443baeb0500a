"""The backend of this machine: trainings are processes, one at a time on each device, and the others wait in the queue.

Starting is the queue's work (`queue.add`); state and progress come from the run folder (`run_state`).
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import processes, queue, run_state
from maskrcnn.jobs.backend import Backend, JobState, Progress, Training
from maskrcnn.runs import attempts
from maskrcnn.runs.folder import CONFIG, PROCESS, QUEUED, RunFolder

GRACE = 15.0
"""Seconds that a training has to end by itself, once it was asked to, before it may be killed."""


@dataclass(frozen=True)
class LocalBackend(Backend):
    """The backend of this machine. `workspace` is the folder with the projects; its queue is used."""

    workspace: Path

    def start(self, training: Training) -> None:
        queue.add(
            training.run.path,
            training.options,
            workspace=self.workspace,
            device=training.device,
            resume=training.resume,
            expected_seconds=training.expected_seconds,
        )

    def state(self, run: RunFolder) -> JobState:
        return run_state.state(run)

    def progress(self, run: RunFolder) -> Progress:
        return run_state.progress(run)

    def cancel(self, run: RunFolder) -> None:
        cancel(run, self.workspace)


def cancel(run: RunFolder, workspace: Path, grace: float = GRACE) -> None:
    """Ask a training to end (SIGTERM); asked again after `grace` seconds, kill it and everything it started.

    Only the trainer itself gets the signal: it ends its own workers, and would take their death for a failure. A run
    that waits is taken out of the queue of `workspace`. Raises `StudioError` when the run has ended, when it was asked
    less than `grace` seconds ago, and when its process is not known.
    """
    now = run_state.state(run)
    if now is JobState.QUEUED or (now is JobState.STARTING and (run.path / QUEUED).is_file()):
        with contextlib.suppress(StudioError):
            queue.take_out(workspace, run)
            return
        now = _state_once_started(run)
    if not now.active:
        raise StudioError(f"{run.name}: has ended already; there is nothing to cancel")
    process = attempts.living_trainer(run)
    if process is None:
        raise StudioError(f"{run.name}: its process is not known; end it where it was started")
    asked = run_state.cancel_asked(run)
    if asked is not None and time.time() - asked < grace:
        wait = round(grace - (time.time() - asked)) + 1
        raise StudioError(f"{run.name}: was asked to end and finishes its step; in {wait} s it can be forced")
    with contextlib.suppress(psutil.NoSuchProcess):
        if asked is None:
            with contextlib.suppress(OSError):  # a full disk must not keep it running
                run.write_json(PROCESS, {**(run.read_json(PROCESS) or {}), "cancel_asked": time.time()})
            process.terminate()
        else:
            processes.kill_tree(process)


def can_be_forced(run: RunFolder, grace: float = GRACE) -> bool:
    """Whether the next `cancel` kills: the training was asked to end, and had `grace` seconds for it."""
    asked = run_state.cancel_asked(run)
    return run_state.state(run) is JobState.CANCELLING and asked is not None and time.time() - asked >= grace


def delete(run: RunFolder, workspace: Path) -> None:
    """Remove a run folder with everything in it. Raises `StudioError` while it trains or where it is no run folder."""
    if not any((run.path / mark).is_file() for mark in (CONFIG, PROCESS, QUEUED)):
        raise StudioError(f"{run.path}: is not a run folder; nothing was deleted")
    if run.fault() is None:
        if run_state.state(run) is JobState.QUEUED:
            queue.take_out(workspace, run)
            if not run.path.exists():
                return
        if run_state.state(run).active:
            raise StudioError(f"{run.name}: is still training; cancel it first")
    # Under another name first, so that nobody reads a folder that is half gone.
    leaving = run.path.with_name(f".{run.name}.deleted")
    run.path.rename(leaving)
    if leaving.is_symlink():
        leaving.unlink()
    else:
        shutil.rmtree(leaving)


def _state_once_started(run: RunFolder, patience: float = 3.0) -> JobState:
    """The state of a run that a runner is starting at this moment, once its process is known."""
    deadline = time.monotonic() + patience
    while attempts.living_trainer(run) is None and (run.path / QUEUED).is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    return run_state.state(run)
