"""Output files of commands: a check of the path before long work, and atomic writing. Also warnings about labels."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import not_written, one_line, writing


def require_place(place: Path) -> None:
    """Raise `ArgumentError` if no file can be written to `place`. Call it before long work to avoid lost results."""
    folder = next(parent for parent in place.absolute().parents if parent.exists())
    if place.is_dir():
        raise not_written(place, "it is a folder")
    if not folder.is_dir():
        raise not_written(place, f"{folder} is no folder")
    if not os.access(folder, os.W_OK):
        raise not_written(place, f"{folder} may not be written to")


def write_json(place: Path, content: Any, indent: int | None = 1) -> None:
    """Write `content` as a JSON file, atomically. Makes missing folders. Raises `ArgumentError` if that fails."""
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, json.dumps(content, indent=indent, allow_nan=False) + "\n")


def print_warning(line: str) -> None:
    """Print a warning about labels on standard error, on one line."""
    print(f"warning: {one_line(line)}", file=sys.stderr)


def print_warnings(dataset: Dataset) -> None:
    """Print the warnings of the reader of a dataset, such as missing pictures and skipped regions."""
    for line in dataset.warnings:
        print_warning(line)
