"""Checks of project folders: whether a name can be used in the address of a page, and whether two paths are equal."""

from __future__ import annotations

import os
from pathlib import Path

from maskrcnn.errors import StudioError


def can_be_an_address(path: Path) -> bool:
    """Whether the name of a folder can be used in the address of a page: it must be valid UTF-8."""
    try:
        path.name.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_address(path: Path) -> None:
    """Raise `StudioError` if the name of a folder cannot be used in an address."""
    if not can_be_an_address(path):
        raise StudioError(f"{path}: the name of this folder is not UTF-8, so no address can name it; rename it")


def are_same_folder(one: Path, other: Path) -> bool:
    """Whether two paths are the same folder. On a file system that ignores case, `Balloon` and `balloon` are."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
