"""The bin of a workspace: deleted projects, until they are restored or deleted for good.

Each lies under its own name in a folder of its own, `.bin/20261129-204448-1a2b3c4d/balloon`, so a name says all that is
known of it, and putting one in or taking one out is one rename: done or not done, whenever the computer stops.
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

from maskrcnn.annotations.regions import new_id
from maskrcnn.annotations.store import DATABASE, confinement
from maskrcnn.errors import StudioError

FOLDER = ".bin"
"""In the workspace."""

_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_GOING = ".going-"


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
    box = _box(root)
    box.mkdir(exist_ok=True)
    now = time.time()
    place = box / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{new_id()[:8]}"
    place.mkdir()
    try:
        os.rename(project, place / project.name)
    except OSError:
        place.rmdir()
        raise
    return Deleted(place.name, place / project.name, float(int(now)))


def entries(root: Path) -> list[Deleted]:
    """The projects in the bin, the newest first; anything that `put` did not put there is ignored."""
    box = root / FOLDER
    if not confinement.is_folder(box):
        return []
    found = []
    with suppress(OSError):
        for place in box.iterdir():
            if _NAME.fullmatch(place.name) and confinement.is_folder(place):
                found += _inside(place)
    return sorted(found, key=lambda entry: entry.id, reverse=True)


def entry(root: Path, id: str) -> Deleted:
    """The entry with that id. Raises `StudioError` if it is not in the bin (any more)."""
    for each in entries(root):
        if each.id == id:
            return each
    raise StudioError("it is not in the bin any more: it was brought back, or deleted for good; look at the list again")


def take_out(deleted: Deleted, target: Path) -> None:
    """Move a project out of the bin to `target`, which must not exist. Raises `OSError`."""
    os.rename(deleted.folder, target)
    with suppress(OSError):
        deleted.folder.parent.rmdir()


def destroy(root: Path, deleted: Deleted) -> None:
    """Delete a project of the bin for good. Links in it are removed, not followed. Raises `StudioError` where a part of
    it cannot be deleted."""
    box = _box(root)
    going = box / f"{_GOING}{deleted.id}"
    problems: list[tuple[str, OSError]] = []
    try:
        os.rename(deleted.folder.parent, going)  # so that half of one is never offered
    except OSError as error:
        raise StudioError(f'project "{deleted.name}": cannot be deleted ({error.strerror}); mend its rights') from None

    def note(_: object, path: str, about: Any) -> None:
        if isinstance(about[1], OSError) and not isinstance(about[1], FileNotFoundError):
            problems.append((path, about[1]))

    shutil.rmtree(going, onerror=note)
    if problems:
        path, why = problems[0]
        raise StudioError(f"{path}: cannot be deleted ({why.strerror}); mend its rights, and delete it")


def sweep(root: Path) -> None:
    """Delete what an interrupted `destroy` or `put` left behind."""
    box = root / FOLDER
    if not confinement.is_folder(box):
        return
    with suppress(OSError):
        for place in list(box.iterdir()):
            if place.name.startswith(_GOING) and confinement.is_folder(place):
                shutil.rmtree(place, ignore_errors=True)
            elif _NAME.fullmatch(place.name) and confinement.is_folder(place):
                with suppress(OSError):
                    place.rmdir()  # an empty one


def _inside(place: Path) -> list[Deleted]:
    with suppress(OSError, ValueError, OverflowError):
        deleted = time.mktime(time.strptime(place.name[:15], "%Y%m%d-%H%M%S"))
        (folder,) = place.iterdir()
        if not folder.name.startswith(".") and confinement.is_folder(folder) and os.path.lexists(folder / DATABASE):
            return [Deleted(place.name, folder, deleted)]
    return []


def _box(root: Path) -> Path:
    box = root / FOLDER
    confinement.require_folder(box)
    return box
