"""The files of one import (`DroppedFiles`), the dataset that was read from them (`DroppedDataset`), and how uploads are
written to a folder."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.intake.zip_unpacking import is_zip, unpack
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.unused_names import unused_path

PICTURES_ONLY = "pictures only"
"""Name of the format if there are no label files."""


@dataclass(frozen=True)
class DroppedFiles:
    """The files of one import: relative name -> path.

    - `root`: the folder that the names are relative to.
    - `name`: the name of the whole import, for messages.
    - `folder_for_embedded`: returns the folder where pictures inside label files are unpacked.
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
    folder_for_embedded: Callable[[], Path]
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


def write_uploads(uploads: Sequence[tuple[str, bytes]], folder: Path) -> dict[str, Path]:
    """Write dropped files that were uploaded (name, content) to the folder, and unpack zips there.

    Return relative name -> path, as in `DroppedFiles.files`. If a zip is not the only upload, it is unpacked into a
    folder of its own. Raises `StudioError` as `unpack` does.
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
    """Write a dropped file that was uploaded, no zip, to the folder. Return name -> path.

    `taken` are the files written so far. A file with the same name and the same content is not written again, and the
    result is empty. One with other content gets a numbered sub folder.
    """
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
