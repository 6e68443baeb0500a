"""Atomic writing of files: a reader sees the complete old file or the complete new one, never a part."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

_LONGEST_PREFIX = 40
"""Maximum number of characters of the file name in the name of its temporary file.

40 characters have at most 160 bytes; a file name can have 255.
"""


def write_atomic(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file atomically. Text is encoded as UTF-8, without changing line ends.

    The folder must exist. With `durable`, the content is on the disk before the file gets its name, so the file is
    complete (old or new) also after a power failure. Raises `OSError` if it cannot be written (a full or read-only
    disk); the old file is then unchanged, and the temporary file is deleted.

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
    """A context with a temporary path in the folder of `path`, which is renamed to `path` when the block ends.

    It is for writers that need a path. The block makes a file there, or a folder (which can replace only an empty
    folder). If the block raises, its file or folder is deleted, and `path` is unchanged. Every call has its own
    temporary path; if two writers replace the same file, the one that ends last wins. `durable` is as in
    `write_atomic`; it applies to a file, not to the files of a folder. The temporary name starts with a dot and ends
    with `.tmp`, so files of killed processes can be found and deleted.
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
    """Wait until the content of a file is on the disk (fsync). Raises `OSError` if that fails."""
    with path.open("rb+") as file:  # Windows can sync only files that are open for writing
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; does nothing on Windows, which cannot sync folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
