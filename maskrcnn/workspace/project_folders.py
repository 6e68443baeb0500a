"""The folders of projects: which can be named in the address of a page, and which two names mean one folder."""

from __future__ import annotations

import os
from pathlib import Path

from maskrcnn.errors import StudioError


def can_be_an_address(path: Path) -> bool:
    """Whether the name of a folder can stand in the address of a page."""
    try:
        path.name.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_address(path: Path) -> None:
    """`StudioError` where no address can name a folder."""
    if not can_be_an_address(path):
        raise StudioError(f"{path}: the name of this folder is not UTF-8, so no address can name it; rename it")


def are_same_folder(one: Path, other: Path) -> bool:
    """Whether two names are the same folder: on a file system that ignores case, Balloon is balloon."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
