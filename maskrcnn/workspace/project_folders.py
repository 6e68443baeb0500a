"""Facts of project folders: their size on disk, and whether two paths are the same folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def are_same_folder(one: Path, other: Path) -> bool:
    """Whether two paths are the same folder. On a file system that ignores case, `Balloon` and `balloon` are."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


_FILES_BETWEEN_SIZES = 2000  # number of files between two partial sums


def size_on_disk(folder: Path) -> Iterator[int]:
    """Sum up the size in bytes of all files below a project folder. Yields partial sums; the last value is the total.

    Links are not followed. Files that cannot be read are ignored.
    """
    total = 0
    for number, entry in enumerate(_entries_of_project(os.fspath(folder))):
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        total += about.st_size if stat.S_ISREG(about.st_mode) else 0
        if number % _FILES_BETWEEN_SIZES == _FILES_BETWEEN_SIZES - 1:
            yield total
    yield total


def _entries_of_project(folder: str) -> Iterator[os.DirEntry[str]]:
    """All entries below a project folder, recursively, to sum up their sizes.

    Links are not followed; unreadable folders are skipped.
    """
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    yield entry
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue
