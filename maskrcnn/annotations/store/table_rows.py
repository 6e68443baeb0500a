"""What the store does to rows of `project.db`, inside a transaction that the caller holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.regions import Dataset, Region, new_id
from maskrcnn.annotations.store import region_json
from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class ProjectClass:
    """A class and its colour (`#rrggbb`)."""

    name: str
    colour: str


def regions(db: sqlite3.Connection, image_id: int) -> tuple[Region, ...]:
    rows = db.execute("SELECT document FROM region WHERE image_id = ? ORDER BY position", (image_id,))
    return tuple(region_json.region_from(json.loads(row["document"])) for row in rows)


def with_own_ids(regions: Iterable[Region]) -> tuple[Region, ...]:
    """The regions with different ids (a duplicated region may carry the id of its original), their classes checked."""
    seen: set[str] = set()
    own = []
    for region in regions:
        if region.class_name is not None:
            class_name(region.class_name)
        own.append(replace(region, id=new_id()) if region.id in seen else region)
        seen.add(own[-1].id)
    return tuple(own)


def first_state(db: sqlite3.Connection, image_id: int, regions: Sequence[Region]) -> None:
    state = _add_history(db, image_id, None, regions)
    db.execute("UPDATE image SET state = ? WHERE id = ?", (state, image_id))
    _put_regions(db, image_id, regions)


def save_state(db: sqlite3.Connection, row: sqlite3.Row, regions: Sequence[Region]) -> int:
    return show_state(db, row, _add_history(db, row["id"], row["state"], regions), regions)


def show_state(db: sqlite3.Connection, row: sqlite3.Row, state: int, regions: Sequence[Region]) -> int:
    revision = row["revision"] + 1
    db.execute("UPDATE image SET state = ?, revision = ? WHERE id = ?", (state, revision, row["id"]))
    _put_regions(db, row["id"], regions)
    return revision


def _add_history(db: sqlite3.Connection, image_id: int, parent: int | None, regions: Sequence[Region]) -> int:
    query = "INSERT INTO history (image_id, parent, regions) VALUES (?, ?, ?)"
    state = db.execute(query, (image_id, parent, region_json.dumps(regions))).lastrowid
    assert state is not None
    return state


def _put_regions(db: sqlite3.Connection, image_id: int, regions: Sequence[Region]) -> None:
    """Make these the regions of the picture; classes that the project does not know are added to it."""
    add_classes(db, [region.class_name for region in regions if region.class_name])
    db.execute("DELETE FROM region WHERE image_id = ?", (image_id,))
    db.executemany(
        "INSERT INTO region (image_id, position, id, class_name, document) VALUES (?, ?, ?, ?, ?)",
        [
            (image_id, position, region.id, region.class_name, json.dumps(region_json.region_document(region)))
            for position, region in enumerate(regions)
        ],
    )


def classes(db: sqlite3.Connection) -> list[ProjectClass]:
    return [ProjectClass(row["name"], row["colour"]) for row in db.execute("SELECT * FROM class ORDER BY position")]


def add_classes(db: sqlite3.Connection, names: Iterable[str]) -> None:
    known = classes(db)
    for name in dict.fromkeys(names):
        if name in [entry.name for entry in known]:
            continue
        used = {entry.colour for entry in known}
        colour = next(
            colour for index in range(len(known), 2 * len(known) + 1000) if (colour := colour_of(index)) not in used
        )
        db.execute(
            "INSERT INTO class VALUES (?, (SELECT coalesce(max(position) + 1, 0) FROM class), ?)",
            (class_name(name), colour),
        )
        known.append(ProjectClass(name, colour))


def class_name(name: str) -> str:
    if not name.strip():
        raise StudioError("a class without a name cannot be kept; give it one")
    return name


def meta(db: sqlite3.Connection, key: str, otherwise: Any) -> Any:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return otherwise if row is None else json.loads(row["value"])


def set_meta(db: sqlite3.Connection, key: str, value: Any) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))


def attributes(row: sqlite3.Row) -> dict[str, Any]:
    """The file attributes of an image row."""
    return json.loads(row["attributes"])


def keep_options(db: sqlite3.Connection, names: Mapping[str, str]) -> None:
    """Let VIA's options for the class attribute follow the project's classes: old name -> new name, the others go."""
    extras = meta(db, "extras", {})
    definition = extras.get("via_attributes", {}).get("region", {}).get(meta(db, "class_attribute", None))
    for listed in ("options", "default_options"):
        if isinstance(definition, dict) and isinstance(definition.get(listed), dict):
            kept = {old: shown for old, shown in definition[listed].items() if old in names}
            definition[listed] = {names[old]: names[old] if shown == old else shown for old, shown in kept.items()}
    values = extras.pop("class_values", {})
    if kept := {name: value for name, value in values.items() if names.get(name) == name}:
        extras["class_values"] = kept
    set_meta(db, "extras", extras)


def merge_meta(db: sqlite3.Connection, dataset: Dataset) -> None:
    """Keep what a label file says beyond regions; what the project knows already wins."""
    if dataset.class_attribute is not None and meta(db, "class_attribute", None) is None:
        set_meta(db, "class_attribute", dataset.class_attribute)
    set_meta(db, "extras", merged(meta(db, "extras", {}), dict(dataset.extras)))


def merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two nested dicts as one; where both have a value, the first one's stays."""
    together = {**second, **first}
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            together[key] = merged(first[key], second[key])
    return together
