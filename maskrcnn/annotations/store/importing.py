"""Pictures on their way into a project: copied as they are, each under a name of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskrcnn.annotations import pictures
from maskrcnn.annotations.regions import ImageRecord, Region, new_id
from maskrcnn.annotations.store import table_rows
from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class ImportReport:
    """What an import did: pictures that were new, got their regions now, or were there already; and what was not."""

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
    """A picture on its way into the project."""

    name: str
    read: Callable[[], bytes]
    record: ImageRecord


def take_in(db: sqlite3.Connection, images_folder: Path, incoming: list[Incoming], split: str) -> ImportReport:
    """Bring pictures with their regions into a project; what cannot be brought in becomes a warning that names it."""
    report = ImportReport()
    for picture in incoming:
        try:
            report = _take(db, images_folder, picture, split, report)
        except StudioError as error:
            report = replace(report, warnings=(*report.warnings, f"not imported: {error}"))
    return report


def plain_name(name: str) -> str:
    """The last part of a name that a browser or another machine gave."""
    return re.split(r"[\\/]", name)[-1].strip().lstrip(".") or "picture"


def _take(
    db: sqlite3.Connection, images_folder: Path, picture: Incoming, split: str, report: ImportReport
) -> ImportReport:
    """The report with one more picture in it."""
    try:
        content = picture.read()
    except OSError as error:
        raise StudioError(f"{picture.name}: cannot be read ({error.strerror}); check the file") from None
    digest = hashlib.sha256(content).hexdigest()
    drawn = table_rows.with_own_ids(picture.record.regions)
    same = db.execute("SELECT * FROM image WHERE given_name = ? AND sha256 = ?", (picture.name, digest)).fetchone()
    if same is not None:
        return _merge(db, same, drawn, split, report)

    file_name, (width, height) = _keep(db, images_folder, picture, content)
    warnings = report.warnings
    if file_name != picture.name:
        warnings = (*warnings, f"{picture.name}: another picture has this name; it became {file_name}")
    image_id = db.execute(
        """INSERT INTO image (file_name, given_name, sha256, file_size, width, height, split, attributes)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            file_name,
            picture.name,
            digest,
            len(content),
            width,
            height,
            split,
            json.dumps(dict(picture.record.attributes)),
        ),
    ).lastrowid
    assert image_id is not None
    table_rows.first_state(db, image_id, drawn)
    return replace(
        report,
        added=report.added + 1,
        regions=report.regions + len(drawn),
        warnings=warnings,
        image_ids=(*report.image_ids, image_id),
    )


def _merge(
    db: sqlite3.Connection, same: sqlite3.Row, drawn: tuple[Region, ...], split: str, report: ImportReport
) -> ImportReport:
    """A picture that the project has already: its own regions win."""
    warnings = list(report.warnings)
    if same["split"] != split:
        warnings.append(f"{same['file_name']}: is in the {same['split']} split already, and stays there")
    own = table_rows.regions(db, same["id"])
    updated = bool(drawn) and not own
    if updated:
        table_rows.save_state(db, same, drawn)
    elif drawn and [(r.shape, r.class_name) for r in drawn] != [(r.shape, r.class_name) for r in own]:
        warnings.append(f"{same['file_name']}: has regions of its own, which stay; the file's were not imported")
    return replace(
        report,
        updated=report.updated + updated,
        unchanged=report.unchanged + (not updated),
        regions=report.regions + (len(drawn) if updated else 0),
        warnings=tuple(warnings),
        image_ids=(*report.image_ids, same["id"]),
    )


def _keep(
    db: sqlite3.Connection, images_folder: Path, picture: Incoming, content: bytes
) -> tuple[str, tuple[int, int]]:
    """Store a picture's bytes under a name that no other picture has; returns the name and the displayed size."""
    arriving = images_folder / f".{new_id()}.tmp"
    name, record = picture.name, picture.record
    try:
        images_folder.mkdir(exist_ok=True)
        with arriving.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        displayed = pictures.check(arriving, name)
        if record.width is not None and (record.width, record.height) != displayed:
            raise StudioError(
                f"{name}: is {displayed[0]} x {displayed[1]} px, but its labels are for "
                f"{record.width} x {record.height} px; use the picture that was labelled"
            )
        number, free = 2, name
        while db.execute("SELECT 1 FROM image WHERE file_name = ? COLLATE NOCASE", (free,)).fetchone():
            free = f"{Path(name).stem} ({number}){Path(name).suffix}"
            number += 1
        arriving.replace(images_folder / free)
        return free, displayed
    except OSError as error:
        raise StudioError(f"{name}: cannot be stored ({error.strerror}); free some space, or rename it") from None
    finally:
        arriving.unlink(missing_ok=True)
