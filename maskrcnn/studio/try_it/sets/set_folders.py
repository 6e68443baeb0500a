"""All sets of a workspace: a new one, the last ones, and how much they may hold.

The oldest sets are deleted when there are more than `MOST_SETS`, or when they hold more than `MOST_BYTES`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.output_files import writing
from maskrcnn.studio.try_it.sets import tried_set
from maskrcnn.studio.try_it.sets.tried_set import FOUND, PICTURES, TriedSet
from maskrcnn.untrusted_files import require_real_folder
from maskrcnn.words import byte_size

MOST_SETS = 20
MOST_BYTES = 5_000_000_000
"""Maximum bytes of all sets together; the oldest are deleted first."""

MOST_SET_BYTES = 2_000_000_000
"""Maximum bytes of the pictures of one set."""

MOST_PICTURES = 2000
"""Maximum number of pictures of one set."""

SPARE_BYTES = 200_000_000
"""Bytes that stay free on the disk."""


_ARRIVING_SECONDS = 3600
"""A folder of this age without a document is no set whose pictures are still arriving."""


def new_folder(workspace: Path) -> Path:
    """Make and return the folder of a new set. Raises `StudioError` if it cannot be made."""
    base = workspace / tried_set.FOLDER
    require_real_folder(base)
    folder = base / secrets.token_hex(6)
    with writing(base):
        base.mkdir(parents=True, exist_ok=True)
        for place in (folder, folder / PICTURES, folder / FOUND):
            place.mkdir()
    return folder


def require_room(workspace: Path, incoming: int) -> None:
    """Raise `StudioError` if pictures of so many bytes are too many for a set, or for the disk."""
    if incoming > MOST_SET_BYTES:
        raise StudioError(
            f"the pictures have {byte_size(incoming)}, and a set at most {byte_size(MOST_SET_BYTES)}; give fewer at a "
            "time, or use python -m maskrcnn predict"
        )
    try:
        free = shutil.disk_usage(workspace).free
    except OSError:
        return
    if free < incoming + SPARE_BYTES:
        raise StudioError(
            f"there is no space for the pictures ({byte_size(incoming)}, and {byte_size(free)} are free); delete some "
            "of the last sets, or other files"
        )


def last_sets(workspace: Path) -> list[TriedSet]:
    """All sets that can be read, the newest first."""
    found = []
    for identity in _ids(workspace):
        with suppress(StudioError):
            found.append(tried_set.read(workspace, identity))
    return sorted(found, key=lambda tried: -tried.made)


def delete(workspace: Path, identity: str) -> None:
    """Delete a set with its pictures. One that is gone already is no error.

    Raises `StudioError` if it cannot be deleted.
    """
    folder = tried_set.folder_of(workspace, identity)
    require_real_folder(folder.parent)
    require_real_folder(folder)
    # The document goes first: without it there is no set, also if the rest cannot be deleted.
    try:
        (folder / tried_set.SET).unlink(missing_ok=True)
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StudioError(f"the set cannot be deleted ({error.strerror}); check the permissions of {folder}") from None


def make_room(workspace: Path, kept: Collection[str]) -> None:
    """Delete the oldest sets until the rest keeps the limits, but none of the ids in `kept`.

    Folders without a readable document, left behind by a killed server, go first.
    """
    sets = last_sets(workspace)
    known = {tried.id for tried in sets} | set(kept)
    for identity in _ids(workspace):
        with suppress(StudioError, OSError):
            changed = tried_set.folder_of(workspace, identity).stat().st_mtime
            if identity not in known and time.time() - changed > _ARRIVING_SECONDS:
                delete(workspace, identity)
    total = 0
    for number, tried in enumerate(sets, start=1):
        total += bytes_of(tried_set.folder_of(workspace, tried.id))
        if (number > MOST_SETS or total > MOST_BYTES) and tried.id not in kept:
            with suppress(StudioError):
                delete(workspace, tried.id)


def bytes_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _ids(workspace: Path) -> list[str]:
    """The names of the folders of sets."""
    try:
        with os.scandir(workspace / tried_set.FOLDER) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [name for name in names if tried_set.ID.fullmatch(name)]
