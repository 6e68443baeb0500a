"""Find the trainings that use a project. While a training runs or waits, the project folder must not be moved."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import run_state
from maskrcnn.jobs.queue_database import Job, Table
from maskrcnn.runs.folder import RUNS, RunFolder
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.runs.trainer_process import options_of
from maskrcnn.untrusted_files import is_confined


@dataclass(frozen=True)
class ProjectJobs:
    """The trainings that use a project: the names of the running ones, and the run folders of the waiting ones."""

    training: tuple[str, ...]
    waiting: tuple[RunFolder, ...]


def of_project(table: Table, db: sqlite3.Connection, project: Path) -> ProjectJobs:
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
    return ProjectJobs(tuple(dict.fromkeys(training)), tuple(waiting))


def _uses_project(job: Job, project: Path) -> bool:
    """Whether the job's run folder, or a path in its options (such as its labels), is inside the project."""
    named = [Path(value) for value in job.options[1::2] if os.path.isabs(value)]
    return any(is_confined(path, [project]) for path in (job.run, *named))


def _trained_by_processes(project: Path) -> Iterator[str]:
    """The run names of this user's trainer processes whose command line contains a path inside the project."""
    for process in psutil.process_iter():
        try:
            if sys.platform != "win32" and process.uids().real != os.getuid():
                continue
            words = process.cmdline()
            found = options_of(words)
            if found is None or process.status() == psutil.STATUS_ZOMBIE:
                continue
            options = [word.partition("=")[2] or word for word in found]
            here = process.cwd()
        except psutil.Error:
            continue
        if any(is_confined(os.path.join(here, word), [project]) for word in options if word[:1] not in ("", "-")):
            out = options.index("--out") + 1 if "--out" in options[:-1] else None
            yield os.path.basename(options[out]) if out else f"process {process.pid}"
