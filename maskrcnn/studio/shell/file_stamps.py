"""Paths and modification times of files as parts of cache keys: a rewritten file is read again."""

from __future__ import annotations

import os
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


def path_key(file: Path) -> bytes:
    """Return a path as its bytes, which `os.fsdecode` turns back: Streamlit's caches take no text that is not UTF-8.

    >>> path_key(Path("a.png"))
    b'a.png'
    """
    return os.fsencode(file)
