"""The bytes of a label file as text: UTF-8, or UTF-16 and UTF-32 as PowerShell and Excel save them."""

from __future__ import annotations

import codecs
from pathlib import Path

from maskrcnn.errors import StudioError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""What a text may begin with -> its encoding."""

_BINARY = (
    (b"PK\x03\x04", "a zip; unpack it, or import the zip under Dataset"),
    (b"\x1f\x8b", "packed by gzip; unpack it first"),
    (b"Rar!", "a rar archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"\x89PNG", "a PNG picture; name the file with its labels"),
    (b"\xff\xd8\xff", "a JPEG picture; name the file with its labels"),
    (b"GIF8", "a GIF picture; name the file with its labels"),
    (b"%PDF", "a PDF document; name the file with the labels"),
    (b"SQLite format 3\x00", "a database; name the project's folder instead"),
    (b"\x93NUMPY", "a NumPy array; save the labels as COCO"),
    (b"\x89HDF", "an HDF5 file, such as the weights of a network; name the file with the labels"),
    (b"\x80\x02", "a Python pickle; save the labels as COCO"),
    (b"\x80\x04", "a Python pickle; save the labels as COCO"),
)
"""What files of other kinds begin with -> what they are, and what to do."""


def decoded(content: bytes, source: Path | str) -> str:
    """The text of a label file, without its byte order mark.

    Raises `StudioError` for a file that is no text, naming what it is where its beginning tells, and for a text that is
    not UTF-8, with the place of the first byte that is not.
    """
    encoding, start = next(((name, len(mark)) for mark, name in _MARKS if content.startswith(mark)), ("", 0))
    encoding = encoding or _without_mark(content)
    try:
        return str(memoryview(content)[start:], encoding).lstrip("\ufeff")  # put together of two files, it has two
    except UnicodeDecodeError as error:
        for beginning, words in _BINARY:
            if content.startswith(beginning):
                raise StudioError(f"{source}: this is not text, so no label file, but {words}") from None
        if encoding != "utf-8":
            raise StudioError(f"{source}: this is damaged {encoding[:6].upper()} text; save it as UTF-8") from None
        if b"\0" in content[:4096] or _is_noise(content[error.start : error.start + 200]):
            raise StudioError(
                f"{source}: this is not text, so no label file; expected VIA, COCO, labelme, YOLO or mask files"
            ) from None
        raise _not_utf8(content, error.start, source) from None


def _without_mark(content: bytes) -> str:
    """The encoding of a text that does not say: JSON begins with an ASCII character, so zeros tell its width."""
    match [byte == 0 for byte in content[:4]]:
        case [False, True, True, True]:
            return "utf-32-le"
        case [True, True, True, False]:
            return "utf-32-be"
        case [False, True, False, True]:
            return "utf-16-le"
        case [True, False, True, False]:
            return "utf-16-be"
    return "utf-8"


def _is_noise(part: bytes) -> bool:
    """Whether bytes are no text in any Latin encoding either: control characters, or mostly outside of ASCII."""
    outside = sum(byte >= 0x80 for byte in part)
    return any(byte < 9 or 13 < byte < 32 for byte in part) or outside > len(part) / 2 > 4


def _not_utf8(content: bytes, at: int, source: Path | str) -> StudioError:
    before = content[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    byte = content[at : at + 1]
    shown = byte.decode("cp1252", "replace")
    meant = f', in Windows-1252 "{shown}"' if shown.isprintable() and shown != "\N{REPLACEMENT CHARACTER}" else ""
    return StudioError(
        f"{source}: line {line}, column {column}: the byte 0x{byte.hex()} is not UTF-8{meant}; save the file as UTF-8"
    )
