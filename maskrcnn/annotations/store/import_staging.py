"""The staging folder of an import into a project, so that an import adds all of its pictures or none.

An import copies its pictures into its own folder `images/.incoming/<id>/`, without blocking other saves. Then, in one
transaction, the files are moved to `images/` and their rows are inserted. The list of moved files is written before
(`moving.json`). After a crash, the next import or `Project.open` deletes exactly the moved files without a row.

`incoming.db` has a table of the staged pictures. The import keeps it locked while it runs. A folder whose `incoming.db`
is not locked is abandoned.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import json
import os
import shutil
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.file_names import plain_file_name
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import database, database_files, json_columns
from maskrcnn.annotations.store.database_errors import cannot_store, primary_code, sqlite_errors_converted
from maskrcnn.annotations.store.picture_rows import PictureState
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

_COPY_THREADS = 4
"""Number of threads that copy and decode. Each holds only a chunk of a file in memory."""

_PICTURES_PER_BATCH = 8
"""Number of pictures in a batch for one thread; starting a batch costs as much time as a small picture."""

_CHUNK_BYTES = 1 << 16

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
            note.write_text(json.dumps([target.name for _, target in self._moving]), encoding="utf-8")
            sync(note)
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


# Copying pictures into the staging folder


@dataclass(frozen=True)
class IncomingPicture:
    """A picture to import: its name, its content (a file, or the bytes of an upload), and its labels."""

    name: str
    content: Path | bytes
    record: ImageRecord

    def open(self) -> BinaryIO:
        """Open the content for reading. Raises `OSError` or `ValueError` if the file cannot be opened."""
        return self.content.open("rb") if isinstance(self.content, Path) else io.BytesIO(self.content)


_NumberedPicture = tuple[int, IncomingPicture]


def stage_pictures(
    staging: ImportStaging, incoming: Iterable[IncomingPicture], split: str | None, progress: Callable[[], None]
) -> list[str]:
    """Copy pictures into the staging folder. Return a warning for each picture that cannot be imported.

    Raises `StudioError` if they cannot be stored, for example on a full disk.
    """
    warnings: list[str] = []
    under_way: deque[tuple[list[_NumberedPicture], Future[list[_CopiedPicture | _UnfitPicture]]]] = deque()

    def finish() -> None:
        batch, future = under_way.popleft()
        for (number, picture), copied in zip(batch, future.result(), strict=True):
            try:
                if isinstance(copied, _UnfitPicture):
                    raise copied
                _note_staged_picture(staging, number, picture, copied, split)
            except _UnfitPicture as error:
                warnings.append(f"not imported: {error}")
            progress()

    numbered = enumerate(incoming)
    with ThreadPoolExecutor(_COPY_THREADS, thread_name_prefix="import") as pool:
        try:
            while batch := list(islice(numbered, _PICTURES_PER_BATCH)):
                under_way.append((batch, pool.submit(_copy_batch, staging, batch)))
                if len(under_way) > _COPY_THREADS:
                    finish()
            while under_way:
                finish()
            staging.bring_to_disk(pool)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return warnings


class _UnfitPicture(StudioError):
    """The error for one picture that cannot be imported; the others can."""


@dataclass(frozen=True)
class _CopiedPicture:
    """The facts of a copied picture: SHA-256, size of the file in bytes, and size as displayed in pixels."""

    sha256: str
    file_size: int
    size: tuple[int, int]


def _copy_batch(staging: ImportStaging, batch: list[_NumberedPicture]) -> list[_CopiedPicture | _UnfitPicture]:
    """Copy a batch of pictures. An unfit picture gives an `_UnfitPicture` in the result.

    Raises `StudioError` on a full disk.
    """
    found: list[_CopiedPicture | _UnfitPicture] = []
    for number, picture in batch:
        try:
            found.append(_copy_picture(staging, number, picture))
        except _UnfitPicture as error:
            found.append(error)
    return found


def _copy_picture(staging: ImportStaging, number: int, picture: IncomingPicture) -> _CopiedPicture:
    """Copy a picture into the staging folder and check that it can be decoded and has the labelled size."""
    name, record = plain_file_name(picture.name), picture.record
    digest, length = hashlib.sha256(), 0
    try:
        with staging.file(number).open("wb") as file:
            for chunk in _read_incoming_picture(picture, name):
                digest.update(chunk)
                length += len(chunk)
                file.write(chunk)
    except OSError as error:
        raise cannot_store(staging.images_folder, error) from None
    try:
        displayed = pictures.check(staging.file(number), name)
    except StudioError as error:
        raise _UnfitPicture(str(error)) from None
    if record.width is not None and (record.width, record.height) != displayed:
        raise _UnfitPicture(
            f"{name}: is {displayed[0]} x {displayed[1]} px, but its labels are for "
            f"{record.width} x {record.height} px; use the picture that was labelled"
        )
    return _CopiedPicture(digest.hexdigest(), length, displayed)


def _read_incoming_picture(picture: IncomingPicture, name: str) -> Iterator[bytes]:
    """Yield the bytes of a picture in chunks, while importing it. Raises `_UnfitPicture` if it cannot be read."""
    try:
        with picture.open() as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _UnfitPicture(f"{name}: cannot be read ({reason}); check the file") from None


def _note_staged_picture(
    staging: ImportStaging,
    number: int,
    picture: IncomingPicture,
    copied: _CopiedPicture,
    split: str | None,
) -> None:
    """Insert a staged picture with its regions into the table `waiting`. Raises `_UnfitPicture` for bad labels."""
    record = original_names.with_original_name(picture.record, file_names.last_part(picture.name), always=True)
    try:
        state = PictureState.of(record.regions)
    except StudioError as error:
        raise _UnfitPicture(f"{plain_file_name(picture.name)}: {error}") from None
    name = plain_file_name(picture.name)
    extras = {key: value for key, value in record.extras.items() if key != "project"}
    if extras.get(original_names.ORIGIN) == {"name": name}:  # which the column `given_name` says
        del extras[original_names.ORIGIN]
    try:
        attributes = json_columns.dumped(dict(record.attributes), "what the labels say of the picture")
        further = json_columns.dumped(json_columns.require_extras(extras, "what the labels say of it"), "what they say")
    except StudioError as error:
        raise _UnfitPicture(f"{name}: {error}") from None
    staging.db.execute(
        "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            name,
            copied.sha256,
            copied.file_size,
            *copied.size,
            split or record.split,
            attributes,
            further,
            state.text,
            json.dumps(state.marks),
        ),
    )
