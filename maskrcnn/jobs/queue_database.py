"""`jobs.db`, the table of jobs of a workspace: which jobs wait, in which order, and which devices are taken.

Several tabs, servers and runners use it at once. Each change of a state is one transaction, and a unique index keeps a
second job off a device. What a training does is read from its run folder, never from here; what is started is read from
here alone, never from a run folder. How the file is opened is told in `queue_file`.
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
from maskrcnn.jobs.backend import JobState
from maskrcnn.jobs.queue_file import DATABASE, QueueDamaged, QueueFile, Stamp
from maskrcnn.runs.attempts import new_attempt

MOST_ENDED = 200
"""The number of ended jobs that stay in the table."""


@dataclass(frozen=True)
class Job:
    """A row of the table. `run` is absolute; `runner` and `trainer` are pid and create time, None where unknown."""

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
class Snapshot:
    """What the table held at one moment: the jobs that wait, in the order in which they will start; those that hold a
    device, by device; and whether there are notices that nobody has read."""

    waiting: tuple[Job, ...] = ()
    active: tuple[Job, ...] = ()
    has_notices: bool = False

    def next_start(self, only: str | None = None) -> tuple[Job, str] | None:
        """The first job for which a device is free, and the device; with `only`, for which that one is."""
        taken = {job.device for job in self.active}
        for job in self.waiting:
            for device in devices.candidates(job.wanted):
                if device not in taken and only in (None, device):
                    return job, device
        return None


_snapshots: dict[Path, tuple[Stamp, float, Snapshot]] = {}
"""The last read of each table: the stamp of its file, when it was read, and what was in it."""

_SNAPSHOT_SECONDS = 0.3


class Table:
    """The table of one workspace. It holds no connection: each use opens the file, and closes it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = Path(workspace).resolve()
        self.file = QueueFile(self.workspace / DATABASE)
        self.path = self.file.path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading; where there is no file yet, to an empty table in memory, so that none is made.

        Raises `StudioError` where the file cannot be used, `QueueDamaged` where it is no table of jobs.
        """
        with self.file.plain_errors(), closing(self.file.connect_to_read()) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer can come between. Raises as `reading` does."""
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
        """`QueueDamaged` where any part of the file is damaged, or a job cannot be read.

        A file is examined once a process; again where another file took its place, and after SQLite reported damage.
        """
        with self.file.plain_errors():
            if self.file.is_examined():
                return
            with self.file.examining(), self.reading() as db:
                self._read(db)
                if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                    raise QueueDamaged

    def snapshot(self) -> Snapshot:
        """What the table holds now; empty where there is no file. Raises as `reading` does.

        Several parts of a page, and several tabs, ask at the same moment: they share one read for up to
        `_SNAPSHOT_SECONDS`, as long as nobody writes.
        """
        with self.file.plain_errors():
            stamp, now = self.file.stamp(), time.time()
            if stamp is None:
                return Snapshot()
            known = _snapshots.get(self.path)
            if known is not None and known[0] == stamp and 0 <= now - known[1] < _SNAPSHOT_SECONDS:
                return known[2]
            with self.reading() as db:
                found = self._read(db)
            if stamp.is_older_than_a_tick(now):
                _snapshots[self.path] = (stamp, now, found)
            return found

    def _read(self, db: sqlite3.Connection) -> Snapshot:
        has_notices = db.execute("SELECT 1 FROM note LIMIT 1").fetchone() is not None
        return Snapshot(tuple(self.waiting(db)), tuple(self.active(db)), has_notices)

    # Reading

    def waiting(self, db: sqlite3.Connection) -> list[Job]:
        """The queued jobs in the order in which they will start."""
        return self._jobs(db, "state = 'queued' ORDER BY priority DESC, id")

    def active(self, db: sqlite3.Connection) -> list[Job]:
        """The jobs that hold a device."""
        return self._jobs(db, "state IN ('starting', 'running', 'cancelling') ORDER BY device")

    def of_run(self, db: sqlite3.Connection, run: Path) -> Job | None:
        """The job of that run which waits or holds a device."""
        live = "state IN ('queued', 'starting', 'running', 'cancelling')"
        found = self._jobs(db, f"run = ? AND {live}", self._name(run))
        return found[0] if found else None

    # Changes of state

    def insert(self, db: sqlite3.Connection, run: Path, state: JobState, **columns: Any) -> None:
        """A new job. Raises `sqlite3.IntegrityError` where the run has one already, or its device is taken."""
        values = {"run": self._name(run), "state": state, "created": time.time(), **columns}
        names = ", ".join(values)
        db.execute(f"INSERT INTO job ({names}) VALUES ({', '.join('?' * len(values))})", list(values.values()))

    def claim(self, db: sqlite3.Connection, only: str | None = None) -> Job | None:
        """Give the next job that can start its device, and its attempt an id: queued -> starting."""
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
        """Give a claimed job to `runner` (pid and create time); None where another has it, or it is gone."""
        adopted = db.execute(
            "UPDATE job SET runner_pid = ?, runner_create_time = ?, heartbeat = ? "
            "WHERE id = ? AND state = 'starting' AND runner_pid IS NULL AND pid IS NULL",
            (*runner, time.time(), job),
        )
        return self._by_id(db, job) if adopted.rowcount else None

    def requeue(self, db: sqlite3.Connection, job: Job) -> None:
        """Let a job that was claimed and never started wait again, in its old place."""
        db.execute(
            "UPDATE job SET state = 'queued', device = NULL, started = NULL, attempts = attempts + 1 "
            "WHERE id = ? AND state = 'starting' AND pid IS NULL",
            (job.id,),
        )

    def update_active(self, db: sqlite3.Connection, run: Path, **columns: Any) -> None:
        """Change columns of the active job of that run."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        db.execute(
            f"UPDATE job SET {assignments} WHERE run = ? AND state IN ('starting', 'running', 'cancelling')",
            [*columns.values(), self._name(run)],
        )

    def end(self, db: sqlite3.Connection, run: Path, state: JobState, error: str | None = None) -> bool:
        """End the active job of that run, which frees its device. False where that is noted already."""
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
        """Remove the job of that run, if it waits or no runner has adopted it yet."""
        gone = db.execute(
            "DELETE FROM job WHERE run = ? AND "
            "(state = 'queued' OR (state = 'starting' AND runner_pid IS NULL AND pid IS NULL))",
            (self._name(run),),
        )
        return bool(gone.rowcount)

    def move_first(self, db: sqlite3.Connection, run: Path) -> int | None:
        """Let the queued job of that run go before all others; its new priority, None where it does not wait."""
        (highest,) = db.execute("SELECT coalesce(max(priority), 0) FROM job WHERE state = 'queued'").fetchone()
        moved = db.execute(
            "UPDATE job SET priority = ? WHERE run = ? AND state = 'queued'", (highest + 1, self._name(run))
        )
        return int(highest) + 1 if moved.rowcount else None

    def add_notice(self, db: sqlite3.Connection, line: str) -> None:
        """Keep a line for the next person who opens a page."""
        db.execute("INSERT OR IGNORE INTO note (line) VALUES (?)", (line,))

    def pop_notices(self, db: sqlite3.Connection) -> list[str]:
        """The lines that nobody has read yet; they are deleted."""
        return [line for (line,) in db.execute("DELETE FROM note RETURNING line").fetchall()]

    # Rows

    def _name(self, run: Path) -> str:
        """The run as the table stores it: relative to the workspace, so that a moved workspace keeps its queue."""
        run = Path(run).resolve()
        return str(run.relative_to(self.workspace) if run.is_relative_to(self.workspace) else run)

    def _waiting_rows(self, db: sqlite3.Connection) -> list[dict[str, Any]]:
        """The queued jobs as `queue_backup` stores them."""
        names = ("run", "options", "wanted", "priority", "resume", "expected_seconds", "created")
        rows = db.execute(f"SELECT {', '.join(names)} FROM job WHERE state = 'queued' ORDER BY id")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**row, "options": json.loads(row["options"])} for row in found]

    def _by_id(self, db: sqlite3.Connection, job: int) -> Job:
        return self._jobs(db, "id = ?", job)[0]

    def _jobs(self, db: sqlite3.Connection, where: str, *values: object) -> list[Job]:
        cursor = db.execute(f"SELECT * FROM job WHERE {where}", values)
        names = [column[0] for column in cursor.description]
        return [self._job(dict(zip(names, row, strict=True))) for row in cursor]

    def _job(self, row: dict[str, Any]) -> Job:
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
