"""What the table of jobs does not know, read from the run folders: all of it after the file was damaged, and at any
time the trainings that were started from a terminal."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, processes
from maskrcnn.jobs.table import DATABASE, Damaged, Table
from maskrcnn.training.run_folder import PROCESS, QUEUED, RESULT, RunFolder

OPENED = "opened_projects.txt"
"""In the workspace: a line with the folder of each project that was opened elsewhere."""


def open_table(workspace: Path) -> Table:
    """The table of a workspace, rebuilt from the run folders where its file is damaged or no table of jobs.

    Then the old file stays beside it under a dated name, and a line for the person says so. Raises `StudioError` where
    the file cannot be read or written at all.
    """
    table = Table(workspace)
    try:
        table.check()
    except Damaged:
        _rebuild(table)
    return table


def take_in(table: Table) -> int:
    """Add the runs that wait or train and that the table does not know; how many there were."""
    with table.reading() as db:
        known = {str(job.run) for job in [*table.waiting(db), *table.active(db)]}
    unknown = [RunFolder(path) for path in _unended_runs(table.workspace) if path not in known]
    if not any(_about(run, table.workspace) for run in unknown):
        return 0
    with table.writing() as db:
        # Asked again: in here nobody else can start or end a job.
        found = [(run, about) for run in unknown if (about := _about(run, table.workspace))]
        # The running ones hold their devices; of those that wait, the oldest first.
        for run, about in sorted(found, key=lambda pair: (pair[1]["state"] == "queued", pair[1]["created"])):
            with suppress(sqlite3.IntegrityError):  # two trainings from terminals on one device: one row is enough
                table.insert(db, run.path, **about)
    return len(found)


def _rebuild(table: Table) -> None:
    with table.alone():
        with suppress(Damaged):
            table.check()
            return  # somebody else was first
        aside = table.path.with_name(f"{table.path.name}.damaged-{time.strftime('%Y-%m-%d-%H%M%S')}")
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(f"{table.path}{ending}", f"{aside}{ending}")
    count = take_in(table)
    with table.writing() as db:
        runs = "1 run" if count == 1 else f"{count} runs"
        table.tell(
            db,
            f"The queue's file {table.path.name} was damaged. It was made anew from the run folders ({runs} waiting or "
            f"training); the old one is kept as {aside.name}.",
        )


def _unended_runs(workspace: Path) -> Iterator[str]:
    """The folders of the runs of every project that wait, or that have not said how they ended.

    Each page asks for them, so they are plain text.
    """
    projects = [workspace / name for name in _names(workspace)]
    with suppress(OSError, UnicodeDecodeError):
        projects += [Path(line) for line in (workspace / OPENED).read_text(encoding="utf-8").splitlines()]
    for project in projects:
        runs = os.path.realpath(project / "runs")
        for name in _names(runs):
            run = f"{runs}{os.sep}{name}"
            if _has(run, QUEUED) or (not _has(run, RESULT) and _has(run, PROCESS)):
                yield run


def _has(run: str, name: str) -> bool:
    return os.path.isfile(f"{run}{os.sep}{name}")


def _names(folder: Path | str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError:
        return []


def _about(run: RunFolder, workspace: Path) -> dict[str, Any] | None:
    """The columns of a run that waits here or trains; None for one that does neither, or cannot be read."""
    try:
        process, queued = run.read_json(PROCESS) or {}, run.read_json(QUEUED)
        pid, created = process.get("pid"), process.get("create_time")
        alive = processes.living(pid, created, str(run.path)) is not None
        if alive and not (run.path / RESULT).is_file():
            return {
                "state": "running",
                "argv": json.dumps(process.get("argv", [])),
                "wanted": devices.ANY,
                "device": process.get("device") or _device_of(process.get("argv", [])),
                "created": process.get("started", created),
                "started": process.get("started", created),
                "pid": pid,
                "create_time": created,
                "heartbeat": time.time(),
                "expected_seconds": (queued or {}).get("expected_seconds"),
            }
        if queued is None or alive:
            return None
        home = Path(queued["workspace"])
        if home != workspace and (home / DATABASE).is_file():
            return None  # a project that is opened in two workspaces: the other one started it
        return {
            "state": "queued",
            "argv": json.dumps(queued["argv"]),
            "wanted": queued["device"],
            "created": queued["created"],
            "priority": queued.get("priority", 0),
            "resume": queued.get("resume", False),
            "expected_seconds": queued.get("expected_seconds"),
        }
    except (StudioError, KeyError, TypeError, AttributeError):
        return None


def _device_of(argv: list[str]) -> str:
    """Where a training computes that was started from a terminal, as well as its command line tells."""
    chosen = argv[argv.index("--device") + 1] if "--device" in argv[:-1] else "auto"
    return chosen if chosen in ("cpu", "mps") else devices.available()[0]
