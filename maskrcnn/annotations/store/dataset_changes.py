"""Find and store the differences between two datasets of one project, for example after repairs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from maskrcnn.annotations.dataset import Dataset, ImageRecord, require_split
from maskrcnn.annotations.store import class_rows, picture_rows, project_meta
from maskrcnn.annotations.store.picture_rows import PictureState
from maskrcnn.annotations.store.stored_dataset import stored_identity
from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class PictureChange:
    """The record of one picture before and after a change. `now` is None if the picture was removed."""

    was: ImageRecord
    now: ImageRecord | None


def between(before: Dataset, after: Dataset) -> list[PictureChange]:
    """Return the changes of regions and splits, and the removed pictures, between two datasets of one project.

    Raises `StudioError` for records that do not come from a project, and for records that are only in `after`.
    """
    found = []
    # Both datasets may be too large for memory: iterate over both in parallel, and keep only unmatched records.
    first: dict[int, ImageRecord] = {}
    second: dict[int, ImageRecord] = {}
    for was, now in zip_longest(before.images, after.images):
        if was is not None and was is now:
            continue
        for side, record in ((first, was), (second, now)):
            if record is not None:
                number = stored_identity(record)[0]
                side[number] = record
                if number in first and number in second:
                    change = PictureChange(first.pop(number), second.pop(number))
                    if _differ(change.was, change.now):
                        found.append(change)
    for record in second.values():
        raise StudioError(f"{record.file_name}: is new in the changed dataset; import it into the project first")
    return [*found, *(PictureChange(record, None) for record in first.values())]


def states_of(changes: Sequence[PictureChange]) -> dict[int, PictureState]:
    """Return {picture id: new state} for the pictures whose regions changed. Argument of `apply`."""
    return {
        stored_identity(change.was)[0]: PictureState.of(change.now.regions)
        for change in changes
        if change.now is not None and change.now.regions != change.was.regions
    }


def apply(
    db: sqlite3.Connection,
    changes: Sequence[PictureChange],
    states: Mapping[int, PictureState],
    before: Dataset,
    after: Dataset,
) -> None:
    """Store changes and the classes of `after`. Raises `StaleSave` if a changed picture was saved in the meantime."""
    for change in changes:
        number, revision = stored_identity(change.was)
        row = picture_rows.image(db, number)
        picture_rows.require_fresh(db, row, revision)
        if change.now is None:
            picture_rows.set_removed(db, row, True)
            continue
        if change.now.split is not None:
            db.execute("UPDATE image SET split = ? WHERE id = ?", (require_split(change.now.split), number))
        if number in states:
            picture_rows.save_state(db, row, states[number])
    kept = set(after.classes)
    class_rows.drop_unused(db, [name for name in before.classes if name not in kept])
    class_rows.add(db, after.classes, after.skeletons)
    project_meta.update_class_options(db, {entry.name: entry.name for entry in class_rows.classes(db)})


def _differ(was: ImageRecord, now: ImageRecord | None) -> bool:
    """Whether the regions or the split of a picture changed, or the picture was removed."""
    return now is None or (was.regions, was.split) != (now.regions, now.split)
