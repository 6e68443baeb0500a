"""Check whether a project is in use by a training, a waiting job or an import, and so must not be moved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskrcnn.annotations.store import Project, path_confinement
from maskrcnn.errors import StudioError
from maskrcnn.jobs import project_jobs, queue, run_state
from maskrcnn.jobs.queue_recovery import open_table
from maskrcnn.runs.folder import RUNS, RunFolder
from maskrcnn.words import natural_key
from maskrcnn.workspace.project_errors import JobsWait, in_words


@contextmanager
def without_trainings(root: Path, project: Path, done: str) -> Iterator[None]:
    """Lock the queue during the block, so that no training of the project can start.

    Raises `JobsWait` if trainings of the project wait, and `StudioError` if one is running or pictures are being
    imported. `done` is the action for the message, for example "deleted".
    """
    table = open_table(root)
    with table.writing() as db:
        jobs = project_jobs.of_project(table, db, project)
        if jobs.training:
            verb = "trains" if len(jobs.training) == 1 else "train"
            raise StudioError(
                f'project "{project.name}" is not {done}: {in_words(jobs.training)} {verb} on it; cancel that '
                "under Runs, or wait until it has ended"
            )
        if jobs.waiting:
            runs = tuple(run.name for run in jobs.waiting)
            verb = "waits" if len(runs) == 1 else "wait"
            raise JobsWait(
                f'project "{project.name}" is not {done}: {in_words(runs)} {verb} in the queue for it; take that '
                "out under Runs, or wait until it has trained",
                runs,
            )
        if Project(project).is_importing():
            raise StudioError(
                f'project "{project.name}" is not {done}: pictures are being imported into it; wait until that is done'
            )
        yield


def take_out_waiting(root: Path, project: Path) -> None:
    """Remove the waiting trainings of a project from the queue.

    Does nothing while another training of the project is running, because then the project cannot be moved anyway.
    """
    table = open_table(root)
    with table.reading() as db:
        jobs = project_jobs.of_project(table, db, project)
    for run in () if jobs.training else jobs.waiting:
        with suppress(StudioError):  # it has just been started or removed by another process
            queue.take_out(root, run)


def busy_runs(project: Path) -> tuple[str, ...]:
    """The names of the runs of a project that are training or waiting, so that their files are incomplete."""
    return tuple(
        run.name
        for name in run_names(project)
        for run in [RunFolder(project / RUNS / name)]
        if run.fault() is None and not run_state.state(run).ended
    )


def run_names(project: Path) -> list[str]:
    """The names of the folders in the project's `runs/`, sorted, without links and hidden folders."""
    folder = project / RUNS
    with suppress(OSError):
        if path_confinement.is_folder(folder):
            found = (
                entry.name
                for entry in os.scandir(folder)
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
            return sorted(found, key=natural_key)
    return []
