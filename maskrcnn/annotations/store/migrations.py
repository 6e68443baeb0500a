"""Bringing the database of an older studio to the schema of this one: one function for each step.

All steps run in one transaction, and before the first of them a copy of the database is made beside it
(`project.db.v1.bak` for version 1). So a project is either as it was or wholly brought up, and there is a way back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from maskrcnn.annotations.store import class_rows, database, table_definitions
from maskrcnn.annotations.store.database_errors import cannot_store, complaining
from maskrcnn.atomic_files import replacing


def bring_up_to_date(path: Path) -> None:
    """Migrate the database where that is needed. Raises `StudioError` as `database.version`, for what is no database of
    the studio inside (`examination`), and on a full disk; then nothing is changed."""
    found = database.version(path)
    if found == table_definitions.VERSION:
        with database.reading(path):  # which examines it
            return
    with database.migrating(path, found) as db:
        if db is None:
            return
        _copy(path, path.with_name(f"{path.name}.v{found}.bak"))
        for version in range(found, table_definitions.VERSION):
            _STEPS[version](db)
        db.execute(f"PRAGMA user_version = {table_definitions.VERSION}")


def _copy(path: Path, target: Path) -> None:
    """A copy of the database as it was last committed, on disk when this returns."""
    try:
        with (
            replacing(target) as temporary,
            complaining(path),
            closing(database.connect(path)) as db,
            closing(sqlite3.connect(temporary)) as copy,
        ):
            db.backup(copy)
    except OSError as error:
        raise cannot_store(target, error) from None


def _to_2(db: sqlite3.Connection) -> None:
    """Keys and skeletons of classes, extras, removed pictures, snapshots; what was drawn is kept once, in history."""
    for statement in table_definitions.TO_VERSION_2:
        db.execute(statement)
    classes = [row["name"] for row in db.execute("SELECT name FROM class ORDER BY position")]
    taken: list[str | None] = []
    for name in classes:
        taken.append(class_rows.free_hotkey(taken))
        db.execute("UPDATE class SET hotkey = ? WHERE name = ?", (taken[-1], name))


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _to_2}
"""Version -> what makes the next version of it."""
