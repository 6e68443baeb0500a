"""Error messages for text that is not JSON: the place, an excerpt, and the actual mistake.

A label file is often one line of a million characters. It is damaged by an editor, by an interrupted download, or by a
program that writes Python or JavaScript instead of JSON.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats import unsupported_formats
from maskrcnn.annotations.formats.format_interface import Source
from maskrcnn.errors import StudioError
from maskrcnn.words import one_line

EXPECTED = "expected VIA, COCO, labelme, YOLO or mask files"

_AROUND = 16
"""Number of characters shown on each side of the place."""

_BLANK = " \t\r\n"
_NUMBER_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|-?\b(?:NaN|Infinity)\b')
_SCRIPT = re.compile(
    r"\s*(?:(?:export\s+default|(?:export\s+)?(?:var|let|const)\s+[\w$]+\s*=|[\w$.]+\s*=)|[\w$.]+\s*\()\s*"
)
_LINE_WITH_BRACKET = re.compile(r"\n[ \t]*[{\[]")
"""The beginning of a line with an opening bracket, where a document may begin."""
_COMMENTS = ("//", "/*", "#")
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity", "-")


def json_mistake(text: str, error: json.JSONDecodeError, source: Path | str) -> StudioError:
    """Return the error for text that is not JSON, based on the position at which the parser stopped."""
    if not text.strip():
        return StudioError(f"{source}: not JSON: the file is empty; {EXPECTED}")
    at = error.pos
    first = text.lstrip(_BLANK)[0]
    stopped_at_start = not text[:at].strip(_BLANK)
    # A complete JSON value, then other text.
    begins_with_number_or_word = error.msg == "Extra data" and first not in "{["
    if stopped_at_start or begins_with_number_or_word:
        if known := unsupported_formats.unsupported_text(text) or unsupported_formats.unsupported_table(text):
            return StudioError(f"{source}: not JSON: this is {known}")
        if script := _SCRIPT.match(text):
            found = script[0].strip()
            return StudioError(
                f"{source}: not JSON but JavaScript: it begins with `{_excerpt(found, 40)}`; keep only what is "
                "between the outer braces"
            )
        if (
            (bracket := _LINE_WITH_BRACKET.search(text))
            and first not in "{["
            and not text.lstrip().startswith(_COMMENTS)
        ):
            shown, place = _excerpt(text.lstrip().splitlines()[0][:30]), _line_and_column(text, bracket.end() - 1)
            return StudioError(
                f'{source}: not JSON: it begins with "{shown}", and the document at {place}; '
                "take out what stands before it"
            )
        if first.isalnum():
            return StudioError(f'{source}: not JSON: it begins with "{_excerpt(text.lstrip()[:30])}"; {EXPECTED}')
    if _is_cut_off(text, error):
        return StudioError(
            f"{source}: not JSON: the file is cut off at {_line_and_column(text, len(text.rstrip()))}, after "
            f"`{_excerpt(text.rstrip()[-2 * _AROUND :])}`; copy or download it again, or add what is missing"
        )
    if error.msg == "Extra data":
        return _text_after_the_end(text, at, source)
    return _error_at(text, at, _mistake_in_words(text, error), source)


def not_a_json_number(text: str, word: str, source: Path | str) -> StudioError:
    """Return the error for NaN or Infinity (`word`), which Python writes but JSON does not allow."""
    found = next((found for found in _NUMBER_WORD.finditer(text) if found[0] == word), None)
    if found is None:
        return StudioError(f"{source}: not JSON: {word} is no JSON number; {EXPECTED}")
    return _error_at(text, found.start(), f"{word} is no JSON number", source)


def _is_cut_off(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the text is valid JSON up to its end, but ends too early."""
    rest = text[error.pos :].strip(_BLANK)
    if error.msg == "Extra data":
        return False
    if not rest or error.msg.startswith("Unterminated string"):
        return True
    is_half_value = any(word.startswith(rest) and word != rest for word in _WORDS) or rest in (".", "e", "E")
    # The text ends in a string, within an escape sequence such as \u00e4 or just after it.
    is_half_escape = error.msg.startswith("Invalid \\") and len(rest) < 8 and '"' not in rest
    return is_half_value or is_half_escape


def _text_after_the_end(text: str, at: int, source: Path | str) -> StudioError:
    """Return the error for text after the end of the document."""
    rest = text[at:].lstrip(_BLANK)
    at = len(text) - len(rest)
    if rest[0] in "{[":
        try:
            known = unsupported_formats.unsupported_document(json.loads(text[:at]))
        except ValueError:
            known = None
        if known:
            return StudioError(f"{source}: this is {known}")
        return _error_at(text, at, "a second document begins", source, "split the file, or put both into one")
    if second := re.match(r",\s*(?=[{\[])", rest):
        return _error_at(
            text, at + second.end(), "a second document begins", source, "split the file, or put both into one"
        )
    if rest.startswith(_COMMENTS):
        return _error_at(text, at, "a comment, which JSON does not know", source)
    if rest[0] in "}],":
        return _error_at(text, at, f"one {_closer_before(text, at)} too many closes the document here", source)
    return _error_at(text, at, "the document is at its end, and something follows", source)


def _closer_before(text: str, at: int) -> str:
    """Return the closing bracket before `at`, in quotes; the character at `at` if there is none."""
    before = text[:at].rstrip(_BLANK)[-1:]
    return f'"{before if before in ("}", "]") else text[at]}"'


def _mistake_in_words(text: str, error: json.JSONDecodeError) -> str:
    """Return a description of the mistake at the position where the parser stopped."""
    at = error.pos
    here, before = text[at : at + 1], text[:at].rstrip(_BLANK)[-1:]
    if error.msg.startswith("Expecting") or "trailing comma" in error.msg:
        if before == "," and here in "}]":
            return f'a comma before "{here}"'
        if here == ",":
            return "a comma that follows nothing" if before in ",[{" else "a value is missing before the comma"
        if here == "'":
            return "single quotes, where JSON has double ones (Python's json.dump writes those)"
        if here in "\u201c\u201d\u201e\u2018\u2019":
            return 'typographic quotes, where JSON has "plain" ones'
        if text.startswith(_COMMENTS, at):
            return "a comment, which JSON does not know"
        if found := re.compile(r"(True|False|None|undefined|nan|inf)\b").match(text, at):
            return f"the word {found[0]}, where JSON has numbers, true, false or null"
    match error.msg.split(" ")[:2]:
        case ["Expecting", "','"]:
            if here in "}]":
                return f'"{here}" closes what "{"[" if here == "}" else "{"}" opened'
            return "a comma is missing, or quotes inside a text"
        case ["Expecting", "':'"]:
            return "a colon is missing"
        case ["Expecting", "property"]:
            return "a name without quotes" if here.isalnum() or here in "_$" else "a name in quotes is missing"
        case ["Expecting", "value"]:
            return "a value is missing" if here in "}]:" else "this is no value"
        case ["Invalid", "control"]:
            return "a line break or a tab inside a text"
        case ["Invalid", _] if "escape" in error.msg:
            return r"a single \ inside a text, where JSON has \\"
    return one_line(error.msg)


def _error_at(
    text: str, at: int, blame: str, source: Path | str, mend: str = "mend it there, or export it again"
) -> StudioError:
    """Return the error for the mistake `blame` at position `at`, with an excerpt of the text around it."""
    start, end = max(0, at - _AROUND), at + _AROUND
    shown = _excerpt(text[start:end])
    dots = ("..." if start else "", "..." if end < len(text) else "")
    return StudioError(
        f"{source}: not JSON: {_line_and_column(text, at)}: {blame}, in `{dots[0]}{shown}{dots[1]}`; {mend}"
    )


def _line_and_column(text: str, at: int) -> str:
    """Return line and column as text, both counted from 1."""
    return f"line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def _excerpt(part: str, most: int = 2 * _AROUND) -> str:
    """Return a part of the text for a message: on one line, without backquotes."""
    return "".join(char if char.isprintable() else " " for char in one_line(part[:most])).replace("`", "'")


def parsed_json(text: str, source: Source) -> Any:
    """Return the parsed JSON text. Raises `StudioError` that explains the mistake in it."""
    with explained_json_errors(text, source):
        return json.loads(text, parse_constant=refuse_constant)


@contextlib.contextmanager
def explained_json_errors(text: str, source: Source) -> Iterator[None]:
    """Convert errors of the JSON parser to `StudioError` with a clear message."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise json_mistake(text, error, source) from None
    except RecursionError:
        raise StudioError(f"{source}: the JSON is nested too deep to be a label file; {EXPECTED}") from None
    except _NotAJsonNumber as error:
        raise not_a_json_number(text, str(error), source) from None
    except ValueError as error:
        raise StudioError(f"{source}: not JSON ({error}); {EXPECTED}") from None


class _NotAJsonNumber(ValueError):
    """Raised for NaN and Infinity, which JSON does not allow."""


def refuse_constant(constant: str) -> Any:
    """Raise the JSON mistake for NaN or Infinity; called by the JSON parser. `explained_json_errors` converts it to a
    message."""
    raise _NotAJsonNumber(constant)
