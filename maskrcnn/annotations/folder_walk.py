"""List the files of a folder and its subfolders. All readers of labels and pictures use these functions.

Junk files of operating systems are skipped. Links to places outside the folder are skipped. Names are in natural order.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names as names
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.name_order import natural_key

DEEPEST = 12
"""Maximum depth of nested folders; a usual dataset has about four levels."""


def walk(
    root: Path, *, most_files: int | None = None, most_seconds: float | None = None, enough: int | None = None
) -> tuple[dict[str, Path], list[str]]:
    """List all files below a folder, recursively. Return `{relative name: path}` and warnings about skipped entries.

    The names are in natural order. A link is followed only if it points to a file below the folder, so the walk never
    leaves the folder and never loops. Pipes and devices are skipped. With `enough`, the walk ends after about that many
    files, with outer folders first, and adds a warning.

    Raises `StudioError` if there are more than `most_files` files or the walk takes longer than `most_seconds`, and
    `ArgumentError` if the folder cannot be read.
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
            if entry.is_symlink() and not _links_into_folder(entry.path, inside):
                warnings.append(f"{names.brief(name)}: is a link to another place and was passed over; copy it there")
                continue
            if entry.is_file():
                found[name] = Path(entry.path)
    return {name: found[name] for name in sorted(found, key=natural_key)}, sorted(warnings, key=natural_key)


def files_below(folder: Path, suffixes: Sequence[str], base: Path | None = None) -> dict[str, Path]:
    """List the files with these suffixes (lower case, with the dot) below a folder, as `{relative name: path}`.

    Empty if the folder does not exist, cannot be read, or is a link to a place outside `base`.
    """
    if not folder.is_dir() or (base is not None and not untrusted_files.is_confined(folder, [base])):
        return {}
    try:
        found, _ = walk(folder)
    except ArgumentError:
        return {}
    return {name: path for name, path in found.items() if names.suffix(name) in suffixes}


def files_in(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """List the files with these suffixes directly in the folder, without subfolders, as `{name: path}`.

    Empty if the folder does not exist or cannot be read.
    """
    try:
        with os.scandir(folder) as listing:
            entries = [
                entry for entry in listing if names.suffix(entry.name) in suffixes and not names.is_junk(entry.name)
            ]
        inside = os.path.realpath(folder)
        kept = [e for e in entries if (_links_into_folder(e.path, inside) if e.is_symlink() else e.is_file())]
    except OSError:
        return {}
    return {entry.name: Path(entry.path) for entry in sorted(kept, key=lambda entry: natural_key(entry.name))}


def _links_into_folder(link: str, inside: str) -> bool:
    """Whether a link found in a walk points to a file below the walked folder `inside` (a path without links)."""
    target = os.path.realpath(link)
    return os.path.isfile(target) and target.startswith(inside + os.sep)


def folders_of_files(found: Iterator[str] | Sequence[str] | Mapping[str, object]) -> list[str]:
    """Return the folders of the files of a walk, sorted; `.` for the top folder."""
    folders = dict.fromkeys(name.rpartition("/")[0] for name in found)
    return sorted((folder or "." for folder in folders), key=natural_key)
