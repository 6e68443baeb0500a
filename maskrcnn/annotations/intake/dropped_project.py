"""A project among the dropped files: find its folder, and read its dataset."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.intake.dropped_files import DroppedDataset, DroppedFiles
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.store.database_files import DATABASE
from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import is_confined
from maskrcnn.words import shortened_remarks

PROJECT = "a project of this studio"
"""Name of the format if the dropped files are a project."""


def dropped_project_folder(files: Mapping[str, Path], source: object) -> Path | None:
    """Return the folder of the project among dropped files (name -> path); None if there is none.

    Raises `StudioError` that names `source` if there are several.
    """
    found = [path.parent for file, path in files.items() if names.parts(file)[-1] == DATABASE]
    if len(found) > 1:
        raise StudioError(f"{source}: holds {len(found)} projects; give one of them")
    return found[0] if found else None


def dataset_of_dropped_project(folder: Path, dropped: DroppedFiles) -> DroppedDataset:
    """Return the dataset of a dropped project. A picture outside the project counts as missing. Raises `StudioError`
    if the database is damaged."""
    try:
        dataset = Project.open(folder).dataset()
        images = tuple(
            record
            if record.path is None or (record.path.is_file() and is_confined(record.path, [folder]))
            else replace(record, path=None)
            for record in dataset.images
        )
    except (sqlite3.Error, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        raise StudioError(f"{dropped.name}: the project's database is damaged; restore it from a copy") from None
    missing = tuple(record.file_name for record in images if record.path is None)
    unlabelled = sum(record.path is not None and not record.regions for record in images)
    dataset = replace(dataset, images=images)
    return DroppedDataset(dataset, PROJECT, (DATABASE,), missing, unlabelled, shortened_remarks(dropped.warnings))
