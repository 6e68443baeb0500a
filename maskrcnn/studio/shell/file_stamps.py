"""Modification times as part of a cache's key: a file that was written again is another key."""

from __future__ import annotations

from pathlib import Path


def stamp(file: Path) -> int:
    """The file's modification time in nanoseconds; 0 where it cannot be asked for, as for one that is not there.

    >>> stamp(Path("no such file"))
    0
    """
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
