"""The files of one import (`DroppedFiles`): uploads are written to a folder, and a project among them is read."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.intake.zip_unpacking import is_zip, unpack
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.store.database import DATABASE
from maskrcnn.annotations.unused_names import unused_path
from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import is_confined
from maskrcnn.words import shortened_remarks

PICTURES_ONLY = "pictures only"
"""Name of the format if there are no label files."""
PROJECT = "a project of this studio"
"""Name of the format if the dropped files are a project."""


@dataclass(frozen=True)
class DroppedFiles:
    """The files of one import: relative name -> path.

    - `root`: the folder that the names are relative to.
    - `name`: the name of the whole import, for messages.
    - `room`: returns a folder for pictures that are inside label files.
    - `warnings`: warnings about files that were skipped already.
    - `known`: further pictures that labels may refer to, which are not imported themselves.
    - `only`: the label file to read; pictures that it does not name are left out. None: read all.
    - `progress`: called for every opened picture.
    - `packed`: the size in bytes of the zip that the files came from; None if there was no zip.
    - `taken`: missing picture name -> file that the user chose for it.
    - `images`: the folder that the user named for the pictures.
    """

    files: Mapping[str, Path]
    root: Path
    name: str
    room: Callable[[], Path]
    warnings: Sequence[str] = ()
    known: Mapping[str, Path] = field(default_factory=dict)
    only: str | None = None
    progress: Progress | None = None
    packed: int | None = None
    taken: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None

    @property
    def pictures(self) -> dict[str, Path]:
        """The dropped pictures by name."""
        return {file: path for file, path in self.files.items() if names.suffix(file) in pictures.SUFFIXES}


@dataclass(frozen=True)
class DroppedDataset:
    """The dataset that was read from dropped files, its format, and what the user should know about it.

    `missing` are the names of pictures that were not found. `unlabelled` is the number of pictures without labels.
    `named` is the number of pictures that the label files name. `near` are files with similar names for missing
    pictures.
    """

    dataset: Dataset
    format: str
    label_files: tuple[str, ...]
    missing: tuple[str, ...]
    unlabelled: int
    warnings: tuple[str, ...]
    named: int = 0
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def project_among(files: Mapping[str, Path], source: object) -> Path | None:
    """Return the folder of the only project among the files (name -> path); None if there is none. Raises
    `StudioError` that names `source` if there are several."""
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


def write_uploads(uploads: Sequence[tuple[str, bytes]], folder: Path) -> dict[str, Path]:
    """Write uploaded files (name, content) to the folder, and unpack zips there. Return relative name -> path.

    If a zip is not the only upload, it is unpacked into a folder of its own. Raises `StudioError` as `unpack` does.
    """
    files: dict[str, Path] = {}
    for name, content in uploads:
        if is_zip(name, content):
            into, prefix = folder, ""
            if len(uploads) > 1:
                into = unused_path(folder / (names.stem(names.storable(name)) or "zip"))
                into.mkdir()
                prefix = f"{into.name}/"
            unpacked = unpack(io.BytesIO(content), len(content), name, into)
            files |= {prefix + inside: path for inside, path in unpacked.items()}
        elif not names.is_junk(name):
            files |= _write_upload(name, content, folder, files)
    return files


def _write_upload(name: str, content: bytes, folder: Path, taken: Mapping[str, Path]) -> dict[str, Path]:
    """Write an uploaded file to the folder and return name -> path. A second file with the same name and other
    content gets a numbered sub folder."""
    plain = "/".join(part for part in names.parts(name) if part != "..") or "file"
    if plain in taken and taken[plain].read_bytes() == content:
        return {}
    number, inside = 2, plain
    while inside in taken:
        inside = f"{number}/{plain}"
        number += 1
    path = unused_path(folder / names.storable(inside))
    path.write_bytes(content)
    return {inside: path}
