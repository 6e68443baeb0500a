"""Imported pictures that are not part of the project yet: it takes all of them, or none.

An import copies its pictures into `images/.incoming/<its own folder>/`, one after another and without holding up
anybody's saves. Then, in one transaction, they are moved to their places and get their rows. What is moved is written
down first (`moving.json`), so that after a crash in between, the next import or `Project.open` takes away exactly the
files that came in without a row, and no other.

`incoming.db` holds what is known of the waiting pictures. Its import keeps it locked for as long as it lives, which is
how others tell a folder that is in use from one that was left behind.
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

from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import database, database_files, path_confinement
from maskrcnn.annotations.store.database_errors import cannot_store, complaining
from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import read_bytes

_FOLDER = ".incoming"
_LOCK = "incoming.db"
_MOVING = "moving.json"

_BESIDE = (database_files.WAL, database_files.SHARED, database_files.JOURNAL)

_MOST_NOTED = 100_000_000
"""Bytes of the note of what is moved."""

_SYNCING = 8
"""Files that wait for the disk at the same time."""

_WAITING = """
CREATE TABLE waiting (
    number INTEGER PRIMARY KEY, name TEXT, sha256 TEXT, file_size INTEGER, width INTEGER, height INTEGER,
    split TEXT, attributes TEXT, extras TEXT, regions TEXT, marks TEXT
)
"""


class Staging:
    """The files of one import that are not part of the project yet: `folder`, and `db` with the table `waiting`."""

    def __init__(self, folder: Path, images_folder: Path, db: sqlite3.Connection) -> None:
        self.folder, self.images_folder, self.db = folder, images_folder, db
        self._moving: list[tuple[Path, Path]] = []

    def file(self, number: int) -> Path:
        """The file of picture `number`."""
        return self.folder / str(number)

    def bring_to_disk(self, pool: Executor) -> None:
        """Wait until all files are on the disk."""
        files = [self.file(row["number"]) for row in self.db.execute("SELECT number FROM waiting")]
        if len(files) > 1:
            _hurry(self.folder)
        try:
            for _ in pool.map(_sync_files, [files[first::_SYNCING] for first in range(_SYNCING)]):
                pass
        except OSError as error:
            raise cannot_store(self.images_folder, error) from None

    def plan(self, number: int, name: str) -> None:
        """Let picture `number` be `images/<name>`, which must be free, when `move` is called."""
        self._moving.append((self.file(number), self.images_folder / name))

    def move(self) -> None:
        """Move the pictures to their places; they are there to stay, also after a power cut, when this returns."""
        try:
            note = self.folder / _MOVING
            with note.open("w", encoding="utf-8") as file:
                json.dump([target.name for _, target in self._moving], file)
                file.flush()
                os.fsync(file.fileno())
            for folder in (self.folder, self.folder.parent, self.images_folder):
                _sync_folder(folder)
            for source, target in self._moving:
                os.rename(source, target)
            _sync_folder(self.images_folder)
        except OSError as error:
            raise cannot_store(self.images_folder, error) from None


@contextmanager
def staging(database_file: Path, images_folder: Path) -> Iterator[Staging]:
    """A waiting room for the length of an import; afterwards nothing of it is left, nor of any that a crash left.
    `StudioError` where a folder on the way to it is a link: pictures would be written to where it leads."""
    for folder in (images_folder, images_folder / _FOLDER):
        path_confinement.require_folder(folder)
    sweep(database_file, images_folder)
    folder = images_folder / _FOLDER / new_id()
    try:
        with database.writing(database_file):  # so that nobody takes the new folder for one that was left behind
            folder.mkdir(parents=True)
            db = _locked(folder)
    except OSError as error:
        raise cannot_store(images_folder, error) from None
    try:
        with complaining(images_folder):
            db.execute(_WAITING)
            yield Staging(folder, images_folder, db)
    finally:
        db.close()
        _empty(folder)
        sweep(database_file, images_folder)


def sweep(database_file: Path, images_folder: Path) -> None:
    """Take away what imports left behind that ended before their time. Links are left alone: a project may come from a
    stranger, and what they lead to is not ours."""
    parent = images_folder / _FOLDER
    if not path_confinement.is_folder(images_folder) or not path_confinement.is_folder(parent):
        return
    # Where this cannot be done now (a disk that is full or read-only), a later import will do it.
    with suppress(OSError, StudioError):
        left = [folder for folder in parent.iterdir() if _is_abandoned(folder)]
        with database.writing(database_file) as db:
            for folder in left:
                if not _is_abandoned(folder):
                    continue
                for name in _moved(folder):
                    if not db.execute("SELECT 1 FROM image WHERE file_name = ?", (name,)).fetchone():
                        with suppress(OSError):
                            (images_folder / name).unlink(missing_ok=True)
                shutil.rmtree(folder)
            if not any(parent.iterdir()):
                parent.rmdir()


def is_in_use(images_folder: Path) -> bool:
    """Whether an import is running: whether a live process holds the lock of its folder."""
    parent = images_folder / _FOLDER
    if not path_confinement.is_folder(images_folder) or not path_confinement.is_folder(parent):
        return False
    with suppress(OSError):
        return any(path_confinement.is_folder(folder) and not _is_abandoned(folder) for folder in parent.iterdir())
    return False


def _empty(folder: Path) -> None:
    """Delete what waits in a room of our own, all but the note of what was moved. This needs no database: on a full
    disk that could not be opened before some space is free again."""
    with suppress(OSError):
        for file in folder.iterdir():
            if file.name != _MOVING:
                file.unlink()


def _moved(folder: Path) -> list[str]:
    try:
        names = json.loads(read_bytes(folder / _MOVING, folder, _MOST_NOTED))
    except (FileNotFoundError, ValueError, RecursionError, StudioError):  # not there, or cut off: nothing was moved yet
        return []
    return [name for name in names if path_confinement.is_file_name(name)] if isinstance(names, list) else []


def _is_abandoned(folder: Path) -> bool:
    if not path_confinement.is_folder(folder):
        return False  # whatever it is, no import made it
    lock = folder / _LOCK
    # An import has nothing beside its database. What SQLite would find there, it would follow.
    if not path_confinement.is_file(lock) or any(os.path.lexists(f"{lock}{suffix}") for suffix in _BESIDE):
        return True
    try:
        db = sqlite3.connect(f"{lock.absolute().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
        try:
            db.execute("BEGIN EXCLUSIVE")
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return True


def _locked(folder: Path) -> sqlite3.Connection:
    # Pictures are staged by several threads, but all of them leave the database to one.
    db = sqlite3.connect(folder / _LOCK, isolation_level=None)
    db.row_factory = sqlite3.Row
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):  # it is thrown away in any case
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN EXCLUSIVE")
    return db


def _hurry(folder: Path) -> None:
    """Let Linux write all waiting files at once, which makes the many `fsync` that follow several times as fast."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            ctypes.CDLL(None).syncfs(handle)
        finally:
            os.close(handle)


def _sync_files(paths: list[Path]) -> None:
    for path in paths:
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; does nothing on Windows, which cannot sync folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
