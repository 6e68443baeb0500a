"""Original names of a project's pictures, as label files from outside use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from maskrcnn.annotations import file_names
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.annotations.store import database, picture_paths, picture_rows


def known_by(project: Path) -> dict[str, Path]:
    """Return {original path: picture file} of a project, and {name in the project: file} for names that are not also
    the original name of a picture.

    If two pictures have the original name `1.jpg`, each is listed with its folder, or else its split, as a prefix. So
    `1.jpg` alone matches neither. Raises `StudioError` for a damaged database.
    """
    rows = _rows(project)
    pictures = picture_paths.PicturePaths(project)
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
        before[place if place not in before else f"{record.split}/{number}/{file_names.last_part(place)}"] = path
    return own | before


def original_file_names(project: Path, file_names: Sequence[str]) -> list[str]:
    """Convert names in the project to original names, as in an export (`original_names`).

    Unknown names are returned unchanged. Raises as `known_by`.
    """
    known = {record.file_name: record for _, record in _rows(project)}
    asked = tuple(known.get(name) or ImageRecord(name) for name in file_names)
    return [record.file_name for record in original_names.restored(Dataset(asked))[0].images]


def own_names(project: Path) -> set[str]:
    """Return the file names that the project generated, such as `1 (2).jpg`. Raises as `known_by`."""
    return _own_names(_rows(project))


def _own_names(rows: Sequence[tuple[int, ImageRecord]]) -> set[str]:
    originals = {_last(original_names.place(record)) for _, record in rows}
    return {record.file_name for _, record in rows if _last(record.file_name) not in originals}


def _rows(project: Path) -> list[tuple[int, ImageRecord]]:
    """Return (id, record without regions) for each picture."""
    with database.reading(project / database.DATABASE) as db:
        return [(number, picture_rows.without_regions(row)) for number, row in picture_rows.rows_of_all(db)]


def _last(name: str) -> str:
    return file_names.same(file_names.last_part(name)).casefold()
