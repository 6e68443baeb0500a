"""What uses a project, so that it must not be moved: a training, a waiting job, an import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskrcnn.annotations.store import Project, confinement
from maskrcnn.errors import StudioError
from maskrcnn.jobs import project_jobs, queue, run_state
from maskrcnn.jobs.queue_recovery import open_table
from maskrcnn.runs.folder import RUNS, RunFolder
from maskrcnn.words import natural_key
from maskrcnn.workspace.faults import JobsWait, in_words


@contextmanager
def without_trainings(root: Path, project: Path, done: str) -> Iterator[None]:
    """Hold the queue for the length of a block, so that no training of the project can start. Raises `StudioError`, or
    `JobsWait`, if something uses the project."""
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
    """Remove the waiting trainings of a project from the queue. Removes none while another training of it runs, because
    the project cannot be moved then."""
    table = open_table(root)
    with table.reading() as db:
        jobs = project_jobs.of_project(table, db, project)
    for run in () if jobs.training else jobs.waiting:
        with suppress(StudioError):  # it was started or taken out in this moment
            queue.take_out(root, run)


def busy_runs(project: Path) -> tuple[str, ...]:
    """The names of the runs of a project that train or wait; their files are incomplete."""
    return tuple(
        run.name
        for name in run_names(project)
        for run in [RunFolder(project / RUNS / name)]
        if run.fault() is None and not run_state.state(run).ended
    )


def run_names(project: Path) -> list[str]:
    """The names of the folders in `runs/`, sorted, without links and hidden ones."""
    folder = project / RUNS
    with suppress(OSError):
        if confinement.is_folder(folder):
            found = (
                entry.name
                for entry in os.scandir(folder)
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
            return sorted(found, key=natural_key)
    return []
