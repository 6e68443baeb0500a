"""The names that pictures had before they were imported, so that an export matches the user's own photos.

A project gives each picture a unique name: if `train/1.jpg` and `val/1.jpg` are imported, the second becomes `1
(2).jpg`. The original names are stored in `ImageRecord.extras["origin"]`:

- `name`: the file name after the folders that the label file wrote: `1.jpg` or `val/1.jpg`;
- `original_path`: the path of the file in the imported folder or zip, if it has folders: `balloon/val/1.jpg`.

Nothing is stored if it would equal `ImageRecord.file_name`.

`with_original_names` names the pictures of an export in the first of these ways that gives unique names:

1. each name as in its label file; this works for a training set or a validation set alone;
2. each name with its folders, without the folders that all pictures share: `train/1.jpg` and `val/1.jpg`;
3. as 1 or 2, whichever has fewer duplicates; the duplicates keep the project's names, and a note says so.

Names that differ only in upper and lower case are duplicates only if the pictures are written under these names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from maskrcnn.annotations import file_names
from maskrcnn.annotations.file_names import last_part, path_inside, without_control_characters
from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.formats.lazy_records import LazyChangedRecords, LazyRecords, file_names_of
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.words import counted

ORIGIN = "origin"
_LONGEST = 1000


def with_original_name(
    record: ImageRecord, file: str, place: str | None = None, *, always: bool = False
) -> ImageRecord:
    """Return the record with its original name stored in `extras`.

    `file` is the name of the picture's file, `original_path` its path in the imported folder or zip. The stored name has the
    folders of the label file's name and the last part of `file`. A name that is stored already is kept. With `always`,
    the name is stored even if it equals the record's name, because the file itself is stored under another name.
    """
    origin = dict(_stored_origin(record))
    if not isinstance(origin.get("name"), str):
        folders = [] if file_names.leads_out(record.file_name) else file_names.parts(record.file_name)[:-1]
        origin["name"] = without_control_characters("/".join([*folders, file]))
    if place is not None and len(file_names.parts(place)) > 1:
        origin["place"] = without_control_characters(place)
    if origin == {"name": record.file_name} and not always:
        return record
    return replace(record, extras={**record.extras, ORIGIN: origin})


def original_name(record: ImageRecord) -> str:
    """Return the picture's original name, as a relative path that stays inside its folder."""
    written = _stored_origin(record).get("name")
    if not isinstance(written, str) or not 0 < len(written) <= _LONGEST:
        return record.file_name
    return without_control_characters(last_part(written) if file_names.leads_out(written) else written)


def original_path(record: ImageRecord) -> str:
    """Return the original path of the picture's file as far as it is known: at least its name."""
    written = _stored_origin(record).get("place")
    if not isinstance(written, str) or not 0 < len(written) <= _LONGEST or file_names.leads_out(written):
        return original_name(record)
    return without_control_characters("/".join(file_names.parts(written))) or original_name(record)


def with_original_names(
    dataset: Dataset, own_folders: bool = False, with_pictures: bool = False
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the dataset with the original names of its pictures, and notes about names that could not be restored.

    `own_folders` is true for a format with a folder for each split: pictures of two splits may then have the same name.
    `with_pictures` is true if the pictures are written too: names must then differ by more than case, and contain no
    colon, which Windows does not allow. A dataset without stored names is returned with its own names.
    """
    records = dataset.images
    origins = getattr(records, "origins", None)  # stored projects know the origins without loading the regions
    known = [_KnownNames.of(record) for record in (records if origins is None else origins)]
    splits = [entry.split or "train" if own_folders else None for entry in known]
    if not any(entry.is_noted for entry in known):
        names, lines = _valid_export_names([entry.file_name for entry in known], splits, own_folders, with_pictures)
        return _dataset_with_names(dataset, names, lines) if lines else (dataset, ())
    stored, plain = [entry.file_name for entry in known], [entry.called for entry in known]
    with_folders = _without_common_folders([entry.place for entry in known])
    names, left, lines = plain, _duplicate_names(plain, splits), []
    if left and len(_duplicate_names(with_folders, splits)) < len(left):
        names, left = with_folders, _duplicate_names(with_folders, splits)
        if names != stored:
            folder = brief(next(name for name in names if "/" in name), 60)
            or_else = (
                ", or export training and validation one by one"
                if _are_unique_in_each_split(known, own_folders)
                else ""
            )
            lines.append(
                f"{counted(len(names), 'picture')} are called with their folders ({folder}), as several have the same "
                f"name; put the labels above these folders{or_else}"
            )
    if left and not (own_folders or with_pictures):
        same = _duplicate_names(names, splits, exactly=True)
        if by_case := left - same:
            first = brief(names[min(by_case)], 60)
            lines.append(
                f"{counted(len(by_case), 'picture')} are called alike but for upper and lower case or the spelling of "
                f"accents ({first}); put the labels on a disk that tells them apart, as that of the pictures does"
            )
        left = same
    if left:
        mixed = [stored[number] if number in left else name for number, name in enumerate(names)]
        names = stored if _duplicate_names(mixed, splits, not (own_folders or with_pictures)) else mixed
        changed = [number for number, name in enumerate(names) if name == stored[number] != plain[number]]
        if changed:
            lines.append(_project_names_note(known, changed, own_folders))
    names, more = _valid_export_names(names, splits, own_folders, with_pictures)
    return _dataset_with_names(dataset, names, [*lines, *more])


def _dataset_with_names(
    dataset: Dataset, names: Sequence[str], lines: Sequence[str]
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the dataset with these names, and the notes, each beginning with the dataset's source."""
    records = dataset.images
    stored = file_names_of(records)
    renamed = dataset if list(names) == list(stored) else replace(dataset, images=_records_with_names(records, names))
    return renamed, tuple(f"{dataset.source or 'the dataset'}: {line}" for line in lines)


def _valid_export_names(
    names: Sequence[str], splits: Sequence[str | None], own_folders: bool, with_pictures: bool
) -> tuple[Sequence[str], list[str]]:
    """Return the names changed as the format or the exported pictures need them, and notes about changed names."""
    if not own_folders:
        return _names_without_colons(names) if with_pictures else (names, [])
    names, lines = _names_without_colons(names)
    stems = UnusedNames()
    changed: list[tuple[str, str]] = []
    for number, name in enumerate(names):
        folder = f"{splits[number]}/"
        path = PurePosixPath(path_inside(name))
        stem = stems.take(f"{folder}{path.with_suffix('')}.txt").removeprefix(folder).removesuffix(".txt")
        if stem != str(path.with_suffix("")):
            names[number] = f"{stem}{path.suffix}"
            changed.append((name, names[number]))
    if changed:
        before, after = (brief(name, 60) for name in changed[0])
        are = "is" if len(changed) == 1 else "are"
        lines.append(
            f"{counted(len(changed), 'picture')} {are} called anew ({after} instead of {before}), "
            "as pictures that differ by what follows the dot alone would have one label file"
        )
    return names, lines


def _names_without_colons(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names with colons replaced, because Windows allows none in file names, and a note if any changed."""
    odd = [number for number, name in enumerate(names) if ":" in last_part(name)]
    found, unused = (
        list(names),
        UnusedNames(path_inside(name) for number, name in enumerate(names) if number not in {*odd}),
    )
    for number in odd:
        found[number] = unused.take(path_inside(names[number]))
    if not odd:
        return found, []
    first = odd[0]
    are = "is" if len(odd) == 1 else "are"
    return found, [
        f"{counted(len(odd), 'picture')} {are} called without the colon ({brief(found[first], 60)} instead of "
        f"{brief(names[first], 60)}), as not every computer can hold it"
    ]


@dataclass(frozen=True)
class _KnownNames:
    """The names that are known for a picture."""

    file_name: str
    called: str
    place: str
    split: str | None
    is_noted: bool

    @classmethod
    def of(cls, record: ImageRecord) -> _KnownNames:
        return cls(
            record.file_name, original_name(record), original_path(record), record.split, ORIGIN in record.extras
        )


def _duplicate_names(names: Sequence[str], splits: Sequence[str | None], exactly: bool = False) -> set[int]:
    """Return the indices of names that equal another name of the same split: ignoring case, or with `exactly` including
    case."""
    kinds = [
        (split, name if exactly else file_names.same(path_inside(name)).casefold())
        for split, name in zip(splits, names, strict=True)
    ]
    count = Counter(kinds)
    return {number for number, kind in enumerate(kinds) if count[kind] > 1}


def _project_names_note(known: Sequence[_KnownNames], changed: Sequence[int], own_folders: bool) -> str:
    """Return the note about pictures that keep the project's names."""
    first = known[changed[0]]
    are = "is" if len(changed) == 1 else "are"
    line = (
        f"{counted(len(changed), 'picture')} {are} called as in the project ({brief(first.file_name, 60)} instead of "
        f"{brief(first.called, 60)}), as another picture of this export has the same name"
    )
    alone = "; export training and validation one by one to keep it"
    return line + alone if _are_unique_in_each_split(known, own_folders) else line


def _are_unique_in_each_split(known: Sequence[_KnownNames], own_folders: bool) -> bool:
    """Whether each split alone could have the original names, but both splits together cannot."""
    splits = [entry.split or "train" for entry in known]
    return not own_folders and len({*splits}) > 1 and not _duplicate_names([entry.called for entry in known], splits)


def _without_common_folders(places: Sequence[str]) -> list[str]:
    """Return the paths without the leading folders that all of them share."""
    parts = [PurePosixPath(place).parts for place in places]
    shared = 0
    while all(len(each) > shared + 1 for each in parts) and len({each[shared] for each in parts}) == 1:
        shared += 1
    return ["/".join(each[shared:]) for each in parts]


def _records_with_names(records: Sequence[ImageRecord], names: Sequence[str]) -> Sequence[ImageRecord]:
    """Return the records with the new names; large datasets are renamed lazily."""

    def change(index: int, record: ImageRecord) -> ImageRecord:
        return replace(record, file_name=names[index])

    if not isinstance(records, LazyRecords):
        return tuple(change(index, record) for index, record in enumerate(records))
    found = LazyChangedRecords(records, change)
    found.file_names = names
    return found


def _stored_origin(record: ImageRecord) -> Mapping[str, Any]:
    written = record.extras.get(ORIGIN, {})
    return written if isinstance(written, Mapping) else {}
