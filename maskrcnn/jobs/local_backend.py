"""The backend of this machine: each training is a process, one at a time on each device; the others wait in the queue.

Trainings are started by the queue (`queue.add`). State and progress are read from the run folder (`run_state`).
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import processes, queue, run_state
from maskrcnn.jobs.backend import Backend, Training
from maskrcnn.jobs.run_state import JobState, Progress
from maskrcnn.runs import trainer_process
from maskrcnn.runs.folder import PROCESS, QUEUED, RunFolder
from maskrcnn.runs.project_runs import is_project_run

_DELETED = ".deleted"
"""The end of the name of a run folder that is being deleted; the name starts with a dot."""


@dataclass(frozen=True)
class LocalBackend(Backend):
    """The backend of this machine. It uses the queue in `workspace`, the folder with the projects.

    `grace` is the time in seconds between the first `cancel`, which asks the training to end, and the earliest `cancel`
    that kills it.
    """

    workspace: Path
    grace: float = 15.0

    def start(self, training: Training) -> None:
        queue.add(self.workspace, training)

    def state(self, run: RunFolder) -> JobState:
        return run_state.state(run)

    def progress(self, run: RunFolder) -> Progress:
        return run_state.progress(run)

    def cancel(self, run: RunFolder) -> None:
        """Ask a training to end (SIGTERM). A second call, `grace` seconds later, kills it and its child processes.

        SIGTERM is sent to the trainer only: the trainer stops its own workers, and would report a failure if they died
        first. Raises `StudioError` also if the process of the training is unknown.
        """
        now = run_state.state(run)
        if now is JobState.QUEUED or (now is JobState.STARTING and (run.path / QUEUED).is_file()):
            with contextlib.suppress(StudioError):
                queue.take_out(self.workspace, run)
                return
            now = _state_once_started(run)
        if not now.active:
            raise StudioError(f"{run.name}: has ended already; there is nothing to cancel")
        process = trainer_process.living_trainer(run)
        if process is None:
            raise StudioError(f"{run.name}: its process is not known; end it where it was started")
        asked = trainer_process.cancel_asked(run)
        if asked is not None and time.time() - asked < self.grace:
            wait = round(self.grace - (time.time() - asked)) + 1
            raise StudioError(f"{run.name}: was asked to end and finishes its step; in {wait} s it can be forced")
        with contextlib.suppress(psutil.NoSuchProcess):
            if asked is None:
                with contextlib.suppress(OSError):  # on a full disk, the training must still be stopped
                    run.write_json(PROCESS, {**(run.read_json(PROCESS) or {}), "cancel_asked": time.time()})
                process.terminate()
            else:
                processes.kill_tree(process)

    def can_be_forced(self, run: RunFolder) -> bool:
        """Whether the next `cancel` kills the training: it was asked to end at least `grace` seconds ago."""
        asked = trainer_process.cancel_asked(run)
        return run_state.state(run) is JobState.CANCELLING and asked is not None and time.time() - asked >= self.grace

    def delete(self, run: RunFolder) -> None:
        """Delete a run folder with all its files; see `Backend.delete`.

        A damaged run (with a `fault`) is deleted at once. Whether it waits or trains cannot be read from its files.
        """
        if not is_project_run(run.path):
            raise StudioError(f"{run.path}: is not a run folder; nothing was deleted")
        if run.fault() is None:
            if run_state.state(run) is JobState.QUEUED:
                queue.take_out(self.workspace, run)
                if not run.path.exists():
                    return
            if run_state.state(run).active:
                raise StudioError(f"{run.name}: is still training; cancel it first")
        hidden = run.path.with_name(f".{run.name}{_DELETED}")
        _delete_folder(hidden)  # a deletion that was interrupted may have left it
        run.path.rename(hidden)  # first, so that no page reads a partly deleted folder
        _delete_folder(hidden)
        for other in run.path.parent.glob(f".*{_DELETED}"):  # left by interrupted deletions
            with contextlib.suppress(OSError):  # it must not stop the deletion of this run
                _delete_folder(other)


def _delete_folder(folder: Path) -> None:
    """Delete a folder, or a link to one. Files that are gone are passed over: another tab may be deleting them too."""

    def raise_unless_gone(_: object, path: str, about: Any) -> None:
        if not isinstance(about[1], FileNotFoundError):
            raise about[1]

    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, onerror=raise_unless_gone)


def _state_once_started(run: RunFolder, patience: float = 3.0) -> JobState:
    """The state of a run that a runner is starting; wait up to `patience` seconds until its process is known."""
    deadline = time.monotonic() + patience
    while trainer_process.living_trainer(run) is None and (run.path / QUEUED).is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    return run_state.state(run)
