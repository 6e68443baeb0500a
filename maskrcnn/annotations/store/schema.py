"""The tables of `project.db` and how it is opened.

WAL mode lets pages read while one of them saves; `synchronous=FULL` makes a commit wait until the disk has it, so a
save that returned survives a crash of the process or of the machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from maskrcnn.errors import StudioError

DATABASE = "project.db"
"""The file that makes a folder a project."""

VERSION = 1

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);  -- name, class_attribute, extras: JSON values

CREATE TABLE class (name TEXT PRIMARY KEY, position INTEGER NOT NULL, colour TEXT NOT NULL);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_name TEXT NOT NULL UNIQUE,        -- in images/
    given_name TEXT NOT NULL,              -- as the picture was called where it came from
    sha256 TEXT NOT NULL,
    file_size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('train', 'val')),
    done INTEGER NOT NULL DEFAULT 0,
    attributes TEXT NOT NULL,              -- JSON
    revision INTEGER NOT NULL DEFAULT 1,   -- grows with every save, undo and redo
    state INTEGER                          -- the history row that is shown now
);

CREATE TABLE region (
    image_id INTEGER NOT NULL REFERENCES image (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    class_name TEXT,
    document TEXT NOT NULL,                -- JSON, see region_json
    PRIMARY KEY (image_id, position)
);

-- A tree of states for each image: a save adds a child to the state it started from, undo goes to the parent, redo to
-- the youngest child. Rows are never deleted, so nothing that was ever saved is lost.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    parent INTEGER REFERENCES history (id),
    saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL                  -- JSON list
);
CREATE INDEX history_children ON history (parent);
"""


def create(path: Path) -> None:
    """A new, empty database; all tables or none."""
    with closing(_connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def check(path: Path) -> None:
    """`StudioError` unless the file is a project database of a version that this studio knows."""
    try:
        with closing(_connect(path)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:
        raise StudioError(f"{path}: this is not a project database; restore it from a copy") from None
    if version > VERSION:
        raise StudioError(
            f"{path}: written by a newer studio (schema {version}, this one knows {VERSION}); update the studio"
        )
    if version < 1:
        raise StudioError(f"{path}: this is not a project database of the studio; choose another folder")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for reading one consistent state."""
    with _complaining(path), closing(_connect(path)) as db:
        db.execute("BEGIN")
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside a transaction that is committed at the end, and undone where anything is raised."""
    with _complaining(path), closing(_connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.rollback()
            raise
        db.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    # One connection for each operation: Streamlit runs pages in many threads, and opening takes well under 1 ms.
    db = sqlite3.connect(path, timeout=20, isolation_level=None)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.row_factory = sqlite3.Row
    return db


@contextmanager
def _complaining(path: Path) -> Iterator[None]:
    try:
        if not path.is_file():
            raise StudioError(f"{path}: the project is gone; open another, or put its folder back")
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise StudioError(
            f"{path}: the project cannot be used now ({error}); close other programs that use it"
        ) from None
