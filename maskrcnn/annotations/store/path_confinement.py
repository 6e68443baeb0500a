"""Where the files of a project may lie: in its folder, with all links followed.

A project folder may come from a stranger. A picture that is a link out of it would give away any file of this machine
to whoever gets an export, and a folder that is one would have files written or deleted elsewhere.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.untrusted_files import is_confined

_LONGEST_NAME = 255
"""Bytes that a file name may have."""


def is_file_name(name: object) -> bool:
    """Whether something is the name of a file, and no path: nothing that could lead out of a folder."""
    if not isinstance(name, str) or name in ("", ".", "..") or any(char in name for char in "/\\\0"):
        return False
    try:
        return len(os.fsencode(name)) <= _LONGEST_NAME
    except UnicodeEncodeError:
        return False


class Pictures:
    """The picture files of a project, in its folder `images/`."""

    def __init__(self, project: Path) -> None:
        self.folder = project / "images"
        self._project = os.path.realpath(project)
        self._inside = is_confined(self.folder, [self._project])

    def find(self, file_name: object) -> Path | None:
        """Where the picture lies, also if it is not there; None where that is outside of the project, or no file."""
        # One look at the file is all that an ordinary picture costs: a project has ten thousand.
        if not self._inside or not is_file_name(file_name):
            return None
        path = self.folder / str(file_name)
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                if not is_confined(path, [self._project]):
                    return None
                mode = os.stat(path).st_mode
        except FileNotFoundError:
            return path
        except (OSError, ValueError):
            return None
        return path if stat.S_ISREG(mode) else None

    def require(self, file_name: object) -> Path:
        """`find`; `StudioError` instead of None."""
        path = self.find(file_name)
        if path is None:
            raise StudioError(
                f"{self.folder / str(file_name)}: leads out of the project or is no file, so it is not opened; "
                "put the picture itself there"
            )
        return path


def is_folder(path: Path) -> bool:
    """Whether this is a folder itself, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode) and os.path.realpath(path) == os.path.join(
            os.path.realpath(path.parent), path.name
        )
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether this is an ordinary file itself, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def require_folder(path: Path) -> None:
    """`StudioError` where `path` is there and is not a folder itself: nothing is written through a link."""
    if os.path.lexists(path) and not is_folder(path):
        raise StudioError(f"{path}: is a link or no folder, so nothing is written there; put a folder in its place")
