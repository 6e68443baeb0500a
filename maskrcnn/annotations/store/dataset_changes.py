"""Changes of many pictures at once: what became of a dataset, and another attribute as the class."""

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
    """What became of one picture: its record, now None where it was taken out."""

    was: ImageRecord
    now: ImageRecord | None


def between(before: Dataset, after: Dataset) -> list[Change]:
    """The pictures in which two datasets of one project differ (regions, split, taken out).

    Raises `StudioError` for records that do not come from a project, and for one that is in `after` alone.
    """
    found = []
    # Both may be too large to hold: walk side by side, and keep only those whose twin has not come yet.
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
    """Picture -> its regions as they are to be stored, where those are others now; for `apply`."""
    return {
        _identity(change.was)[0]: State.of(change.now.regions)
        for change in changes
        if change.now is not None and change.now.regions != change.was.regions
    }


def apply(
    db: sqlite3.Connection, changes: Sequence[Change], states: Mapping[int, State], before: Dataset, after: Dataset
) -> None:
    """Store changes and the classes of `after`. Raises `StaleSave` where a picture concerned was saved since."""
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
    """What a project becomes when another attribute is the class: its dataset, without pictures, and the new state of
    each picture that gets one."""

    facts: Dataset
    states: Mapping[int, State]


def seen(db: sqlite3.Connection) -> object:
    """What is equal as long as `reclassified` gives the same."""
    pictures = db.execute("SELECT id, state FROM image WHERE removed = 0 ORDER BY id").fetchall()
    return list(map(tuple, pictures)), stored_dataset.facts(db)


def reclassified(before: Dataset, attribute: str | None) -> Reclassified:
    """Let another VIA attribute be the class, in every picture; the old class goes back among the attributes.

    It takes long where there are many regions, so the project is not to be locked meanwhile.
    """
    after = class_change.reclassified(before, attribute)
    states = {
        _identity(was)[0]: State.of(now.regions)
        for was, now in zip(before.images, after.images, strict=True)
        if was.regions != now.regions
    }
    return Reclassified(replace(after, images=()), states)


def reclassify(db: sqlite3.Connection, worked_out: Reclassified) -> None:
    """Store what `reclassified` worked out of the project as it is."""
    for number, state in worked_out.states.items():
        picture_rows.save_state(db, picture_rows.image(db, number), state)
    class_rows.become(db, worked_out.facts.classes)
    project_meta.write(db, "class_attribute", worked_out.facts.class_attribute)
    project_meta.write(db, "extras", dict(worked_out.facts.extras))


# Another name of a class


def renamed(db: sqlite3.Connection, old: str, new: str) -> dict[int, State]:
    """State -> what it is with the regions of one class given another, for the pictures that this concerns, also those
    that are removed. States never change, so this is worked out before the project is locked for it."""
    return {row["state"]: state for row in _concerned(db, old) if (state := _renamed(db, row, old, new)) is not None}


def rename_in_regions(db: sqlite3.Connection, old: str, new: str, known: Mapping[int, State]) -> None:
    """Give every region of one class another; each picture concerned is saved."""
    for row in _concerned(db, old):
        state = known.get(row["state"]) or _renamed(db, row, old, new)
        if state is not None:
            picture_rows.save_state(db, row, state)


def _concerned(db: sqlite3.Connection, class_name: str) -> list[sqlite3.Row]:
    # Removed pictures have no region rows; one that is brought back must not bring the old name with it.
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
    """The number and the revision under which the project gave out a record."""
    known = record.extras.get("project")
    if not isinstance(known, dict) or not {"id", "revision"} <= known.keys():
        raise StudioError(f"{record.file_name}: does not come from this project; read the project again")
    return known["id"], known["revision"]
