"""Modification times of files, used in cache keys so that a rewritten file is read again."""

from __future__ import annotations

from pathlib import Path


def stamp(file: Path) -> int:
    """Return the file's modification time in nanoseconds; 0 if it cannot be read, for example if the file is missing.

    >>> stamp(Path("no such file"))
    0
    """
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
