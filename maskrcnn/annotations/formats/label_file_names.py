"""Names of label files after the pictures they belong to, which never lead out of their folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from maskrcnn.annotations.formats.encoded_files import inside


def beside(picture: str, suffix: str) -> str:
    """The label file of a picture: the same name, folders kept, with another suffix: `sub/a.jpg` -> `sub/a.txt`."""
    path = PurePosixPath(inside(picture))
    return str(path.with_name(f"{path.stem}{suffix}"))


def unused(name: str, taken: set[str]) -> str:
    """The name, or `name (2)` and so on: one that no other file has, upper and lower case being one."""
    path, number, free = PurePosixPath(name), 2, name
    while free.casefold() in taken:
        free = str(path.with_name(f"{path.stem} ({number}){path.suffix}"))
        number += 1
    taken.add(free.casefold())
    return free
