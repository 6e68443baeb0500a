"""Write a dataset in any format: as a file or folder (all or nothing), or as a zip."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from maskrcnn import untrusted_files
from maskrcnn.annotations import pictures as pictures_of
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.file_names import path_inside
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.format_table import WRITERS
from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.store.database_files import is_project
from maskrcnn.atomic_files import replacing, sync, write_atomic
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import counted, first_names

_NAMED = 3
"""Maximum number of left-out pictures that the warning names."""


FORMATS = WRITERS
"""Every format that can be written, by its command-line name."""


def encode(dataset: Dataset, format: str, pictures: bool | None = None) -> Encoded:
    """Return the dataset as label files of that format (see `FORMATS`).

    The pictures get their original names, from before they were imported into a project, if possible (see
    `original_names`). `pictures` says whether the pictures are written too, into folders that must work on any
    computer; None: only if the format is a folder of files.
    Raises `ArgumentError` for an unknown format, and `StudioError` if the format cannot hold the dataset.
    """
    if format not in FORMATS:
        raise ArgumentError(f'format "{format}" is unknown; choose {", ".join(FORMATS)}')
    if pictures is None:
        pictures = FORMATS[format].suffix is None
    dataset, notes = original_names.with_original_names(dataset, FORMATS[format].split_folders, pictures)
    encoded = replace(FORMATS[format].encode(dataset), notes=notes)
    beside = {path_inside(record.file_name): record.path for record in dataset.images if record.path is not None}
    missing = [record.file_name for record in dataset.images if record.path is None]
    return _without_unreachable_pictures(
        encoded if encoded.pictures else replace(encoded, pictures=beside), dataset, missing
    )


def _without_unreachable_pictures(encoded: Encoded, dataset: Dataset, missing: list[str]) -> Encoded:
    """Return the encoded files without missing pictures and pictures outside the project, with a warning that names
    them."""
    project = dataset.source if dataset.source is not None and is_project(dataset.source) else None
    allowed = {
        name: path
        for name, path in encoded.pictures.items()
        if path.is_file() and (project is None or untrusted_files.is_confined(path, [project]))
    }
    names = [*missing, *(name for name in encoded.pictures if name not in allowed)]
    if not names:
        return replace(encoded, within=project)
    listed = first_names(names, _NAMED, lambda name: brief(name, 60))
    things, they = ("1 picture", "it is") if len(names) == 1 else (f"{len(names)} pictures", "they are")
    where = "not in the project" if project is not None else "not there"
    line = f"{dataset.source or 'the dataset'}: {things} left out ({listed}), as {they} {where}; put the files there"
    return replace(encoded, pictures=allowed, within=project, left_out=line)


def write(dataset: Dataset, path: Path | str, format: str) -> list[str]:
    """Write the dataset to a file or folder: `encode`, then `write_encoded`. Returns the warnings and notes.

    >>> from tempfile import mkdtemp
    >>> from maskrcnn.annotations import ImageRecord, Region, read
    >>> from maskrcnn.annotations.regions import Rect
    >>> record = ImageRecord("a.png", width=64, height=48, regions=(Region(Rect(4, 4, 20, 10), "cell"),))
    >>> file = Path(mkdtemp()) / "labels.json"
    >>> write(Dataset((record,), ("cell",)), file, "coco")
    []
    >>> found = read(file)
    >>> found.classes, found.images[0].regions[0].shape.points  # COCO knows polygons
    (('cell',), ((4, 4), (24, 4), (24, 14), (4, 14)))
    """
    return write_encoded(encode(dataset, format), path, format)


def written_regions_in_words(written: int, of: int) -> str:
    """Return the number of regions that an export wrote, for a message: "3 regions", or "2 of 3 regions" if some were
    left out."""
    return counted(of, "region") if written == of else f"{written:,} of {counted(of, 'region')}"


def write_encoded(encoded: Encoded, path: Path | str, format: str) -> list[str]:
    """Write the encoded label files as a file or a new folder. Returns the warnings and notes.

    An existing file is replaced. A folder must be new or empty. Both are written completely or not at all. A folder
    also gets copies of the pictures, because programs that read such a folder expect them there.
    Raises `ArgumentError` if the path cannot be written.
    """
    path = Path(path)
    whole_folder = FORMATS[format].suffix is None
    if path.is_dir() and not whole_folder:
        raise ArgumentError(f"{path}: this is a folder; name the file to write")
    if whole_folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ArgumentError(f"{path}: is there already, and {FORMATS[format].words} needs a folder of its own")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if whole_folder:
            with replacing(path) as folder:
                _write_files(folder, encoded)
        else:
            (content,) = encoded.files.values()
            write_atomic(path, content)
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    return [*encoded.notes, *encoded.warnings, *([encoded.left_out] if whole_folder and encoded.left_out else [])]


def _write_files(folder: Path, encoded: Encoded) -> None:
    """Write the label files and copies of the pictures into the folder. A copy's modification time is when the photo
    was taken."""
    for name, content in encoded.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        sync(file)
    for name, picture in encoded.pictures.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with _opened_picture(picture, encoded.within) as original, file.open("wb") as copy:
            shutil.copyfileobj(original, copy)
        if (taken := _date_of_written_copy(picture)) is not None:
            with contextlib.suppress(OSError, ValueError, OverflowError):  # a year that the file system cannot store
                os.utime(file, (taken.timestamp(),) * 2)


def zipped_export(encoded: Encoded, pictures: bool) -> bytes:
    """Return the label files as one zip for a download, with the pictures if `pictures` is true."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in encoded.files.items():
            archive.writestr(name, content)
        for name, picture in encoded.pictures.items() if pictures else ():
            taken = _date_of_written_copy(picture)
            with (
                _opened_picture(picture, encoded.within) as original,
                archive.open(_zip_entry_of_picture(name, original, taken), "w") as copy,
            ):
                shutil.copyfileobj(original, copy)
    return buffer.getvalue()


def _date_of_written_copy(picture: Path) -> datetime | None:
    """Return when the photo was taken, for the date of the copy that is written in a folder or a zip; None if this is
    unknown or the picture cannot be read."""
    try:
        return pictures_of.taken(picture)
    except StudioError:
        return None


def _zip_entry_of_picture(name: str, original: BinaryIO, taken: datetime | None) -> zipfile.ZipInfo:
    """Return the zip entry of a picture. Pictures are stored without compression because they are compressed already.
    The date is when the photo was taken, because the file's own date in a project is that of the import."""
    about = os.fstat(original.fileno())
    changed = taken.timetuple()[:6] if taken is not None else time.localtime(about.st_mtime)[:6]
    entry = zipfile.ZipInfo(name, min(max(changed, (1980, 1, 1, 0, 0, 0)), (2107, 12, 31, 23, 59, 58)))
    entry.external_attr = 0o100644 << 16
    entry.file_size = about.st_size
    return entry


@contextlib.contextmanager
def _opened_picture(path: Path, within: Path | None) -> Iterator[BinaryIO]:
    """Open a picture to copy it out of the project. Checks again that the path does not lead outside `within` through a
    link."""
    if within is not None:
        path = untrusted_files.confined(path, [within], _PUT)
    try:
        with untrusted_files.opened(path, within, _PUT) as file:
            yield file
    except FileNotFoundError:
        raise StudioError(f"{path}: is gone; put it there again, or remove the picture") from None


_PUT = "put the picture itself there"
