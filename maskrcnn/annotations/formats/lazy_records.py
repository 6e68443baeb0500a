"""The pictures of a large label file as lazy records: each record is created when it is accessed.

10,000 pictures with ten polygons each have three million vertices. They take 500 MB as Python tuples, but 60 MB as JSON
text. So only the text is kept, with the position of each picture in it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from maskrcnn.annotations.dataset import ImageRecord

Change = Callable[[ImageRecord], ImageRecord]

_decode = json.JSONDecoder().raw_decode


class LazyRecords(Sequence[ImageRecord]):
    """A sequence of lazy records. It equals a tuple of the same records.

    A record is created at each access; only the last one is cached. `tally` is the count of the regions' attributes
    from the first pass over the file. `file_names` are the file names of all records.
    """

    tally: object = None
    file_names: Sequence[str]

    def __init__(self) -> None:
        self._last: tuple[int, ImageRecord] | None = None

    def create_record(self, index: int) -> ImageRecord:
        """Return a new record for picture number `index`, from 0. Called at each access to a record."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ImageRecord, ...]: ...
    def __getitem__(self, index: int | slice) -> ImageRecord | tuple[ImageRecord, ...]:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        place = range(len(self))[index]
        last = self._last
        if last is None or last[0] != place:
            last = (place, self.create_record(place))
            self._last = last
        return last[1]

    def __iter__(self) -> Iterator[ImageRecord]:
        return map(self.create_record, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | LazyRecords):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} records, made on demand>"


class LazyJsonRecords(LazyRecords):
    """Lazy records whose JSON begins at `starts[i]` in `text`. `record(i, parsed)` creates the record of the parsed
    JSON."""

    def __init__(
        self,
        text: str,
        starts: array[int],
        record: Callable[[int, Any], ImageRecord],
        file_names: Sequence[str],
        tally: object,
    ) -> None:
        super().__init__()
        self._text, self._starts, self._record = text, starts, record
        self.file_names, self.tally = file_names, tally

    def __len__(self) -> int:
        return len(self._starts)

    def create_record(self, index: int) -> ImageRecord:
        """Return a new lazy record of picture number `index`, parsed from its place in the JSON text."""
        parsed, _ = _decode(self._text, self._starts[index])
        return self._record(index, parsed)


class LazyChangedRecords(LazyRecords):
    """Lazy records of another sequence, each with `change` applied when it is accessed."""

    def __init__(self, records: LazyRecords, change: Callable[[int, ImageRecord], ImageRecord]) -> None:
        super().__init__()
        self._records, self._change = records, change
        self.file_names = records.file_names

    def __len__(self) -> int:
        return len(self._records)

    def create_record(self, index: int) -> ImageRecord:
        """Return the changed record of picture number `index`."""
        return self._change(index, self._records.create_record(index))


def change_each(records: Sequence[ImageRecord], change: Change) -> Sequence[ImageRecord]:
    """Return the records with `change` applied to each: a tuple for a tuple, lazy records for lazy records.

    `change` must be deterministic and must not change file names.
    """
    if isinstance(records, LazyRecords):
        return LazyChangedRecords(records, lambda _, record: change(record))
    return tuple(change(record) for record in records)


def file_names_of(records: Sequence[ImageRecord]) -> Sequence[str]:
    """Return the file names of all records, without creating lazy records."""
    return records.file_names if isinstance(records, LazyRecords) else [record.file_name for record in records]


def with_paths(records: Sequence[ImageRecord], paths: Sequence[Path | None]) -> Sequence[ImageRecord]:
    """Return the records with these paths, one for each record."""
    if not isinstance(records, LazyRecords):
        return tuple(_record_with_path(record, path) for record, path in zip(records, paths, strict=True))
    found = LazyChangedRecords(records, _PathSetter(paths))
    found.tally = records.tally
    return found


@dataclass(frozen=True)
class _PathSetter:
    """Sets the path of each record; a callable, so that lazy records can apply it later."""

    paths: Sequence[Path | None]

    def __call__(self, index: int, record: ImageRecord) -> ImageRecord:
        return _record_with_path(record, self.paths[index])


def _record_with_path(record: ImageRecord, path: Path | None) -> ImageRecord:
    """Return a record, lazy or not, with the path of its picture file."""
    return record if record.path == path else replace(record, path=path)
