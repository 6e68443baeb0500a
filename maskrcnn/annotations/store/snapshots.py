"""Snapshots of a project's labels at one moment, for training, viewing and restoring."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from maskrcnn.annotations.store import (
    class_rows,
    database_check,
    json_columns,
    picture_rows,
    project_meta,
)
from maskrcnn.annotations.store.picture_rows import PictureState
from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class Snapshot:
    """A named state of a project: its time (UTC), and its numbers of pictures and regions."""

    id: int
    name: str
    made_at: datetime
    pictures: int
    regions: int


def take(db: sqlite3.Connection, name: str) -> Snapshot:
    """Make a snapshot: store the id of the present state of each picture. No region is copied."""
    if not name.strip():
        raise StudioError("a snapshot needs a name; give it one")
    pictures, regions = db.execute(
        "SELECT count(*), coalesce(sum(n_regions), 0) FROM image WHERE removed = 0"
    ).fetchone()
    number = db.execute(
        "INSERT INTO snapshot (name, pictures, regions, facts) VALUES (?, ?, ?, ?)",
        (
            name,
            pictures,
            regions,
            json_columns.dumped(project_facts(db), "what the project says of its classes"),
        ),
    ).lastrowid
    assert number is not None
    db.execute(
        """INSERT INTO snapshot_image (snapshot_id, image_id, state, revision, split)
           SELECT ?, id, state, revision, split FROM image WHERE removed = 0""",
        (number,),
    )
    return _snapshot(snapshot_row(db, number))


def every(db: sqlite3.Connection) -> list[Snapshot]:
    """Return all snapshots, newest first."""
    return [_snapshot(row) for row in db.execute("SELECT * FROM snapshot ORDER BY id DESC")]


_DIFFERING = """SELECT image_id, file_name, at.state, at.split FROM snapshot_image AS at
                JOIN image ON image.id = at.image_id WHERE at.snapshot_id = ?
                AND (image.removed OR image.split != at.split OR image.state != at.state)"""


def states_to_restore(db: sqlite3.Connection, snapshot_id: int) -> dict[int, PictureState]:
    """Return the states in a snapshot, as {state id: state}, of the pictures that differ from it now.

    Stored states are never overwritten, so this can run before the project is locked for `restore`.
    """
    database_check.require_snapshot_images(db, snapshot_id)
    return {
        row["state"]: PictureState.stored(picture_rows.state_text(db, row["state"], row["file_name"]), row["file_name"])
        for row in db.execute(_DIFFERING, (snapshot_id,)).fetchall()
    }


def restore(db: sqlite3.Connection, snapshot_id: int, states: Mapping[int, PictureState]) -> None:
    """Restore the classes of a snapshot, and every picture that differs from it now, with one save for each.

    `states` is the result of `states_to_restore`. States of pictures that were saved since then are read here.
    """
    _restore_project_facts(db, snapshot_facts(db, snapshot_id))
    database_check.require_snapshot_images(db, snapshot_id)
    for number, name, state, split in db.execute(_DIFFERING, (snapshot_id,)).fetchall():
        picture_rows.set_removed(db, picture_rows.image(db, number), False)
        db.execute("UPDATE image SET split = ? WHERE id = ?", (split, number))
        image = picture_rows.image(db, number)
        if image["state"] != state:
            then = states.get(state) or PictureState.stored(picture_rows.state_text(db, state, name), name)
            picture_rows.save_state(db, image, then)


def _restore_project_facts(db: sqlite3.Connection, facts: dict[str, Any]) -> None:
    """Restore the `project_facts` of a snapshot: its classes, class attribute and extras.

    Classes that were added later are kept, after the others, without a key that the snapshot uses. Extras that were
    added later are kept, too.
    """
    then = [
        class_rows.class_from_json(document, "project.db: the classes of a snapshot") for document in facts["classes"]
    ]
    names, keys = {entry.name for entry in then}, {entry.hotkey for entry in then}
    later = [entry for entry in class_rows.classes(db) if entry.name not in names]
    class_rows.put(db, [*then, *(replace(entry, hotkey=None) if entry.hotkey in keys else entry for entry in later)])
    project_meta.write(db, "class_attribute", facts["class_attribute"])
    project_meta.write(
        db, "extras", project_meta.merged_project_extras(facts["extras"], project_meta.read(db, "extras", {}))
    )


def _snapshot(row: sqlite3.Row) -> Snapshot:
    """Return the snapshot of a row of the table `snapshot`. Raises `StudioError` if its time is invalid."""
    try:
        made_at = datetime.fromisoformat(row["made_at"])
    except ValueError:
        raise StudioError(
            f"project.db: snapshot {row['id']} was made at no time; restore the project folder from a copy"
        ) from None
    return Snapshot(row["id"], row["name"], made_at, row["pictures"], row["regions"])


def project_facts(db: sqlite3.Connection) -> dict[str, Any]:
    """Return the classes, class attribute and extras of a project as JSON values, as stored in a snapshot."""
    return {
        "classes": [class_rows.class_to_json(entry) for entry in class_rows.classes(db)],
        "class_attribute": project_meta.read(db, "class_attribute", None),
        "extras": project_meta.read(db, "extras", {}),
    }


def snapshot_row(db: sqlite3.Connection, snapshot_id: int) -> sqlite3.Row:
    """Return the row of a snapshot. Raises `StudioError` if there is none."""
    row = db.execute("SELECT * FROM snapshot WHERE id = ?", (snapshot_id,)).fetchone()
    if row is None:
        raise StudioError(f"there is no snapshot number {snapshot_id} in this project; choose one from the list")
    return row


def snapshot_facts(db: sqlite3.Connection, snapshot_id: int) -> dict[str, Any]:
    """Return the `project_facts` that a snapshot stores. Raises `StudioError` if they are damaged.

    The classes in them are not validated; `class_rows.class_from_json` does that.
    """
    words = f"project.db: the facts of snapshot {snapshot_id}"
    found = json_columns.parsed_dict(snapshot_row(db, snapshot_id)["facts"], words)
    if found.keys() != {"classes", "class_attribute", "extras"} or not isinstance(found["classes"], list):
        raise StudioError(f"{words} is not what a snapshot says; {json_columns.RESTORE}")
    if not isinstance(found["class_attribute"], str | None):
        raise StudioError(f"{words}: the class attribute is no text; {json_columns.RESTORE}")
    json_columns.require_extras(found["extras"], words)
    return found
