"""The SQLite file `jobs.db` of the queue: create it, migrate it, detect damage, translate its errors for the user.

`job_table` reads and writes its rows.

A damaged file is replaced by a new one, from the running trainers and the backup of the waiting jobs (see
`queue_recovery`).
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.jobs.file_lock import alone

DATABASE = "jobs.db"

_PATIENCE = 5.0
"""Seconds to wait while another program locks the file."""

_APPLICATION = 0x4D52434A  # "MRCJ" (SQLite application id): distinguishes this file from those of other programs
_VERSION = 3
_TABLES = """
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- age: of two jobs of one priority, the lower one goes first
    run TEXT NOT NULL,                     -- the run folder; relative to the workspace if it is inside
    options TEXT NOT NULL,                 -- JSON: options of the training, see `trainer_command`
    wanted TEXT NOT NULL,                  -- the requested device, or "any"
    device TEXT,                           -- the device on which it runs or ran
    state TEXT NOT NULL CHECK (
        state IN ('queued', 'starting', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'lost')),
    priority INTEGER NOT NULL DEFAULT 0,   -- the higher goes first
    resume INTEGER NOT NULL DEFAULT 0,
    expected_seconds REAL,
    created REAL NOT NULL,                 -- this and all other times: seconds since 1970
    started REAL,                          -- when a device was assigned
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

-- Notices that are shown to the user once.
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, line TEXT NOT NULL UNIQUE);
"""

_CLOCK_TICK = 0.05
"""Seconds: the resolution of modification times on some file systems."""


class QueueDamaged(StudioError):
    """The file is no valid table of jobs: it is damaged or belongs to another program. `queue_recovery` replaces it."""

    def __init__(self) -> None:
        super().__init__(f"{DATABASE} was damaged while it was used; load the page again, which mends it")


@dataclass(frozen=True)
class QueueDatabaseStamp:
    """Values of the queue's database that change with each write, of the file and of its write-ahead log: inode,
    modification time (ns since 1970) and size in bytes."""

    file: tuple[int, int, int]
    log: tuple[int, int, int] | None

    def is_older_than_a_tick(self, now: float) -> bool:
        """Whether the last write is older than a clock tick, so that the next write is sure to change the stamp.
        `now`: seconds since 1970."""
        newest = max(self.file[1], self.log[1] if self.log else 0)
        return now - newest / 1e9 > _CLOCK_TICK


class QueueDatabase:
    """The SQLite file at `path`. Methods raise the errors of SQLite and the system; `plain_errors` translates them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self) -> sqlite3.Connection:
        """A connection in autocommit mode; creates or migrates the file. Raises `QueueDamaged` for another program's
        file."""
        db = self._open()
        try:
            application, version = _database_marks(db)
            if (application, version) == (0, 0):
                db.close()
                self._create()
                db = self._open()
                application, version = _database_marks(db)
            if application != _APPLICATION:
                raise QueueDamaged
            if version > _VERSION:
                raise StudioError(f"{self.path} was written by a newer studio; update this one")
            if version < _VERSION:
                _migrate_database(db)
        except BaseException:
            db.close()
            raise
        return db

    def connect_to_read(self) -> sqlite3.Connection:
        """A connection; if the file does not exist, to an empty table in memory."""
        if self.path.exists():
            return self.connect()
        db = sqlite3.connect(":memory:")
        db.executescript(_TABLES)
        return db

    def alone(self) -> AbstractContextManager[None]:
        """Hold the lock for creating or replacing the file during a block."""
        return alone(self.path.with_name(f".{self.path.name}.lock"))

    def stamp(self) -> QueueDatabaseStamp | None:
        """The current stamp of the file, None if there is no file."""
        file = _queue_file_stat(self.path)
        return file and QueueDatabaseStamp(file, _queue_file_stat(self.path.with_name(f"{self.path.name}-wal")))

    def is_examined(self) -> bool:
        """Whether this process has checked the file and it was not replaced since. True if there is no file."""
        file = _queue_file_stat(self.path)
        return file is None or _examined.get(self.path) == file[0]

    @contextmanager
    def examining(self) -> Iterator[None]:
        """Mark the file as checked for damage if the block ends without an exception."""
        file = _queue_file_stat(self.path)
        yield
        if file is not None:
            _examined[self.path] = file[0]

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Convert errors of SQLite and the system in the block to `QueueDamaged` or to a `StudioError` with advice.

        After `QueueDamaged`, the file is checked again. `sqlite3.IntegrityError` is not converted.
        """
        try:
            yield
        except QueueDamaged:
            _examined.pop(self.path, None)
            raise
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
            if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or name == "SQLITE_ERROR":
                _examined.pop(self.path, None)
                raise QueueDamaged from error
            raise StudioError(f"{self.path}: {_sqlite_error_advice(name, str(error))}") from error
        except OSError as error:
            raise StudioError(
                f"{self.path}: cannot be written ({error.strerror}); mend the rights of the folder"
            ) from None

    def _open(self) -> sqlite3.Connection:
        """A connection to the file, which SQLite creates empty if it does not exist."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        # NORMAL survives a crash of any process. A power failure may lose the last change, which the run folders have.
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    def _create(self) -> None:
        """Create the tables in an empty file. Raises `QueueDamaged` if the file has other tables."""
        with self.alone(), closing(self._open()) as db:
            if _database_marks(db) != (0, 0):  # another process has created it meanwhile
                return
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise QueueDamaged
            db.execute("PRAGMA journal_mode = WAL")  # so that pages can read while a runner writes
            marks = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
            db.executescript(f"BEGIN IMMEDIATE; {_TABLES} {marks} COMMIT;")


_examined: dict[Path, int] = {}
"""The files that this process has examined for damage: path -> inode."""


def _migrate_database(db: sqlite3.Connection) -> None:
    """Migrate the queue's database of an older version of the studio.

    Version 1 stored the whole command of a job, version 2 only its options; version 3 also the id of its attempt.
    """
    db.execute("BEGIN IMMEDIATE")
    version = _database_marks(db)[1]  # read again: another process may have migrated it meanwhile
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


def _database_marks(db: sqlite3.Connection) -> tuple[int, int]:
    """The application id of the queue's database and the version of its tables; (0, 0) for an empty file."""
    return db.execute("PRAGMA application_id").fetchone()[0], db.execute("PRAGMA user_version").fetchone()[0]


def _queue_file_stat(path: Path) -> tuple[int, int, int] | None:
    """Inode, modification time (ns since 1970) and size in bytes of the queue's database, or of its log.

    None if the file does not exist.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _sqlite_error_advice(name: str, reported: str) -> str:
    """What is wrong and what the user can do, for the name of an SQLite error and its text."""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds it and does not let go; close that one, the queue waits until then"
    if name.startswith("SQLITE_FULL"):
        return "the disk is full; free some space, the queue waits until then"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return "cannot be written; mend the rights of the folder, the queue waits until then"
    return f"cannot be used ({reported}); look after the disk, the queue waits until then"
