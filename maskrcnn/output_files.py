"""Write the output files that a user named: check the path before long work, write atomically, report errors."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import ArgumentError


@contextlib.contextmanager
def writing(place: Path) -> Iterator[None]:
    """A context that turns an `OSError` of its block into an `ArgumentError`: `place` cannot be written.

    >>> with writing(Path("nowhere/a.txt")):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    ...
    maskrcnn.errors.ArgumentError: nowhere/a.txt: cannot be written (No space left on device); choose another place
    """
    try:
        yield
    except OSError as error:
        raise not_written(place, error.strerror) from None


def not_written(place: Path, why: str | None) -> ArgumentError:
    """The error for the file `place` that cannot be written; `why` is the reason."""
    return ArgumentError(f"{place}: cannot be written ({why}); choose another place")


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
