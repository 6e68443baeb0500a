"""Migrate the database of an older studio to the present schema, with one function for each version step.

All steps run in one transaction, and a backup of the database is made before (`project.db.v1.bak` for version 1). So
the migration is complete or has no effect, and the old database is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from maskrcnn.annotations.store import class_rows, database, database_check, database_files, table_definitions
from maskrcnn.annotations.store.database_errors import cannot_store, sqlite_errors_converted
from maskrcnn.atomic_files import replacing


def bring_up_to_date(path: Path) -> None:
    """Migrate the database if necessary.

    Raises `StudioError` as `database.version` does, if the content is invalid (`database_check`), and on a full disk.
    Then nothing is changed.
    """
    found = database.version(path)
    if found == table_definitions.VERSION:
        with database.reading(path):  # validates the content
            return
    with migration_transaction(path, found) as db:
        if db is None:
            return
        _write_backup(path, path.with_name(f"{path.name}.v{found}.bak"))
        for version in range(found, table_definitions.VERSION):
            _STEPS[version](db)
        db.execute(f"PRAGMA user_version = {table_definitions.VERSION}")


def _write_backup(path: Path, target: Path) -> None:
    """Write the backup of the database before its migration: a durable copy of the last committed state."""
    try:
        with (
            replacing(target) as temporary,
            sqlite_errors_converted(path),
            closing(database.connect(path)) as db,
            closing(sqlite3.connect(temporary)) as copy,
        ):
            db.backup(copy)
    except OSError as error:
        raise cannot_store(target, error) from None


def _to_2(db: sqlite3.Connection) -> None:
    """Version 1 to 2: add class keys, skeletons, extras, removed pictures, snapshots; keep regions only in history."""
    for statement in table_definitions.TO_VERSION_2:
        db.execute(statement)
    classes = [row["name"] for row in db.execute("SELECT name FROM class ORDER BY position")]
    taken: list[str | None] = []
    for name in classes:
        taken.append(class_rows.free_hotkey(taken))
        db.execute("UPDATE class SET hotkey = ? WHERE name = ?", (taken[-1], name))


def _to_3(db: sqlite3.Connection) -> None:
    """Version 2 to 3: add the decisions of label reviews."""
    for statement in table_definitions.TO_VERSION_3:
        db.execute(statement)


def _to_4(db: sqlite3.Connection) -> None:
    """Version 3 to 4: add what networks suggest and see."""
    for statement in table_definitions.TO_VERSION_4:
        db.execute(statement)


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _to_2, 2: _to_3, 3: _to_4}
"""Version -> function that migrates it to the next version."""


@contextmanager
def migration_transaction(path: Path, version: int) -> Iterator[sqlite3.Connection | None]:
    """Open the write transaction of a migration, for a database of an older `version`.

    The result is checked against the present version before the commit. Yields None if another process migrated the
    database while this one waited for the lock.
    """
    database_files.require_ordinary(path)
    with sqlite_errors_converted(path), closing(database.connect(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != version:
            yield None
            return
        database_check.examine(db, path, version)
        yield db
        database_check.examine(db, path)
        db.execute("COMMIT")
