"""Files that a stranger may have written: opened only where they may lie, read only as what they should be.

A project folder and a run folder come from anybody: a student hands one in, a colleague sends one. Their files are
data. A path that they name is followed with all its links before it is opened, and must end in a folder that it may end
in (`confined`). A JSON file is read by one function (`read_json`) that sees to it that it is a file (a pipe would keep
a page waiting for ever), how large it is, how deep it is nested, and that each value is of its kind.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from maskrcnn.errors import StudioError

T = TypeVar("T")

MOST_BYTES = 1_000_000
"""What a small document of a run folder may have."""


def is_confined(path: Path | str, folders: Iterable[Path | str]) -> bool:
    """Whether a path, with all its links followed, lies in one of these folders (or is one of them)."""
    try:
        real = os.path.realpath(path)
        return any(_lies_in(real, os.path.realpath(folder)) for folder in folders)
    except (OSError, ValueError):  # a circle of links; a NUL in the name
        return False


def confined(path: Path | str, folders: Iterable[Path | str], mend: str) -> Path:
    """The path with all its links followed. `StudioError` where it does not lie in one of these folders; it names the
    path, and ends with `mend`."""
    if not is_confined(path, folders):
        raise StudioError(f"{path}: leads out of its folder, so it is not opened; {mend}")
    return Path(os.path.realpath(path))


@contextmanager
def opened(path: Path, folder: Path | None = None, mend: str = "restore it") -> Iterator[BinaryIO]:
    """A file that may be anything, open to read: only an ordinary file, that lies in `folder` with all its links
    followed (None: wherever it is).

    Raises `FileNotFoundError` where there is none, and `StudioError` for all else that is wrong.
    """
    if folder is not None and os.path.islink(path) | os.path.islink(path.parent):
        confined(path, [folder], mend)
    try:
        # A pipe that nobody writes to would keep us waiting for ever without O_NONBLOCK.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except (OSError, ValueError) as error:
        raise StudioError(f"{path}: cannot be opened ({getattr(error, 'strerror', error)}); {mend}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise StudioError(f"{path}: is not a file; {mend}")
    with os.fdopen(handle, "rb") as file:
        yield file


def read_bytes(path: Path, folder: Path | None = None, most: int = MOST_BYTES, mend: str = "restore it") -> bytes:
    """The content of a file that may be anything, `most` bytes of it at most. Raises as `opened` does, and
    `StudioError` for a larger file."""
    with opened(path, folder, mend) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise StudioError(f"{path}: is larger than {most // 1_000_000} MB, more than such a file has; {mend}")
    return content


def read_json(
    path: Path,
    schema: TypeAdapter[T],
    folder: Path | None = None,
    most: int = MOST_BYTES,
    mend: str = "restore that file",
) -> T | None:
    """A JSON document of that schema; None where there is no file (yet). It is nested 200 deep at most.

    Raises `StudioError` as `read_bytes` does, and with the place in the document where a value is not what it must be.
    """
    try:
        content = read_bytes(path, folder, most, mend)
    except FileNotFoundError:
        return None
    return parse_json(content, schema, str(path), mend)


def parse_json(content: bytes | str, schema: TypeAdapter[T], name: str, mend: str = "restore that file") -> T:
    """A JSON text of that schema, `name` says in the message where it is from. Raises `StudioError`."""
    try:
        return schema.validate_json(content, strict=True)
    except ValidationError as error:
        raise StudioError(f"{name}: {_first_of(error)}; {mend}") from None


def _first_of(error: ValidationError) -> str:
    """What is wrong, where: the first of the complaints."""
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return f"is not readable JSON ({first['msg'].removeprefix('Invalid JSON: ')[:80]})"
    # A union has a complaint for each of its members; only the place is of use, without the member's name.
    place = ".".join(str(part)[:40] for part in first["loc"] if not str(part).startswith(("function-", "constrained-")))
    return f"{place or 'the document'} is not what it should be ({first['msg'][:100]})"


def _lies_in(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)
