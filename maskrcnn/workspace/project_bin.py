"""The bin of a workspace: deleted projects that can be restored or deleted permanently.

Each project is in a folder of its own, for example `.bin/20261129-204448-1a2b3c4d/balloon`. The path contains the time
of deletion, an id and the project's name. Moving a project into or out of the bin is a single rename, so it is never
half done, even if the computer stops.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import DATABASE
from maskrcnn.errors import StudioError

FOLDER = ".bin"
"""The name of the bin's folder in the workspace."""

_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_DELETING_PREFIX = ".going-"


@dataclass(frozen=True)
class Deleted:
    """A project in the bin. `deleted` is the time of its deletion, in seconds since 1970."""

    id: str
    folder: Path
    deleted: float

    @property
    def name(self) -> str:
        return self.folder.name


def put(root: Path, project: Path) -> Deleted:
    """Move a project into the bin. Raises `OSError` if it cannot be moved, `StudioError` if the bin is not a folder."""
    bin_folder = _bin_folder(root)
    bin_folder.mkdir(exist_ok=True)
    now = time.time()
    place = bin_folder / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{new_id()[:8]}"
    place.mkdir()
    try:
        os.rename(project, place / project.name)
    except OSError:
        place.rmdir()
        raise
    return Deleted(place.name, place / project.name, float(int(now)))


def entries(root: Path) -> list[Deleted]:
    """The projects in the bin, the newest first. Folders that were not created by `put` are ignored."""
    bin_folder = root / FOLDER
    if not untrusted_files.is_real_folder(bin_folder):
        return []
    found = []
    with suppress(OSError):
        for place in bin_folder.iterdir():
            if _NAME.fullmatch(place.name) and untrusted_files.is_real_folder(place):
                found += _deleted_project_in(place)
    return sorted(found, key=lambda entry: entry.id, reverse=True)


def entry(root: Path, id: str) -> Deleted:
    """The entry of the bin with this id. Raises `StudioError` if it is not in the bin (any more)."""
    for each in entries(root):
        if each.id == id:
            return each
    raise StudioError("it is not in the bin any more: it was brought back, or deleted for good; look at the list again")


def take_out(deleted: Deleted, target: Path) -> None:
    """Move a project from the bin to `target`, which must not exist. Raises `OSError` if it cannot be moved."""
    os.rename(deleted.folder, target)
    with suppress(OSError):
        deleted.folder.parent.rmdir()


def destroy(root: Path, deleted: Deleted) -> None:
    """Delete a project of the bin permanently. Links in it are removed, not followed.

    Raises `StudioError` if a part of it cannot be deleted.
    """
    bin_folder = _bin_folder(root)
    doomed = bin_folder / f"{_DELETING_PREFIX}{deleted.id}"
    problems: list[tuple[str, OSError]] = []
    try:
        os.rename(deleted.folder.parent, doomed)  # so that a partly deleted project is not in the list
    except OSError as error:
        raise StudioError(f'project "{deleted.name}": cannot be deleted ({error.strerror}); mend its rights') from None

    def note(_: object, path: str, about: Any) -> None:
        if isinstance(about[1], OSError) and not isinstance(about[1], FileNotFoundError):
            problems.append((path, about[1]))

    shutil.rmtree(doomed, onerror=note)
    if problems:
        path, why = problems[0]
        raise StudioError(f"{path}: cannot be deleted ({why.strerror}); mend its rights, and delete it")


def sweep(root: Path) -> None:
    """Delete the remains of an interrupted `destroy` or `put`."""
    bin_folder = root / FOLDER
    if not untrusted_files.is_real_folder(bin_folder):
        return
    with suppress(OSError):
        for place in list(bin_folder.iterdir()):
            if place.name.startswith(_DELETING_PREFIX) and untrusted_files.is_real_folder(place):
                shutil.rmtree(place, ignore_errors=True)
            elif _NAME.fullmatch(place.name) and untrusted_files.is_real_folder(place):
                with suppress(OSError):
                    place.rmdir()  # fails if the folder is not empty


def _deleted_project_in(place: Path) -> list[Deleted]:
    """The deleted project in a folder of the bin, as a list of one; empty if there is none."""
    with suppress(OSError, ValueError, OverflowError):
        deleted = time.mktime(time.strptime(place.name[:15], "%Y%m%d-%H%M%S"))
        (folder,) = place.iterdir()
        if (
            not folder.name.startswith(".")
            and untrusted_files.is_real_folder(folder)
            and os.path.lexists(folder / DATABASE)
        ):
            return [Deleted(place.name, folder, deleted)]
    return []


def _bin_folder(root: Path) -> Path:
    """The path of the bin's folder. Raises `StudioError` if something else has its name."""
    bin_folder = root / FOLDER
    untrusted_files.require_real_folder(bin_folder)
    return bin_folder
