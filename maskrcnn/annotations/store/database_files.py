"""The files of a project's database: find them, and check them before SQLite opens them.

SQLite follows links, also for the files next to a database (WAL, journal), and writes to their targets. A rollback
journal can name a "super-journal", which SQLite deletes after use, even if it is any other file. Databases of the
studio are never attached to each other, so their journals never name a super-journal.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskrcnn.errors import StudioError

DATABASE = "project.db"
"""The name of the database file. A folder with this file is a project."""

WAL, SHARED, JOURNAL = "-wal", "-shm", "-journal"
SUFFIXES = (WAL, SHARED, JOURNAL)
"""The suffixes of the files that SQLite makes next to a database, added to its name."""

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""The last bytes of a journal that names a super-journal (SQLite's pager.c, `readSuperJournal`)."""

GONE = "the project is gone; open another, or put its folder back"


def is_project(folder: Path) -> bool:
    """Whether a folder is a project: whether its database file `project.db` exists. The file is not opened."""
    try:
        return (folder / DATABASE).is_file()
    except (OSError, ValueError):  # no permission, or an invalid file name
        return False


def require_ordinary(path: Path) -> None:
    """Raise `StudioError` unless the database exists, and it and SQLite's files next to it are regular files."""
    _require_file(path, GONE)
    for suffix in SUFFIXES:
        if os.path.lexists(f"{path}{suffix}"):
            beside = path.with_name(path.name + suffix)
            _require_file(beside, None)
            if suffix == JOURNAL and _names_super_journal(beside):
                raise StudioError(
                    f"{beside}: names another file to be deleted, as no journal of a project does; delete this one"
                )


def has_content(path: Path, suffix: str) -> bool:
    """Whether the file next to a database with this suffix (WAL, journal; "": the database) exists and is not empty."""
    try:
        return os.lstat(path.with_name(path.name + suffix)).st_size > 0
    except OSError:
        return False


def mark(path: Path) -> tuple[int, ...]:
    """Return numbers that change with every write to the database. The last is the newest modification time (ns)."""
    key, newest = os.fspath(path), 0  # plain text is fast: this runs at every use of a database
    numbers: list[int] = []
    for suffix in ("", WAL, JOURNAL):
        try:
            about = os.lstat(f"{key}{suffix}")
        except OSError:
            continue
        if about.st_size or not suffix:  # an empty WAL or journal may appear and disappear at any time
            numbers += [len(suffix), about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns]
            newest = max(newest, about.st_mtime_ns)
    return (*numbers, newest)


def _require_file(path: Path, missing_message: str | None) -> None:
    """Raise `StudioError` unless `path` is a regular file.

    `missing_message` is the message for a missing file. If it is None, the file may be missing.
    """
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if missing_message is None:  # SQLite has just deleted it
            return
        raise StudioError(f"{path}: {missing_message}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudioError(f"{path}: cannot be opened ({reason}); make the project's folder readable") from None
    if not stat.S_ISREG(mode):
        raise StudioError(f"{path}: is a link or no file, so it is not opened; put the file itself there")


def _names_super_journal(journal: Path) -> bool:
    """Whether a rollback journal names a super-journal, which is a file that SQLite would delete."""
    try:
        with journal.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(_JOURNAL_MAGIC)))
            return size >= 16 and file.read() == _JOURNAL_MAGIC
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StudioError(f"{journal}: cannot be read ({error.strerror}); check the file's permissions") from None
