"""The files that a person dropped (`Dropped`), and the dataset that they are (`Understood`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Dataset

PICTURES_ONLY = "pictures only"
PROJECT = "a project of this studio"
"""What dropped files are called that have no label file of their own."""


@dataclass(frozen=True)
class Dropped:
    """Files by their names relative to `root`, and `name`, what all of it is called in messages.

    `warnings` are what was passed over already. `known` are further pictures that labels may mean, but that were not
    dropped. `only` is the label file to read where not all of it is wanted: then pictures that it does not name are
    left out. `taken` are files for names that were not found, as a person chose them. `room` gives a folder for
    pictures that label files hold themselves. `progress` is called for every picture that was opened. `packed` is how
    many bytes a zip had of which the files came, None for what was no zip. `images` is a folder that was named for the
    pictures.
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
        """The dropped files that are pictures by their name."""
        return {file: path for file, path in self.files.items() if names.suffix(file) in pictures.SUFFIXES}


@dataclass(frozen=True)
class Understood:
    """The dataset, the format it came in, and what a person should know about it.

    `named` is how many pictures the label files name. `near` are the files of a near name for those that are missing.
    """

    dataset: Dataset
    format: str
    label_files: tuple[str, ...]
    missing: tuple[str, ...]
    unlabelled: int
    warnings: tuple[str, ...]
    named: int = 0
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
