"""Taking values out of a JSON document that anybody may have written: each is checked, complaints name the file."""

from __future__ import annotations

from typing import Any

from maskrcnn.errors import StudioError

FARTHEST = 1_000_000
"""Coordinates beyond this cannot be pixels; the rasteriser's memory grows with the length of an outline."""

Json = dict[str, Any]


class Complaint:
    """Where in which file a value stands, for the message if it is wrong: `Complaint(file, 'region 3 of "a.jpg"')`."""

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


def length(holder: Json, key: str, complain: Complaint) -> float:
    """A number of pixels that is not negative."""
    value = number(holder, key, complain)
    if value < 0:
        raise complain(f'has a negative "{key}" ({brief(value)})')
    return value


def numbers(holder: Json, key: str, complain: Complaint) -> list[float]:
    values = holder.get(key)
    if not isinstance(values, list):
        raise complain(f'has no list "{key}"')
    return [coordinate(value, key, complain) for value in values]


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


def brief(value: Any) -> str:
    """A value, short enough for one line of a message."""
    if isinstance(value, dict | list):
        return f"a {'list' if isinstance(value, list) else 'group'} of {len(value)}"
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number of many digits"
    shown = repr(value) if not isinstance(value, str) else f'"{value}"'.encode("utf-8", "replace").decode("utf-8")
    return shown if len(shown) <= 40 else shown[:37] + "..."
