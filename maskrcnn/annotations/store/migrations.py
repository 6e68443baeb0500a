"""Bringing the database of an older studio to the schema of this one: one function for each step.

All steps run in one transaction, and before the first of them a copy of the database is made beside it
(`project.db.v1.bak` for version 1). So a project is either as it was or wholly brought up, and there is a way back.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import class_rows, schema
from maskrcnn.annotations.store.complaints import cannot_store, complaining


def bring_up_to_date(path: Path) -> None:
    """Migrate the database where that is needed. Raises `StudioError` as `schema.version`, and on a full disk; then
    nothing is changed."""
    if schema.version(path) == schema.VERSION:
        return
    with schema.writing(path) as db:
        # Another page may have done it while this one waited for its turn.
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found == schema.VERSION:
            return
        _copy(path, path.with_name(f"{path.name}.v{found}.bak"))
        for version in range(found, schema.VERSION):
            _STEPS[version](db)
        db.execute(f"PRAGMA user_version = {schema.VERSION}")


def _copy(path: Path, target: Path) -> None:
    """A copy of the database as it was last committed, on disk when this returns."""
    arriving = target.with_name(f".{new_id()}.tmp")
    try:
        with complaining(path), closing(schema.connect(path)) as db, closing(sqlite3.connect(arriving)) as copy:
            db.backup(copy)
        with arriving.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(arriving, target)
    except OSError as error:
        raise cannot_store(target, error) from None
    finally:
        arriving.unlink(missing_ok=True)


def _to_2(db: sqlite3.Connection) -> None:
    """Keys and skeletons of classes, extras, removed pictures, snapshots; what was drawn is kept once, in history."""
    for statement in _VERSION_2:
        db.execute(statement)
    classes = [row["name"] for row in db.execute("SELECT name FROM class ORDER BY position")]
    taken: list[str | None] = []
    for name in classes:
        taken.append(class_rows.free_hotkey(taken))
        db.execute("UPDATE class SET hotkey = ? WHERE name = ?", (taken[-1], name))


# The text of a step stays as it is for ever; the tables in `schema` go on changing.
_VERSION_2 = (
    "ALTER TABLE class ADD COLUMN hotkey TEXT",
    "ALTER TABLE class ADD COLUMN skeleton TEXT",
    "CREATE UNIQUE INDEX class_hotkey ON class (hotkey)",
    "ALTER TABLE image ADD COLUMN n_regions INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE image ADD COLUMN extras TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE image ADD COLUMN removed INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX image_status ON image (removed, split, done, revision, n_regions)",
    "UPDATE image SET n_regions = (SELECT count(*) FROM region WHERE image_id = image.id)",
    """CREATE TABLE region_2 (
        image_id INTEGER NOT NULL REFERENCES image (id),
        position INTEGER NOT NULL,
        id TEXT NOT NULL,
        class_name TEXT,
        PRIMARY KEY (image_id, position)
    ) WITHOUT ROWID""",
    "INSERT INTO region_2 SELECT image_id, position, id, class_name FROM region",
    "DROP TABLE region",
    "ALTER TABLE region_2 RENAME TO region",
    "CREATE INDEX region_class ON region (class_name)",
    """CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        pictures INTEGER NOT NULL,
        regions INTEGER NOT NULL,
        facts TEXT NOT NULL
    )""",
    """CREATE TABLE snapshot_image (
        snapshot_id INTEGER NOT NULL REFERENCES snapshot (id),
        image_id INTEGER NOT NULL REFERENCES image (id),
        state INTEGER NOT NULL REFERENCES history (id),
        revision INTEGER NOT NULL,
        split TEXT NOT NULL,
        PRIMARY KEY (snapshot_id, image_id)
    ) WITHOUT ROWID""",
)

_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _to_2}
"""Version -> what makes the next version of it."""
