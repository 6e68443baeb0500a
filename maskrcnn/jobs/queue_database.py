"""`jobs.db`, the table of jobs of a workspace: which jobs wait, in which order, and which devices are taken.

Several tabs, servers and runners use it at once. Each change of a state is one transaction, and a unique index keeps a
second job off a device. What a training does is read from its run folder, never from here; what is started is read from
here alone, never from a run folder. Where the file is damaged, it is made anew from the processes that train and from a
copy of what waits (see `queue_recovery`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, queue_backup
from maskrcnn.jobs.backend import JobState
from maskrcnn.jobs.file_lock import alone
from maskrcnn.runs.attempts import new_attempt

DATABASE = "jobs.db"

KEPT = 200
"""How many ended jobs stay in the table."""

_PATIENCE = 5.0
_APPLICATION = 0x4D52434A  # "MRCJ", so that another program's file is known as such
_VERSION = 3
_TABLES = """
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- age: of two jobs of one priority, the lower one goes first
    run TEXT NOT NULL,                     -- the run folder, relative to the workspace where it lies in it
    options TEXT NOT NULL,                 -- JSON: what was chosen, see `trainer_command`
    wanted TEXT NOT NULL,                  -- "any" or a device
    device TEXT,                           -- where it runs or ran
    state TEXT NOT NULL CHECK (
        state IN ('queued', 'starting', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'lost')),
    priority INTEGER NOT NULL DEFAULT 0,   -- the higher goes first
    resume INTEGER NOT NULL DEFAULT 0,
    expected_seconds REAL,
    created REAL NOT NULL,                 -- this and all other times: seconds since 1970
    started REAL,                          -- when it was given its device
    ended REAL,
    runner_pid INTEGER, runner_create_time REAL,
    pid INTEGER, create_time REAL,         -- of the trainer
    heartbeat REAL,                        -- when the runner last saw the trainer alive
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    attempt TEXT                           -- the id that its trainer is started with, see `runs.attempts`
);
CREATE UNIQUE INDEX IF NOT EXISTS job_device ON job (device) WHERE state IN ('starting', 'running', 'cancelling');
CREATE UNIQUE INDEX IF NOT EXISTS job_run ON job (run) WHERE state IN ('queued', 'starting', 'running', 'cancelling');
CREATE INDEX IF NOT EXISTS job_state ON job (state);

-- Lines that a person should read once.
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, line TEXT NOT NULL UNIQUE);
"""


class QueueDamaged(StudioError):
    """The file is no table of jobs: torn, or another program's. `queue_recovery` makes a new one."""

    def __init__(self) -> None:
        super().__init__(f"{DATABASE} was damaged while it was used; load the page again, which mends it")


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


class Table:
    """The table of one workspace. It holds no connection: each use opens the file, and closes it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = Path(workspace).resolve()
        self.path = self.workspace / DATABASE

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading; where there is no file yet, to an empty table in memory, so that none is made.

        Raises `StudioError` where the file cannot be used, `QueueDamaged` where it is no table of jobs.
        """
        with self._speaking_plainly(), closing(self._connect() if self.path.exists() else _empty()) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer can come between. Raises as `reading` does."""
        with self._speaking_plainly(), closing(self._connect()) as db:
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
        with self._speaking_plainly():
            found = _stat(self.path)
            if found is None or _examined.get(self.path) == found.identity:
                return
            with self.reading() as db:
                self._read(db)
                if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                    raise QueueDamaged
            _examined[self.path] = found.identity

    def snapshot(self) -> Snapshot:
        """What the table holds now; empty where there is no file. Raises as `reading` does.

        Several parts of a page, and several tabs, ask at the same moment: they share one read for up to
        `_SNAPSHOT_SECONDS`, as long as nobody writes.
        """
        with self._speaking_plainly():
            stamp, now = (_stat(self.path), _stat(self.path.with_name(f"{DATABASE}-wal"))), time.time()
            if stamp[0] is None:
                return Snapshot()
            known = _snapshots.get(self.path)
            if known is not None and known[0] == stamp and 0 <= now - known[1] < _SNAPSHOT_SECONDS:
                return known[2]
            with self.reading() as db:
                found = self._read(db)
            # A write within the resolution of the file's time may have come after the read, and leave the same stamp.
            if now - max(file.modified for file in stamp if file) / 1e9 > _CLOCK_TICK:
                _snapshots[self.path] = (stamp, now, found)
            return found

    def _read(self, db: sqlite3.Connection) -> Snapshot:
        has_notices = db.execute("SELECT 1 FROM note LIMIT 1").fetchone() is not None
        return Snapshot(tuple(self.waiting(db)), tuple(self.active(db)), has_notices)

    # What is in it

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

    # Its transitions

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
        """Make `runner` the one that looks after a job that was claimed; None where it is another's, or gone."""
        adopted = db.execute(
            "UPDATE job SET runner_pid = ?, runner_create_time = ?, heartbeat = ? "
            "WHERE id = ? AND state = 'starting' AND runner_pid IS NULL AND pid IS NULL",
            (*runner, time.time(), job),
        )
        return self._by_id(db, job) if adopted.rowcount else None

    def give_back(self, db: sqlite3.Connection, job: Job) -> None:
        """A job that was claimed and never started waits again, in its old place."""
        db.execute(
            "UPDATE job SET state = 'queued', device = NULL, started = NULL, attempts = attempts + 1 "
            "WHERE id = ? AND state = 'starting' AND pid IS NULL",
            (job.id,),
        )

    def note(self, db: sqlite3.Connection, run: Path, **columns: Any) -> None:
        """Write down something about the active job of that run."""
        assignments = ", ".join(f"{name} = ?" for name in columns)
        db.execute(
            f"UPDATE job SET {assignments} WHERE run = ? AND state IN ('starting', 'running', 'cancelling')",
            [*columns.values(), self._name(run)],
        )

    def end(self, db: sqlite3.Connection, run: Path, state: JobState, error: str | None = None) -> bool:
        """The active job of that run has ended, and its device is free. False where somebody noted it before."""
        ended = db.execute(
            "UPDATE job SET state = ?, error = ?, ended = ? "
            "WHERE run = ? AND state IN ('starting', 'running', 'cancelling')",
            (state, error, time.time(), self._name(run)),
        )
        db.execute(
            "DELETE FROM job WHERE state IN ('done', 'failed', 'cancelled', 'lost') AND id <= "
            "(SELECT max(id) FROM job) - ?",
            (KEPT,),
        )
        return bool(ended.rowcount)

    def take_out(self, db: sqlite3.Connection, run: Path) -> bool:
        """Remove the job of that run, if it waits or no runner has come for it yet."""
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

    # How it is opened

    def alone(self) -> AbstractContextManager[None]:
        """A block in which this process alone may make or replace the file."""
        return alone(self.workspace / f".{DATABASE}.lock")

    def _connect(self) -> sqlite3.Connection:
        db = self._open()
        try:
            application, version = _marks(db)
            if (application, version) == (0, 0):
                db.close()
                self._create()
                db = self._open()
                application, version = _marks(db)
            if application != _APPLICATION:
                raise QueueDamaged
            if version > _VERSION:
                raise StudioError(f"{self.path} was written by a newer studio; update this one")
            if version < _VERSION:
                _migrate(db)
        except BaseException:
            db.close()
            raise
        return db

    def _open(self) -> sqlite3.Connection:
        self.workspace.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        # Enough for what any process dies of; only a power cut may take the last change, and the run folders have it.
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    def _create(self) -> None:
        with self.alone(), closing(self._open()) as db:
            if _marks(db) != (0, 0):  # somebody else was first
                return
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise QueueDamaged
            db.execute("PRAGMA journal_mode = WAL")  # pages read while a runner writes
            marks = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} {marks} COMMIT;")

    @contextmanager
    def _speaking_plainly(self) -> Iterator[None]:
        """What SQLite complains of, as `QueueDamaged` or as a line with the mend."""
        try:
            yield
        except QueueDamaged:
            self._forget()
            raise
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
            if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or name == "SQLITE_ERROR":
                self._forget()
                raise QueueDamaged from error
            raise StudioError(f"{self.path}: {_mend(name, str(error))}") from error
        except OSError as error:
            raise StudioError(
                f"{self.path}: cannot be written ({error.strerror}); mend the rights of the folder"
            ) from None

    def _forget(self) -> None:
        _examined.pop(self.path, None)
        _snapshots.pop(self.path, None)

    # Rows

    def _name(self, run: Path) -> str:
        """A run as the table has it: a workspace that is moved as a whole keeps its queue."""
        run = Path(run).resolve()
        return str(run.relative_to(self.workspace) if run.is_relative_to(self.workspace) else run)

    def _waiting_rows(self, db: sqlite3.Connection) -> list[dict[str, Any]]:
        """The queued jobs as `queue_backup` keeps them."""
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


def _migrate(db: sqlite3.Connection) -> None:
    """Bring the table of an older studio to this version. Version 1 kept the whole command of a job, version 2 only its
    options; version 3 also keeps the id of its attempt."""
    db.execute("BEGIN IMMEDIATE")
    version = _marks(db)[1]  # asked again: somebody else may have been first
    if version == 1:
        db.execute("ALTER TABLE job RENAME COLUMN argv TO options")
        for number, text in db.execute("SELECT id, options FROM job").fetchall():
            with suppress(ValueError, TypeError):
                words = json.loads(text)
                after = words[words.index("--out") + 2 :] if "--out" in words else []
                options = [word for word in after if word != "--resume"]
                db.execute("UPDATE job SET options = ? WHERE id = ?", (json.dumps(options), number))
    if version < 3:
        db.execute("ALTER TABLE job ADD COLUMN attempt TEXT")
    db.execute(f"PRAGMA user_version = {_VERSION}")
    db.execute("COMMIT")


@dataclass(frozen=True)
class _Stat:
    """Which file it is (device and inode), when it was modified (ns since 1970), and its size in bytes."""

    identity: tuple[int, int]
    modified: int
    size: int


def _stat(path: Path) -> _Stat | None:
    """None where there is no file. Raises `OSError` where the folder cannot be read."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return _Stat((found.st_dev, found.st_ino), found.st_mtime_ns, found.st_size)


_examined: dict[Path, tuple[int, int]] = {}
"""The tables that this process has checked for damage: path -> device and inode of the file."""

_snapshots: dict[Path, tuple[tuple[_Stat | None, _Stat | None], float, Snapshot]] = {}
"""The last read of each table: the stamp of its file and its write-ahead log, when it was read, and what was in it."""

_SNAPSHOT_SECONDS = 0.3
_CLOCK_TICK = 0.05  # seconds; modification times are that coarse on some systems


def _empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.executescript(_TABLES)
    return db


def _marks(db: sqlite3.Connection) -> tuple[int, int]:
    """Whose file it is, and of which version; (0, 0) for an empty one."""
    return db.execute("PRAGMA application_id").fetchone()[0], db.execute("PRAGMA user_version").fetchone()[0]


def _mend(name: str, reported: str) -> str:
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds it and does not let go; close that one, the queue waits until then"
    if name.startswith("SQLITE_FULL"):
        return "the disk is full; free some space, the queue waits until then"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return "cannot be written; mend the rights of the folder, the queue waits until then"
    return f"cannot be used ({reported}); look after the disk, the queue waits until then"
