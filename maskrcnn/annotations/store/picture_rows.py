"""Read and write the rows of pictures in `project.db`, inside a transaction of the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.regions import Region, new_id
from maskrcnn.annotations.store import class_rows, json_columns, region_json
from maskrcnn.annotations.store.database_errors import missing_state_error
from maskrcnn.errors import StudioError


class StaleSave(StudioError):
    """The picture was saved elsewhere since it was opened. `regions` and `revision` are the stored ones."""

    def __init__(self, message: str, regions: tuple[Region, ...], revision: int) -> None:
        super().__init__(message)
        self.regions, self.revision = regions, revision


class UnknownPicture(StudioError):
    """There is no picture with this id in the project."""


@dataclass(frozen=True)
class PictureState:
    """The stored form of a picture's regions: a JSON text, and (id, class) of each region for the table `region`."""

    text: str
    marks: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, regions: Iterable[Region]) -> PictureState:
        """Convert regions to a state, with checked class names. A region with a repeated id gets a new id."""
        own: dict[str, Region] = {}
        for region in regions:
            if region.class_name is not None:
                class_rows.checked_name(region.class_name)
            if region.id in own:
                region = replace(region, id=new_id())
            own[region.id] = region
        return cls(region_json.dumps(own.values()), tuple((key, region.class_name) for key, region in own.items()))

    @classmethod
    def stored(cls, text: str, name: str) -> PictureState:
        """Return a state from the stored JSON text of the picture `name`. Raises as `region_json.loads`."""
        return cls(text, region_json.identities(text, name))


def image(db: sqlite3.Connection, image_id: int) -> sqlite3.Row:
    """Return the row of a picture in the table `image`. Raises `UnknownPicture` if there is none."""
    row = db.execute("SELECT * FROM image WHERE id = ?", (image_id,)).fetchone()
    if row is None:
        raise UnknownPicture(f"there is no picture number {image_id} in this project; choose one from the list")
    return row


def regions(db: sqlite3.Connection, row: sqlite3.Row) -> tuple[Region, ...]:
    """Return the present regions of an image row."""
    return region_json.loads(state_text(db, row["state"], row["file_name"]), row["file_name"])


def require_fresh(db: sqlite3.Connection, row: sqlite3.Row, revision: int) -> None:
    """Raise `StaleSave` if the picture has another revision now."""
    if row["revision"] != revision:
        raise StaleSave(
            f"{row['file_name']}: saved elsewhere since you opened it; load it again, then repeat your change",
            regions(db, row),
            row["revision"],
        )


def first_state(db: sqlite3.Connection, image_id: int, state: PictureState) -> None:
    """Store the first regions of a new picture; their classes must exist already."""
    number = _add_history(db, image_id, None, state)
    db.execute("UPDATE image SET state = ?, n_regions = ? WHERE id = ?", (number, len(state.marks), image_id))
    _put_marks(db, image_id, state)


def save_state(db: sqlite3.Connection, row: sqlite3.Row, state: PictureState) -> int:
    """Store a new state as the present one. Return the new revision. Unknown classes are added to the project."""
    return _set_present_state(db, row, _add_history(db, row["id"], row["state"], state), state)


def step_in_history(db: sqlite3.Connection, row: sqlite3.Row, query: str) -> int:
    """Go to the state that the SQL `query` finds from the present one (undo, redo). Return the revision.

    The revision is unchanged if the query finds nothing.
    """
    found = db.execute(query, (row["state"],)).fetchone()
    if found is None:
        return row["revision"]
    return _set_present_state(db, row, found["id"], PictureState.stored(found["regions"], row["file_name"]))


def set_removed(db: sqlite3.Connection, row: sqlite3.Row, removed: bool) -> None:
    """Remove a picture from all lists, or (`removed` false) restore it with its regions.

    Classes of a restored picture that were deleted in the meantime are added again.
    """
    if bool(row["removed"]) == removed:
        return
    db.execute("UPDATE image SET removed = ? WHERE id = ?", (int(removed), row["id"]))
    if removed:
        db.execute("DELETE FROM region WHERE image_id = ?", (row["id"],))
    else:
        state = PictureState.stored(state_text(db, row["state"], row["file_name"]), row["file_name"])
        class_rows.add(db, [name for _, name in state.marks if name])
        _put_marks(db, row["id"], state)


def _set_present_state(db: sqlite3.Connection, row: sqlite3.Row, number: int, state: PictureState) -> int:
    """Make history row `number` the present state of a picture. Return the new revision."""
    revision = row["revision"] + 1
    class_rows.add(db, [name for _, name in state.marks if name])
    db.execute(
        "UPDATE image SET state = ?, revision = ?, n_regions = ? WHERE id = ?",
        (number, revision, len(state.marks), row["id"]),
    )
    db.execute("DELETE FROM region WHERE image_id = ?", (row["id"],))
    if not row["removed"]:
        _put_marks(db, row["id"], state)
    return revision


def state_text(db: sqlite3.Connection, state: int, name: str) -> str:
    """Return the stored JSON text of one state of the picture `name`. Raises `StudioError` if it is missing."""
    found = db.execute("SELECT regions FROM history WHERE id = ?", (state,)).fetchone()
    if found is None:
        raise missing_state_error(name)
    return found["regions"]


def _add_history(db: sqlite3.Connection, image_id: int, parent: int | None, state: PictureState) -> int:
    """Insert a state of a picture into the table `history`, as a child of the state `parent`. Return its id."""
    query = "INSERT INTO history (image_id, parent, regions) VALUES (?, ?, ?)"
    number = db.execute(query, (image_id, parent, state.text)).lastrowid
    assert number is not None
    return number


def _put_marks(db: sqlite3.Connection, image_id: int, state: PictureState) -> None:
    """Insert a row into the table `region` for each region of a picture."""
    db.executemany(
        "INSERT INTO region (image_id, position, id, class_name) VALUES (?, ?, ?, ?)",
        [(image_id, position, *mark) for position, mark in enumerate(state.marks)],
    )


def record_without_regions(row: sqlite3.Row) -> ImageRecord:
    """Return a record with only the name, split and extras of a picture."""
    return ImageRecord(row["file_name"], split=row["split"], extras=picture_extras(row))


def rows_of_all_pictures(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Return a row with the names, split and extras of every picture, including removed ones."""
    return db.execute("SELECT id, file_name, given_name, split, extras FROM image ORDER BY id").fetchall()


def picture_extras(row: sqlite3.Row) -> dict[str, Any]:
    """Return the extras of a picture, with its original name if it has another name in the project."""
    words = f"project.db: the extras of {row['file_name']}"
    extras = json_columns.require_extras(json_columns.parsed(row["extras"], words), words)
    if row["given_name"] != row["file_name"] and original_names.ORIGIN not in extras:
        extras = {**extras, original_names.ORIGIN: {"name": row["given_name"]}}
    return extras
