"""Files that a command was asked to write: their place is seen to before the work, then they are written whole."""

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
    """`ArgumentError` where no file can be written, so that nobody waits for what is then lost."""
    folder = next(parent for parent in place.absolute().parents if parent.exists())
    if place.is_dir():
        raise not_written(place, "it is a folder")
    if not folder.is_dir():
        raise not_written(place, f"{folder} is no folder")
    if not os.access(folder, os.W_OK):
        raise not_written(place, f"{folder} may not be written to")


def write_json(place: Path, content: Any, indent: int | None = 1) -> None:
    """Write it whole; `ArgumentError` where that fails."""
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, json.dumps(content, indent=indent, allow_nan=False) + "\n")


def print_warning(line: str) -> None:
    """A line about labels, on standard error."""
    print(f"warning: {one_line(line)}", file=sys.stderr)


def print_warnings(dataset: Dataset) -> None:
    """What the reader of some labels left out, did not find or read otherwise, each in a line."""
    for line in dataset.warnings:
        print_warning(line)
