"""Safe reading of untrusted files (checks of path, file type, size and JSON schema), and safe writing to folders.

A project folder or a run folder can come from another person, such as a student who hands it in. `confined` resolves
all symbolic links of a path and requires that it ends in an allowed folder. `read_json` reads every JSON file of such a
folder. It requires a regular file (opening a pipe could block a page forever) and limits its size and nesting depth. It
validates every value against a schema. `require_real_folder` protects writing: it refuses a folder that is a link,
because the files would be written elsewhere.
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
"""Default maximum size of a file, in bytes: enough for the small documents of a run folder."""


def is_confined(path: Path | str, folders: Iterable[Path | str]) -> bool:
    """Whether a path, with all symbolic links resolved, is in one of the folders or is one of them."""
    try:
        real = os.path.realpath(path)
        return any(_is_inside(real, os.path.realpath(folder)) for folder in folders)
    except (OSError, ValueError):  # a loop of links, or a NUL character in the name
        return False


def confined(path: Path | str, folders: Iterable[Path | str], mend: str) -> Path:
    """The path with all symbolic links resolved. Raises `StudioError` if it is not in one of the folders.

    `mend` is the end of the error message: what the user should do.
    """
    if not is_confined(path, folders):
        raise StudioError(f"{path}: leads out of its folder, so it is not opened; {mend}")
    return Path(os.path.realpath(path))


@contextmanager
def opened(path: Path, folder: Path | None = None, mend: str = "restore it") -> Iterator[BinaryIO]:
    """A context with an untrusted file, opened for binary reading.

    Raises `FileNotFoundError` if it does not exist. Raises `StudioError` if it is not a regular file, cannot be opened,
    or is not in `folder` after resolving symbolic links (with None, any folder is allowed). `mend` is the end of the
    error message.
    """
    if folder is not None and os.path.islink(path) | os.path.islink(path.parent):
        confined(path, [folder], mend)
    try:
        # Without O_NONBLOCK, opening a pipe without a writer would block forever.
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
    """The content of an untrusted file of at most `most` bytes.

    Raises the errors of `opened`, and `StudioError` if the file is larger.
    """
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
    """Read an untrusted JSON file and validate it against `schema`; None if the file does not exist.

    Raises the `StudioError`s of `read_bytes`, and one that names the first invalid value. More than 200 nested levels
    are an error too.
    """
    try:
        content = read_bytes(path, folder, most, mend)
    except FileNotFoundError:
        return None
    try:
        return schema.validate_json(content, strict=True)
    except ValidationError as error:
        raise StudioError(f"{path}: {_first_fault(error)}; {mend}") from None


def _first_fault(error: ValidationError) -> str:
    """The first fault of an untrusted JSON file as text: its place and what is wrong."""
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return f"is not readable JSON ({first['msg'].removeprefix('Invalid JSON: ')[:80]})"
    # pydantic reports a fault for each member of a union, with the member's name in the place; it is left out.
    place = ".".join(str(part)[:40] for part in first["loc"] if not str(part).startswith(("function-", "constrained-")))
    return f"{place or 'the document'} is not what it should be ({first['msg'][:100]})"


def _is_inside(real: str, folder: str) -> bool:
    """Whether a resolved path is the folder or is below it."""
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)


_LONGEST_NAME = 255
"""Maximum length of a file name in bytes."""


def is_file_name(name: object) -> bool:
    """Whether a value is a plain file name: not a path, not `..`, and not too long."""
    if not isinstance(name, str) or name in ("", ".", "..") or any(char in name for char in "/\\\0"):
        return False
    try:
        return len(os.fsencode(name)) <= _LONGEST_NAME
    except UnicodeEncodeError:
        return False


def is_utf8(path: Path | str) -> bool:
    """Whether a path is valid UTF-8. On Linux a name can be any bytes, but a URL, JSON and a database hold only text.

    >>> is_utf8("cells"), is_utf8(os.fsdecode(b"cells\\xff"))
    (True, False)
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def is_real_folder(path: Path) -> bool:
    """Whether the path is a real folder, not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode) and os.path.realpath(path) == os.path.join(
            os.path.realpath(path.parent), path.name
        )
    except (OSError, ValueError):
        return False


def is_real_file(path: Path) -> bool:
    """Whether the path is a regular file, not a link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def require_real_folder(path: Path) -> None:
    """Raise `StudioError` if `path` exists and is not a real folder, so that nothing is written through a link."""
    if os.path.lexists(path) and not is_real_folder(path):
        raise StudioError(f"{path}: is a link or no folder, so nothing is written there; put a folder in its place")
