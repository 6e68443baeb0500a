"""Changes of many pictures at once: what became of a dataset, and another attribute as the class."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from maskrcnn.annotations.formats import via_classes
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.annotations.store import class_rows, records, table_rows
from maskrcnn.annotations.store.listing import known_split
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


def apply(db: sqlite3.Connection, changes: Sequence[Change], before: Dataset, after: Dataset) -> None:
    """Store changes and the classes of `after`. Raises `StaleSave` where a picture concerned was saved since."""
    for change in changes:
        number, revision = _identity(change.was)
        row = table_rows.image(db, number)
        table_rows.require_fresh(db, row, revision)
        if change.now is None:
            table_rows.hide(db, row, True)
            continue
        if change.now.split is not None:
            db.execute("UPDATE image SET split = ? WHERE id = ?", (known_split(change.now.split), number))
        if change.now.regions != change.was.regions:
            table_rows.save_state(db, row, table_rows.State.of(change.now.regions))
    class_rows.drop_unused(db, [name for name in before.classes if name not in after.classes])
    class_rows.add(db, after.classes, after.skeletons)
    table_rows.keep_options(db, {entry.name: entry.name for entry in class_rows.classes(db)})


def reclassify(db: sqlite3.Connection, place: records.Place, attribute: str | None) -> None:
    """Let another VIA attribute be the class, in every picture; the old class goes back among the attributes."""
    before = records.dataset(db, place)
    after = via_classes.reclassified(before, attribute)
    for was, now in zip(before.images, after.images, strict=True):
        if was.regions != now.regions:
            row = table_rows.image(db, _identity(was)[0])
            table_rows.save_state(db, row, table_rows.State.of(now.regions))
    class_rows.become(db, after.classes)
    table_rows.set_meta(db, "class_attribute", after.class_attribute)
    table_rows.set_meta(db, "extras", dict(after.extras))


def rename_in_regions(db: sqlite3.Connection, old: str, new: str) -> None:
    """Give every region of one class another, also in pictures that are removed; each concerned is saved."""
    # Removed pictures have no region rows; one that is brought back must not bring the old name with it.
    concerned = "SELECT * FROM image WHERE id IN (SELECT image_id FROM region WHERE class_name = ?) OR removed"
    for row in db.execute(concerned, (old,)).fetchall():
        regions = table_rows.regions(db, row)
        renamed = [replace(r, class_name=new) if r.class_name == old else r for r in regions]
        if renamed != list(regions):
            table_rows.save_state(db, row, table_rows.State.of(renamed))


def _differ(was: ImageRecord, now: ImageRecord | None) -> bool:
    return now is None or (was.regions, was.split) != (now.regions, now.split)


def _identity(record: ImageRecord) -> tuple[int, int]:
    """The number and the revision under which the project gave out a record."""
    known = record.extras.get("project")
    if not isinstance(known, dict) or not {"id", "revision"} <= known.keys():
        raise StudioError(f"{record.file_name}: does not come from this project; read the project again")
    return known["id"], known["revision"]
