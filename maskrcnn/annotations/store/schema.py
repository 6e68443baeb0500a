"""The tables of `project.db` and how it is opened.

WAL mode lets pages read while one of them saves; `synchronous=FULL` makes a commit wait until the disk has it, so a
save that returned survives a crash of the process or of the machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from maskrcnn.annotations.store.complaints import complaining
from maskrcnn.errors import StudioError

DATABASE = "project.db"
"""The file that makes a folder a project."""

VERSION = 2
"""What this studio writes. `migrations` brings older databases here; newer ones are refused."""

PATIENCE = 20.0
"""Seconds to wait for another program that is writing."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);  -- name, class_attribute, extras: JSON values

CREATE TABLE class (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    colour TEXT NOT NULL,
    hotkey TEXT,                           -- one of 0-9, a-z
    skeleton TEXT                          -- JSON {"names": [...], "edges": [[0, 1], ...]}
);
CREATE UNIQUE INDEX class_hotkey ON class (hotkey);

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
    state INTEGER,                         -- the history row that is shown now
    n_regions INTEGER NOT NULL DEFAULT 0,  -- in that state
    extras TEXT NOT NULL DEFAULT '{}',     -- JSON
    removed INTEGER NOT NULL DEFAULT 0     -- hidden, never deleted
);
CREATE INDEX image_status ON image (removed, split, done, revision, n_regions);

-- One row for each region of each picture that is not removed: what can be counted. What was drawn is in history.
CREATE TABLE region (
    image_id INTEGER NOT NULL REFERENCES image (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    class_name TEXT,
    PRIMARY KEY (image_id, position)
) WITHOUT ROWID;
CREATE INDEX region_class ON region (class_name);

-- A tree of states for each image: a save adds a child to the state it started from, undo goes to the parent, redo to
-- the youngest child. Rows are never changed or deleted, so nothing that was ever saved is lost.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    parent INTEGER REFERENCES history (id),
    saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL                  -- JSON list, see region_json
);
CREATE INDEX history_children ON history (parent);

-- A snapshot names the state of each picture at one moment; as states never change, that is all it takes.
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    pictures INTEGER NOT NULL,
    regions INTEGER NOT NULL,
    facts TEXT NOT NULL                    -- JSON {"classes": [...], "class_attribute": ..., "extras": {...}}
);
CREATE TABLE snapshot_image (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot (id),
    image_id INTEGER NOT NULL REFERENCES image (id),
    state INTEGER NOT NULL REFERENCES history (id),
    revision INTEGER NOT NULL,
    split TEXT NOT NULL,
    PRIMARY KEY (snapshot_id, image_id)
) WITHOUT ROWID;
"""


def create(path: Path) -> None:
    """A new, empty database; all tables or none."""
    with complaining(path), closing(connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def version(path: Path) -> int:
    """Which schema the database has. Raises `StudioError` for what is no project, or one of a newer studio; neither
    is touched."""
    if not path.stat().st_size:
        raise StudioError(f"{path}: this is not a project database of the studio (it is empty); restore it from a copy")
    with complaining(path), closing(connect(path)) as db:
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
    """A connection for reading one consistent state."""
    with _present(path), complaining(path), closing(connect(path)) as db:
        db.execute("BEGIN")
        yield db


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside a transaction that is committed at the end, and undone where anything is raised."""
    with _present(path), complaining(path), closing(connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")  # without it, closing the connection undoes all


def connect(path: Path) -> sqlite3.Connection:
    # One connection for each operation: Streamlit runs pages in many threads, and opening takes well under 1 ms.
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


@contextmanager
def _present(path: Path) -> Iterator[None]:
    # SQLite would make an empty database where there is none.
    if not path.is_file():
        raise StudioError(f"{path}: the project is gone; open another, or put its folder back")
    yield
