"""Pictures of a large label file, made into records when they are asked for.

Ten thousand pictures of ten polygons are three million vertices: as Python tuples half a gigabyte, as the text they
were read from 60 MB. So the text is kept, and where in it each picture stands.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from maskrcnn.annotations.regions import ImageRecord

Change = Callable[[ImageRecord], ImageRecord]

_decode = json.JSONDecoder().raw_decode


class Records(Sequence[ImageRecord]):
    """Records that are made on demand, each time anew (the last one is kept); equal to a tuple of the same records.

    `tally` is what the regions' attributes said when the file was read, `file_names` are those of all the records.
    """

    tally: object = None
    file_names: Sequence[str]

    def __init__(self) -> None:
        self._last: tuple[int, ImageRecord] | None = None

    def made(self, index: int) -> ImageRecord:
        """Record number `index`, from 0."""
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
            last = (place, self.made(place))
            self._last = last
        return last[1]

    def __iter__(self) -> Iterator[ImageRecord]:
        return map(self.made, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | Records):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} records, made on demand>"


class TextRecords(Records):
    """Records whose JSON stands in `text`, from `starts[i]`; `record(i, parsed)` makes one of it."""

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

    def made(self, index: int) -> ImageRecord:
        parsed, _ = _decode(self._text, self._starts[index])
        return self._record(index, parsed)


class ChangedRecords(Records):
    """Other records, each with something done to it when it is asked for."""

    def __init__(self, records: Records, change: Callable[[int, ImageRecord], ImageRecord]) -> None:
        super().__init__()
        self._records, self._change = records, change
        self.file_names = records.file_names

    def __len__(self) -> int:
        return len(self._records)

    def made(self, index: int) -> ImageRecord:
        return self._change(index, self._records.made(index))


def each(records: Sequence[ImageRecord], change: Change) -> Sequence[ImageRecord]:
    """The records with `change` done to each: a tuple of a tuple, on demand of records on demand.

    `change` must always do the same, and leave file names alone.
    """
    if isinstance(records, Records):
        return ChangedRecords(records, lambda _, record: change(record))
    return tuple(change(record) for record in records)


def with_paths(records: Sequence[ImageRecord], paths: Sequence[Path | None]) -> Sequence[ImageRecord]:
    """The records with these paths, one for each."""
    if not isinstance(records, Records):
        return tuple(_with_path(record, path) for record, path in zip(records, paths, strict=True))
    found = ChangedRecords(records, _Placed(paths))
    found.tally = records.tally
    return found


@dataclass(frozen=True)
class _Placed:
    """Gives each record its path."""

    paths: Sequence[Path | None]

    def __call__(self, index: int, record: ImageRecord) -> ImageRecord:
        return _with_path(record, self.paths[index])


def _with_path(record: ImageRecord, path: Path | None) -> ImageRecord:
    return record if record.path == path else replace(record, path=path)
