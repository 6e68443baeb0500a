"""Files that a command was asked to write: their place is seen to before the work, then they are written whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import ArgumentError, one_line


def require_place(place: Path) -> None:
    """`ArgumentError` where no file can be written, so that nobody waits for what is then lost."""
    folder = next(parent for parent in place.absolute().parents if parent.exists())
    if place.is_dir():
        raise _refused(place, "it is a folder")
    if not folder.is_dir():
        raise _refused(place, f"{folder} is no folder")
    if not os.access(folder, os.W_OK):
        raise _refused(place, f"{folder} may not be written to")


def write_json(place: Path, content: Any, indent: int | None = 1) -> None:
    """Write it whole; `ArgumentError` where that fails."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, json.dumps(content, indent=indent, allow_nan=False) + "\n")
    except OSError as error:
        raise _refused(place, error.strerror) from None


def _refused(place: Path, why: str | None) -> ArgumentError:
    return ArgumentError(f"{place}: cannot be written ({why}); choose another place")


def print_warnings(dataset: Dataset) -> None:
    """What the reader of some labels left out, did not find or took otherwise, each in a line."""
    for line in dataset.warnings:
        print(f"warning: {one_line(line)}", file=sys.stderr)
