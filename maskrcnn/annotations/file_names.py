"""File names from other computers and programs: which are junk, which are equal, which can be stored here.

The import in the browser and the command line both use these rules, so they skip and match the same files.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import os
import posixpath
import re
import unicodedata
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote

from maskrcnn.annotations.pictures import SUFFIXES
from maskrcnn.name_order import folded, natural_key
from maskrcnn.words import first_names, one_line

_RESERVED = re.compile(r'[<>:"|?*]' if os.name == "nt" else "(?!)")
_ELSEWHERE = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:[\\/]")
_LONGEST = 200
"""Maximum length of a stored file name in bytes. File systems allow 255; the project may append a number."""
_LONGEST_SUFFIX = 8
"""Maximum number of characters of a suffix, without its dot, that a shortened name keeps."""


def parts(name: str) -> list[str]:
    """Split a relative path at slashes and backslashes into its folder names and file name.

    >>> parts("images\\\\train/a.png")
    ['images', 'train', 'a.png']
    """
    return [part for part in re.split(r"[\\/]+", name) if part not in ("", ".")]


def leads_out(name: str) -> bool:
    """Whether a path points outside its base folder: it is absolute, has a drive or a URL scheme, or contains `..`.

    >>> [leads_out(name) for name in ("a/b.png", "/etc/a.png", "../a.png", "C:/a.png")]
    [False, True, True, True]
    """
    return name.startswith(("/", "\\")) or ".." in parts(name) or bool(_ELSEWHERE.match(name))


_JUNK_BEGINS = (".", "__MACOSX", "~$")
"""Prefixes of hidden files and folders (`.git`, `._a.jpg`), of macOS metadata in zips and of lock files."""
_JUNK = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"),
        *("$recycle.bin", "recycler", "system volume information", "lost+found", "__pycache__"),
        *("@eadir", "@__thumb", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot"),  # network disks
        *("network trash folder", "temporary items", "thevolumesettingsfolder"),  # macOS on network disks
    )
)
"""Other names that operating systems create in folders, in lower case."""


def is_junk(name: str) -> bool:
    """Whether a path names a hidden file, or a file or folder that operating systems and programs create themselves.

    `name` is relative to the user's folder. Hidden folders above that folder are not considered.
    """
    return any(
        part.startswith(_JUNK_BEGINS) or part.lower() in _JUNK
        for part in re.split(r"[\\/]+", name)
        if part not in ("", ".", "..")
    )


def suffix(name: str) -> str:
    """Return the file name's suffix in lower case, with its dot.

    >>> suffix("a/IMG.JPG")
    '.jpg'
    """
    return posixpath.splitext(name)[1].lower()


def stem(name: str) -> str:
    """Return the file name without folders and suffix.

    >>> stem("train/a.b.png")
    'a.b'
    """
    return posixpath.splitext(posixpath.basename(name))[0]


def folder(name: str) -> str:
    """Return the path of the folder of a file, without the file name; empty if there is none."""
    return posixpath.dirname(name)


def nfc(name: str) -> str:
    """Return the name in Unicode NFC, so that names from macOS (é as two characters) equal names from other systems."""
    return unicodedata.normalize("NFC", name)


_PICTURE = re.compile(rf"(.*(?:{'|'.join(map(re.escape, SUFFIXES))}))[?#].*", re.IGNORECASE | re.DOTALL)
_MOST_QUOTED = 3
"""Maximum number of percent-decoding rounds: after two exports, a space is written `%2520`."""


def without_query(name: str) -> str:
    """Return the name without a URL's query and fragment: `b.png?X-Sig=1` becomes `b.png`.

    If the picture's path is a query parameter, as in `/data/local-files/?d=a/b.png`, return the parameter's value.
    """
    if "?" not in name and "#" not in name:
        return name
    if match := _PICTURE.fullmatch(name.partition("#")[0] if "?" in name else name):
        return match[1]
    for _, value in parse_qsl(name.partition("?")[2]):
        if suffix(value) in SUFFIXES:
            return value
    return name


def normalised_file_name(name: str) -> str:
    """Return a file name or path in its normalised form, which is equal for all spellings of the same name.

    Decodes percent-encoding and `&amp;`, composes é into one character, repairs UTF-8 that was read as Latin 1,
    replaces special spaces (macOS writes a narrow one before PM), strips spaces at the ends, and converts to lower
    case. Keeps the suffix and the folders. Two different files can have the same normalised name, so compare exact
    names first.
    """
    for _ in range(_MOST_QUOTED):
        if "%" not in name or (decoded := _percent_decoded(name)) == name:
            break
        name = decoded
    if not name.isascii():
        name = re.sub(r"\s", " ", _repaired_encoding(name))
    if not name.isprintable():
        name = re.sub(r"[\x00-\x1f\x7f]", " ", name)  # exports and uploads write control characters as spaces
    if "&" in name:
        name = html.unescape(name)
    if " " in name:
        name = re.sub(r" *([\\/]) *", r"\1", name).strip()
    return folded(name)


def _percent_decoded(name: str) -> str:
    """Return a file name with `%20` and the like decoded, as UTF-8 or else as Latin 1 (see `normalised_file_name`)."""
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:  # Windows programs in Europe encode é in Latin 1
        return unquote(name, encoding="latin-1")


def _repaired_encoding(name: str) -> str:
    """Repair a file name in UTF-8 that a program decoded as Latin 1 or Windows-1252: `Ã©` becomes é."""
    for encoding in ("latin-1", "cp1252"):
        with contextlib.suppress(UnicodeError):
            return name.encode(encoding).decode("utf-8")
    return name


def storable(name: str) -> str:
    """Return a relative path that this computer's file system accepts.

    Removes `..`, replaces control and reserved characters, and shortens long names.
    """
    return "/".join(_storable_part(part) for part in parts(name) if part != "..") or "file"


def _storable_part(part: str) -> str:
    """Return a folder or file name that this computer's file system accepts (see `storable`)."""
    part = _RESERVED.sub("_", re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", part))
    if len(part.encode("utf-8")) <= _LONGEST:
        return part
    stem, dot, suffix = part.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem and len(suffix) <= _LONGEST_SUFFIX else (part, "")
    # The hash covers the stem only, so that a picture and its label file still have the same stem.
    mark = "~" + hashlib.sha256(stem.encode("utf-8")).hexdigest()[:8]
    longest_suffix = 4 * (_LONGEST_SUFFIX + 1)  # bytes: a character has up to 4, and the dot is one too
    room = _LONGEST - longest_suffix - len(mark)
    return f"{stem.encode('utf-8')[:room].decode('utf-8', 'ignore')}{mark}{suffix}"


def brief(name: str) -> str:
    """Shorten a name for a message: at most about 80 characters, on one line."""
    name = one_line(name)
    return name if len(name) <= 80 else f"{name[:38]}...{name[-38:]}"


def listed(names: list[str] | tuple[str, ...], most: int = 3) -> str:
    """List file names for a message: the first `most` of them, followed by the number of the others.

    >>> listed(["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"])
    'a.jpg, b.jpg, c.jpg and 2 more'
    """
    return first_names(names, most, lambda name: brief(name)[:60])


def plain_file_name(name: str) -> str:
    """Return the last part of a path from a browser or another computer, as a file name for all systems."""
    name = without_control_characters(re.split(r"[\\/]", name)[-1])
    name = name.strip().lstrip(".") or "picture"
    stem, suffix = os.path.splitext(name)
    while len((stem + suffix).encode()) > _LONGEST:
        stem, suffix = (stem[:-1], suffix) if len(stem) > 1 else (stem, suffix[:-1])
    return stem + suffix


def path_inside(file_name: str) -> str:
    r"""Return a picture's name as a relative path that stays inside its folder.

    >>> path_inside("../a.jpg"), path_inside("C:\\x\\a.jpg")
    ('a.jpg', 'C_/x/a.jpg')
    """
    return "/".join(re.sub(r"[:\x00-\x1f]", "_", part) for part in parts(file_name) if part != "..") or "picture"


def label_file_name(picture: str, suffix: str) -> str:
    """Return the name of a picture's own label file: the picture's path inside the folder, with another suffix.

    >>> label_file_name("../sub/a.jpg", ".txt")
    'sub/a.txt'
    """
    path = PurePosixPath(path_inside(picture))
    return str(path.with_name(f"{path.stem}{suffix}"))


def last_part(name: str) -> str:
    """Return the file name at the end of a path of any operating system."""
    return (parts(name) or [name])[-1]


def without_control_characters(name: str) -> str:
    """Return the name without characters that label files cannot hold: control characters and lone surrogates."""
    whole = name.encode("utf-8", "replace").decode("utf-8")  # Linux allows names that are not valid text
    return "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in whole)


@lru_cache(maxsize=100_000)
def cached_natural_key(file_name: str) -> Any:
    """Return `natural_key` of a file name. Cached, because pages sort thousands of names at each click."""
    return natural_key(file_name)
