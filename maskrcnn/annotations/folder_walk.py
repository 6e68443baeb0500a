"""The files in a folder and below it: what every reader of label files and pictures takes for the content of a folder.

Junk that systems leave behind is passed over, and no link leads out. Names are in natural order, folder by folder.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names as names
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import natural_key

DEEPEST = 12
"""Folders in folders; a dataset has some four."""


def walk(
    root: Path, *, most_files: int | None = None, most_seconds: float | None = None, enough: int | None = None
) -> tuple[dict[str, Path], list[str]]:
    """All files below a folder by their names relative to it, in natural order, and warnings of what was passed over.

    Links are followed only to files below the folder, so there is no way out and no circle; pipes and devices are
    passed over. Raises `StudioError` where there are more files than `most_files`, or it takes longer than
    `most_seconds` to look at them, and `ArgumentError` where the folder cannot be read. With `enough`, the walk ends at
    about that many files, those of outer folders first, and a warning says so.
    """
    mend = "give the folder of one dataset"
    ends = time.monotonic() + most_seconds if most_seconds is not None else None
    seen = 0
    found: dict[str, Path] = {}
    warnings: list[str] = []
    inside = os.path.realpath(root)
    folders = deque([(root, "", 1)])
    while folders:
        folder, prefix, depth = folders.popleft()
        try:
            with os.scandir(folder) as listing:
                entries = list(listing if most_files is None else islice(listing, most_files + 1 - seen))
        except OSError as error:
            if folder == root:
                raise ArgumentError(f"{root}: cannot be read ({error.strerror}); check its permissions") from None
            warnings.append(f"{names.brief(prefix)}: cannot be read ({error.strerror}) and was passed over")
            continue
        seen += len(entries)
        if most_files is not None and seen > most_files:
            raise StudioError(f"{root}: holds more than {most_files} files; {mend}")
        if ends is not None and time.monotonic() > ends:
            raise StudioError(f"{root}: takes more than {most_seconds:.0f} s to look through; {mend}")
        if enough is not None and seen > enough:
            warnings.append(f"{root}: holds more than {enough:,} files, and not all were looked at; {mend}")
            folders.clear()
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = prefix + entry.name
            if names.is_junk(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                if enough is not None and seen > enough:
                    continue
                if depth < DEEPEST:
                    folders.append((Path(entry.path), f"{name}/", depth + 1))
                else:
                    warnings.append(f"{names.brief(name)}: lies more than {DEEPEST} folders deep and was passed over")
                continue
            if entry.is_symlink() and not is_below(entry.path, inside):
                warnings.append(f"{names.brief(name)}: is a link to another place and was passed over; copy it there")
                continue
            if entry.is_file():
                found[name] = Path(entry.path)
    return {name: found[name] for name in sorted(found, key=natural_key)}, sorted(warnings, key=natural_key)


def files_below(folder: Path, suffixes: Sequence[str], base: Path | None = None) -> dict[str, Path]:
    """The files of these suffixes (small letters, with the dot) below a folder, by their names relative to it.

    None where there is no such folder, where it cannot be read, and where it is a link that leads out of `base`.
    """
    if not folder.is_dir() or (base is not None and not untrusted_files.is_confined(folder, [base])):
        return {}
    try:
        found, _ = walk(folder)
    except ArgumentError:
        return {}
    return {name: path for name, path in found.items() if names.suffix(name) in suffixes}


def files_in(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """The same, but only of what lies directly in the folder."""
    try:
        with os.scandir(folder) as listing:
            entries = [
                entry for entry in listing if names.suffix(entry.name) in suffixes and not names.is_junk(entry.name)
            ]
        inside = os.path.realpath(folder)
        kept = [e for e in entries if (is_below(e.path, inside) if e.is_symlink() else e.is_file())]
    except OSError:
        return {}
    return {entry.name: Path(entry.path) for entry in sorted(kept, key=lambda entry: natural_key(entry.name))}


def is_below(link: str, inside: str) -> bool:
    """Whether a link, followed to its end, is a file below a folder that has no links in its own path."""
    target = os.path.realpath(link)
    return os.path.isfile(target) and target.startswith(inside + os.sep)
