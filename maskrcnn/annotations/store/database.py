"""Create and open `project.db`.

WAL mode allows reading while another connection writes. With `synchronous=FULL` a commit waits until the data is on the
disk, so a finished save survives a crash of the process or of the computer.

A project may come from an untrusted source. Its files are checked before they are opened (`database_files`), and the
content of the database before it is used (`database_check`). This takes a few microseconds if the file is unchanged.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from maskrcnn.annotations.store import database_check, database_files
from maskrcnn.annotations.store.database_errors import primary_code, sqlite_errors_converted
from maskrcnn.annotations.store.table_definitions import TABLES, VERSION
from maskrcnn.errors import StudioError

PATIENCE = 20.0
"""Maximum seconds to wait for another program that is writing to the database."""

MOST_BYTES = 100_000_000
"""Maximum length of a text in the database in bytes, for example the regions of one picture."""


def create(path: Path) -> None:
    """Create an empty database with all tables, in one transaction."""
    with sqlite_errors_converted(path), closing(_connection(path, "mode=rwc")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def version(path: Path) -> int:
    """Return the schema version of the database, without changing it.

    Raises `StudioError` if it is not a project database, or was written by a newer studio.
    """
    database_files.require_ordinary(path)
    if not any(database_files.has_content(path, suffix) for suffix in ("", database_files.WAL)):
        database_files.require_ordinary(path)  # raises if the file was deleted a moment ago
        raise StudioError(f"{path}: this is not a project database of the studio (it is empty); restore it from a copy")
    with sqlite_errors_converted(path), closing(_reading_connection(path)) as db:
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
    """Open a read transaction on one consistent state. Works also on a disk that is full or read-only."""
    database_files.require_ordinary(path)
    with (
        database_check.remembering(path) as known,
        sqlite_errors_converted(path),
        closing(_reading_connection(path)) as db,
    ):
        if not known:
            database_check.examine(db, path)
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a write transaction. It is committed at the end of the block, or rolled back on an exception."""
    database_files.require_ordinary(path)
    with database_check.remembering(path) as known, sqlite_errors_converted(path), closing(connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        if not known:
            database_check.examine(db, path)
        yield db
        db.execute("COMMIT")  # without it, closing the connection undoes all


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing database for reading and writing, without a transaction. Never creates a file."""
    return _connection(path, "mode=rw")


def _connection(path: Path, options: str, *first: str, patience: float | None = None) -> sqlite3.Connection:
    """Open a connection with the settings of the studio. `first` are pragmas to set before the others."""
    # One connection for each operation: Streamlit runs pages in many threads, and opening takes well under 1 ms.
    uri = f"{path.absolute().as_uri()}?{options}"
    db = sqlite3.connect(uri, uri=True, timeout=PATIENCE if patience is None else patience, isolation_level=None)
    try:
        for pragma in (*first, "synchronous = FULL", "foreign_keys = ON", *_UNTRUSTED_PRAGMAS):
            db.execute(f"PRAGMA {pragma}")
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    except BaseException:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


_UNTRUSTED_PRAGMAS = ("trusted_schema = OFF", "cell_size_check = ON")
"""Pragmas that SQLite recommends for untrusted databases (sqlite.org/security.html)."""


# Reading if nothing can be written. In WAL mode even a reader creates two files next to the database, one of them with
# at least 32 kB. Each of these methods sees all committed data.


def _reading_connection(path: Path) -> sqlite3.Connection:
    """Open a read transaction; on a full or read-only disk, try methods that need no new files."""
    try:
        return _with_read_transaction(connect(path))
    except sqlite3.OperationalError as error:
        if primary_code(error) not in _NEW_FILES_REFUSED:
            raise
        refused = error
    if not any(database_files.has_content(path, suffix) for suffix in (database_files.WAL, database_files.JOURNAL)):
        # All committed data is in the main file, so open it as immutable.
        return _with_read_transaction(_connection(path, "mode=ro&immutable=1"))
    try:
        return _exclusive_connection(path)
    except sqlite3.OperationalError as error:
        if primary_code(error) == sqlite3.SQLITE_BUSY:
            raise
    try:
        # A crash left a WAL, and the disk is read-only now. Locks are not needed, because nothing can change.
        return _with_read_transaction(_connection(path, "mode=ro&vfs=unix-none", "locking_mode = EXCLUSIVE"))
    except sqlite3.OperationalError:
        raise refused from None


def _exclusive_connection(path: Path) -> sqlite3.Connection:
    """Open with an exclusive lock, for a full disk: SQLite then keeps the index of the WAL in memory, not in a file."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return _with_read_transaction(_connection(path, "mode=rw", "locking_mode = EXCLUSIVE", patience=0))
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        # Two processes that block each other both release their lock and retry after random times.
        time.sleep(random.uniform(0.005, 0.05))


def _with_read_transaction(db: sqlite3.Connection) -> sqlite3.Connection:
    """Begin a read transaction and return the connection; it is closed on an error."""
    try:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # SQLite opens the files only now
    except BaseException:
        db.close()
        raise
    return db


_NEW_FILES_REFUSED = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
)
"""Error codes of SQLite if it cannot create files next to the database."""
