"""File names of outputs. Names of pictures and classes are data: none leads out of the folder or breaks a file name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from maskrcnn.annotations.file_names import leads_out, path_inside, storable
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.errors import ArgumentError

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])( *\..*)?", re.IGNORECASE)
"""Names that Windows does not allow, with any suffix."""

_LONGEST_CLASS = 40
"""Maximum length of a class name in a file name, in bytes."""


def output_stems(names: Sequence[str]) -> list[str]:
    """The name of each picture's files without suffix: a relative path with `/`, unique on every file system.

    `names` are the names of the pictures, perhaps with folders. Characters and names that some computers do not allow
    are replaced.

    >>> output_stems(["a.jpg", "A.png", "../b.jpg", "con.png", "what?.png"])
    ['a', 'A-2', 'b', '_con', 'what_']
    """
    stems = OutputStems()
    return [stems.take(name) for name in names]


class OutputStems:
    """Gives the stems of `output_stems` one by one, in the order of the pictures."""

    def __init__(self) -> None:
        self._unused = UnusedNames(form="{name}-{number}")

    def take(self, name: str) -> str:
        """The stem of the next picture, which is called `name`."""
        return self._unused.take(_stem(name))


def unique_names(names: Sequence[str]) -> list[str]:
    """The names of the pictures in a data set, where no two may be the same: `a.jpg`, `a-2.jpg`.

    >>> unique_names(["a.jpg", "b.jpg", "a.jpg"])
    ['a.jpg', 'b.jpg', 'a-2.jpg']
    """
    unused = UnusedNames(form="{stem}-{number}{suffix}")
    return [unused.take(name) for name in names]


def class_in_file_name(class_name: str) -> str:
    """A class name as a part of a file name: letters, digits and `-`, at most 40 bytes.

    It holds no `_`, so that `PICTURE_001_CLASS.png` has one reading.

    >>> class_in_file_name("../traffic_light"), class_in_file_name("?")
    ('traffic-light', 'object')
    """
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", class_name))
    short = plain.encode("utf-8", "ignore")[:_LONGEST_CLASS].decode("utf-8", "ignore")
    return short.strip("-") or "object"


def cutout_name(stem: str, number: int, class_name: str) -> str:
    """The file name of the cut-out of object `number` of a picture, relative to the folder of cut-outs.

    >>> cutout_name("x/a", 7, "nut")
    'x/a_007_nut.png'
    """
    return storable(f"{stem}_{number:03d}_{class_in_file_name(class_name)}.png")


def require_inside(stem: str) -> None:
    """Raise `ArgumentError` if files of this stem would lie outside of their folder."""
    if not stem or leads_out(stem):
        raise ArgumentError(f'"{stem}" leads out of the output folder; give the picture another name')


def _stem(name: str) -> str:
    """The stem for a picture's name, before it is made unique."""
    path = PurePosixPath(path_inside(name))
    return "/".join(_storable_part(part) for part in storable(str(path.with_name(path.stem))).split("/"))


def _storable_part(part: str) -> str:
    """A folder or file name that every computer can store."""
    part = re.sub(r'[<>:"|?*\\\x00-\x1f]', "_", part).rstrip(". ") or "_"
    return f"_{part}" if _RESERVED.fullmatch(part) else part
