"""What the table of jobs does not know: trainings that were started from a terminal, and everything after its file was
damaged.

Run folders are read only to find processes that train: what waits is known to the workspace alone.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from maskrcnn import opened_projects
from maskrcnn.errors import StudioError
from maskrcnn.foreign import is_confined
from maskrcnn.jobs import devices, queue_backup
from maskrcnn.jobs.backend import JobState
from maskrcnn.jobs.queue_database import Table
from maskrcnn.jobs.queue_file import QueueDamaged
from maskrcnn.runs.folder import PROCESS, QUEUED, RESULT, RUNS, RunFolder
from maskrcnn.runs.trainer_process import living_trainer

T = TypeVar("T")


def with_table(workspace: Path, work: Callable[[Table], T]) -> T:
    """Call `work` with the table of a workspace. Where SQLite reports damage meanwhile, the table is made anew and
    `work` is called once more; so it must leave nothing half done. Raises `StudioError` as `open_table` and `work` do.
    """
    try:
        return work(open_table(workspace))
    except QueueDamaged:
        return work(open_table(workspace))


def open_table(workspace: Path) -> Table:
    """The table of a workspace, made anew where its file is damaged or no table of jobs.

    The damaged file stays beside it under a dated name, and a notice says so. Raises `StudioError` where the file
    cannot be read or written at all.
    """
    table = Table(workspace)
    try:
        table.check()
    except QueueDamaged:
        _rebuild(table)
    return table


def add_unknown_trainings(table: Table) -> int:
    """Add the runs that train and that the table does not know; returns how many there were."""
    jobs = table.snapshot()
    known = {str(job.run) for job in (*jobs.waiting, *jobs.active)}
    unknown = [RunFolder(path) for path in _unended_runs(table.workspace) if path not in known]
    if not any(_row_of(run) for run in unknown):
        return 0
    with table.writing() as db:
        # Asked again: in here nobody else can start or end a job.
        found = [(run, about) for run in unknown if (about := _row_of(run))]
        for run, about in sorted(found, key=lambda pair: pair[1]["created"]):
            with suppress(sqlite3.IntegrityError):  # two trainings from terminals on one device: one row is enough
                table.insert(db, run.path, JobState.RUNNING, **about)
    return len(found)


def _queue_again(table: Table) -> int:
    """Add the jobs of the copy whose runs still wait; returns how many there were."""
    count = 0
    with table.writing() as db:
        for job in queue_backup.read(table.workspace):
            run = RunFolder(table.workspace / job["run"])
            with suppress(StudioError, OSError, sqlite3.IntegrityError):
                if run.read_json(QUEUED) is not None:
                    columns = {**job, "options": json.dumps(job["options"])}
                    del columns["run"]
                    table.insert(db, run.path, JobState.QUEUED, **columns)
                    count += 1
    return count


def _rebuild(table: Table) -> None:
    with table.file.alone():
        with suppress(QueueDamaged):
            table.check()
            return  # somebody else was first
        aside = table.path.with_name(f"{table.path.name}.damaged-{time.strftime('%Y-%m-%d-%H%M%S')}")
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(f"{table.path}{ending}", f"{aside}{ending}")
        count = _queue_again(table)
    count += add_unknown_trainings(table)
    with table.writing() as db:
        runs = "1 run" if count == 1 else f"{count} runs"
        table.add_notice(
            db,
            f"The queue's file {table.path.name} was damaged. It was made anew ({runs} waiting or training); the old "
            f"one is kept as {aside.name}.",
        )


def _unended_runs(workspace: Path) -> Iterator[str]:
    """The folders of the runs of every project that name a process and have no result.

    Every page asks for them, so they are plain strings, which are faster than paths.
    """
    projects = [workspace / name for name in _names(workspace) if not os.path.islink(workspace / name)]
    projects += opened_projects.read(workspace)
    for project in projects:
        runs = os.path.realpath(project / RUNS)
        if not is_confined(runs, [project]):
            continue
        for name in _names(runs):
            run = f"{runs}{os.sep}{name}"
            if not _has(run, RESULT) and _has(run, PROCESS) and not os.path.islink(run):
                yield run


def _has(run: str, name: str) -> bool:
    return os.path.isfile(f"{run}{os.sep}{name}")


def _names(folder: Path | str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []


def _row_of(run: RunFolder) -> dict[str, Any] | None:
    """The columns of a run that trains; None for one that does not, or cannot be read.

    Whether it trains is asked of the process, not of the folder, which may name any.
    """
    try:
        noted, queued = run.read_json(PROCESS) or {}, run.read_json(QUEUED) or {}
        process = living_trainer(run.path, noted.get("pid"))
        if process is None or (run.path / RESULT).is_file():
            return None
        created = process.create_time()
        began = noted.get("started", created)
        return {
            "options": "[]",
            "wanted": devices.ANY,
            "device": noted.get("device") or _device_of(process.cmdline()),
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


def _device_of(argv: list[str]) -> str:
    """The device of a training that was started from a terminal, as far as its command line tells."""
    chosen = argv[argv.index("--device") + 1] if "--device" in argv[:-1] else "auto"
    return chosen if chosen in ("cpu", "mps") else devices.available()[0]
