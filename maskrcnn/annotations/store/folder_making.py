"""Create the folder of a new project, completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskrcnn.annotations.store import database_files
from maskrcnn.annotations.store.database_files import DATABASE
from maskrcnn.errors import ArgumentError


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """A context manager for creating a project in a new or empty folder. If the block fails, its files are deleted.

    An `OSError` of the block becomes an `ArgumentError` that names the folder.
    """
    new = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        yield
    except BaseException as error:
        with suppress(OSError):
            for suffix in ("", *database_files.SUFFIXES):
                (folder / f"{DATABASE}{suffix}").unlink(missing_ok=True)
            for path in (folder / "images", folder / "runs", *new):
                if path.is_dir():
                    path.rmdir()
        if isinstance(error, OSError):
            raise ArgumentError(f"{folder} cannot be made ({error.strerror}); choose another folder") from None
        raise
