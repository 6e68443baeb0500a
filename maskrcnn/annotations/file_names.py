"""Names of files as other computers and programs wrote them: which are junk, which mean the same, which can be stored.

One place for all readers: what the browser's import passes over or takes for the same name, the command line does too.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import os
import posixpath
import re
import unicodedata
from urllib.parse import parse_qsl, unquote

from maskrcnn.annotations.pictures import SUFFIXES
from maskrcnn.errors import one_line
from maskrcnn.unused_names import folded

_RESERVED = re.compile(r'[<>:"|?*]' if os.name == "nt" else "(?!)")
_ELSEWHERE = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:[\\/]")
_LONGEST = 200
"""Bytes of a file's name; file systems take 255, and the project may add a number."""
_LONGEST_SUFFIX = 8


def parts(name: str) -> list[str]:
    """The folders and the file of a relative name, with slashes or backslashes.

    >>> parts("images\\\\train/a.png")
    ['images', 'train', 'a.png']
    """
    return [part for part in re.split(r"[\\/]+", name) if part not in ("", ".")]


def leads_out(name: str) -> bool:
    """Whether a name leads out of its folder: absolute, with a drive or a protocol, or with `..`.

    >>> [leads_out(name) for name in ("a/b.png", "/etc/a.png", "../a.png", "C:/a.png")]
    [False, True, True, True]
    """
    return name.startswith(("/", "\\")) or ".." in parts(name) or bool(_ELSEWHERE.match(name))


_JUNK_BEGINS = (".", "__MACOSX", "~$")
"""Hidden files and folders (`.ipynb_checkpoints`, `.git`, `._a.jpg`), macOS in zips, locks of open documents."""
_JUNK = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"),
        *("$recycle.bin", "recycler", "system volume information", "lost+found", "__pycache__"),
        *("@eadir", "@__thumb", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot"),  # network disks
        *("network trash folder", "temporary items", "thevolumesettingsfolder"),  # macOS on such
    )
)
"""What else systems leave in folders, in small letters."""


def is_junk(name: str) -> bool:
    """Whether systems and programs leave such a file or folder behind without being asked.

    `name` is relative to the folder that somebody gave: that this one lies in a hidden folder is no matter.
    """
    return any(
        part.startswith(_JUNK_BEGINS) or part.lower() in _JUNK
        for part in re.split(r"[\\/]+", name)
        if part not in ("", ".", "..")
    )


def suffix(name: str) -> str:
    """What follows the last dot, with it, in small letters.

    >>> suffix("a/IMG.JPG")
    '.jpg'
    """
    return posixpath.splitext(name)[1].lower()


def stem(name: str) -> str:
    """The file's name without its folders and suffix.

    >>> stem("train/a.b.png")
    'a.b'
    """
    return posixpath.splitext(posixpath.basename(name))[0]


def folder(name: str) -> str:
    """The folders before the file's name."""
    return posixpath.dirname(name)


def same(name: str) -> str:
    """The name in one spelling: macOS writes é as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


_PICTURE = re.compile(rf"(.*(?:{'|'.join(map(re.escape, SUFFIXES))}))[?#].*", re.IGNORECASE | re.DOTALL)
_MOST_QUOTED = 3
"""How many times a name is decoded: exported twice, a space is `%2520`."""


def without_query(name: str) -> str:
    """The name without what follows a picture's address: `b.png?X-Sig=1` is `b.png`. A server that is asked for a file
    by a parameter, `/data/local-files/?d=a/b.png`, has its name there."""
    if "?" not in name and "#" not in name:
        return name
    if match := _PICTURE.fullmatch(name.partition("#")[0] if "?" in name else name):
        return match[1]
    for _, value in parse_qsl(name.partition("?")[2]):
        if suffix(value) in SUFFIXES:
            return value
    return name


def plainest(name: str) -> str:
    """One spelling for all that mean the same name: no percent-encoding, no `&amp;`, é as one character, also where a
    program took UTF-8 for Latin 1, plain blanks (macOS writes a narrow one before PM), none at the ends, small letters.

    `suffix` and folders stay. Two names that differ may have the same one, so this is asked last.
    """
    for _ in range(_MOST_QUOTED):
        if "%" not in name or (decoded := _unquoted(name)) == name:
            break
        name = decoded
    if not name.isascii():
        name = re.sub(r"\s", " ", _read_as_it_was_written(name))
    if not name.isprintable():
        name = re.sub(r"[\x00-\x1f\x7f]", " ", name)  # as exports and uploads write them
    if "&" in name:
        name = html.unescape(name)
    if " " in name:
        name = re.sub(r" *([\\/]) *", r"\1", name).strip()
    return folded(name)


def _unquoted(name: str) -> str:
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:  # as Windows programs in Europe encode é
        return unquote(name, encoding="latin-1")


def _read_as_it_was_written(name: str) -> str:
    """Text in UTF-8 that a program took for Latin 1 or Windows' own: `Ã©` is é."""
    for encoding in ("latin-1", "cp1252"):
        with contextlib.suppress(UnicodeError):
            return name.encode(encoding).decode("utf-8")
    return name


def storable(name: str) -> str:
    """A relative name that this computer's file system takes: no way out, no control characters, not too long."""
    return "/".join(_storable(part) for part in parts(name) if part != "..") or "file"


def _storable(part: str) -> str:
    part = _RESERVED.sub("_", re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", part))
    if len(part.encode("utf-8")) <= _LONGEST:
        return part
    stem, dot, suffix = part.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem and len(suffix) <= _LONGEST_SUFFIX else (part, "")
    # By the stem alone, so that a picture and its label file are still called alike.
    digest = hashlib.sha256(stem.encode("utf-8")).hexdigest()[:8]
    room = _LONGEST - 4 * (_LONGEST_SUFFIX + 1) - 9
    return f"{stem.encode('utf-8')[:room].decode('utf-8', 'ignore')}~{digest}{suffix}"


def brief(name: str) -> str:
    """The name, short enough and plain enough for one line of a message."""
    name = one_line(name)
    return name if len(name) <= 80 else f"{name[:38]}...{name[-38:]}"


def listed(names: list[str] | tuple[str, ...], most: int = 3) -> str:
    """The first few of many names.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(brief(name)[:60] for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "test": "test",
    "testing": "test",
}


def split_word(name: str) -> str | None:
    """`train`, `val` or `test` where the innermost folder or file name that says one does: `val2017/a`, `x_train`.

    >>> split_word("val2017/a"), split_word("x_train"), split_word("pictures/a")
    ('val', 'train', None)
    """
    for part in reversed(parts(name)):
        for word in reversed(re.findall(r"[^\W\d_]+", part.lower())):
            if word in _SPLITS:
                return _SPLITS[word]
    return None
