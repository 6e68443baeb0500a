"""Numbers and names as a person reads them: `1 object`, `2 objects`; `1.9 GB`; `2.jpg` before `10.jpg`."""

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


def byte_size(count: float) -> str:
    """A number of bytes as `640 B`, `640 kB`, `26 MB`, `1.9 GB` or `2.4 TB`; each is 1,000 of those before it.

    >>> byte_size(640_000), byte_size(25_600_000), byte_size(1_900_000_000)
    ('640 kB', '26 MB', '1.9 GB')
    """
    if 0 < count < 1000:
        return f"{count:.0f} B"
    if round(count / 1e8) >= 10_000:
        return f"{count / 1e12:.1f} TB"
    if round(count / 1e6) >= 1000:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if round(count / 1e3) >= 1000 else f"{count / 1e3:.0f} kB"


def natural_key(name: str) -> tuple[object, str]:
    """A sorting key that puts numbers in a name in the order of their values, and ignores case. Folders stay together.

    Two different names never have the same key, so this order is always the same one.

    >>> sorted(["b10.jpg", "B2.jpg", "b1.jpg"], key=natural_key)
    ['b1.jpg', 'B2.jpg', 'b10.jpg']
    """
    plain = unicodedata.normalize("NFC", name).casefold()
    return tuple(tuple(_stem_key(stem) for stem in folder.split(".")) for folder in plain.split("/")), name


def _stem_key(stem: str) -> tuple[tuple[int, str], ...]:
    """Words and numbers by turns, a word first, which may be empty: the two are never compared."""
    return tuple(map(_part, _NUMBER.split(stem)))


def _part(text: str) -> tuple[int, str]:
    """Numbers by their value, of any length."""
    if not _NUMBER.fullmatch(text):
        return 0, text
    digits = text.lstrip("0")
    return len(digits), digits
