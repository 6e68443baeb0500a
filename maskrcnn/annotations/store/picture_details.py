"""Everything about one picture that an editor shows, read at once; one step in its history; its file attributes.

Every function works inside a transaction of the caller.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from maskrcnn.annotations.dataset import Split
from maskrcnn.annotations.formats.via.write_back_notes import CHANGED
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import json_columns, picture_rows, region_json

Direction = Literal["undo", "redo"]

QUERIES: dict[Direction, str] = {
    "undo": "SELECT * FROM history WHERE id = (SELECT parent FROM history WHERE id = ?)",
    "redo": "SELECT * FROM history WHERE parent = ? ORDER BY id DESC LIMIT 1",
}
"""Direction -> SQL that finds the next row of `history` from the present one."""


@dataclass(frozen=True)
class PictureDetails:
    """One picture with its regions; `width` and `height` are in pixels, as displayed.

    `attributes` are VIA's file attributes. A `removed` picture is hidden in all lists.
    """

    id: int
    file_name: str
    width: int
    height: int
    split: Split
    done: bool
    removed: bool
    attributes: Mapping[str, Any]
    regions: tuple[Region, ...]
    revision: int
    can_undo: bool
    can_redo: bool


@dataclass(frozen=True)
class HistoryStep:
    """The regions of a picture before and after an undo or a redo. They are equal if there was nothing to do.

    `removed`: whether the picture is removed from the project, and so hidden.
    """

    before: tuple[Region, ...]
    after: tuple[Region, ...]
    revision: int
    can_undo: bool
    can_redo: bool
    removed: bool


def details(db: sqlite3.Connection, image_id: int) -> PictureDetails:
    """Return one picture. Raises `UnknownPicture` if there is none with this id."""
    row = picture_rows.image(db, image_id)
    return PictureDetails(
        row["id"],
        row["file_name"],
        row["width"],
        row["height"],
        row["split"],
        bool(row["done"]),
        bool(row["removed"]),
        file_attributes(row),
        picture_rows.regions(db, row),
        row["revision"],
        has_step(db, row["state"], "undo"),
        has_step(db, row["state"], "redo"),
    )


def has_step(db: sqlite3.Connection, state: int, direction: Direction) -> bool:
    """Whether there is a save to undo or to redo from this row of `history`."""
    return db.execute(QUERIES[direction], (state,)).fetchone() is not None


def step(
    db: sqlite3.Connection, image_id: int, direction: Direction, revision: int | None
) -> tuple[str, str, HistoryStep]:
    """Undo or redo the last save of a picture, if its revision is still `revision` (None: any).

    Returns the stored regions before and after as JSON texts, and a `HistoryStep` without regions: the caller converts
    the texts after the transaction. Raises `StaleSave` for another revision.
    """
    row = picture_rows.image(db, image_id)
    if revision is not None:
        picture_rows.require_fresh(db, row, revision)
    new_revision = picture_rows.step_in_history(db, row, QUERIES[direction])
    now = picture_rows.image(db, image_id)
    texts = [picture_rows.state_text(db, state["state"], row["file_name"]) for state in (row, now)]
    can_undo, can_redo = (has_step(db, now["state"], way) for way in QUERIES)
    return texts[0], texts[1], HistoryStep((), (), new_revision, can_undo, can_redo, bool(now["removed"]))


def regions_of(text: str) -> tuple[Region, ...]:
    """Convert a JSON text of `step` to regions."""
    return region_json.loads(text)


def file_attributes(row: sqlite3.Row) -> dict[str, Any]:
    """Return VIA's file attributes of an image row. Raises `StudioError` if they are damaged."""
    return json_columns.parsed_dict(row["attributes"], f"project.db: the attributes of {row['file_name']}")


def set_file_attributes(db: sqlite3.Connection, image_id: int, attributes: Mapping[str, Any]) -> None:
    """Store VIA's file attributes of a picture. Raises `StudioError` if they are nested too deep."""
    row = picture_rows.image(db, image_id)
    if attributes == file_attributes(row):
        return
    text = json_columns.dumped(dict(attributes), f"the attributes of {row['file_name']}")
    db.execute("UPDATE image SET attributes = ? WHERE id = ?", (text, image_id))
    state = picture_rows.state_text(db, row["state"], row["file_name"])
    if _CELL in row["extras"] or _CELL in state:
        extras = json_columns.parsed_dict(row["extras"], f"project.db: the extras of {row['file_name']}")
        extras["via"] = {**extras.get("via", {}), CHANGED: True}
        db.execute("UPDATE image SET extras = ? WHERE id = ?", (json.dumps(extras), image_id))


_CELL = '"file_attributes"'
"""Name of a kept cell of a CSV file of VIA, as it stands in the JSON of extras."""
