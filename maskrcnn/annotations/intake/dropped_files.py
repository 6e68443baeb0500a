"""The files of one import (`Dropped`), and the dataset that was read from them (`Understood`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Dataset

PICTURES_ONLY = "pictures only"
"""Name of the format if there are no label files."""
PROJECT = "a project of this studio"
"""Name of the format if the dropped files are a project."""


@dataclass(frozen=True)
class Dropped:
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
class Understood:
    """The dataset, its format, and what the user should know about it.

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
