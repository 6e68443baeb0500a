"""The list of pictures that a person labels one after the other, as a value in the table `meta`.

The order stays as it was when the list was made, so that "next" leads to the same picture all the time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from maskrcnn.annotations.store import project_meta
from maskrcnn.errors import StudioError

_KEY = "next_pictures"

MOST = 1000
"""Maximum number of pictures in the list."""

_LONGEST_REASON = 300


@dataclass(frozen=True)
class NextPicture:
    """A picture in the list: its id, and why it stands there, in words."""

    image_id: int
    reason: str


def write(db: sqlite3.Connection, pictures: Sequence[NextPicture]) -> None:
    """Replace the list. Raises `StudioError` if it is longer than `MOST`."""
    if len(pictures) > MOST:
        raise StudioError(f"the list has {len(pictures)} pictures, more than {MOST}; label fewer at a time")
    project_meta.write(db, _KEY, [[entry.image_id, entry.reason[:_LONGEST_REASON]] for entry in pictures])


def read(db: sqlite3.Connection) -> list[NextPicture]:
    """Return the list in its order, without removed pictures. What is no entry of a list is left out."""
    kept = project_meta.read(db, _KEY, [])
    there = {number for (number,) in db.execute("SELECT id FROM image WHERE removed = 0")}
    found: dict[int, NextPicture] = {}
    for entry in kept[:MOST] if isinstance(kept, list) else []:
        if isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is int and isinstance(entry[1], str):
            number, reason = entry
            if number in there and number not in found:
                found[number] = NextPicture(number, reason[:_LONGEST_REASON])
    return list(found.values())
