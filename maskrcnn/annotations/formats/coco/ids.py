"""Ids of a COCO file, which programs write as numbers or as strings: `"0"` is image 0, and 3.0 is 3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Generic, TypeVar

from maskrcnn.annotations.formats.json_values import (
    Complaint,
    Json,
    as_whole_number,
    brief,
    text,
)

T = TypeVar("T")

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,17}))(?:\.0+)?")


def id_of(holder: Json, key: str, complain: Complaint) -> int | str:
    """Return the id under `key` as it is written, except that 3.0 becomes 3. Raises `StudioError` if it is not an
    id."""
    value = as_whole_number(holder.get(key))
    if isinstance(value, str):
        return text(value, f'"{key}"', complain)
    if isinstance(value, bool) or not isinstance(value, int):
        raise complain(f'has {brief(value)} as "{key}", which is no id')
    return value


def _normalised_id(written: Any) -> int | str:
    """Return the id as a number if it is numeric in any spelling (`"0"`, 3.0), else as a string."""
    if isinstance(written, str):
        found = _WHOLE.fullmatch(written.strip())
        return int(found[1]) if found else written
    normalised: int | str = as_whole_number(written)
    return normalised


class ByCocoId(Generic[T]):
    """A mapping of ids of a COCO file to values, in order of insertion. An id is found in either spelling (number or
    string); the spelling of the entry is kept."""

    def __init__(self, entries: Iterable[tuple[int | str, T]] = ()) -> None:
        self._own: dict[int | str, int | str] = {}
        self._values: dict[int | str, T] = {}
        for written, value in entries:
            self[written] = value

    def require_new(self, written: int | str, what: str, complain: Complaint) -> None:
        """Raise `StudioError` if the id exists already, in either spelling: it would be unclear which entry an
        annotation refers to."""
        other = self._own.get(_normalised_id(written))
        if other is None:
            return
        if other == written:
            raise complain(f"has the id {brief(written)} of {what} before it")
        raise complain(f"has the id {brief(written)}, and {what} before it has {brief(other)}; make them differ")

    def __setitem__(self, written: int | str, value: T) -> None:
        self._own[_normalised_id(written)] = written
        self._values[_normalised_id(written)] = value

    def __getitem__(self, written: Any) -> T:
        return self._values[_normalised_id(written)]

    def __contains__(self, written: object) -> bool:
        return _normalised_id(written) in self._values

    def __iter__(self) -> Iterator[int | str]:
        return iter(self._own.values())

    def spelling_of_entry(self, written: int | str) -> int | str:
        """Return the id as it was inserted: 7 for `"7"` if the mapping has the number."""
        return self._own[_normalised_id(written)]

    def values(self) -> Iterable[T]:
        """Return the values, in order of insertion."""
        return self._values.values()

    def items(self) -> Iterable[tuple[int | str, T]]:
        """Return the pairs (id, value), in order of insertion. The ids are in the spelling of their entries."""
        return zip(self._own.values(), self._values.values(), strict=True)

    def in_order(self) -> ByCocoId[T]:
        """Return a copy in order of the ids, numbers before strings."""
        ordered = sorted(self._values, key=lambda normalised: (isinstance(normalised, str), normalised))
        return ByCocoId((self._own[normalised], self._values[normalised]) for normalised in ordered)


_LARGEST_ID = 2**53
"""Largest whole number that every JSON reader keeps exact."""


def ids_to_write(given: Sequence[Any], from_1: bool, as_they_are: bool = False) -> list[int | str]:
    """Return a COCO id for each entry. The first of these rules that applies is used:

    1. with `from_1`: 1, 2, 3, ...
    2. with `as_they_are`: the given ids, of any type, if every entry has one and no two are equal;
    3. the given ids, if all are strings and no two are equal;
    4. each given whole number that no earlier entry has, and a new number above all others for every other entry.

    Rule 4 replaces strings, because numbers and strings together have no order.
    """
    if from_1:
        return list(range(1, len(given) + 1))
    if as_they_are and None not in given and len(set(given)) == len(given):
        return list(given)
    if given and all(isinstance(value, str) for value in given) and len(set(given)) == len(given):
        return list(given)
    usable = [value if type(value) is int and abs(value) < _LARGEST_ID else None for value in given]
    fresh = count(max([0, *(value for value in usable if value is not None)]) + 1)
    taken: set[int] = set()
    ids: list[int | str] = []
    for value in usable:
        chosen = next(fresh) if value is None or value in taken else value
        taken.add(chosen)
        ids.append(chosen)
    return ids


def are_same_coco_entry(one: Json, other: Json, keys: tuple[str, ...]) -> bool:
    """Whether two entries of a COCO file with the same id are equal in the fields `keys`. Other fields, such as colours
    and dates, are ignored."""
    return all(one.get(key) == other.get(key) for key in keys)
