"""Checked access to values of an untrusted JSON document. Errors name the file and the place."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from maskrcnn.annotations.regions import MOST_REGIONS
from maskrcnn.errors import StudioError
from maskrcnn.words import brief

FARTHEST = 1_000_000
"""Largest accepted coordinate, in pixels. The rasteriser's memory grows with the length of an outline."""

LARGEST_SIDE = 100_000
"""Maximum width and height of a picture or mask, in pixels."""

DEEPEST = 64
"""Maximum nesting depth of an attribute."""

_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\s*")
_LONGEST_NUMBER = 40

Json = dict[str, Any]


class Complaint:
    """Creates the errors about one place in a file.

    >>> str(Complaint("a.json", 'region 3 of "a.jpg"', "remove it")("has no shape"))
    'a.json: region 3 of "a.jpg" has no shape; remove it'
    """

    def __init__(self, source: str, place: str, mend: str) -> None:
        self.source, self.place, self.mend = source, place, mend

    def __call__(self, wrong: str) -> StudioError:
        """Return the error: file, place, what is wrong, and how to fix it."""
        return StudioError(f"{self.source}: {self.place} {wrong}; {self.mend}")

    def at(self, place: str) -> Complaint:
        """Return a Complaint for another place in the same file."""
        return Complaint(self.source, place, self.mend)


def number(holder: Json, key: str, complain: Complaint) -> float:
    """Return the finite number of pixels under `key`, unchanged (an int stays an int). Raises `StudioError`
    otherwise."""
    if key not in holder:
        raise complain(f'has no "{key}"')
    return coordinate(holder[key], key, complain)


def coordinate(value: Any, key: str, complain: Complaint) -> float:
    """Return the value if it is a finite number within `FARTHEST`. Raises `StudioError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise complain(f'has {brief(value)} as "{key}", not a number')
    if not -FARTHEST <= value <= FARTHEST:  # also true of NaN
        raise complain(f'has {brief(value)} as "{key}", which is no place in a picture')
    return value


def as_whole_number(value: Any) -> Any:
    """Return the JSON value 3.0 as 3, because spreadsheets write whole numbers so. Any other value is returned
    unchanged.

    >>> as_whole_number(3.0), as_whole_number(3.5), as_whole_number("3")
    (3, 3.5, '3')
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


def picture_side(value: Any) -> int | None:
    """Return the width or height of a picture in a label file as a number of pixels; None if it is unknown or no valid
    size.

    >>> picture_side("640"), picture_side(480.0), picture_side(-1)
    (640, 480, None)
    """
    side = as_whole_number(as_number(value))
    return side if type(side) is int and 0 < side < LARGEST_SIDE else None


def length(holder: Json, key: str, complain: Complaint) -> float:
    """Return the number of pixels under `key`. Raises `StudioError` if it is negative or not a number."""
    value = number(holder, key, complain)
    if value < 0:
        raise complain(f'has a negative "{key}" ({brief(value)})')
    return value


def as_number(value: Any) -> Any:
    """Return a numeric string as a number, because many programs write numbers as strings. Any other value is returned
    unchanged."""
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return value


def numbers(holder: Json, key: str, complain: Complaint) -> list[float]:
    """Return the list of pixel numbers under `key`, unchanged. Raises `StudioError` for the first value that is not
    one."""
    values = holder.get(key)
    if not isinstance(values, list):
        raise complain(f'has no list "{key}"')
    if not _are_coordinates(values):
        for value in values:  # raises for the first value that is not a number
            coordinate(value, key, complain)
    return values


def _are_coordinates(values: list[Any]) -> bool:
    """Whether `coordinate` accepts every value. Uses a few passes in C, because a large file has millions of values."""
    if not values:
        return True
    if not {int, float}.issuperset(map(type, values)):
        return False
    # min and max can miss a NaN, but the sum cannot. The sum cannot overflow if all other values are within bounds.
    return min(values) >= -FARTHEST and max(values) <= FARTHEST and not math.isnan(sum(values))


def checked_depth(value: Any, what: str, complain: Complaint) -> Any:
    """Return a value that is stored and written back without interpretation. Raises `StudioError` if it is nested too
    deeply to be written."""
    if is_too_deep(value):
        raise complain(f"has {what} nested more than {DEEPEST} deep")
    return value


def is_too_deep(value: Any) -> bool:
    """Whether a value is nested more than `DEEPEST` levels. Checked level by level, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for holder in level
            if isinstance(holder, dict | list)
            for inner in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def require_few_regions(count: int, complain: Complaint) -> None:
    """Check the length of a JSON list of regions, or of what other formats have instead, before any region is created.
    Raises `StudioError` if one picture has more than the studio can show and save."""
    if count > MOST_REGIONS:
        raise complain(f"has more than {MOST_REGIONS} regions, which is the most for one picture")


def text(value: Any, what: str, complain: Complaint) -> str:
    """Return the value if it is a string that can be written to a file and a terminal. Raises `StudioError`
    otherwise."""
    if not isinstance(value, str):
        raise complain(f"has {brief(value)} as {what}, not a text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise complain(f"has a broken character in its {what}") from None
    return value


def mapping(value: Any, what: str, complain: Complaint) -> Json:
    """Return the value if it is a JSON object. Raises `StudioError` otherwise."""
    if not isinstance(value, dict):
        raise complain(f"has {brief(value)} as {what}, not an object in braces")
    return value


def json_bytes(document: Any, source: object) -> bytes:
    """Return a JSON document as bytes. Raises `StudioError` that names `source` if JSON cannot hold the document."""
    try:
        return json.dumps(document, allow_nan=False).encode() + b"\n"
    except (ValueError, TypeError, RecursionError):
        raise StudioError(f"{source}: an attribute holds what JSON cannot; remove it") from None
