"""The errors of `project.db`, with advice: those of SQLite and of the file system are converted to `StudioError`."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskrcnn.annotations.store import database_files
from maskrcnn.errors import StudioError


class ProjectBusy(StudioError):
    """The project cannot be read or written at the moment: full or failing disk, locked, or not writable.

    The same operation may succeed later, when the user has mended that.
    """


_FULL = "the disk is full; free some space and do it again, nothing was changed"
_READ_ONLY = "the project cannot be written; make its folder writable, or copy it to where you may write"

_WORDS: dict[int, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: "another program is writing to the project; wait for it or close it, then do it again",
    sqlite3.SQLITE_LOCKED: "another program is writing to the project; wait for it or close it, then do it again",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore the project folder from a copy",
    sqlite3.SQLITE_TOOBIG: "what is to be stored, or is stored, for one picture is far too large; draw it simpler",
    sqlite3.SQLITE_NOTADB: "this is not a project database; restore it from a copy",
    # In WAL mode even reading creates files next to the database.
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; make the project's folder writable, or copy it to where you may write",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write the database; check the disk and its free space",
}

_MAY_PASS = frozenset(
    (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
    )
)
"""Codes that become `ProjectBusy`."""

_LEAST_SPACE = 100_000
"""With less free disk space (bytes), errors of SQLite are reported as a full disk, because they are unclear."""

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def sqlite_errors_converted(path: Path) -> Iterator[None]:
    """Convert SQLite's exceptions in the block to `StudioError`. Programming errors (wrong SQL) are not converted."""
    try:
        yield
    except UnicodeDecodeError:  # from a message of SQLite that quotes damaged bytes
        raise StudioError(f"{path}: {_WORDS[sqlite3.SQLITE_CORRUPT]}") from None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        code = primary_code(error)
        if not os.path.lexists(path):  # its folder was moved or deleted in this moment
            words = database_files.GONE
        elif code == sqlite3.SQLITE_ERROR:
            if "syntax error" in str(error):
                raise
            words = f"this is not a project database of the studio ({error}); restore it from a copy"
        elif "decode to UTF-8" in str(error):  # raised by Python's sqlite3, without an error code
            words = "a text in it is damaged; restore the project folder from a copy"
        elif isinstance(error, sqlite3.IntegrityError):
            words = f"contradicts itself ({error}); restore the project folder from a copy"
        elif code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_database_disk_full(path.parent):
            words = _FULL  # even reading needs a small file next to the database
        else:
            words = _WORDS.get(code, f"the project cannot be used now ({error}); close other programs that use it")
        may_pass = code in _MAY_PASS and words != database_files.GONE
        raise (ProjectBusy if may_pass else StudioError)(f"{path}: {words}") from None


def primary_code(error: sqlite3.Error) -> int:
    """Return the primary error code of an error of SQLite, such as `SQLITE_BUSY`; 0 if it has none.

    The primary code is the low byte of the extended code, whose other bytes give details.
    """
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_database_disk_full(folder: Path) -> bool:
    """Whether the disk of a database is nearly full, which explains an unclear error of SQLite."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_SPACE
    except OSError:
        return False


def cannot_store(path: Path, error: OSError) -> StudioError:
    """Return the `StudioError` for a project file that cannot be written."""
    if error.errno in _DISK_FULL:
        return ProjectBusy(f"{path}: {_FULL}")
    if error.errno in _NOT_WRITABLE:
        return ProjectBusy(f"{path}: {_READ_ONLY}")
    return ProjectBusy(f"{path}: cannot be written ({error.strerror}); check the disk and the folder")


def missing_state_error(name: str) -> StudioError:
    """Return the error for a database in which the regions of the picture `name` are missing."""
    return StudioError(f"project.db: the regions of {name} are not there; restore the project folder from a copy")
