"""The table of jobs of a workspace, in the database `jobs.db`: waiting jobs, their order, and the devices in use.

Several tabs, servers and runners use the table at the same time. Each change of a state is one transaction; a unique
index prevents two active jobs on one device. The state of a training is read from its run folder, not from this table.
The options of a started job are read from this table only, never from a run folder. `queue_database` opens the file.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.jobs import devices, queue_backup
from maskrcnn.jobs.queue_database import DATABASE, QueueDamaged, QueueDatabase, QueueDatabaseStamp
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.attempts import new_attempt

MOST_ENDED = 200
"""The number of ended jobs that stay in the table."""


@dataclass(frozen=True)
class Job:
    """A row of the table. `run` is an absolute path. `runner` and `trainer` are (pid, create time), None if unknown."""

    id: int
    run: Path
    options: tuple[str, ...]
    wanted: str
    device: str | None
    state: JobState
    priority: int
    resume: bool
    expected_seconds: float | None
    created: float
    started: float | None
    ended: float | None
    runner: tuple[int, float] | None
    trainer: tuple[int, float] | None
    heartbeat: float | None
    attempts: int
    error: str | None
    attempt: str | None


@dataclass(frozen=True)
class JobTableSnapshot:
    """The content of the table at one moment: the waiting jobs in the order of their starts, the jobs that hold a
    device, sorted by device, and whether there are unread notices."""

    waiting: tuple[Job, ...] = ()
    active: tuple[Job, ...] = ()
    has_notices: bool = False

    def next_start(self, only: str | None = None) -> tuple[Job, str] | None:
        """The first waiting job of the table for which a device is free, and that device; None if no job can start.

        With `only`, just this device is considered.
        """
        taken = {job.device for job in self.active}
        for job in self.waiting:
            for device in devices.candidates(job.wanted):
                if device not in taken and only in (None, device):
                    return job, device
        return None


_snapshots: dict[Path, tuple[QueueDatabaseStamp, float, JobTableSnapshot]] = {}
"""Cache: path of the table -> stamp of its file, time of the last read, and the snapshot."""

_SNAPSHOT_SECONDS = 0.3


class JobTable:
    """The table of one workspace. It keeps no connection open: each use opens the file and closes it again."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = Path(workspace).resolve()
        self.file = QueueDatabase(self.workspace / DATABASE)
        self.path = self.file.path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading. If the file does not exist, it is not created: the connection has an empty table.

        Raises `StudioError` if the file cannot be used, `QueueDamaged` if it is damaged or is no table of jobs.
        """
        with self.file.plain_errors(), closing(self.file.connect_to_read()) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, committed at the end of the block; it excludes other writers. Raises like `reading`."""
        with self.file.plain_errors(), closing(self.file.connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            queue_backup.write(self.workspace, self._waiting_rows(db))
            db.execute("COMMIT")
            _snapshots.pop(self.path, None)

    def check(self) -> None:
        """Raise `QueueDamaged` if the file is damaged, or a job in it cannot be read.

        A process checks each file once. It checks again if the file was replaced, or after SQLite reported damage.
        """
        with self.file.plain_errors():
            if self.file.is_examined():
                return
            with self.file.examining(), self.reading() as db:
                self._read(db)
                if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                    raise QueueDamaged

    def snapshot(self) -> JobTableSnapshot:
        """The current content of the table; empty if there is no file. Raises like `reading`.

        The result is cached for up to `_SNAPSHOT_SECONDS` if the file does not change, because several parts of a page,
        and several tabs, call this at the same time.
        """
        with self.file.plain_errors():
            stamp, now = self.file.stamp(), time.time()
            if stamp is None:
                return JobTableSnapshot()
            known = _snapshots.get(self.path)
            if known is not None and known[0] == stamp and 0 <= now - known[1] < _SNAPSHOT_SECONDS:
                return known[2]
            with self.reading() as db:
                found = self._read(db)
            if stamp.is_older_than_a_tick(now):
                _snapshots[self.path] = (stamp, now, found)
            return found

    def _read(self, db: sqlite3.Connection) -> JobTableSnapshot:
        """Read the waiting and active jobs, and whether there are notices."""
        has_notices = db.execute("SELECT 1 FROM note LIMIT 1").fetchone() is not None
        return JobTableSnapshot(tuple(self.waiting(db)), tuple(self.active(db)), has_notices)

    # Reading

    def waiting(self, db: sqlite3.Connection) -> list[Job]:
        """The waiting jobs, in the order in which they will start."""
        return self._jobs(db, "state = 'queued' ORDER BY priority DESC, id")

    def active(self, db: sqlite3.Connection) -> list[Job]:
        """The jobs that hold a device, sorted by device."""
        return self._jobs(db, "state IN ('starting', 'running', 'cancelling') ORDER BY device")

    def of_run(self, db: sqlite3.Connection, run: Path) -> Job | None:
        """The waiting or active job of a run, None if it has neither."""
        live = "state IN ('queued', 'starting', 'running', 'cancelling')"
        found = self._jobs(db, f"run = ? AND {live}", self._name(run))
        return found[0] if found else None

    # Changes of state

    def insert(self, db: sqlite3.Connection, run: Path, state: JobState, **columns: Any) -> None:
        """Insert a job. Raises `sqlite3.IntegrityError` if the run waits or trains already, or its device is in use."""
        values = {"run": self._name(run), "state": state, "created": time.time(), **columns}
        names = ", ".join(values)
        db.execute(f"INSERT INTO job ({names}) VALUES ({', '.join('?' * len(values))})", list(values.values()))

    def claim(self, db: sqlite3.Connection, only: str | None = None) -> Job | None:
        """Assign a free device and a new attempt id to the next job that can start (queued -> starting).

        Returns the job, or None if no job can start. With `only`, just this device is considered.
        """
        found = self._read(db).next_start(only)
        if found is None:
            return None
        job, device = found
        db.execute(
            "UPDATE job SET state = 'starting', device = ?, started = ?, attempt = ?, heartbeat = NULL, "
            "runner_pid = NULL, runner_create_time = NULL, pid = NULL, create_time = NULL WHERE id = ?",
            (device, time.time(), new_attempt(), job.id),
        )
        return self._by_id(db, job.id)

    def adopt(self, db: sqlite3.Connection, job: int, runner: tuple[int, float]) -> Job | None:
        """Make `runner` (pid, create time) responsible for a claimed job; None if it has another runner or is gone."""
        adopted = db.execute(
            "UPDATE job SET runner_pid = ?, runner_create_time = ?, heartbeat = ? "
            "WHERE id = ? AND state = 'starting' AND runner_pid IS NULL AND pid IS NULL",
            (*runner, time.time(), job),
        )
        return self._by_id(db, job) if adopted.rowcount else None

    def requeue(self, db: sqlite3.Connection, job: Job) -> None:
        """Return a job that was claimed but not started to its old place in the queue (starting -> queued)."""
        db.execute(
            "UPDATE job SET state = 'queued', device = NULL, started = NULL, attempts = attempts + 1 "
            "WHERE id = ? AND state = 'starting' AND pid IS NULL",
            (job.id,),
        )

    def update_active(self, db: sqlite3.Connection, run: Path, **columns: Any) -> None:
        """Update columns of the active job of a run."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        db.execute(
            f"UPDATE job SET {assignments} WHERE run = ? AND state IN ('starting', 'running', 'cancelling')",
            [*columns.values(), self._name(run)],
        )

    def end(self, db: sqlite3.Connection, run: Path, state: JobState, error: str | None = None) -> bool:
        """End the active job of a run, which frees its device. False if the job has ended already."""
        ended = db.execute(
            "UPDATE job SET state = ?, error = ?, ended = ? "
            "WHERE run = ? AND state IN ('starting', 'running', 'cancelling')",
            (state, error, time.time(), self._name(run)),
        )
        db.execute(
            "DELETE FROM job WHERE state IN ('done', 'failed', 'cancelled', 'lost') AND id <= "
            "(SELECT max(id) FROM job) - ?",
            (MOST_ENDED,),
        )
        return bool(ended.rowcount)

    def take_out(self, db: sqlite3.Connection, run: Path) -> bool:
        """Delete the job of a run, if it waits or no runner has adopted it yet. Returns whether it was deleted."""
        gone = db.execute(
            "DELETE FROM job WHERE run = ? AND "
            "(state = 'queued' OR (state = 'starting' AND runner_pid IS NULL AND pid IS NULL))",
            (self._name(run),),
        )
        return bool(gone.rowcount)

    def move_first(self, db: sqlite3.Connection, run: Path) -> int | None:
        """Move the waiting job of a run to the front. Returns its new priority, None if the run does not wait."""
        (highest,) = db.execute("SELECT coalesce(max(priority), 0) FROM job WHERE state = 'queued'").fetchone()
        moved = db.execute(
            "UPDATE job SET priority = ? WHERE run = ? AND state = 'queued'", (highest + 1, self._name(run))
        )
        return int(highest) + 1 if moved.rowcount else None

    def add_notice(self, db: sqlite3.Connection, line: str) -> None:
        """Save a notice that the next page shows to the user."""
        db.execute("INSERT OR IGNORE INTO note (line) VALUES (?)", (line,))

    def pop_notices(self, db: sqlite3.Connection) -> list[str]:
        """Return the unread notices and delete them."""
        return [line for (line,) in db.execute("DELETE FROM note RETURNING line").fetchall()]

    # Rows

    def _name(self, run: Path) -> str:
        """The path of a run as it is stored: relative to the workspace, so that the queue survives a move of the
        workspace. A path outside of it stays absolute."""
        run = Path(run).resolve()
        return str(run.relative_to(self.workspace) if run.is_relative_to(self.workspace) else run)

    def _waiting_rows(self, db: sqlite3.Connection) -> list[dict[str, Any]]:
        """The waiting jobs, in the form that `queue_backup` stores."""
        names = ("run", "options", "wanted", "priority", "resume", "expected_seconds", "created")
        rows = db.execute(f"SELECT {', '.join(names)} FROM job WHERE state = 'queued' ORDER BY id")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**row, "options": json.loads(row["options"])} for row in found]

    def _by_id(self, db: sqlite3.Connection, job: int) -> Job:
        """The job with this id."""
        return self._jobs(db, "id = ?", job)[0]

    def _jobs(self, db: sqlite3.Connection, where: str, *values: object) -> list[Job]:
        """The jobs that match an SQL condition."""
        cursor = db.execute(f"SELECT * FROM job WHERE {where}", values)
        names = [column[0] for column in cursor.description]
        return [self._job(dict(zip(names, row, strict=True))) for row in cursor]

    def _job(self, row: dict[str, Any]) -> Job:
        """Convert a row to a `Job`. Raises `QueueDamaged` if its options or its state are invalid."""
        runner = (row.pop("runner_pid"), row.pop("runner_create_time"))
        trainer = (row.pop("pid"), row.pop("create_time"))
        try:
            options = json.loads(row["options"])
            if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
                raise ValueError
            row["state"] = JobState(row["state"])
        except (TypeError, ValueError, RecursionError):
            raise QueueDamaged from None
        row |= {"run": self.workspace / row["run"], "options": tuple(options), "resume": bool(row["resume"])}
        return Job(**row, runner=None if None in runner else runner, trainer=None if None in trainer else trainer)
