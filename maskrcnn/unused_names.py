"""Names that nothing else has: the wanted one, or else that with the first number that makes it new."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

BRACKETS = "{stem} ({number}){suffix}"
"""`a (2).jpg`, for files."""
HYPHEN = "{name}-{number}"
"""`cells-2`, for folders."""


def folded(name: str) -> str:
    """What two names share that some file system takes for one: case and the spelling of accents make no difference.

    >>> folded("Cafe\\u0301.JPG") == folded("caf\\xe9.jpg")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def unused_name(wanted: str, is_taken: Callable[[str], bool], form: str = BRACKETS, first: int = 2) -> str:
    """The wanted name if it is not taken, else the first of those with the numbers from `first` on that is not.

    `form` says where the number stands; it may use `name`, or its parts `stem` and `suffix`, and `number`.

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
    """Hands out names, each once, that differ from each other and from those in `taken` on every file system.

    `key` says which names count as one; `form` and `first` are as in `unused_name`. A thousand names that are wanted
    alike take a thousand steps, not a million.

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
        """The wanted name, or one with a number; it is taken from now on."""
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
        return self._key(name) in self._taken


def unused_path(path: Path) -> Path:
    """The path, or one with a number where something lies there already. Its folder is made; if a file has the name of
    that folder, the folder gets a number too. Raises `OSError` where the folder cannot be made."""

    def is_no_folder(name: str) -> bool:
        return (path.parent.parent / name).exists() and not (path.parent.parent / name).is_dir()

    folder = path.parent
    if is_no_folder(folder.name):
        folder = folder.with_name(unused_name(folder.name, is_no_folder, "{name} ({number})"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / unused_name(path.name, lambda name: (folder / name).exists())
