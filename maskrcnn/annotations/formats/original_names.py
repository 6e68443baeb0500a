"""The names that pictures had before they were imported, so that an export matches the user's own photos.

A project gives each picture a unique name: if `train/1.jpg` and `val/1.jpg` are imported, the second becomes `1
(2).jpg`. The original names are stored in `ImageRecord.extras["origin"]`:

- `name`: the file name after the folders that the label file wrote: `1.jpg` or `val/1.jpg`;
- `place`: the path of the file in the imported folder or zip, if it has folders: `balloon/val/1.jpg`.

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
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.file_names import last_part, path_inside, without_control_characters
from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.formats.lazy_records import LazyChangedRecords, LazyRecords, file_names_of
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.words import counted

ORIGIN = "origin"
_LONGEST = 1000


def with_original_name(
    record: ImageRecord, file: str, place: str | None = None, *, always: bool = False
) -> ImageRecord:
    """Return the record with its original name stored in `extras`.

    `file` is the name of the picture's file without folders, `place` its path in the imported folder or zip. The stored
    name is `file` after the folders of the record's name, which the label file wrote. A name that is stored already is
    kept. With `always`, the name is stored even if it equals the record's name, because the file itself is stored under
    another name.
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
    dataset: Dataset, split_folders: bool = False, with_pictures: bool = False
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the dataset with the original names of its pictures, and notes about names that could not be restored.

    `split_folders` is true for a format with a folder for each split: pictures of two splits may then have the same
    name. `with_pictures` is true if the pictures are written too: names must then differ by more than case, and contain
    no colon, which Windows does not allow. A dataset without stored names is returned with its own names.
    """
    origins = getattr(dataset.images, "origins", None)  # a project knows the origins without loading the regions
    known = [_NamesOfPicture.of(record) for record in (dataset.images if origins is None else origins)]
    splits = [entry.split or "train" if split_folders else None for entry in known]
    project_names = [entry.project_name for entry in known]
    if not any(entry.has_origin for entry in known):
        names, notes = _valid_export_names(project_names, splits, split_folders, with_pictures)
        return _dataset_with_names(dataset, names, notes) if notes else (dataset, ())

    # The original names, or with their folders if that leaves fewer duplicates.
    original_names = [entry.original_name for entry in known]
    names, duplicates, notes = original_names, _duplicate_names(original_names, splits), []
    with_folders = _original_paths_without_common_folders([entry.original_path for entry in known])
    if duplicates and len(_duplicate_names(with_folders, splits)) < len(duplicates):
        names, duplicates = with_folders, _duplicate_names(with_folders, splits)
        if names != project_names:
            notes.append(_folders_note(names, known, split_folders))
    case_matters = not (split_folders or with_pictures)  # no picture is written: a name may differ by case alone
    if duplicates and case_matters:
        exact_duplicates = _duplicate_names(names, splits, exactly=True)
        if by_case := duplicates - exact_duplicates:
            first = brief(names[min(by_case)], 60)
            notes.append(
                f"{counted(len(by_case), 'picture')} are called alike but for upper and lower case or the spelling of "
                f"accents ({first}); put the labels on a disk that tells them apart, as that of the pictures does"
            )
        duplicates = exact_duplicates

    # Pictures whose names are still duplicates keep the project's names.
    if duplicates:
        mixed = [project_names[number] if number in duplicates else name for number, name in enumerate(names)]
        names = project_names if _duplicate_names(mixed, splits, exactly=case_matters) else mixed
        # Indices of the pictures that keep the project's name, although their original name is another.
        kept = [number for number, name in enumerate(names) if name == project_names[number] != original_names[number]]
        if kept:
            notes.append(_project_names_note(known, kept, split_folders))
    names, more = _valid_export_names(names, splits, split_folders, with_pictures)
    return _dataset_with_names(dataset, names, [*notes, *more])


def _dataset_with_names(
    dataset: Dataset, names: Sequence[str], notes: Sequence[str]
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the dataset with these names, and the notes, each beginning with the dataset's source."""
    records = dataset.images
    if list(names) != list(file_names_of(records)):
        dataset = replace(dataset, images=_records_with_names(records, names))
    return dataset, tuple(f"{dataset.source or 'the dataset'}: {note}" for note in notes)


def _valid_export_names(
    names: Sequence[str], splits: Sequence[str | None], split_folders: bool, with_pictures: bool
) -> tuple[Sequence[str], list[str]]:
    """Return names that an export can write, and notes about the pictures whose name was changed for this.

    Colons are replaced if the pictures are written too (always with split folders). In a format with split folders, two
    pictures of a split must also differ by more than their suffix: `a.jpg` and `a.png` would have the same label file.
    """
    if not split_folders:
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
class _NamesOfPicture:
    """The names of one picture: in the project, and the original ones from before its import. `has_origin` is false if
    no original name is stored; the original name is then that of the project."""

    project_name: str
    original_name: str
    original_path: str
    split: str | None
    has_origin: bool

    @classmethod
    def of(cls, record: ImageRecord) -> _NamesOfPicture:
        """Return the name of a record in the project, and its original names."""
        has_origin = ORIGIN in record.extras
        return cls(record.file_name, original_name(record), original_path(record), record.split, has_origin)


def _duplicate_names(names: Sequence[str], splits: Sequence[str | None], exactly: bool = False) -> set[int]:
    """Return the indices of names that equal another name of the same split: ignoring case, or with `exactly` including
    case."""
    kinds = [
        (split, name if exactly else file_names.nfc(path_inside(name)).casefold())
        for split, name in zip(splits, names, strict=True)
    ]
    count = Counter(kinds)
    return {number for number, kind in enumerate(kinds) if count[kind] > 1}


def _folders_note(names: Sequence[str], known: Sequence[_NamesOfPicture], split_folders: bool) -> str:
    """Return the note that the exported pictures have their folders in their names."""
    folder = brief(next(name for name in names if "/" in name), 60)
    alone = ", or export training and validation one by one" if _unique_if_exported_alone(known, split_folders) else ""
    return (
        f"{counted(len(names), 'picture')} are called with their folders ({folder}), as several have the same "
        f"name; put the labels above these folders{alone}"
    )


def _project_names_note(known: Sequence[_NamesOfPicture], kept: Sequence[int], split_folders: bool) -> str:
    """Return the note about the pictures `kept` (indices), which keep the project's names in an export."""
    first = known[kept[0]]
    are = "is" if len(kept) == 1 else "are"
    alone = "; export training and validation one by one to keep it"
    return (
        f"{counted(len(kept), 'picture')} {are} called as in the project ({brief(first.project_name, 60)} instead of "
        f"{brief(first.original_name, 60)}), as another picture of this export has the same name"
        f"{alone if _unique_if_exported_alone(known, split_folders) else ''}"
    )


def _unique_if_exported_alone(known: Sequence[_NamesOfPicture], split_folders: bool) -> bool:
    """Whether it helps to export training and validation one by one: the original names are unique in each split. False
    if there is only one split, or if each split is exported to its own folder (`split_folders`)."""
    splits = [entry.split or "train" for entry in known]
    originals = [entry.original_name for entry in known]
    return not split_folders and len({*splits}) > 1 and not _duplicate_names(originals, splits)


def _original_paths_without_common_folders(original_paths: Sequence[str]) -> list[str]:
    """Return the original paths of pictures without the leading folders that all of them share."""
    parts = [PurePosixPath(path).parts for path in original_paths]
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
    """Return the stored original name and path of a picture (`extras["origin"]`); empty if there are none."""
    written = record.extras.get(ORIGIN, {})
    return written if isinstance(written, Mapping) else {}
