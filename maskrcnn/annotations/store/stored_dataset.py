"""Read a project's pictures as a `Dataset`. Later changes of the project do not change it, even if read lazily."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.annotations.dataset import Dataset, ImageRecord, require_split
from maskrcnn.annotations.file_names import cached_natural_key
from maskrcnn.annotations.formats.lazy_records import LazyRecords
from maskrcnn.annotations.store import (
    class_rows,
    database,
    database_check,
    database_errors,
    json_columns,
    picture_paths,
    region_json,
)
from maskrcnn.annotations.store.picture_rows import picture_extras, record_without_regions
from maskrcnn.annotations.store.snapshots import project_facts, snapshot_facts
from maskrcnn.errors import StudioError

_REGIONS_IN_MEMORY = 20_000
"""Projects with at most this many regions are read at once; regions of larger projects are loaded on access."""

_AT_ONCE = 100
"""Number of pictures whose regions are fetched by one query."""

_COLUMNS = "image.id, file_name, given_name, width, height, file_size, attributes, extras, n_regions"


@dataclass(frozen=True)
class ProjectPaths:
    """The paths of a project that its records need: its folder, database file and picture folder."""

    folder: Path
    database: Path
    images_folder: Path


def dataset(
    db: sqlite3.Connection, paths: ProjectPaths, split: str | None = None, snapshot_id: int | None = None
) -> Dataset:
    """Return the pictures that are not removed, now or in a snapshot, as a dataset. `split` None: all."""
    known = project_facts(db) if snapshot_id is None else snapshot_facts(db, snapshot_id)
    classes = [class_rows.class_from_json(document, "project.db: the classes") for document in known["classes"]]
    rows = _image_rows(db, split, snapshot_id)
    images: Sequence[ImageRecord] = StoredRecords(paths, rows)
    if sum(row["n_regions"] for row in rows) <= _REGIONS_IN_MEMORY:
        images = tuple(_records(db, paths, rows))
    return Dataset(
        images,
        tuple(entry.name for entry in classes),
        known["class_attribute"],
        paths.folder,
        known["extras"],
        {entry.name: entry.skeleton for entry in classes if entry.skeleton},
    )


class StoredRecords(LazyRecords):
    """A lazy sequence of records. Regions are loaded on access, `_AT_ONCE` pictures at a time.

    States in the history never change, so the records are those of the moment when the sequence was made.
    """

    def __init__(self, paths: ProjectPaths, rows: list[sqlite3.Row]) -> None:
        super().__init__()
        self._paths, self._rows = paths, rows
        self._some: tuple[int, list[ImageRecord]] = (-1, [])
        self.file_names = [row["file_name"] for row in rows]

    @property
    def origins(self) -> list[ImageRecord]:
        """The records without their regions, for looking up original names (`original_names`)."""
        return [record_without_regions(row) for row in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def create_record(self, index: int) -> ImageRecord:
        first = index - index % _AT_ONCE
        begin, some = self._some
        if begin != first:
            # No transaction is kept open between calls, because a long read transaction makes the WAL grow.
            with database.reading(self._paths.database) as db:
                some = list(_records(db, self._paths, self._rows[first : first + _AT_ONCE]))
            self._some = (first, some)
        return some[index - first]


def _image_rows(db: sqlite3.Connection, split: str | None, snapshot_id: int | None) -> list[sqlite3.Row]:
    wanted = None if split is None else require_split(split)
    if snapshot_id is None:
        query = f"""SELECT {_COLUMNS}, split, revision, state FROM image
                    WHERE removed = 0 AND split = coalesce(?, split) ORDER BY id"""
        return _in_order(db.execute(query, (wanted,)).fetchall())
    database_check.require_snapshot_images(db, snapshot_id)
    query = f"""SELECT {_COLUMNS}, at.split, at.revision, at.state
                FROM snapshot_image AS at JOIN image ON image.id = at.image_id
                WHERE at.snapshot_id = ? AND at.split = coalesce(?, at.split) ORDER BY image.id"""
    return _in_order(db.execute(query, (snapshot_id, wanted)).fetchall())


def _in_order(rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """Sort rows in the order of `picture_listing.images`."""
    return sorted(rows, key=lambda row: cached_natural_key(row["file_name"]))


def _records(db: sqlite3.Connection, paths: ProjectPaths, rows: list[sqlite3.Row]) -> Iterator[ImageRecord]:
    """Yield the records of image rows. A picture outside the project folder gets path None and counts as missing."""
    pictures = picture_paths.PicturePaths(paths.folder)
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        query = f"SELECT id, regions FROM history WHERE id IN ({', '.join('?' * len(some))})"
        texts = dict(map(tuple, db.execute(query, [row["state"] for row in some])))
        for row in some:
            name = row["file_name"]
            if row["state"] not in texts:
                raise database_errors.missing_state_error(name)
            yield ImageRecord(
                name,
                region_json.loads(texts[row["state"]], name),
                pictures.find(name),
                row["width"],
                row["height"],
                row["file_size"],
                json_columns.parsed_dict(row["attributes"], f"project.db: the attributes of {name}"),
                row["split"],
                {**picture_extras(row), "project": {"id": row["id"], "revision": row["revision"]}},
            )


def stored_identity(record: ImageRecord) -> tuple[int, int]:
    """Return the picture id and the revision of a record. Raises `StudioError` if it is not from a project."""
    known = record.extras.get("project")
    if not isinstance(known, dict) or not {"id", "revision"} <= known.keys():
        raise StudioError(f"{record.file_name}: does not come from this project; read the project again")
    return known["id"], known["revision"]
