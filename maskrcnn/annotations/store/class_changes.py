"""Change the classes of all regions of a project: rename a class, merge two, or use another VIA attribute."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.via import class_attributes
from maskrcnn.annotations.store import picture_rows, project_meta, snapshots
from maskrcnn.annotations.store.class_rows import replace_class_list
from maskrcnn.annotations.store.picture_rows import PictureState
from maskrcnn.annotations.store.stored_dataset import stored_identity

# Another attribute as the class


@dataclass(frozen=True)
class ReclassifiedProject:
    """The result of changing the class attribute: the new dataset without pictures, and {picture id: new state}."""

    facts: Dataset
    states: Mapping[int, PictureState]


def project_fingerprint(db: sqlite3.Connection) -> object:
    """Return a value that changes with each save. While it is equal, `reclassified` gives the same result."""
    pictures = db.execute("SELECT id, state FROM image WHERE removed = 0 ORDER BY id").fetchall()
    return list(map(tuple, pictures)), snapshots.project_facts(db)


def reclassified(before: Dataset, attribute: str | None) -> ReclassifiedProject:
    """Compute the dataset with another VIA attribute as the class. The old class becomes an attribute again.

    Takes long for many regions, so call it without holding a lock on the project.
    """
    after = class_attributes.reclassified(before, attribute)
    states = {
        stored_identity(was)[0]: PictureState.of(now.regions)
        for was, now in zip(before.images, after.images, strict=True)
        if was.regions != now.regions
    }
    return ReclassifiedProject(replace(after, images=()), states)


def reclassify(db: sqlite3.Connection, result: ReclassifiedProject) -> None:
    """Store the result of `reclassified`; the project must be unchanged since (`project_fingerprint`)."""
    for number, state in result.states.items():
        picture_rows.save_state(db, picture_rows.image(db, number), state)
    replace_class_list(db, result.facts.classes)
    project_meta.write(db, "class_attribute", result.facts.class_attribute)
    project_meta.write(db, "extras", dict(result.facts.extras))


# Another name of a class


def renamed_states(db: sqlite3.Connection, old: str, new: str) -> dict[int, PictureState]:
    """Compute {id of a stored state: new state} for renaming class `old` to `new`, also in removed pictures.

    A stored state is never overwritten: a save adds another one. So this can run before the project is locked for
    writing.
    """
    return {
        row["state"]: state
        for row in _rows_with_class(db, old)
        if (state := _renamed_state(db, row, old, new)) is not None
    }


def rename_in_regions(db: sqlite3.Connection, old: str, new: str, new_states: Mapping[int, PictureState]) -> None:
    """Change the class of all regions from `old` to `new`, with one save for each changed picture.

    `new_states` is the result of `renamed_states`. For pictures that were saved since then, the new state is computed
    here.
    """
    for row in _rows_with_class(db, old):
        state = new_states.get(row["state"]) or _renamed_state(db, row, old, new)
        if state is not None:
            picture_rows.save_state(db, row, state)


def _rows_with_class(db: sqlite3.Connection, class_name: str) -> list[sqlite3.Row]:
    """Return the image rows of the pictures that have regions of a class, and those of all removed pictures."""
    # Removed pictures have no region rows. They are renamed too, so that the old name does not return with them.
    query = "SELECT * FROM image WHERE id IN (SELECT image_id FROM region WHERE class_name = ?) OR removed"
    return db.execute(query, (class_name,)).fetchall()


def _renamed_state(db: sqlite3.Connection, row: sqlite3.Row, old: str, new: str) -> PictureState | None:
    """Return the state of a picture with class `old` renamed to `new`; None if no region has the class `old`."""
    regions = picture_rows.regions(db, row)
    if not any(region.class_name == old for region in regions):
        return None
    return PictureState.of([replace(r, class_name=new) if r.class_name == old else r for r in regions])
