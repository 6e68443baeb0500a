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

_WORKERS = 4
"""Number of threads that copy and decode. Each holds only a chunk of a file in memory."""

_AT_ONCE = 8
"""Number of pictures in a batch for one thread; starting a batch costs as much time as a small picture."""

_CHUNK = 1 << 16


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
class Incoming:
    """A picture to import; `content()` opens its bytes."""

    name: str
    content: Callable[[], BinaryIO]
    record: ImageRecord


Numbered = tuple[int, Incoming]


def from_dataset(records: Iterable[ImageRecord], missing: list[str]) -> Iterator[Incoming]:
    """Yield the pictures of records. The names of pictures without a file are appended to `missing`."""
    for record in records:
        if record.path is None:
            missing.append(record.file_name)
        else:
            yield Incoming(record.path.name, _opener(record.path), record)


def from_files(files: Iterable[Path | str | tuple[str, bytes]]) -> Iterator[Incoming]:
    """Yield pictures without regions, from paths or `(name, content)` pairs."""
    for entry in files:
        if isinstance(entry, tuple):
            name, content = entry
            yield Incoming(name, lambda content=content: io.BytesIO(content), ImageRecord(name))  # type: ignore[misc]
        else:
            path = Path(entry)
            yield Incoming(path.name, _opener(path), ImageRecord(path.name, path=path))


def stage(
    room: ImportStaging, incoming: Iterable[Incoming], split: str | None, progress: Callable[[], None]
) -> list[str]:
    """Copy pictures into the staging folder `room`. Return a warning for each picture that cannot be imported.

    Raises `StudioError` if they cannot be stored, for example on a full disk.
    """
    warnings: list[str] = []
    under_way: deque[tuple[list[Numbered], Future[list[_Copied | _Unfit]]]] = deque()

    def finish() -> None:
        batch, future = under_way.popleft()
        for (number, picture), copied in zip(batch, future.result(), strict=True):
            try:
                _note(room, number, picture, copied, split)
            except _Unfit as error:
                warnings.append(f"not imported: {error}")
            progress()

    numbered = enumerate(incoming)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="import") as pool:
        try:
            while batch := list(islice(numbered, _AT_ONCE)):
                under_way.append((batch, pool.submit(_all_copied, room, batch)))
                if len(under_way) > _WORKERS:
                    finish()
            while under_way:
                finish()
            room.bring_to_disk(pool)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return warnings


@dataclass(frozen=True)
class Arrival:
    """Results computed before the project is locked for an import.

    `classes`: classes of the incoming regions. `same`: {(number of the staged picture, state of the existing picture):
    whether both have the same regions}.
    """

    classes: tuple[str, ...]
    same: Mapping[tuple[int, int], bool]


def prepared(db: sqlite3.Connection, room: ImportStaging, facts: Dataset | None) -> Arrival:
    """Compute everything slow about an import, before the project is locked for writing."""
    classes = dict.fromkeys(facts.classes if facts is not None else ())
    same: dict[tuple[int, int], bool] = {}
    known = _known(db)
    for waiting in room.db.execute("SELECT number, name, sha256, regions, marks FROM waiting ORDER BY number"):
        marks = json.loads(waiting["marks"])
        classes.update(dict.fromkeys(name for _, name in marks if name))
        number = known.get((waiting["name"], waiting["sha256"]))
        if number is not None and marks:
            row = picture_rows.image(db, number)
            if row["n_regions"]:
                same[waiting["number"], row["state"]] = _is_same(db, row, waiting["regions"])
    return Arrival(tuple(classes), same)


def take_in(
    db: sqlite3.Connection, images_folder: Path, room: ImportStaging, facts: Dataset | None, arrival: Arrival
) -> ImportReport:
    """Add the staged pictures to the project, in the caller's transaction. The files are moved last.

    `facts` is the dataset of the import; its classes, skeletons and extras are stored, too. Other saves have to wait
    meanwhile, so slow computations are done before, in `prepared`.
    """
    new_classes = class_rows.add(db, arrival.classes, facts.skeletons if facts is not None else None)
    counted = _Counted()
    known = _known(db)
    stored = [name for (name,) in db.execute("SELECT file_name FROM image")]
    names = UnusedNames([*os.listdir(images_folder), *stored])
    for waiting in room.db.execute("SELECT * FROM waiting ORDER BY number"):
        state = PictureState(waiting["regions"], tuple(map(tuple, json.loads(waiting["marks"]))))
        identity = waiting["name"], waiting["sha256"]
        if identity in known:
            row = picture_rows.image(db, known[identity])
            is_same = arrival.same.get((waiting["number"], row["state"]))
            _merge(db, row, waiting["split"], state, is_same, counted)
            continue
        file_name = names.take(waiting["name"])
        if file_name != waiting["name"]:
            counted.warnings.append(f"{waiting['name']}: another picture has this name; it became {file_name}")
        room.plan(waiting["number"], file_name)
        known[identity] = _insert(db, file_name, waiting)
        picture_rows.first_state(db, known[identity], state)
        counted.added += 1
        counted.regions += len(state.marks)
        counted.image_ids.append(known[identity])
    room.move()
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


class _Unfit(StudioError):
    """The error for one picture that cannot be imported; the others can."""


@dataclass(frozen=True)
class _Copied:
    sha256: str
    file_size: int
    size: tuple[int, int]


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _all_copied(room: ImportStaging, batch: list[Numbered]) -> list[_Copied | _Unfit]:
    """Copy a batch of pictures. An unfit picture gives an `_Unfit` in the result; a full disk raises `StudioError`."""
    found: list[_Copied | _Unfit] = []
    for number, picture in batch:
        try:
            found.append(_copied(room, number, picture))
        except _Unfit as error:
            found.append(error)
    return found


def _copied(room: ImportStaging, number: int, picture: Incoming) -> _Copied:
    """Copy a picture into the staging folder and check that it can be decoded and has the labelled size."""
    name, record = plain_file_name(picture.name), picture.record
    digest, length = hashlib.sha256(), 0
    try:
        with room.file(number).open("wb") as file:
            for chunk in _chunks(picture, name):
                digest.update(chunk)
                length += len(chunk)
                file.write(chunk)
    except OSError as error:
        raise cannot_store(room.images_folder, error) from None
    try:
        displayed = pictures.check(room.file(number), name)
    except StudioError as error:
        raise _Unfit(str(error)) from None
    if record.width is not None and (record.width, record.height) != displayed:
        raise _Unfit(
            f"{name}: is {displayed[0]} x {displayed[1]} px, but its labels are for "
            f"{record.width} x {record.height} px; use the picture that was labelled"
        )
    return _Copied(digest.hexdigest(), length, displayed)


def _chunks(picture: Incoming, name: str) -> Iterator[bytes]:
    try:
        with picture.content() as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _Unfit(f"{name}: cannot be read ({reason}); check the file") from None


def _note(room: ImportStaging, number: int, picture: Incoming, copied: _Copied | _Unfit, split: str | None) -> None:
    """Insert a staged picture with its regions into the table `waiting`. Raises `_Unfit` for bad labels."""
    if isinstance(copied, _Unfit):
        raise copied
    record = original_names.with_original_name(picture.record, file_names.last_part(picture.name), always=True)
    try:
        state = PictureState.of(record.regions)
    except StudioError as error:
        raise _Unfit(f"{plain_file_name(picture.name)}: {error}") from None
    name = plain_file_name(picture.name)
    extras = {key: value for key, value in record.extras.items() if key != "project"}
    if extras.get(original_names.ORIGIN) == {"name": name}:  # which the column `given_name` says
        del extras[original_names.ORIGIN]
    try:
        attributes = json_columns.dumped(dict(record.attributes), "what the labels say of the picture")
        further = json_columns.dumped(json_columns.require_extras(extras, "what the labels say of it"), "what they say")
    except StudioError as error:
        raise _Unfit(f"{name}: {error}") from None
    room.db.execute(
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
class _Counted:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    regions: int = 0
    warnings: list[str] = field(default_factory=list)
    image_ids: list[int] = field(default_factory=list)


def _known(db: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Return {(original name or name in the project, SHA-256): picture id} of all pictures in the project."""
    rows = db.execute("SELECT id, given_name, file_name, sha256 FROM image").fetchall()
    by_own = {(own, digest): number for number, _, own, digest in rows}
    return by_own | {(name, digest): number for number, name, _, digest in rows}


def _is_same(db: sqlite3.Connection, row: sqlite3.Row, text: str) -> bool:
    """Whether the regions of a stored picture have the same shapes and classes as those in the JSON `text`."""
    own, drawn = picture_rows.regions(db, row), region_json.loads(text, row["file_name"])
    return [(region.shape, region.class_name) for region in drawn] == [(r.shape, r.class_name) for r in own]


def _insert(db: sqlite3.Connection, file_name: str, waiting: sqlite3.Row) -> int:
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


def _merge(
    db: sqlite3.Connection,
    row: sqlite3.Row,
    split: str | None,
    state: PictureState,
    is_same: bool | None,
    counted: _Counted,
) -> None:
    """Import a picture that the project already has. Its own regions are kept; if it has none, it gets the new ones.

    `is_same`: whether it already has the same regions (None: not computed).
    """
    name = row["file_name"]
    if row["removed"]:
        picture_rows.hide(db, row, False)
        counted.warnings.append(f"{name}: had been removed from the project, and is back with its regions")
        row = picture_rows.image(db, row["id"])
    if split is not None and row["split"] != split:
        counted.warnings.append(f"{name}: is in the {row['split']} split already, and stays there")
    updated = bool(state.marks) and not row["n_regions"]
    if updated:
        picture_rows.save_state(db, row, state)
    elif state.marks and not (_is_same(db, row, state.text) if is_same is None else is_same):
        counted.warnings.append(f"{name}: has regions of its own, which stay; the file's were not imported")
    counted.updated += updated
    counted.unchanged += not updated
    counted.regions += len(state.marks) if updated else 0
    counted.image_ids.append(row["id"])
