"""Unknown trainings: they run, but are not in the queue's table, for example because they were started from a terminal.

They hold a device, so `add_unknown_trainings` adds them to the table. They are searched in the run folders of all
projects of the workspace.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from maskrcnn import external_projects
from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices
from maskrcnn.jobs.job_table import JobTable
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import PROCESS, QUEUED, RESULT, RUNS, RunFolder
from maskrcnn.runs.trainer_process import trainer_with_pid
from maskrcnn.untrusted_files import is_confined, is_utf8


def add_unknown_trainings(table: JobTable) -> int:
    """Add running trainings that are not in the table, such as those from a terminal. Returns their number."""
    jobs = table.snapshot()
    known = {str(job.run) for job in (*jobs.waiting, *jobs.active)}
    unknown = [RunFolder(path) for path in _unended_runs(table.workspace) if path not in known]
    if not any(_row_of_running_training(run) for run in unknown):
        return 0
    with table.writing() as db:
        # Read the rows again: during the transaction, no other process can start or end a job.
        found = [(run, about) for run in unknown if (about := _row_of_running_training(run))]
        for run, about in sorted(found, key=lambda pair: pair[1]["created"]):
            with suppress(sqlite3.IntegrityError):  # two trainings from terminals on one device: one row is enough
                table.insert(db, run.path, JobState.RUNNING, **about)
    return len(found)


def _unended_runs(workspace: Path) -> Iterator[str]:
    """The run folders of all projects in which an unknown training may run: with a process.json and no result.json.

    Paths are strings, which are faster than `Path`, because every page needs this list. A path that is not UTF-8 is
    left out: the table cannot hold it.
    """
    projects = [workspace / name for name in _folder_entries(workspace) if not os.path.islink(workspace / name)]
    projects += external_projects.read_external_projects(workspace)
    for project in projects:
        runs = os.path.realpath(project / RUNS)
        if not is_confined(runs, [project]):
            continue
        for name in _folder_entries(runs):
            run = f"{runs}{os.sep}{name}"
            if not is_utf8(run) or os.path.islink(run):
                continue
            if not _has_run_file(run, RESULT) and _has_run_file(run, PROCESS):
                yield run


def _has_run_file(run: str, name: str) -> bool:
    """Whether the run folder of a training that may be unknown has a file `name`, such as result.json."""
    return os.path.isfile(f"{run}{os.sep}{name}")


def _folder_entries(folder: Path | str) -> list[str]:
    """For the search of unknown trainings: the names in the workspace or in a `runs/` folder, without hidden ones.

    Empty if the folder cannot be read.
    """
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []


def _row_of_running_training(run: RunFolder) -> dict[str, Any] | None:
    """The columns for an unknown training that runs; None if the run is not training or cannot be read.

    The operating system is asked whether the trainer runs, because the pid in the folder may be wrong.
    """
    try:
        noted, queued = run.read_json(PROCESS) or {}, run.read_json(QUEUED) or {}
        process = trainer_with_pid(run.path, noted.get("pid"))
        if process is None or (run.path / RESULT).is_file():
            return None
        created = process.create_time()
        began = noted.get("started", created)
        return {
            "options": "[]",
            "wanted": devices.ANY,
            "device": noted.get("device") or _device_of_terminal_training(process.cmdline()),
            "created": began,
            "started": began,
            "pid": process.pid,
            "create_time": created,
            "heartbeat": time.time(),
            "expected_seconds": queued.get("expected_seconds"),
            "attempt": noted.get("attempt"),
        }
    except (StudioError, OSError, psutil.Error):
        return None


def _device_of_terminal_training(argv: list[str]) -> str:
    """The device of an unknown training, from its command line: "cpu" or "mps" if `--device` says so.

    For any other value ("auto", "cuda") or none, it is the first device of this machine.
    """
    chosen = argv[argv.index("--device") + 1] if "--device" in argv[:-1] else "auto"
    return chosen if chosen in ("cpu", "mps") else devices.available()[0]
