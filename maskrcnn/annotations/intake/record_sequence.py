"""Records of several label files, and of pictures that none of them names, as one sequence."""

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
    """Record `index` of source `source`, and what is known of its picture beyond it."""

    source: int
    index: int
    file_name: str
    path: Path | None
    size: tuple[int, int] | None = None
    split: Split | None = None
    found_at: str | None = None
    """The picture's path in what was dropped."""
    is_for_test: bool = False
    """Whether it is of a test split, for which `split` has no word."""


class Gathered(Records):
    """Records out of several sources, each with the name, path, size and split that were found for it.

    They are made when they are asked for, so that those of a large label file need not be in memory at once.
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
    """The records as a tuple, or on demand where any source makes its own on demand."""
    records = Gathered(sources, places)
    return records if any(isinstance(source, Records) for source in sources) else tuple(records)
