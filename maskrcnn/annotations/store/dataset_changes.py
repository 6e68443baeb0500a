"""Store changes of many pictures at once: an edited dataset, another class attribute, a renamed class."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from maskrcnn.annotations.formats.via import class_change
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.annotations.store import class_rows, picture_rows, project_meta, stored_dataset
from maskrcnn.annotations.store.picture_listing import known_split
from maskrcnn.annotations.store.picture_rows import State
from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class Change:
    """The record of one picture before and after a change. `now` is None if the picture was removed."""

    was: ImageRecord
    now: ImageRecord | None


def between(before: Dataset, after: Dataset) -> list[Change]:
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
                number = _identity(record)[0]
                side[number] = record
                if number in first and number in second:
                    change = Change(first.pop(number), second.pop(number))
                    if _differ(change.was, change.now):
                        found.append(change)
    for record in second.values():
        raise StudioError(f"{record.file_name}: is new in the changed dataset; import it into the project first")
    return [*found, *(Change(record, None) for record in first.values())]


def states_of(changes: Sequence[Change]) -> dict[int, State]:
    """Return {picture id: new state} for the pictures whose regions changed. Argument of `apply`."""
    return {
        _identity(change.was)[0]: State.of(change.now.regions)
        for change in changes
        if change.now is not None and change.now.regions != change.was.regions
    }


def apply(
    db: sqlite3.Connection, changes: Sequence[Change], states: Mapping[int, State], before: Dataset, after: Dataset
) -> None:
    """Store changes and the classes of `after`. Raises `StaleSave` if a changed picture was saved in the meantime."""
    for change in changes:
        number, revision = _identity(change.was)
        row = picture_rows.image(db, number)
        picture_rows.require_fresh(db, row, revision)
        if change.now is None:
            picture_rows.hide(db, row, True)
            continue
        if change.now.split is not None:
            db.execute("UPDATE image SET split = ? WHERE id = ?", (known_split(change.now.split), number))
        if number in states:
            picture_rows.save_state(db, row, states[number])
    kept = set(after.classes)
    class_rows.drop_unused(db, [name for name in before.classes if name not in kept])
    class_rows.add(db, after.classes, after.skeletons)
    project_meta.follow_classes(db, {entry.name: entry.name for entry in class_rows.classes(db)})


# Another attribute as the class


@dataclass(frozen=True)
class Reclassified:
    """The result of changing the class attribute: the new dataset without pictures, and {picture id: new state}."""

    facts: Dataset
    states: Mapping[int, State]


def seen(db: sqlite3.Connection) -> object:
    """Return a fingerprint of the project. While it is equal, `reclassified` gives the same result."""
    pictures = db.execute("SELECT id, state FROM image WHERE removed = 0 ORDER BY id").fetchall()
    return list(map(tuple, pictures)), stored_dataset.facts(db)


def reclassified(before: Dataset, attribute: str | None) -> Reclassified:
    """Compute the dataset with another VIA attribute as the class. The old class becomes an attribute again.

    Takes long for many regions, so call it without holding a lock on the project.
    """
    after = class_change.reclassified(before, attribute)
    states = {
        _identity(was)[0]: State.of(now.regions)
        for was, now in zip(before.images, after.images, strict=True)
        if was.regions != now.regions
    }
    return Reclassified(replace(after, images=()), states)


def reclassify(db: sqlite3.Connection, worked_out: Reclassified) -> None:
    """Store the result of `reclassified`; the project must be unchanged since (`seen`)."""
    for number, state in worked_out.states.items():
        picture_rows.save_state(db, picture_rows.image(db, number), state)
    class_rows.become(db, worked_out.facts.classes)
    project_meta.write(db, "class_attribute", worked_out.facts.class_attribute)
    project_meta.write(db, "extras", dict(worked_out.facts.extras))


# Another name of a class


def renamed(db: sqlite3.Connection, old: str, new: str) -> dict[int, State]:
    """Compute {old state: new state} for renaming class `old` to `new`, also in removed pictures.

    States never change, so this can run before the project is locked for writing.
    """
    return {row["state"]: state for row in _concerned(db, old) if (state := _renamed(db, row, old, new)) is not None}


def rename_in_regions(db: sqlite3.Connection, old: str, new: str, known: Mapping[int, State]) -> None:
    """Change the class of all regions from `old` to `new` and save each changed picture. `known`: see `renamed`."""
    for row in _concerned(db, old):
        state = known.get(row["state"]) or _renamed(db, row, old, new)
        if state is not None:
            picture_rows.save_state(db, row, state)


def _concerned(db: sqlite3.Connection, class_name: str) -> list[sqlite3.Row]:
    # Removed pictures have no region rows. They are renamed too, so that the old name does not return with them.
    query = "SELECT * FROM image WHERE id IN (SELECT image_id FROM region WHERE class_name = ?) OR removed"
    return db.execute(query, (class_name,)).fetchall()


def _renamed(db: sqlite3.Connection, row: sqlite3.Row, old: str, new: str) -> State | None:
    regions = picture_rows.regions(db, row)
    if not any(region.class_name == old for region in regions):
        return None
    return State.of([replace(r, class_name=new) if r.class_name == old else r for r in regions])


def _differ(was: ImageRecord, now: ImageRecord | None) -> bool:
    return now is None or (was.regions, was.split) != (now.regions, now.split)


def _identity(record: ImageRecord) -> tuple[int, int]:
    """Return the picture id and the revision of a record. Raises `StudioError` if it is not from a project."""
    known = record.extras.get("project")
    if not isinstance(known, dict) or not {"id", "revision"} <= known.keys():
        raise StudioError(f"{record.file_name}: does not come from this project; read the project again")
    return known["id"], known["revision"]
