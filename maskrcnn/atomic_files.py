"""Files that are written whole or not at all: a reader sees the old file or the new one, never half of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

_LONGEST_PREFIX = 40
"""Characters of the file's own name in that of its temporary file: at most 160 bytes of the 255 that a name has."""


def write_atomic(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all; text is stored as UTF-8, its line ends as they are.

    The folder must exist. With `durable` the content is on the disk before the file takes its name, so a power failure
    leaves the old file or the new one. Raises `OSError` where it cannot be written (a full or read-only disk); then the
    old file stays as it was, and no temporary file is left.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> write_atomic(folder / "notes.txt", "first")
    >>> write_atomic(folder / "notes.txt", "second")
    >>> [(file.name, file.read_text()) for file in folder.iterdir()]
    [('notes.txt', 'second')]
    """
    with replacing(path, durable=durable) as temporary, temporary.open("xb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside `path`, for a writer that needs a path; it becomes `path` when the block ends.

    The block makes a file there, or a folder (which replaces an empty folder at most). If the block raises, what it
    made is deleted and `path` stays as it was. Nobody else uses the same temporary path, so two writers at once are no
    danger: the last one to finish stays. `durable` as in `write_atomic`; it concerns a file, not those in a folder.
    The name begins with a dot and ends in `.tmp`, so that what a killed process left can be found and deleted.
    """
    temporary = path.with_name(f".{path.name[:_LONGEST_PREFIX]}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        if durable and temporary.is_file():
            sync(temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(temporary) if temporary.is_dir() else temporary.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Wait until the content of a file is on the disk. Raises `OSError`."""
    with path.open("rb+") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())
