"""Import pictures with their regions into a project, all or none. The files are copied unchanged."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.file_names import plain_file_name
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.annotations.store import class_rows, json_columns, picture_rows, project_meta, region_json
from maskrcnn.annotations.store.database_errors import cannot_store
from maskrcnn.annotations.store.import_staging import ImportStaging
from maskrcnn.annotations.store.picture_rows import PictureState
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.errors import StudioError

_COPY_THREADS = 4
"""Number of threads that copy and decode. Each holds only a chunk of a file in memory."""

_PICTURES_PER_BATCH = 8
"""Number of pictures in a batch for one thread; starting a batch costs as much time as a small picture."""

_CHUNK_BYTES = 1 << 16


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


@dataclass(frozen=True)
class IncomingPicture:
    """A picture to import: its name, its content (a file, or the bytes of an upload), and its labels."""

    name: str
    content: Path | bytes
    record: ImageRecord

    def open(self) -> BinaryIO:
        """Open the content for reading. Raises `OSError` or `ValueError` if the file cannot be opened."""
        return self.content.open("rb") if isinstance(self.content, Path) else io.BytesIO(self.content)


_NumberedPicture = tuple[int, IncomingPicture]


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


def stage_pictures(
    staging: ImportStaging, incoming: Iterable[IncomingPicture], split: str | None, progress: Callable[[], None]
) -> list[str]:
    """Copy pictures into the staging folder. Return a warning for each picture that cannot be imported.

    Raises `StudioError` if they cannot be stored, for example on a full disk.
    """
    warnings: list[str] = []
    under_way: deque[tuple[list[_NumberedPicture], Future[list[_CopiedPicture | _UnfitPicture]]]] = deque()

    def finish() -> None:
        batch, future = under_way.popleft()
        for (number, picture), copied in zip(batch, future.result(), strict=True):
            try:
                if isinstance(copied, _UnfitPicture):
                    raise copied
                _note_staged_picture(staging, number, picture, copied, split)
            except _UnfitPicture as error:
                warnings.append(f"not imported: {error}")
            progress()

    numbered = enumerate(incoming)
    with ThreadPoolExecutor(_COPY_THREADS, thread_name_prefix="import") as pool:
        try:
            while batch := list(islice(numbered, _PICTURES_PER_BATCH)):
                under_way.append((batch, pool.submit(_copy_batch, staging, batch)))
                if len(under_way) > _COPY_THREADS:
                    finish()
            while under_way:
                finish()
            staging.bring_to_disk(pool)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return warnings


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


# Copying into the staging folder


class _UnfitPicture(StudioError):
    """The error for one picture that cannot be imported; the others can."""


@dataclass(frozen=True)
class _CopiedPicture:
    """The facts of a copied picture: SHA-256, size of the file in bytes, and size as displayed in pixels."""

    sha256: str
    file_size: int
    size: tuple[int, int]


def _copy_batch(staging: ImportStaging, batch: list[_NumberedPicture]) -> list[_CopiedPicture | _UnfitPicture]:
    """Copy a batch of pictures. An unfit picture gives an `_UnfitPicture` in the result.

    Raises `StudioError` on a full disk.
    """
    found: list[_CopiedPicture | _UnfitPicture] = []
    for number, picture in batch:
        try:
            found.append(_copy_picture(staging, number, picture))
        except _UnfitPicture as error:
            found.append(error)
    return found


def _copy_picture(staging: ImportStaging, number: int, picture: IncomingPicture) -> _CopiedPicture:
    """Copy a picture into the staging folder and check that it can be decoded and has the labelled size."""
    name, record = plain_file_name(picture.name), picture.record
    digest, length = hashlib.sha256(), 0
    try:
        with staging.file(number).open("wb") as file:
            for chunk in _read_incoming_picture(picture, name):
                digest.update(chunk)
                length += len(chunk)
                file.write(chunk)
    except OSError as error:
        raise cannot_store(staging.images_folder, error) from None
    try:
        displayed = pictures.check(staging.file(number), name)
    except StudioError as error:
        raise _UnfitPicture(str(error)) from None
    if record.width is not None and (record.width, record.height) != displayed:
        raise _UnfitPicture(
            f"{name}: is {displayed[0]} x {displayed[1]} px, but its labels are for "
            f"{record.width} x {record.height} px; use the picture that was labelled"
        )
    return _CopiedPicture(digest.hexdigest(), length, displayed)


def _read_incoming_picture(picture: IncomingPicture, name: str) -> Iterator[bytes]:
    """Yield the bytes of a picture in chunks, while importing it. Raises `_UnfitPicture` if it cannot be read."""
    try:
        with picture.open() as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _UnfitPicture(f"{name}: cannot be read ({reason}); check the file") from None


def _note_staged_picture(
    staging: ImportStaging,
    number: int,
    picture: IncomingPicture,
    copied: _CopiedPicture,
    split: str | None,
) -> None:
    """Insert a staged picture with its regions into the table `waiting`. Raises `_UnfitPicture` for bad labels."""
    record = original_names.with_original_name(picture.record, file_names.last_part(picture.name), always=True)
    try:
        state = PictureState.of(record.regions)
    except StudioError as error:
        raise _UnfitPicture(f"{plain_file_name(picture.name)}: {error}") from None
    name = plain_file_name(picture.name)
    extras = {key: value for key, value in record.extras.items() if key != "project"}
    if extras.get(original_names.ORIGIN) == {"name": name}:  # which the column `given_name` says
        del extras[original_names.ORIGIN]
    try:
        attributes = json_columns.dumped(dict(record.attributes), "what the labels say of the picture")
        further = json_columns.dumped(json_columns.require_extras(extras, "what the labels say of it"), "what they say")
    except StudioError as error:
        raise _UnfitPicture(f"{name}: {error}") from None
    staging.db.execute(
        "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            name,
            copied.sha256,
            copied.file_size,
            *copied.size,
            split or record.split,
            attributes,
            further,
            state.text,
            json.dumps(state.marks),
        ),
    )


# Adding to the project


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
