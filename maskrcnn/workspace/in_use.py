"""Check whether a project is in use by a training, a waiting job or an import, and so must not be moved."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.jobs import queue, run_state
from maskrcnn.jobs.job_table import Job, JobTable
from maskrcnn.jobs.queue_recovery import open_table
from maskrcnn.runs.folder import RUNS, RunFolder
from maskrcnn.runs.project_runs import run_folder_names, runs_in
from maskrcnn.runs.trainer_process import options_of_trainer_process, run_folder_in_options
from maskrcnn.untrusted_files import is_confined
from maskrcnn.words import quoted_list
from maskrcnn.workspace.project_errors import JobsWait


@contextmanager
def without_trainings(root: Path, project: Path, done: str) -> Iterator[None]:
    """Lock the queue during the block, so that no training of the project can start.

    Raises `JobsWait` if trainings of the project wait, and `StudioError` if one is running or pictures are being
    imported. `done` is the action for the message, for example "deleted".
    """
    table = open_table(root)
    with table.writing() as db:
        jobs = _trainings_of_project(table, db, project)
        if jobs.training:
            verb = "trains" if len(jobs.training) == 1 else "train"
            raise StudioError(
                f'project "{project.name}" is not {done}: {quoted_list(jobs.training)} {verb} on it; cancel that '
                "under Runs, or wait until it has ended"
            )
        if jobs.waiting:
            runs = tuple(run.name for run in jobs.waiting)
            verb = "waits" if len(runs) == 1 else "wait"
            raise JobsWait(
                f'project "{project.name}" is not {done}: {quoted_list(runs)} {verb} in the queue for it; take that '
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
        jobs = _trainings_of_project(table, db, project)
    for run in () if jobs.training else jobs.waiting:
        with suppress(StudioError):  # it has just been started or removed by another process
            queue.take_out(root, run)


def busy_runs(project: Path) -> tuple[str, ...]:
    """The names of the runs of a project that are in use: they train or wait, so their files are incomplete."""
    return tuple(
        run.name
        for name in run_folder_names(project)
        for run in [RunFolder(project / RUNS / name)]
        if run.fault() is None and not run_state.state(run).ended
    )


@dataclass(frozen=True)
class ProjectTrainings:
    """The trainings that use a project: the names of the running ones, and the run folders of the waiting ones."""

    training: tuple[str, ...]
    waiting: tuple[RunFolder, ...]


def _trainings_of_project(table: JobTable, db: sqlite3.Connection, project: Path) -> ProjectTrainings:
    """The trainings that use a project, found in the table of jobs, in its run folders and in the user's processes.

    If `db` is a write transaction, no other job of the workspace can start before the transaction ends.
    """
    training = [job.run.name for job in table.active(db) if _uses_project(job, project)]
    for run in runs_in(project / RUNS):
        try:
            training += [run.name] if run_state.state(run).active else []
        except StudioError:  # the run folder is damaged
            continue
    training += _trained_by_processes(project)
    waiting = [RunFolder(job.run) for job in table.waiting(db) if _uses_project(job, project)]
    return ProjectTrainings(tuple(dict.fromkeys(training)), tuple(waiting))


def _uses_project(job: Job, project: Path) -> bool:
    """Whether the job's run folder, or a path in its options (such as its labels), is inside the project."""
    values = job.options[1::2]  # option names and values alternate
    paths = [Path(value) for value in values if os.path.isabs(value)]
    return any(is_confined(path, [project]) for path in (job.run, *paths))


def _trained_by_processes(project: Path) -> Iterator[str]:
    """The run names of this user's trainer processes whose command line contains a path inside the project."""
    for process in psutil.process_iter():
        try:
            if sys.platform != "win32" and process.uids().real != os.getuid():
                continue
            options = options_of_trainer_process(process.cmdline())
            if options is None or process.status() == psutil.STATUS_ZOMBIE:
                continue
            working_folder = process.cwd()
        except psutil.Error:
            continue
        # "--labels", "a.json" stays as it is; of "--labels=a.json", the value remains.
        words = [option.partition("=")[2] or option for option in options]
        paths = [os.path.join(working_folder, word) for word in words if word[:1] not in ("", "-")]
        if any(is_confined(path, [project]) for path in paths):
            run_folder = run_folder_in_options(options)
            yield os.path.basename(run_folder) if run_folder else f"process {process.pid}"
