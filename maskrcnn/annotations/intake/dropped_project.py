"""Read a project folder that is among dropped files or in a named folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.formats import picture_places
from maskrcnn.annotations.intake.dropped_files import PROJECT, Dropped, Understood
from maskrcnn.annotations.regions import ImageRecord
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.store.database import DATABASE
from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import is_confined


def project_among(files: Mapping[str, Path], source: object) -> Path | None:
    """Return the folder of the only project among the files (name -> path); None if there is none. Raises
    `StudioError` that names `source` if there are several."""
    found = [path.parent for file, path in files.items() if names.parts(file)[-1] == DATABASE]
    if len(found) > 1:
        raise StudioError(f"{source}: holds {len(found)} projects; give one of them")
    return found[0] if found else None


def dropped_project(folder: Path, dropped: Dropped) -> Understood:
    """Return the dataset of a dropped project. A picture outside the project counts as missing. Raises `StudioError`
    if the database is damaged."""
    try:
        dataset = Project.open(folder).dataset()
        images = tuple(_confined(record, folder) for record in dataset.images)
    except (sqlite3.Error, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        raise StudioError(f"{dropped.name}: the project's database is damaged; restore it from a copy") from None
    missing = tuple(record.file_name for record in images if record.path is None)
    unlabelled = sum(record.path is not None and not record.regions for record in images)
    dataset = replace(dataset, images=images)
    return Understood(dataset, PROJECT, (DATABASE,), missing, unlabelled, picture_places.shortened(dropped.warnings))


def _confined(record: ImageRecord, folder: Path) -> ImageRecord:
    """Return the record without its picture if that is outside the project: the database may contain any path."""
    path = record.path
    if path is not None and not (path.is_file() and is_confined(path, [folder])):
        path = None
    return replace(record, path=path)
