"""The name that a person typed for a project or a run, as the name of its folder."""

from __future__ import annotations

import re
import unicodedata

from maskrcnn.errors import ArgumentError

MOST_BYTES = 200
"""Of a name in UTF-8. File systems take 255, and something may be added to it."""

_FORBIDDEN = re.compile('[<>:"/\\\\|?*]')
# Control characters, line separators, halves of characters, marks that turn the direction of writing, and what has no
# width and comes along when a name is copied from a page. Joiners, which emoji and some languages need, are seen.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_BLANK = ("Z", "C", "M")
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"
}


def folder_name(name: str, thing: str) -> str:
    """The name of the folder of a `thing` ("project", "run") from the name that a person typed.

    Blanks at its ends are removed, and accents are composed. Raises `ArgumentError` for a name that some operating
    system cannot store; Windows counts too, because folders are copied between computers.

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
    """A valid name of a folder, close to a text and at most 80 characters long.

    >>> safe("a/b: cells?"), safe("con")
    ('a-b- cells', 'con-project')
    """
    name = re.sub(r"[^\w .-]+", "-", unicodedata.normalize("NFC", wanted))[:80].strip(" .-") or otherwise
    name = name.encode(errors="ignore")[:MOST_BYTES].decode(errors="ignore")
    return f"{name}-{otherwise}" if _obstacle(name) else name


def proposed(name: str, more: str = "") -> str:
    """A valid name to propose, made of the name of a folder (valid or not) and `more`."""
    try:
        return folder_name(f"{name}{more}", "project")
    except ArgumentError:
        return f"{safe(name)}{more}"


def _obstacle(name: str) -> str | None:
    if name[0] in ".-":
        return f'it begins with "{name[0]}"'
    if name.endswith("."):
        return 'it ends with "."'
    if found := _FORBIDDEN.search(name):
        return f"it holds {found.group()}"
    if _UNSEEN.search(name):
        return "it holds a character that cannot be seen"
    if name.partition(".")[0].strip().casefold() in _RESERVED:
        return "Windows keeps it for a device"
    return None
