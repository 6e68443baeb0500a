"""How `project.db` is opened.

WAL mode lets pages read while one of them saves; `synchronous=FULL` makes a commit wait until the disk has it, so a
save that returned survives a crash of the process or of the machine.

A project may come from a stranger. Its files are looked at before they are opened (`database_files`), and what is in
the database before it is used (`database_check`); that costs a few microseconds while nobody else writes to it.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from maskrcnn.annotations.store import database_check, database_files
from maskrcnn.annotations.store.database_errors import complaining
from maskrcnn.annotations.store.table_definitions import TABLES, VERSION
from maskrcnn.errors import StudioError

DATABASE = "project.db"
"""The file that makes a folder a project."""

PATIENCE = 20.0
"""Seconds to wait for another program that is writing."""

MOST_BYTES = 100_000_000
"""The longest text that is read or written: the regions of one picture, say."""


def is_project(folder: Path) -> bool:
    """Whether a folder is that of a project; its database is not opened."""
    try:
        return (folder / DATABASE).is_file()
    except (OSError, ValueError):  # no right to look; a name that no file system has
        return False


def create(path: Path) -> None:
    """A new, empty database; all tables or none."""
    with complaining(path), closing(_connection(path, "mode=rwc")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def version(path: Path) -> int:
    """Which schema the database has. Raises `StudioError` for what is no project, or one of a newer studio; neither
    is touched."""
    database_files.require_ordinary(path)
    if not any(database_files.has_content(path, suffix) for suffix in ("", database_files.WAL)):
        database_files.require_ordinary(path)  # one that was taken away in this moment is not empty
        raise StudioError(f"{path}: this is not a project database of the studio (it is empty); restore it from a copy")
    with complaining(path), closing(_readable(path)) as db:
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise StudioError(
            f"{path}: written by a newer studio (schema {found}, this one knows {VERSION}); update the studio"
        )
    if found < 1:
        raise StudioError(f"{path}: this is not a project database of the studio; choose another folder")
    return found


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for reading one consistent state; also on a disk that is full or read-only."""
    database_files.require_ordinary(path)
    with database_check.remembering(path) as known, complaining(path), closing(_readable(path)) as db:
        if not known:
            database_check.examine(db, path)
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside a transaction that is committed at the end, and undone where anything is raised."""
    database_files.require_ordinary(path)
    with database_check.remembering(path) as known, complaining(path), closing(connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        if not known:
            database_check.examine(db, path)
        yield db
        db.execute("COMMIT")  # without it, closing the connection undoes all


@contextmanager
def migrating(path: Path, version: int) -> Iterator[sqlite3.Connection | None]:
    """`writing` for a database of that older version; nothing is committed that the present version would refuse. None
    where another page brought it up while this one waited for its turn."""
    database_files.require_ordinary(path)
    with complaining(path), closing(connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != version:
            yield None
            return
        database_check.examine(db, path, version)
        yield db
        database_check.examine(db, path)
        db.execute("COMMIT")


def connect(path: Path) -> sqlite3.Connection:
    """A connection for reading and writing, outside of a transaction; never makes a database where there is none."""
    return _connection(path, "mode=rw")


def _connection(path: Path, options: str, *first: str, patience: float | None = None) -> sqlite3.Connection:
    # One connection for each operation: Streamlit runs pages in many threads, and opening takes well under 1 ms.
    uri = f"{path.absolute().as_uri()}?{options}"
    db = sqlite3.connect(uri, uri=True, timeout=PATIENCE if patience is None else patience, isolation_level=None)
    try:
        for pragma in (*first, "synchronous = FULL", "foreign_keys = ON", *_CAREFUL):
            db.execute(f"PRAGMA {pragma}")
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    except BaseException:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


_CAREFUL = ("trusted_schema = OFF", "cell_size_check = ON")
"""What SQLite's authors advise for a database from a stranger (sqlite.org/security.html)."""


# Reading where nothing can be written. In WAL mode even a reader makes two files beside the database, one of them of
# 32 kB at least. Each of these ways sees all that was committed.


def _readable(path: Path) -> sqlite3.Connection:
    """A connection in a transaction that reads."""
    try:
        return _begun(connect(path))
    except sqlite3.OperationalError as error:
        if _code(error) not in _NO_ROOM_BESIDE:
            raise
        refused = error
    if not any(database_files.has_content(path, suffix) for suffix in (database_files.WAL, database_files.JOURNAL)):
        # All that was committed is in one file, which is read as one that nobody changes.
        return _begun(_connection(path, "mode=ro&immutable=1"))
    try:
        return _alone(path)
    except sqlite3.OperationalError as error:
        if _code(error) == sqlite3.SQLITE_BUSY:
            raise
    try:
        # A WAL that a crash left, on a disk that is read-only now: where nothing can be locked, nothing can be changed.
        return _begun(_connection(path, "mode=ro&vfs=unix-none", "locking_mode = EXCLUSIVE"))
    except sqlite3.OperationalError:
        raise refused from None


def _alone(path: Path) -> sqlite3.Connection:
    """A connection that keeps all others out, for which SQLite has the index of the WAL in memory: for a full disk."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return _begun(_connection(path, "mode=rw", "locking_mode = EXCLUSIVE", patience=0))
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        # Two that wait for each other both let go, and come back at different times.
        time.sleep(random.uniform(0.005, 0.05))


def _begun(db: sqlite3.Connection) -> sqlite3.Connection:
    try:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # only now the files are opened
    except BaseException:
        db.close()
        raise
    return db


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_NO_ROOM_BESIDE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
)
