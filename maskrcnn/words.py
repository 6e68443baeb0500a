"""Text forms of numbers and names: `1 object`, `2 objects`; `1.9 GB`; natural order (`2.jpg` before `10.jpg`)."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile("([0-9]+)")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun in singular or plural. `plural` is needed only if it is not `noun` + "s".

    >>> counted(1, "object"), counted(1200, "object"), counted(0, "class", "classes")
    ('1 object', '1,200 objects', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def byte_size(count: float) -> str:
    """A number of bytes as text: `640 B`, `640 kB`, `26 MB`, `1.9 GB` or `2.4 TB`, in decimal units (1 kB = 1000 B).

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
    """The sorting key of a text, or of a number of any length: (number of digits, digits)."""
    if not _NUMBER.fullmatch(text):
        return 0, text
    digits = text.lstrip("0")
    return len(digits), digits
