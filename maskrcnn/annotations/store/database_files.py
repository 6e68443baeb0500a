"""The files of a project's database, looked at before SQLite opens them.

SQLite follows links, also for the files that it keeps beside a database, and writes to where they lead. And a rollback
journal can name a "super-journal", which SQLite deletes when it is done with it: whatever file that is. Databases of
the studio are never attached to each other, so no journal of theirs names one.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskrcnn.errors import StudioError

WAL, SHARED, JOURNAL = "-wal", "-shm", "-journal"

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""Ends a journal that names a super-journal (SQLite's pager.c, `readSuperJournal`)."""

GONE = "the project is gone; open another, or put its folder back"


def require_ordinary(path: Path) -> None:
    """`StudioError` unless the database is there, is a file itself, and so is all that SQLite has put beside it."""
    _require_file(path, GONE)
    for suffix in (WAL, SHARED, JOURNAL):
        if os.path.lexists(f"{path}{suffix}"):
            beside = path.with_name(path.name + suffix)
            _require_file(beside, None)
            if suffix == JOURNAL and _names_another(beside):
                raise StudioError(
                    f"{beside}: names another file to be deleted, as no journal of a project does; delete this one"
                )


def has_content(path: Path, suffix: str) -> bool:
    """Whether the file that SQLite keeps beside a database holds anything."""
    try:
        return os.lstat(path.with_name(path.name + suffix)).st_size > 0
    except OSError:
        return False


def mark(path: Path) -> tuple[int, ...]:
    """Numbers that change with whatever is written to the database, and its newest time of change (ns) as the last."""
    key, newest = os.fspath(path), 0  # as text: this is asked at every use of a database
    numbers: list[int] = []
    for suffix in ("", WAL, JOURNAL):
        try:
            about = os.lstat(f"{key}{suffix}")
        except OSError:
            continue
        if about.st_size or not suffix:  # an empty one says nothing, and comes and goes
            numbers += [len(suffix), about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns]
            newest = max(newest, about.st_mtime_ns)
    return (*numbers, newest)


def _require_file(path: Path, gone: str | None) -> None:
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if gone is None:  # SQLite took it away in this moment
            return
        raise StudioError(f"{path}: {gone}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudioError(f"{path}: cannot be opened ({reason}); make the project's folder readable") from None
    if not stat.S_ISREG(mode):
        raise StudioError(f"{path}: is a link or no file, so it is not opened; put the file itself there")


def _names_another(journal: Path) -> bool:
    try:
        with journal.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(_JOURNAL_MAGIC)))
            return size >= 16 and file.read() == _JOURNAL_MAGIC
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StudioError(f"{journal}: cannot be read ({error.strerror}); check the file's permissions") from None
