"""Import pictures with their regions into a project, all or none.

The pictures are first copied to a staging folder (`import_staging`), and then added to the project.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.store import class_rows, picture_rows, project_meta, region_json
from maskrcnn.annotations.store.import_staging import ImportStaging, IncomingPicture
from maskrcnn.annotations.store.picture_rows import PictureState
from maskrcnn.annotations.unused_names import UnusedNames


@dataclass(frozen=True)
class ImportReport:
    """The result of an import: numbers of new, updated and unchanged pictures, missing pictures, and warnings."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    regions: int = 0
    new_classes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    image_ids: tuple[int, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        parts = [f"{self.added} picture{'' if self.added == 1 else 's'} added"]
        if self.updated:
            parts.append(f"{self.updated} updated")
        if self.unchanged:
            parts.append(f"{self.unchanged} left as they were")
        parts.append(f"{self.regions} region{'' if self.regions == 1 else 's'}")
        if self.missing:
            parts.append(f"{len(self.missing)} not found")
        return ", ".join(parts)


def from_dataset(records: Iterable[ImageRecord], missing: list[str]) -> Iterator[IncomingPicture]:
    """Yield the pictures of records. The names of pictures without a file are appended to `missing`."""
    for record in records:
        if record.path is None:
            missing.append(record.file_name)
        else:
            yield IncomingPicture(record.path.name, record.path, record)


def from_files(files: Iterable[Path | str | tuple[str, bytes]]) -> Iterator[IncomingPicture]:
    """Yield pictures without regions, from paths or `(name, content)` pairs."""
    for entry in files:
        if isinstance(entry, tuple):
            name, content = entry
            yield IncomingPicture(name, content, ImageRecord(name))
        else:
            path = Path(entry)
            yield IncomingPicture(path.name, path, ImageRecord(path.name, path=path))


@dataclass(frozen=True)
class PreparedImport:
    """Results computed before the project is locked for an import.

    - `classes`: the classes of the incoming regions.
    - `has_same_regions`: whether an incoming picture and the existing one have the same regions: {(number of the staged
      picture, id of the state of the existing picture): True or False}. A later save of the existing picture gives it
      another state, so an outdated result is not found.
    """

    classes: tuple[str, ...]
    has_same_regions: Mapping[tuple[int, int], bool]


def prepare_import(db: sqlite3.Connection, staging: ImportStaging, facts: Dataset | None) -> PreparedImport:
    """Return the classes of the staged pictures, and which of them the project has already with the same regions.

    This is slow, so it runs before the project is locked for writing.
    """
    classes = dict.fromkeys(facts.classes if facts is not None else ())
    has_same_regions: dict[tuple[int, int], bool] = {}
    known = _known_pictures(db)
    for waiting in staging.db.execute("SELECT number, name, sha256, regions, marks FROM waiting ORDER BY number"):
        marks = json.loads(waiting["marks"])
        classes.update(dict.fromkeys(name for _, name in marks if name))
        number = known.get((waiting["name"], waiting["sha256"]))
        if number is not None and marks:
            row = picture_rows.image(db, number)
            if row["n_regions"]:
                key = waiting["number"], row["state"]
                has_same_regions[key] = _has_incoming_regions(db, row, waiting["regions"])
    return PreparedImport(tuple(classes), has_same_regions)


def add_staged_pictures(
    db: sqlite3.Connection, images_folder: Path, staging: ImportStaging, facts: Dataset | None, prepared: PreparedImport
) -> ImportReport:
    """Add the staged pictures to the project, in the caller's transaction. The files are moved last.

    `facts` is the dataset of the import; its classes, skeletons and extras are stored, too. Other saves have to wait
    meanwhile, so slow computations are done before, in `prepare_import`.
    """
    new_classes = class_rows.add(db, prepared.classes, facts.skeletons if facts is not None else None)
    counted = _ImportCounts()
    known = _known_pictures(db)
    stored = [name for (name,) in db.execute("SELECT file_name FROM image")]
    names = UnusedNames([*os.listdir(images_folder), *stored])
    for waiting in staging.db.execute("SELECT * FROM waiting ORDER BY number"):
        state = PictureState(waiting["regions"], tuple(map(tuple, json.loads(waiting["marks"]))))
        identity = waiting["name"], waiting["sha256"]
        if identity in known:
            row = picture_rows.image(db, known[identity])
            has_same_regions = prepared.has_same_regions.get((waiting["number"], row["state"]))
            _merge_picture(db, row, waiting["split"], state, has_same_regions, counted)
            continue
        file_name = names.take(waiting["name"])
        if file_name != waiting["name"]:
            counted.warnings.append(f"{waiting['name']}: another picture has this name; it became {file_name}")
        staging.plan(waiting["number"], file_name)
        known[identity] = _insert_picture(db, file_name, waiting)
        picture_rows.first_state(db, known[identity], state)
        counted.added += 1
        counted.regions += len(state.marks)
        counted.image_ids.append(known[identity])
    staging.move()
    if facts is not None:
        project_meta.add_dataset_facts(db, facts)
    return ImportReport(
        counted.added,
        counted.updated,
        counted.unchanged,
        counted.regions,
        tuple(new_classes),
        warnings=tuple(counted.warnings),
        image_ids=tuple(counted.image_ids),
    )


@dataclass
class _ImportCounts:
    """The numbers and warnings of an import so far, for its `ImportReport`."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    regions: int = 0
    warnings: list[str] = field(default_factory=list)
    image_ids: list[int] = field(default_factory=list)


def _known_pictures(db: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Return {(original name or name in the project, SHA-256): picture id} of all pictures in the project."""
    rows = db.execute("SELECT id, given_name, file_name, sha256 FROM image").fetchall()
    by_own = {(own, digest): number for number, _, own, digest in rows}
    return by_own | {(name, digest): number for number, name, _, digest in rows}


def _has_incoming_regions(db: sqlite3.Connection, row: sqlite3.Row, incoming: str) -> bool:
    """Whether a picture that is imported again has its `incoming` regions (JSON) already: same shapes and classes."""
    own, others = picture_rows.regions(db, row), region_json.loads(incoming, row["file_name"])
    return [(region.shape, region.class_name) for region in others] == [(r.shape, r.class_name) for r in own]


def _insert_picture(db: sqlite3.Connection, file_name: str, waiting: sqlite3.Row) -> int:
    """Insert a row for a staged picture into the table `image`. Return its id."""
    number = db.execute(
        """INSERT INTO image (file_name, given_name, sha256, file_size, width, height, split, attributes, extras)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            file_name,
            *(waiting[name] for name in ("name", "sha256", "file_size", "width", "height")),
            waiting["split"] or "train",
            waiting["attributes"],
            waiting["extras"],
        ),
    ).lastrowid
    assert number is not None
    return number


def _merge_picture(
    db: sqlite3.Connection,
    row: sqlite3.Row,
    split: str | None,
    state: PictureState,
    has_same_regions: bool | None,
    counted: _ImportCounts,
) -> None:
    """Import a picture that the project already has. Its own regions are kept; if it has none, it gets the new ones.

    `has_same_regions`: whether its regions are the same as the new ones (None: not computed yet).
    """
    name = row["file_name"]
    if row["removed"]:
        picture_rows.set_removed(db, row, False)
        counted.warnings.append(f"{name}: had been removed from the project, and is back with its regions")
        row = picture_rows.image(db, row["id"])
    if split is not None and row["split"] != split:
        counted.warnings.append(f"{name}: is in the {row['split']} split already, and stays there")
    updated = bool(state.marks) and not row["n_regions"]
    if updated:
        picture_rows.save_state(db, row, state)
    elif state.marks:
        if has_same_regions is None:
            has_same_regions = _has_incoming_regions(db, row, state.text)
        if not has_same_regions:
            counted.warnings.append(f"{name}: has regions of its own, which stay; the file's were not imported")
    counted.updated += updated
    counted.unchanged += not updated
    counted.regions += len(state.marks) if updated else 0
    counted.image_ids.append(row["id"])
