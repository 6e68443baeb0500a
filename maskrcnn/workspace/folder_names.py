"""Names of project and run folders: convert a typed name to a valid folder name, and check names for page addresses."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.untrusted_files import is_utf8

MOST_BYTES = 200
"""Maximum length of a name in bytes of UTF-8. File systems allow 255, but a suffix may be added."""

_FORBIDDEN = re.compile('[<>:"/\\\\|?*]')
# Control characters, line separators, surrogates, marks of the writing direction, and zero-width characters, which are
# often copied from web pages by accident. Joiners are allowed: emoji and some languages need them.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_BLANK = ("Z", "C", "M")
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"
}


def folder_name(name: str, thing: str) -> str:
    """The folder name for a project or run, from the name that the user typed. `thing` is "project" or "run".

    Surrounding spaces are removed, and the text is normalised (Unicode NFC). Raises `ArgumentError` for a name that is
    invalid on any operating system, including Windows, because folders are copied between computers.

    >>> folder_name(" cells ", "project")
    'cells'
    """
    name = unicodedata.normalize("NFC", name).strip()
    if all(unicodedata.category(character)[0] in _BLANK for character in name):
        raise ArgumentError(f"the {thing} has no name; type one")
    if len(name.encode(errors="replace")) > MOST_BYTES:
        raise ArgumentError(
            f"the name of the {thing} is too long; shorten it to {MOST_BYTES} bytes, that is {MOST_BYTES} plain letters"
        )
    if why := _obstacle(name):
        raise ArgumentError(f'"{name}" cannot be the name of a folder: {why}; choose another name')
    return name


def safe(wanted: str, otherwise: str = "project") -> str:
    """A valid folder name, similar to the text `wanted`, with at most 80 characters; `otherwise` if nothing is left.

    >>> safe("a/b: cells?"), safe("con")
    ('a-b- cells', 'con-project')
    """
    name = re.sub(r"[^\w .-]+", "-", unicodedata.normalize("NFC", wanted))[:80].strip(" .-") or otherwise
    name = name.encode(errors="ignore")[:MOST_BYTES].decode(errors="ignore")
    return f"{name}-{otherwise}" if _obstacle(name) else name


def proposed(name: str, more: str = "") -> str:
    """A valid folder name to propose to the user: `name` (valid or not) with the suffix `more`."""
    try:
        return folder_name(f"{name}{more}", "project")
    except ArgumentError:
        return f"{safe(name)}{more}"


def _obstacle(name: str) -> str | None:
    """Why a name is no valid folder name on some operating system, for a message; None if it is valid."""
    if name[0] in ".-":
        return f'it begins with "{name[0]}"'
    if name.endswith("."):
        return 'it ends with "."'
    if found := _FORBIDDEN.search(name):
        return f"it holds {found.group()}"
    if _INVISIBLE.search(name):
        return "it holds a character that cannot be seen"
    if name.partition(".")[0].strip().casefold() in _RESERVED:
        return "Windows keeps it for a device"
    return None


def has_name_for_address(path: Path) -> bool:
    """Whether a folder has a name that can be used in the address of a page: it must be valid UTF-8.

    So must the rest of its path be, also that to which a link leads: pages use it in keys.
    """
    return is_utf8(path) and is_utf8(os.path.realpath(path))


def require_name_for_address(path: Path) -> None:
    """Raise `StudioError` if the name of a folder cannot be used in the address of a page."""
    if not has_name_for_address(path):
        raise StudioError(
            f"{os.path.realpath(path)}: the name of this folder is not UTF-8, so no address can name it; rename it"
        )
