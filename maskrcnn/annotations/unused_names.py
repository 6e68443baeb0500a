"""Unique names for new files and folders: the wanted name, or that name with a number if it is taken."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from maskrcnn.name_order import folded

BRACKETS = "{stem} ({number}){suffix}"
"""`a (2).jpg`, for files."""
HYPHEN = "{name}-{number}"
"""`cells-2`, for folders."""


def unused_name(wanted: str, is_taken: Callable[[str], bool], form: str = BRACKETS, first: int = 2) -> str:
    """The wanted name, or if `is_taken(wanted)`, the name with the first number from `first` on that is not taken.

    `form` is the format of a name with a number. Its fields are `name`, its parts `stem` and `suffix`, and `number`.

    >>> unused_name("a.jpg", {"a.jpg", "a (2).jpg"}.__contains__)
    'a (3).jpg'
    >>> unused_name("cells", {"cells"}.__contains__, HYPHEN)
    'cells-2'
    """
    found, number = wanted, first
    stem, suffix = os.path.splitext(wanted)
    while is_taken(found):
        found = form.format(name=wanted, stem=stem, suffix=suffix, number=number)
        number += 1
    return found


class UnusedNames:
    """Chooses many unique names, which differ from each other and from those in `taken` on every file system.

    Two names with the same `key` count as equal. `form` and `first` are as in `unused_name`. The time is linear in the
    number of names, also if all wanted names are equal.

    >>> names = UnusedNames(["a.jpg"])
    >>> names.take("A.jpg"), names.take("a.jpg"), names.take("b.jpg")
    ('A (2).jpg', 'a (3).jpg', 'b.jpg')
    """

    def __init__(
        self, taken: Iterable[str] = (), form: str = BRACKETS, first: int = 2, key: Callable[[str], str] = folded
    ) -> None:
        self._form, self._first, self._key = form, first, key
        self._taken = {key(name) for name in taken}
        self._next: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """Return the wanted name, or that name with a number, and mark it as taken."""
        key = self._key(wanted)
        if key not in self._taken:
            self._taken.add(key)
            return wanted
        number = self._next.get(key, self._first)
        stem, suffix = os.path.splitext(wanted)
        while (found := self._form.format(name=wanted, stem=stem, suffix=suffix, number=number)) in self:
            number += 1
        self._next[key] = number + 1
        self._taken.add(self._key(found))
        return found

    def __contains__(self, name: str) -> bool:
        """Whether a name is taken."""
        return self._key(name) in self._taken


def unused_path(path: Path) -> Path:
    """An unused name for a new file: the path, or the path with a number if it exists already. Makes its folder.

    If the name of the folder is taken by a file, the folder gets a number too. Raises `OSError` if the folder cannot be
    made.
    """

    def is_other_file(name: str) -> bool:
        """Whether the parent of the folder has a file, not a folder, of this name."""
        return (path.parent.parent / name).exists() and not (path.parent.parent / name).is_dir()

    folder = path.parent
    if is_other_file(folder.name):
        folder = folder.with_name(unused_name(folder.name, is_other_file, "{name} ({number})"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / unused_name(path.name, lambda name: (folder / name).exists())
