"""Names of files as other computers wrote them: which are nobody's work, which mean the same, which can be stored."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import unicodedata

from maskrcnn.errors import one_line

_RESERVED = re.compile(r'[<>:"|?*]' if os.name == "nt" else "(?!)")
_ELSEWHERE = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*:[\\/]")
_LONGEST = 200
"""Bytes of a file's name; file systems take 255, and the project may add a number."""


def parts(name: str) -> list[str]:
    """The folders and the file of a relative name, whichever way its slashes lean."""
    return [part for part in re.split(r"[\\/]+", name) if part not in ("", ".")]


def leads_out(name: str) -> bool:
    """Whether the name means a place elsewhere: absolute, with a drive or a protocol, or up with `..`."""
    return name.startswith(("/", "\\")) or ".." in parts(name) or bool(_ELSEWHERE.match(name))


def is_junk(name: str) -> bool:
    """What systems leave in folders without being asked: hidden files, and those of the macOS and Windows desktops."""
    return any(
        part.startswith((".", "__MACOSX")) or part.lower() in ("thumbs.db", "desktop.ini")
        for part in parts(name)
        if part != ".."
    )


def suffix(name: str) -> str:
    """What follows the last dot, with it, in small letters."""
    return posixpath.splitext(name)[1].lower()


def stem(name: str) -> str:
    """The file's name without its folders and suffix."""
    return posixpath.splitext(posixpath.basename(name))[0]


def folder(name: str) -> str:
    """The folders before the file's name."""
    return posixpath.dirname(name)


def same(name: str) -> str:
    """The name in one spelling: macOS writes é as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def storable(name: str) -> str:
    """A relative name that this computer's file system takes: no way out, no control characters, not too long."""
    return "/".join(_storable(part) for part in parts(name) if part != "..") or "file"


def _storable(part: str) -> str:
    part = _RESERVED.sub("_", re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", part))
    if len(part.encode("utf-8")) <= _LONGEST:
        return part
    stem, dot, suffix = part.rpartition(".")
    suffix = dot + suffix if stem and len(suffix) <= 8 else ""
    digest = hashlib.sha256(part.encode("utf-8")).hexdigest()[:8]
    begin = part.encode("utf-8")[: _LONGEST - len(suffix.encode("utf-8")) - 9].decode("utf-8", "ignore")
    return f"{begin}~{digest}{suffix}"


def brief(name: str) -> str:
    """The name, short enough and plain enough for one line of a message."""
    name = one_line(name)
    return name if len(name) <= 80 else f"{name[:38]}...{name[-38:]}"


def listed(names: list[str] | tuple[str, ...], most: int = 3) -> str:
    """The first few of many names."""
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
    """`train`, `val` or `test` where the innermost folder or file name that says one does: `val2017/a`, `x_train`."""
    for part in reversed(parts(name)):
        for word in reversed(re.findall(r"[^\W\d_]+", part.lower())):
            if word in _SPLITS:
                return _SPLITS[word]
    return None
