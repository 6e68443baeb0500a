"""Original names of a project's pictures, as label files from outside use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from maskrcnn.annotations import file_names
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.store import database, database_files, picture_paths, picture_rows


def pictures_by_original_name(project: Path) -> dict[str, Path]:
    """Return the picture files of a project by their original names, as label files use them: {name: path of the file}.

    Each picture is listed under its original path. It is listed under its name in the project too, unless this is also
    the original name of a picture (`_non_original_names`).

    If two pictures have the original name `1.jpg`, each is listed with its folder, or else its split, as a prefix. So
    `1.jpg` alone matches neither. Raises `StudioError` for a damaged database.
    """
    records = _project_records(project)
    pictures = picture_paths.PicturePaths(project)
    original_paths = {number: original_names.original_path(record) for number, record in records}
    count = Counter(map(_comparable_name, original_paths.values()))
    project_names = _non_original_names(records)
    by_project_name: dict[str, Path] = {}
    by_original: dict[str, Path] = {}
    for number, record in records:
        path, original = pictures.find(record.file_name), original_paths[number]
        if path is None or not path.is_file():
            continue
        if record.file_name in project_names:
            by_project_name[record.file_name] = path
        if count[_comparable_name(original)] > 1 and "/" not in original:
            original = f"{record.split}/{original}"
        if original in by_original:  # two pictures with the same original path, which the id tells apart
            original = f"{record.split}/{number}/{file_names.last_part(original)}"
        by_original[original] = path
    return by_project_name | by_original


def original_file_names(project: Path, file_names: Sequence[str]) -> list[str]:
    """Convert file names of pictures in a project to their original names, as an export does (`original_names`).

    Unknown names are returned unchanged. Raises `StudioError` for a damaged database.
    """
    known = {record.file_name: record for _, record in _project_records(project)}
    asked = tuple(known.get(name) or ImageRecord(name) for name in file_names)
    return [record.file_name for record in original_names.with_original_names(Dataset(asked))[0].images]


def has_non_original_name(project: Path, names: Sequence[str]) -> bool:
    """Whether any of the names is the name of a picture in the project, but not the original name of a picture.

    For example, the second picture with the original name `1.jpg` has the name `1 (2).jpg` in the project. Raises
    `StudioError` for a damaged database.
    """
    own = _non_original_names(_project_records(project))
    return any(name in own for name in names)


def _non_original_names(records: Sequence[tuple[int, ImageRecord]]) -> set[str]:
    """Return the names of pictures in a project that are not also the original name of a picture."""
    originals = {_comparable_name(original_names.original_path(record)) for _, record in records}
    return {record.file_name for _, record in records if _comparable_name(record.file_name) not in originals}


def _project_records(project: Path) -> list[tuple[int, ImageRecord]]:
    """Return (picture id, record without regions) for each picture of a project, with its original name."""
    with database.reading(project / database_files.DATABASE) as db:
        return [(row["id"], picture_rows.record_without_regions(row)) for row in picture_rows.rows_of_all_pictures(db)]


def _comparable_name(place: str) -> str:
    """Return the file name at the end of an original path, equal for spellings that some file systems equate."""
    return file_names.nfc(file_names.last_part(place)).casefold()
