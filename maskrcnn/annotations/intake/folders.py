"""Folders that hold what a person dropped until it is imported, and walking a folder of theirs."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from maskrcnn.annotations.intake import names
from maskrcnn.errors import ArgumentError, StudioError

PREFIX = "maskrcnn-import-"
KEPT_SECONDS = 24 * 3600
"""A staging folder that nobody discarded is removed after this time, when the next one is made."""

MOST_FILES = 200_000
DEEPEST = 12


def make(base: Path | None = None) -> Path:
    """A new, empty staging folder below `base` (the system's place for temporary files); old ones there are removed.

    Raises `StudioError` where it cannot be made.
    """
    base = Path(tempfile.gettempdir()) if base is None else base
    try:
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        raise StudioError(f"{base}: cannot be written ({error.strerror}); free some space there") from None


def remove(folder: Path) -> None:
    """Remove a staging folder with all that is in it; one that is gone already is no matter."""
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    with os.scandir(base) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if (
                    entry.name.startswith(PREFIX)
                    and entry.is_dir(follow_symlinks=False)
                    and time.time() - entry.stat(follow_symlinks=False).st_mtime > KEPT_SECONDS
                ):
                    remove(Path(entry.path))


def walk(root: Path) -> tuple[dict[str, Path], list[str]]:
    """All files below a folder by their names relative to it, sorted, and warnings of what was passed over.

    Links are followed only to files below the folder, so there is no way out and no circle; pipes and devices are
    passed over. Raises `StudioError` where there are too many files, `ArgumentError` where the folder cannot be read.
    """
    found: dict[str, Path] = {}
    warnings: list[str] = []
    inside = os.path.realpath(root)
    folders = [(root, "", 1)]
    while folders:
        folder, prefix, depth = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if folder == root:
                raise ArgumentError(f"{root}: cannot be read ({error.strerror}); check its permissions") from None
            warnings.append(f"{names.brief(prefix)}: cannot be read ({error.strerror}) and was passed over")
            continue
        for entry in entries:
            name = prefix + entry.name
            if names.is_junk(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth < DEEPEST:
                    folders.append((Path(entry.path), f"{name}/", depth + 1))
                else:
                    warnings.append(f"{names.brief(name)}: lies more than {DEEPEST} folders deep and was passed over")
                continue
            if entry.is_symlink() and not _is_below(entry.path, inside):
                warnings.append(f"{names.brief(name)}: is a link to another place and was passed over; copy it there")
                continue
            if entry.is_file():
                found[name] = Path(entry.path)
        if len(found) + len(folders) > MOST_FILES:
            raise StudioError(f"{root}: holds more than {MOST_FILES} files; give the folder of one dataset")
    return dict(sorted(found.items())), warnings


def _is_below(link: str, inside: str) -> bool:
    target = os.path.realpath(link)
    return os.path.isfile(target) and target.startswith(inside + os.sep)
