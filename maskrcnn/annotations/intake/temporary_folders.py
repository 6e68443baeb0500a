"""Temporary folders of an import, for uploads, unpacked zips and pictures from inside label files."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from maskrcnn.errors import StudioError

PREFIX = "maskrcnn-import-"
KEPT_SECONDS = 24 * 3600
"""A temporary folder that was not discarded is removed after this time, when the next one is created."""


def make_temporary_folder(base: Path | None = None) -> Path:
    """Create and return a new, empty folder below `base` (default: the system's temporary folder).

    Old temporary folders there are removed. Raises `StudioError` if it cannot be created.
    """
    base = Path(tempfile.gettempdir()) if base is None else base
    try:
        base.mkdir(parents=True, exist_ok=True)
        _remove_old_folders(base)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        raise StudioError(f"{base}: cannot be written ({error.strerror}); free some space there") from None


def remove_temporary_folder(folder: Path) -> None:
    """Remove a temporary folder with its content. A missing folder is ignored."""
    shutil.rmtree(folder, ignore_errors=True)


def _remove_old_folders(base: Path) -> None:
    """Remove the temporary folders in `base` that are older than `KEPT_SECONDS`."""
    with os.scandir(base) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if (
                    entry.name.startswith(PREFIX)
                    and entry.is_dir(follow_symlinks=False)
                    and time.time() - entry.stat(follow_symlinks=False).st_mtime > KEPT_SECONDS
                ):
                    remove_temporary_folder(Path(entry.path))


@contextmanager
def temporary_folder_if_needed(base: Path | None) -> Iterator[tuple[Callable[[], Path], list[Path]]]:
    """Yield a function that creates a temporary folder at its first call, and a list that then contains it."""
    made: list[Path] = []
    with ExitStack() as stack:

        def folder_for_embedded() -> Path:
            if not made:
                made.append(stack.enter_context(temporary_folder(base)))
            return made[0]

        yield folder_for_embedded, made


@contextmanager
def temporary_folder(base: Path | None) -> Iterator[Path]:
    """Create a temporary folder; it is removed if an error occurs."""
    folder = make_temporary_folder(base)
    try:
        yield folder
    except StudioError as error:
        remove_temporary_folder(folder)
        raise type(error)(without_temporary_folder(str(error), folder)) from None
    except OSError as error:
        remove_temporary_folder(folder)
        raise StudioError(
            f"the import: cannot be stored ({error.strerror}); free some space on this computer"
        ) from None
    except BaseException:
        remove_temporary_folder(folder)
        raise


def without_temporary_folder(line: str, folder: Path | None) -> str:
    """Return a message without the path of the temporary folder, which the user does not know."""
    return line if folder is None else line.replace(f"{folder}{os.sep}", "").replace(str(folder), "the upload")
