"""Numbers and names as a person reads them: `1 object`, `2 objects`; `2.jpg` before `10.jpg`."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile("([0-9]+)")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, singular or plural.

    >>> counted(1, "object"), counted(1200, "object"), counted(0, "class", "classes")
    ('1 object', '1,200 objects', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def natural_key(name: str) -> tuple[object, str]:
    """A sorting key that puts numbers in a name in the order of their values, and ignores case. Folders stay together.

    Two different names never have the same key, so this order is always the same one.

    >>> sorted(["b10.jpg", "B2.jpg", "b1.jpg"], key=natural_key)
    ['b1.jpg', 'B2.jpg', 'b10.jpg']
    """
    plain = unicodedata.normalize("NFC", name).casefold()
    return tuple(tuple(_stem_key(stem) for stem in folder.split(".")) for folder in plain.split("/")), name


def _stem_key(stem: str) -> tuple[tuple[int, int, str], ...]:
    return tuple(map(_part, _NUMBER.split(stem)))


def _part(text: str) -> tuple[int, int, str]:
    """Numbers by their value, of any length, before words."""
    if not _NUMBER.fullmatch(text):
        return 1, 0, text
    digits = text.lstrip("0")
    return 0, len(digits), digits
