"""The staging folder of an import into a project, so that an import adds all of its pictures or none.

An import copies its pictures into its own folder `images/.incoming/<id>/`, without blocking other saves. Then, in one
transaction, the files are moved to `images/` and their rows are inserted. The list of moved files is written before
(`moving.json`). After a crash, the next import or `Project.open` deletes exactly the moved files without a row.

`incoming.db` has a table of the staged pictures. The import keeps it locked while it runs. A folder whose `incoming.db`
is not locked is abandoned.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import database, database_files
from maskrcnn.annotations.store.database_errors import cannot_store, primary_code, sqlite_errors_converted
from maskrcnn.atomic_files import sync, sync_folder
from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import read_bytes

_FOLDER = ".incoming"
_LOCK = "incoming.db"
_MOVING = "moving.json"

_MOST_NOTED = 100_000_000
"""Maximum size of `moving.json` in bytes."""

_SYNCING = 8
"""Number of threads that sync files."""

_WAITING = """
CREATE TABLE waiting (
    number INTEGER PRIMARY KEY, name TEXT, sha256 TEXT, file_size INTEGER, width INTEGER, height INTEGER,
    split TEXT, attributes TEXT, extras TEXT, regions TEXT, marks TEXT
)
"""


class ImportStaging:
    """The staging folder of one import into a project: its `folder` of files, and `db` with the table `waiting`."""

    def __init__(self, folder: Path, images_folder: Path, db: sqlite3.Connection) -> None:
        self.folder, self.images_folder, self.db = folder, images_folder, db
        self._moving: list[tuple[Path, Path]] = []

    def file(self, number: int) -> Path:
        """Return the path of the staged file of picture `number`."""
        return self.folder / str(number)

    def bring_to_disk(self, pool: Executor) -> None:
        """Wait until all staged pictures are on the disk."""
        files = [self.file(row["number"]) for row in self.db.execute("SELECT number FROM waiting")]
        if len(files) > 1:
            _start_sync(self.folder)
        try:
            for _ in pool.map(_sync_files, [files[first::_SYNCING] for first in range(_SYNCING)]):
                pass
        except OSError as error:
            raise cannot_store(self.images_folder, error) from None

    def plan(self, number: int, name: str) -> None:
        """Register that `move` will move picture `number` to `images/<name>`. This file must not exist yet."""
        self._moving.append((self.file(number), self.images_folder / name))

    def move(self) -> None:
        """Move the planned pictures to `images/`, durably (synced to the disk)."""
        try:
            note = self.folder / _MOVING
            with note.open("w", encoding="utf-8") as file:
                json.dump([target.name for _, target in self._moving], file)
                file.flush()
                os.fsync(file.fileno())
            for folder in (self.folder, self.folder.parent, self.images_folder):
                sync_folder(folder)
            for source, target in self._moving:
                os.rename(source, target)
            sync_folder(self.images_folder)
        except OSError as error:
            raise cannot_store(self.images_folder, error) from None


@contextmanager
def staging(database_file: Path, images_folder: Path) -> Iterator[ImportStaging]:
    """Create the staging folder of an import into a project. It is deleted at the end.

    Abandoned folders of crashed imports are deleted, too. Raises `StudioError` if `images/` or `.incoming` is a link,
    because pictures would be written elsewhere.
    """
    for folder in (images_folder, images_folder / _FOLDER):
        untrusted_files.require_real_folder(folder)
    delete_abandoned_imports(database_file, images_folder)
    folder = images_folder / _FOLDER / new_id()
    try:
        with database.writing(database_file):  # so that no other process deletes the new folder as abandoned
            folder.mkdir(parents=True)
            db = _create_locked_database(folder)
    except OSError as error:
        raise cannot_store(images_folder, error) from None
    try:
        with sqlite_errors_converted(images_folder):
            db.execute(_WAITING)
            yield ImportStaging(folder, images_folder, db)
    finally:
        db.close()
        _delete_staged_files(folder)
        delete_abandoned_imports(database_file, images_folder)


def delete_abandoned_imports(database_file: Path, images_folder: Path) -> None:
    """Delete the staging folders of interrupted imports, and the pictures that they moved.

    Links are not followed, because a project may be untrusted.
    """
    parent = images_folder / _FOLDER
    if not untrusted_files.is_real_folder(images_folder) or not untrusted_files.is_real_folder(parent):
        return
    # If this fails now, on a full or read-only disk, a later import deletes them.
    with suppress(OSError, StudioError):
        left = [folder for folder in parent.iterdir() if _is_abandoned(folder)]
        with database.writing(database_file) as db:
            for folder in left:
                if not _is_abandoned(folder):
                    continue
                for name in _moved_names(folder):
                    if not db.execute("SELECT 1 FROM image WHERE file_name = ?", (name,)).fetchone():
                        with suppress(OSError):
                            (images_folder / name).unlink(missing_ok=True)
                shutil.rmtree(folder)
            if not any(parent.iterdir()):
                parent.rmdir()


def is_import_running(images_folder: Path) -> bool:
    """Whether an import is running, that is, a process holds the lock of a staging folder."""
    parent = images_folder / _FOLDER
    if not untrusted_files.is_real_folder(images_folder) or not untrusted_files.is_real_folder(parent):
        return False
    with suppress(OSError):
        return any(untrusted_files.is_real_folder(folder) and not _is_abandoned(folder) for folder in parent.iterdir())
    return False


def _delete_staged_files(folder: Path) -> None:
    """Delete all staged files of this process except `moving.json`.

    This frees disk space without using the database, which cannot be opened on a full disk.
    """
    with suppress(OSError):
        for file in folder.iterdir():
            if file.name != _MOVING:
                file.unlink()


def _moved_names(folder: Path) -> list[str]:
    """Return the names in the `moving.json` of a staging folder.

    The list is empty if the file is missing or incomplete: then nothing was moved yet.
    """
    try:
        names = json.loads(read_bytes(folder / _MOVING, folder, _MOST_NOTED))
    except (FileNotFoundError, ValueError, RecursionError, StudioError):  # not there, or cut off: nothing was moved yet
        return []
    return [name for name in names if untrusted_files.is_file_name(name)] if isinstance(names, list) else []


def _is_abandoned(folder: Path) -> bool:
    """Whether a staging folder is left from an import that no longer runs (its lock can be taken)."""
    if not untrusted_files.is_real_folder(folder):
        return False  # not made by an import
    lock = folder / _LOCK
    # An import has no other SQLite files there. Do not let SQLite open untrusted ones.
    if not untrusted_files.is_real_file(lock) or any(
        os.path.lexists(f"{lock}{suffix}") for suffix in database_files.SUFFIXES
    ):
        return True
    try:
        db = sqlite3.connect(f"{lock.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
        try:
            db.execute("BEGIN EXCLUSIVE")
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        is_lock_held = primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return not is_lock_held  # any other error: the file is damaged, so no import uses it
    return True


def _create_locked_database(folder: Path) -> sqlite3.Connection:
    """Create the `incoming.db` of a staging folder and lock it for as long as the connection is open."""
    # Several threads copy pictures, but only one uses the database.
    db = sqlite3.connect(folder / _LOCK, isolation_level=None)
    db.row_factory = sqlite3.Row
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):  # it is deleted in any case
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN EXCLUSIVE")
    return db


def _start_sync(folder: Path) -> None:
    """Let Linux write all staged files at once. This makes the following `fsync` calls several times faster."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            ctypes.CDLL(None).syncfs(handle)
        finally:
            os.close(handle)


def _sync_files(paths: list[Path]) -> None:
    """Wait until the content of these staged files is on the disk."""
    for path in paths:
        sync(path)
