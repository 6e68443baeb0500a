"""File names in natural order, and names that are the same for some file systems."""

from __future__ import annotations

import re
import unicodedata


def folded(name: str) -> str:
    """The name without differences that some file systems ignore: in case-folded, composed (NFC) form.

    Two names with the same folded form can be the same file on such a file system.

    >>> folded("Cafe\\u0301.JPG") == folded("caf\\xe9.jpg")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


_NUMBER = re.compile("([0-9]+)")


def natural_key(name: str) -> tuple[object, str]:
    """The sorting key of a name or path with `/` for natural order: numbers by their value, ignoring case.

    Files of one folder stay together. Different names have different keys, so the order is deterministic.

    >>> sorted(["b10.jpg", "B2.jpg", "b1.jpg"], key=natural_key)
    ['b1.jpg', 'B2.jpg', 'b10.jpg']
    """
    plain = unicodedata.normalize("NFC", name).casefold()
    return tuple(tuple(_stem_key(stem) for stem in folder.split(".")) for folder in plain.split("/")), name


def _stem_key(stem: str) -> tuple[tuple[int, str], ...]:
    """The parts of a name as sorting keys: text and numbers alternate, and the first is a text (perhaps empty)."""
    return tuple(map(_part_key, _NUMBER.split(stem)))


def _part_key(text: str) -> tuple[int, str]:
    """The sorting key of a text or a number in a file name: (0, text), or (number of digits, digits) of any length."""
    if not _NUMBER.fullmatch(text):
        return 0, text
    digits = text.lstrip("0")
    return len(digits), digits
