"""Temporary folders for uploads and unpacked zips, until they are imported."""

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
"""A staging folder that was not discarded is removed after this time, when the next one is created."""


def make(base: Path | None = None) -> Path:
    """Create and return a new, empty staging folder below `base` (default: the system's temporary folder). Old staging
    folders there are removed.

    Raises `StudioError` if it cannot be created.
    """
    base = Path(tempfile.gettempdir()) if base is None else base
    try:
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        raise StudioError(f"{base}: cannot be written ({error.strerror}); free some space there") from None


def remove(folder: Path) -> None:
    """Remove a staging folder with its content. A missing folder is ignored."""
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove the staging folders in `base` that are older than `KEPT_SECONDS`."""
    with os.scandir(base) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if (
                    entry.name.startswith(PREFIX)
                    and entry.is_dir(follow_symlinks=False)
                    and time.time() - entry.stat(follow_symlinks=False).st_mtime > KEPT_SECONDS
                ):
                    remove(Path(entry.path))


@contextmanager
def temporary_folder_if_needed(base: Path | None) -> Iterator[tuple[Callable[[], Path], list[Path]]]:
    """Yield a function that creates one staging folder at its first call, and a list that then contains the folder."""
    made: list[Path] = []
    with ExitStack() as stack:

        def room() -> Path:
            if not made:
                made.append(stack.enter_context(temporary_folder(base)))
            return made[0]

        yield room, made


@contextmanager
def temporary_folder(base: Path | None) -> Iterator[Path]:
    """Create a staging folder; it is removed if an error occurs."""
    folder = make(base)
    try:
        yield folder
    except StudioError as error:
        remove(folder)
        raise type(error)(without_temporary_folder(str(error), folder)) from None
    except OSError as error:
        remove(folder)
        raise StudioError(
            f"the import: cannot be stored ({error.strerror}); free some space on this computer"
        ) from None
    except BaseException:
        remove(folder)
        raise


def without_temporary_folder(line: str, folder: Path | None) -> str:
    """Return a message without the path of the staging folder, which the user does not know."""
    return line if folder is None else line.replace(f"{folder}{os.sep}", "").replace(str(folder), "the upload")
