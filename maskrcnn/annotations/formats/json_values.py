"""Checked access to the values of a JSON document from an unknown source; errors name the file and the place."""

from __future__ import annotations

import math
import re
from typing import Any

from maskrcnn.annotations.regions import MOST_REGIONS
from maskrcnn.errors import StudioError

FARTHEST = 1_000_000
"""Coordinates beyond this cannot be pixels; the rasteriser's memory grows with the length of an outline."""

DEEPEST = 64
"""How deep an attribute may be nested."""

_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\s*")
_LONGEST_NUMBER = 40

Json = dict[str, Any]


class Complaint:
    """Makes the errors about one place of a file.

    >>> str(Complaint("a.json", 'region 3 of "a.jpg"', "remove it")("has no shape"))
    'a.json: region 3 of "a.jpg" has no shape; remove it'
    """

    def __init__(self, source: str, place: str, mend: str) -> None:
        self.source, self.place, self.mend = source, place, mend

    def __call__(self, wrong: str) -> StudioError:
        return StudioError(f"{self.source}: {self.place} {wrong}; {self.mend}")

    def at(self, place: str) -> Complaint:
        """The same file, another place."""
        return Complaint(self.source, place, self.mend)


def number(holder: Json, key: str, complain: Complaint) -> float:
    """A finite number of pixels, as it was written (an int stays an int)."""
    if key not in holder:
        raise complain(f'has no "{key}"')
    return coordinate(holder[key], key, complain)


def coordinate(value: Any, key: str, complain: Complaint) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise complain(f'has {brief(value)} as "{key}", not a number')
    if not -FARTHEST <= value <= FARTHEST:  # also true of NaN
        raise complain(f'has {brief(value)} as "{key}", which is no place in a picture')
    return value


def as_id(value: Any) -> Any:
    """3 for 3.0, which spreadsheets write for whole numbers; any other value unchanged.

    >>> as_id(3.0), as_id(3.5), as_id("3")
    (3, 3.5, '3')
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


def length(holder: Json, key: str, complain: Complaint) -> float:
    """A number of pixels that is not negative."""
    value = number(holder, key, complain)
    if value < 0:
        raise complain(f'has a negative "{key}" ({brief(value)})')
    return value


def as_number(value: Any) -> Any:
    """A number for a text that is one, as many programs write them; everything else as it is."""
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return value


def numbers(holder: Json, key: str, complain: Complaint) -> list[float]:
    """The list of numbers of pixels under `key`, as it was written."""
    values = holder.get(key)
    if not isinstance(values, list):
        raise complain(f'has no list "{key}"')
    if not _are_coordinates(values):
        for value in values:  # names the first that is none
            coordinate(value, key, complain)
    return values


def _are_coordinates(values: list[Any]) -> bool:
    """Whether `coordinate` passes every value; a few passes in C, as a large file has millions."""
    if not values:
        return True
    if not {int, float}.issuperset(map(type, values)):
        return False
    # Neither min nor max need see a NaN, but a sum does, and cannot overflow once all the others are within bounds.
    return min(values) >= -FARTHEST and max(values) <= FARTHEST and not math.isnan(sum(values))


def plain(value: Any, what: str, complain: Complaint) -> Any:
    """A value that is kept and written back uninterpreted: not nested so deep that writing it would fail."""
    if is_too_deep(value):
        raise complain(f"has {what} nested more than {DEEPEST} deep")
    return value


def is_too_deep(value: Any) -> bool:
    """Whether a value is nested deeper than what is kept. Measured level by level, without recursion."""
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
    """Refuse a picture with more regions than the studio can show and save, before the first of them is made."""
    if count > MOST_REGIONS:
        raise complain(f"has more than {MOST_REGIONS} regions, which is the most for one picture")


def text(value: Any, what: str, complain: Complaint) -> str:
    """A string that can be written to a file and a terminal."""
    if not isinstance(value, str):
        raise complain(f"has {brief(value)} as {what}, not a text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise complain(f"has a broken character in its {what}") from None
    return value


def mapping(value: Any, what: str, complain: Complaint) -> Json:
    if not isinstance(value, dict):
        raise complain(f"has {brief(value)} as {what}, not an object in braces")
    return value


def brief(value: Any, longest: int = 40) -> str:
    """A value, short enough for one line of a message."""
    if isinstance(value, dict | list):
        return f"a {'list' if isinstance(value, list) else 'group'} of {len(value)}"
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number of many digits"
    if isinstance(value, str):
        value = value if len(value) <= longest else value[: longest - 5] + "..."
        return f'"{value}"'.encode("utf-8", "replace").decode("utf-8")
    shown = repr(value)
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."
