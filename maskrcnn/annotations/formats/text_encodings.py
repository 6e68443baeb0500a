"""Decode the bytes of a label file: UTF-8, or UTF-16 and UTF-32, which PowerShell and Excel write."""

from __future__ import annotations

import codecs
from pathlib import Path

from maskrcnn.annotations.formats.unsupported_formats import unsupported_binary
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, because this mark begins with the UTF-16 mark
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order mark -> encoding."""


def decoded_beginning(content: bytes) -> str:
    """Return the decoded beginning of any file. Bytes that are not text become U+FFFD."""
    encoding, start = next(((name, len(mark)) for mark, name in _MARKS if content.startswith(mark)), ("", 0))
    text = content[start:].decode(encoding or _encoding_without_mark(content), "replace")
    return text[:-1] if text.endswith("\ufffd") else text  # the last character may be incomplete


def decoded_text(content: bytes, source: Path | str) -> str:
    """Return the text of a label file, without its byte order mark.

    Raises `StudioError` for a binary file, with its kind if its first bytes are known, and for text that is not UTF-8,
    with the place of the first invalid byte.
    """
    encoding, start = next(((name, len(mark)) for mark, name in _MARKS if content.startswith(mark)), ("", 0))
    known = unsupported_binary(content) if not start else None
    if known and b"\0" in content[:4096]:
        raise StudioError(f"{source}: this is not text, so no label file, but {known}")
    encoding = encoding or _encoding_without_mark(content)
    _require_no_zeros(content, encoding, source)
    try:
        return str(memoryview(content)[start:], encoding).lstrip("\ufeff")  # two concatenated files have two marks
    except UnicodeDecodeError as error:
        content = content[start:]
        if known:
            raise StudioError(f"{source}: this is not text, so no label file, but {known}") from None
        if error.end >= len(content) and ("end of data" in error.reason or "truncated" in error.reason):
            raise _cut_off_text_error(
                content[: error.start].decode(encoding), source, "in the middle of a character"
            ) from None
        if encoding != "utf-8":
            raise StudioError(f"{source}: this is damaged {encoding[:6].upper()} text; save it as UTF-8") from None
        if b"\0" in content[:4096] or _is_no_text(content[error.start : error.start + 200]):
            raise StudioError(
                f"{source}: this is not text, so no label file; expected VIA, COCO, labelme, YOLO or mask files"
            ) from None
        raise _not_utf8_error(content, error.start, source) from None


def _require_no_zeros(content: bytes, encoding: str, source: Path | str) -> None:
    """Raise `StudioError` if a text ends in zero bytes, as after a crash or an interrupted copy."""
    if not content.endswith(bytes(8)):
        return
    text = content.rstrip(b"\0")
    if not text:
        raise StudioError(f"{source}: the file holds nothing but zeros ({byte_size(len(content))}); copy it again")
    before = text.decode(encoding, "replace")
    if "\0" not in before:  # otherwise it is not text
        raise _cut_off_text_error(before, source, "with nothing but zeros after it")


def _cut_off_text_error(before: str, source: Path | str, why: str) -> StudioError:
    """Return the error for a text whose bytes end too early, as after an interrupted download; `before` is the text up
    to this place."""
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return StudioError(
        f"{source}: the file is cut off at line {line}, column {column}, {why}; copy or download it again"
    )


def _encoding_without_mark(content: bytes) -> str:
    """Return the encoding of a text without byte order mark. JSON begins with an ASCII character, so the position of
    zero bytes shows the character width."""
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


def _is_no_text(part: bytes) -> bool:
    """Whether bytes are no text in any Latin encoding: they have control characters, or are more than 8 and mostly
    non-ASCII."""
    n_non_ascii = sum(byte >= 0x80 for byte in part)
    has_control_character = any(byte < 9 or 13 < byte < 32 for byte in part)
    return has_control_character or (len(part) > 8 and n_non_ascii > len(part) / 2)


def _not_utf8_error(content: bytes, at: int, source: Path | str) -> StudioError:
    """Return the error for the invalid byte at `at`, with its line and column and its Windows-1252 character."""
    before = content[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    byte = content[at : at + 1]
    shown = byte.decode("cp1252", "replace")
    as_1252 = f', in Windows-1252 "{shown}"' if shown.isprintable() and shown != "\N{REPLACEMENT CHARACTER}" else ""
    return StudioError(
        f"{source}: line {line}, column {column}: the byte 0x{byte.hex()} is not UTF-8{as_1252}; save the file as UTF-8"
    )
