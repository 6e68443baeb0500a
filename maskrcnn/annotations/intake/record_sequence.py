"""Combine the records of several label files and of unlabelled pictures to one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from maskrcnn.annotations import predefined_splits
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.formats.lazy_records import Records
from maskrcnn.annotations.regions import ImageRecord

Split = Literal["train", "val"]


@dataclass(frozen=True)
class Place:
    """The position of a record (record `index` of source `source`), and what was found out about its picture."""

    source: int
    index: int
    file_name: str
    path: Path | None
    size: tuple[int, int] | None = None
    split: Split | None = None
    found_at: str | None = None
    """The picture's path in the dropped files."""
    is_for_test: bool = False
    """Whether the picture is in a test split, which `split` cannot express."""


class Gathered(Records):
    """Lazy records of several sources, each with its name, path, size and split.

    Records are created on access, so that those of a large label file need not be in memory all at once.
    """

    def __init__(self, sources: Sequence[Sequence[ImageRecord]], places: Sequence[Place]) -> None:
        super().__init__()
        self._sources, self._places = sources, places
        self.file_names = [place.file_name for place in places]
        self.paths = [place.path for place in places]
        if len(sources) == 1 and len(sources[0]) == len(places):
            self.tally = getattr(sources[0], "tally", None)

    def __len__(self) -> int:
        return len(self._places)

    def made(self, index: int) -> ImageRecord:
        place = self._places[index]
        record = self._sources[place.source][place.index]
        width, height = (record.width, record.height) if record.width is not None else place.size or (None, None)
        if place.path is not None:
            file = (place.found_at or place.path.name).rpartition("/")[2]
            is_stored_otherwise = file != place.path.name
            record = original_names.remembered(record, file, place.found_at, always=is_stored_otherwise)
        if place.is_for_test:
            record = replace(record, extras={**record.extras, **predefined_splits.FOR_TEST})
        return replace(
            record,
            file_name=place.file_name,
            path=place.path,
            width=width,
            height=height,
            split=place.split or record.split,
        )


def gathered(sources: Sequence[Sequence[ImageRecord]], places: Sequence[Place]) -> Sequence[ImageRecord]:
    """Return the records as a tuple, or as lazy records if any source is lazy."""
    records = Gathered(sources, places)
    return records if any(isinstance(source, Records) for source in sources) else tuple(records)
