"""The pictures of a project by their original names, which label files from outside use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from maskrcnn.annotations import file_names
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.annotations.store import database, path_confinement, stored_dataset


def known_by(project: Path) -> dict[str, Path]:
    """Original places -> the pictures in a project's folder; the project's own names, too, where those are nobody's
    original name.

    Of two pictures `1.jpg` each is known by its folder, else by that of its split, so that `1.jpg` alone is none of
    them for sure. Raises `StudioError` for a database that is damaged.
    """
    rows = _rows(project)
    pictures = path_confinement.Pictures(project)
    originals = {number: original_names.place(record) for number, record in rows}
    count = Counter(map(_last, originals.values()))
    named = _own_names(rows)
    own: dict[str, Path] = {}
    before: dict[str, Path] = {}
    for number, record in rows:
        path, place = pictures.find(record.file_name), originals[number]
        if path is None or not path.is_file():
            continue
        if record.file_name in named:
            own[record.file_name] = path
        if count[_last(place)] > 1 and "/" not in place:
            place = f"{record.split}/{place}"
        before[place if place not in before else f"{record.split}/{number}/{original_names.last_part(place)}"] = path
    return own | before


def original_file_names(project: Path, file_names: Sequence[str]) -> list[str]:
    """What pictures were called before they came into a project, by the names that it gave them: as in an export of
    these pictures (`original_names`). A name that the project does not know stays. Raises as `known_by`."""
    known = {record.file_name: record for _, record in _rows(project)}
    asked = tuple(known.get(name) or ImageRecord(name) for name in file_names)
    return [record.file_name for record in original_names.restored(Dataset(asked))[0].images]


def own_names(project: Path) -> set[str]:
    """The names of pictures that the project made and nobody else has: `1 (2).jpg`. Raises as `known_by`."""
    return _own_names(_rows(project))


def _own_names(rows: Sequence[tuple[int, ImageRecord]]) -> set[str]:
    originals = {_last(original_names.place(record)) for _, record in rows}
    return {record.file_name for _, record in rows if _last(record.file_name) not in originals}


def _rows(project: Path) -> list[tuple[int, ImageRecord]]:
    """The number of each picture, and its record without regions."""
    with database.reading(project / database.DATABASE) as db:
        return [(number, stored_dataset.without_regions(row)) for number, row in stored_dataset.rows_of_all(db)]


def _last(name: str) -> str:
    return file_names.same(original_names.last_part(name)).casefold()
