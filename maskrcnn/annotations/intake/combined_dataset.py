"""Combine the dropped files to one dataset: find the pictures of the labels, and read splits from folder names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures, predefined_splits
from maskrcnn.annotations.dataset import Dataset, ImageRecord, Split
from maskrcnn.annotations.formats import (
    embedded_pictures,
    format_table,
    missing_pictures,
    original_names,
    picture_folders,
)
from maskrcnn.annotations.formats.labelme.reading import names_of_labelme_files
from maskrcnn.annotations.formats.lazy_records import LazyRecords, file_names_of
from maskrcnn.annotations.formats.via.project_parts import picture_folder_of_project
from maskrcnn.annotations.intake import label_files as labels
from maskrcnn.annotations.intake.dropped_files import PICTURES_ONLY, DroppedDataset, DroppedFiles
from maskrcnn.annotations.intake.dropped_project import dataset_of_dropped_project, dropped_project_folder
from maskrcnn.annotations.intake.label_files import FoundLabels
from maskrcnn.annotations.intake.picture_headers import PictureHeaders
from maskrcnn.annotations.picture_index import PictureIndex
from maskrcnn.annotations.predefined_splits import is_for_test
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Skeleton
from maskrcnn.annotations.similar_file_names import similar_files
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key
from maskrcnn.untrusted_files import is_confined
from maskrcnn.words import counted, shortened_remarks


def combine_to_dataset(dropped: DroppedFiles) -> DroppedDataset:
    """Combine the dropped files to one dataset.

    With `dropped.only`, only that label file is read, and the dataset has the pictures that it names and no others.
    Labels may also name pictures that the user did not drop, such as those of the project (`dropped.known`).

    Raises `StudioError` if nothing can be read, or if the files cannot be combined to one dataset.
    """
    dropped = replace(dropped, files=dict(sorted(dropped.files.items(), key=lambda entry: natural_key(entry[0]))))
    headers = PictureHeaders(dropped.name, dropped.packed)
    if dropped.only is None:
        headers.measure(dropped.pictures.items())
    if project := dropped_project_folder(dropped.files, dropped.name):
        return dataset_of_dropped_project(project, dropped)
    label_files = dropped.files if dropped.only is None else {dropped.only: dropped.files[dropped.only]}
    found, notices = labels.find_labels(label_files, dropped.root, further=dropped.known)
    if not found:
        _require_pictures_only(dropped, notices)
    if len(found) > 1:
        found, remarks = labels.without_twins(found)
        notices += remarks

    index = PictureIndex({**dropped.known, **dropped.pictures})
    places, remarks = _places_named(found, index, dropped)
    notices += remarks
    missing = tuple(place.file_name for place in places if place.path is None)
    offered = _similar_names(found, places, index)
    named_in_all = len(places)
    _refuse_twice_labelled(found, places, dropped.name)
    format_name = labels.shared_format_name(found) if found else PICTURES_ONLY
    if len(found) > 1 and found[0].flavour.startswith("via"):
        found = labels.with_one_class_attribute(found)

    sources = [entry.dataset.images for entry in found]
    if dropped.only is None and not any(entry.is_folder for entry in found):
        named = {place.path for place in places}
        rest = {file: path for file, path in dropped.pictures.items() if path not in named}
        name_of = _combined_picture_names(rest)
        sources.append(tuple(ImageRecord(name_of[file], extras=_origin_extras(file, name_of[file])) for file in rest))
        places += [CombinedPicture(len(found), n, name_of[file], path) for n, (file, path) in enumerate(rest.items())]

    by_path = {path: file for file, path in index.files.items()}
    mine = {*dropped.known.values()}
    headers.measure((place.file_name, place.path) for place in places if place.path and place.path not in mine)
    places, remarks = _without_unreadable(places, by_path, headers, dropped.progress)
    notices += remarks
    places, remarks = _with_splits(places, found, by_path, dropped.name)
    notices += remarks
    places = [replace(place, found_at=_found_at(place, by_path, dropped)) for place in places]
    images = combined_records(sources, _with_distinct_names(places, by_path))
    return DroppedDataset(
        replace(_joined_facts(found, Path(dropped.name)), images=images),
        format_name,
        tuple(entry.name or dropped.name for entry in found),
        missing,
        sum(record.path is not None and not record.regions for record in images),
        shortened_remarks([*dropped.warnings, *notices]),
        named_in_all,
        offered,
    )


def _require_pictures_only(dropped: DroppedFiles, notices: Sequence[str]) -> None:
    """Raise `StudioError` for dropped files without labels, unless they are pictures to import without labels."""
    if dropped.only is not None and notices:
        raise StudioError(notices[0].removeprefix("passed over: "))
    zips = [file for file in dropped.files if names.suffix(file) == ".zip"]
    if not dropped.pictures and zips:
        it, number = "it" if len(zips) == 1 else "them", counted(len(zips), "zip")
        raise StudioError(
            f"{dropped.name}: holds neither pictures nor labels, but {number} ({names.listed(zips)}); "
            f"unpack {it}, and give what is in {it}"
        )
    if dropped.only is not None or not dropped.pictures:
        is_empty = "" if dropped.files else "is empty: "
        raise StudioError(
            f"{dropped.name}: {is_empty}holds neither pictures nor labels; give pictures, or a file with labels"
        )


def of_labels(
    files: Mapping[str, Path], root: Path, images: Path | None, class_attribute: str | None
) -> Dataset | None:
    """Return the one dataset of all label files among `files`, as in `combine_to_dataset`; None if there are none.

    For the command line: unlabelled pictures are left out, and no picture is opened or unpacked (the doctor opens those
    that are found, and reports unreadable ones). Pictures are searched in the folder `images` if given, else among the
    files.
    """
    found, notices = labels.find_labels(files, root, images)
    if not found:
        return None
    found, remarks = labels.without_twins(found) if len(found) > 1 else (found, [])
    notices += remarks
    dropped = DroppedFiles(files, root, str(root), folder_for_embedded=Path, images=images)  # nothing is unpacked
    index = (
        PictureIndex(dropped.pictures) if images is None else picture_folders.pictures_around_labels(root, images).index
    )
    places, remarks = _places_named(found, index, dropped, unpack_embedded=False)
    notices += remarks
    there = picture_folders.FoundPictures(tuple(place.path for place in places), _similar_names(found, places, index))
    notices += missing_pictures.missing_picture_lines(root, there, str(root))
    _refuse_twice_labelled(found, places, dropped.name)
    labels.shared_format_name(found)  # raises if there are several formats
    if found[0].flavour.startswith("via"):
        if class_attribute is not None:
            found = labels.with_class_attribute(found, class_attribute)
        elif len(found) > 1:
            found = labels.with_one_class_attribute(found)
    by_path = {path: file for file, path in index.files.items()}
    places, _ = _with_splits(places, found, by_path, dropped.name, keeps_test=True)
    records = combined_records([entry.dataset.images for entry in found], _with_distinct_names(places, by_path))
    source = root / found[0].name if len(found) == 1 else root
    return replace(_joined_facts(found, root), images=records, source=source, warnings=shortened_remarks(notices))


def _places_named(
    found: Sequence[FoundLabels], index: PictureIndex, dropped: DroppedFiles, unpack_embedded: bool = True
) -> tuple[list[CombinedPicture], list[str]]:
    """Return the pictures that the label files name, and warnings."""
    places: list[CombinedPicture] = []
    notices: list[str] = []
    for source, entry in enumerate(found):
        file_names = file_names_of(entry.dataset.images)
        paths, remarks = _picture_paths_in_labels(entry, file_names, index, dropped, unpack_embedded)
        notices += remarks
        places += [CombinedPicture(source, n, *known) for n, known in enumerate(zip(file_names, paths, strict=True))]
    return places, notices


def _similar_names(
    found: Sequence[FoundLabels], places: Sequence[CombinedPicture], index: PictureIndex
) -> dict[str, tuple[str, ...]]:
    """Return missing picture name -> pictures with a similar name that no other label refers to."""
    missing = [place.file_name for place in places if place.path is None and not found[place.source].is_folder]
    once = [name for name, number in Counter(missing).items() if number == 1]
    used = {place.path for place in places}
    also = {
        name: file
        for entry in found
        if format_table.has_one_file_for_each_picture(entry.dataset)
        for name, file in names_of_labelme_files(entry.dataset.images).items()
    }
    return similar_files(once, [file for file, path in index.files.items() if path not in used], also) if once else {}


def _picture_paths_in_labels(
    entry: FoundLabels, file_names: Sequence[str], index: PictureIndex, dropped: DroppedFiles, unpack_embedded: bool
) -> tuple[list[Path | None], list[str]]:
    """Return the path of each picture (None: not found) of one label file or folder of labels, and warnings.

    The reader of a folder of labels has found the pictures; those outside the dropped folders do not count, unless they
    are in `dropped.known` (such as the project's). The pictures of a label file are found by name in `index`, else by
    the user's choice (`dropped.taken`). With `unpack_embedded`, pictures inside the label file are unpacked.
    """
    images = entry.dataset.images
    if entry.is_folder:
        allowed_folders = [dropped.root, *([dropped.images] if dropped.images is not None else [])]
        known = {*dropped.known.values()}
        return [
            record.path if record.path and (record.path in known or is_confined(record.path, allowed_folders)) else None
            for record in images
        ], []
    default = picture_folder_of_project(entry.dataset)
    matched, warnings = index.match_all(file_names, entry.name, default)
    matched = [file or dropped.taken.get(name) for name, file in zip(file_names, matched, strict=True)]
    paths = [None if file is None else index.files.get(file) for file in matched]
    for n, path in enumerate(paths):
        if unpack_embedded and path is None and entry.flavour in embedded_pictures.FLAVOURS:
            try:
                paths[n] = embedded_pictures.unpack_embedded_picture(images[n], dropped.folder_for_embedded)
            except StudioError as error:
                warnings.append(str(error))
    return paths, warnings


def _refuse_twice_labelled(found: Sequence[FoundLabels], places: Sequence[CombinedPicture], name: str) -> None:
    """Raise `StudioError` if two label files label the same picture, because it is unknown which one is valid."""
    if len(found) < 2:
        return
    owner: dict[object, int] = {}
    for place in places:
        # Missing pictures are the same if the label files are in one folder and of one split.
        label_file = found[place.source].name
        of_name = names.folder(label_file), predefined_splits.split_word(label_file), place.file_name
        other = owner.setdefault(place.path or of_name, place.source)
        if other != place.source:
            both = names.listed([found[other].name, found[place.source].name])
            raise StudioError(
                f'{name}: several label files ({both}) are for the same picture, "{names.brief(place.file_name)}"; '
                "give the one you mean, with the pictures"
            )


def _without_unreadable(
    places: Sequence[CombinedPicture], by_path: Mapping[Path, str], headers: PictureHeaders, progress: Progress | None
) -> tuple[list[CombinedPicture], list[str]]:
    """Return the places with the sizes of their pictures, without pictures that cannot be opened, and the errors of
    these.

    Raises `StudioError` if there are pictures and none can be opened.
    """
    bad: list[StudioError] = []
    sizes: dict[Path | None, tuple[int, int] | None] = {None: None}
    for number, place in enumerate(places, 1):
        if progress is not None:
            progress(number, len(places))
        if place.path is not None and place.path not in sizes:
            try:
                name = names.brief(by_path.get(place.path, place.file_name))
                sizes[place.path] = pictures.quick_check(place.path, name, headers.size(place.path, name))
            except StudioError as error:
                sizes[place.path] = None
                bad.append(error)
    if bad and not any(sizes.values()):
        raise bad[0] if len(bad) == 1 else StudioError(f"none of the {len(bad)} pictures can be opened: {bad[0]}")
    good = [place for place in places if place.path is None or sizes[place.path] is not None]
    return [replace(place, size=sizes[place.path]) for place in good], [str(error) for error in bad]


def _with_splits(
    places: Sequence[CombinedPicture],
    found: Sequence[FoundLabels],
    by_path: Mapping[Path, str],
    name: str,
    keeps_test: bool = False,
) -> tuple[list[CombinedPicture], list[str]]:
    """Return the places with their splits, and warnings.

    The split is the one in the labels, else the one that the label file or the folder is named after. If all pictures
    are of the same split, none is set. Pictures of a test split go to validation with a warning, or with `keeps_test`
    are marked as test.
    """
    words = [
        _split_in_labels(place, found)
        or (predefined_splits.split_word(found[place.source].name) if place.source < len(found) else None)
        or (predefined_splits.split_word(by_path.get(place.path, "").rpartition("/")[0]) if place.path else None)
        for place in places
    ]
    if len(set(words) - {None}) < 2:
        return list(places), []
    splits: dict[str | None, Split] = {"train": "train", "val": "val"}
    if keeps_test:
        kept = zip(places, words, strict=True)
        return [replace(place, split=splits.get(word), is_for_test=word == "test") for place, word in kept], []
    splits["test"] = "val"
    tested = words.count("test")
    remark = f"{name}: {counted(tested, 'picture')} of the test split came to validation, as a project has no third one"
    with_splits = [replace(place, split=splits.get(word)) for place, word in zip(places, words, strict=True)]
    return with_splits, [remark] if tested else []


def _split_in_labels(place: CombinedPicture, found: Sequence[FoundLabels]) -> str | None:
    """Return the split that the labels state for a picture; None if they state none."""
    if place.source >= len(found) or isinstance(found[place.source].dataset.images, LazyRecords):
        return None  # VIA files have no splits
    record = found[place.source].dataset.images[place.index]
    return record.split or ("test" if is_for_test(record) else None)


def _combined_picture_names(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the names of unlabelled pictures in the combined dataset: {path in the dropped files: name}.

    The name is the file name without folders, or the whole path if several of the pictures have this file name.
    """
    count = Counter(names.nfc(file).rpartition("/")[2].casefold() for file in files)
    return {
        file: file.rpartition("/")[2] if count[names.nfc(file).rpartition("/")[2].casefold()] == 1 else file
        for file in files
    }


def _origin_extras(file: str, combined_name: str) -> dict[str, dict[str, str]]:
    """Return the `extras` of an unlabelled picture: its original name, if the combined dataset has another name for it.

    The original name is the last part of `file`, the path in the dropped files.
    """
    original_name = file.rpartition("/")[2]
    return {} if combined_name == original_name else {original_names.ORIGIN: {"name": original_name}}


def _found_at(place: CombinedPicture, by_path: Mapping[Path, str], dropped: DroppedFiles) -> str | None:
    """Return the path of a picture of the combined dataset in the dropped files; None if it is not among them.

    A second upload with the same name is stored in a numbered folder (`2/a.jpg`); its path is returned as `a.jpg`.
    """
    file = by_path.get(place.path) if place.path is not None else None
    folder, _, name = (file or "").partition("/")
    is_second_upload = folder.isdecimal() and name in dropped.files
    return name if is_second_upload else file


def _with_distinct_names(places: Sequence[CombinedPicture], by_path: Mapping[Path, str]) -> list[CombinedPicture]:
    """Return the pictures of the combined dataset with distinct names: where two are equal, the folder is added."""
    paths: dict[str, set[Path]] = {}
    for place in places:
        if place.path is not None:
            paths.setdefault(place.file_name, set()).add(place.path)
    return [
        replace(place, file_name=by_path[place.path])
        if place.path is not None and len(paths[place.file_name]) > 1 and place.path in by_path
        else place
        for place in places
    ]


def _joined_facts(found: Sequence[FoundLabels], source: Path) -> Dataset:
    """Return a dataset with the combined classes, skeletons and extras of all label files. If values differ, the
    first file's is used."""
    if not found:
        return Dataset((), source=source)
    first = found[0].dataset
    classes = tuple(dict.fromkeys(class_name for entry in found for class_name in entry.dataset.classes))
    extras: dict[str, object] = {}
    skeletons: dict[str, Skeleton] = {}
    for entry in reversed(found):
        skeletons.update(entry.dataset.skeletons)
        for key, value in entry.dataset.extras.items():
            other = extras.get(key)
            extras[key] = {**other, **value} if isinstance(other, dict) and isinstance(value, dict) else value
    attribute = next((entry.dataset.class_attribute for entry in found if entry.dataset.class_attribute), None)
    source = Path(found[0].name) if len(found) == 1 and found[0].name else source
    return replace(first, classes=classes, class_attribute=attribute, extras=extras, skeletons=skeletons, source=source)


@dataclass(frozen=True)
class CombinedPicture:
    """The place of a picture in the combined dataset: its labels are record `index` of the source `source`."""

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


class CombinedRecords(LazyRecords):
    """Lazy records of several sources, each with its name, path, size and split.

    Records are created on access, so that those of a large label file need not be in memory all at once.
    """

    def __init__(self, sources: Sequence[Sequence[ImageRecord]], places: Sequence[CombinedPicture]) -> None:
        super().__init__()
        self._sources, self._places = sources, places
        self.file_names = [place.file_name for place in places]
        self.paths = [place.path for place in places]
        if len(sources) == 1 and len(sources[0]) == len(places):
            self.tally = getattr(sources[0], "tally", None)

    def __len__(self) -> int:
        return len(self._places)

    def create_record(self, index: int) -> ImageRecord:
        """Return the record of a source, with the picture's name, path, size and split in the combined dataset.

        Its original name is the one among the dropped files (`found_at`). This is also stored if it equals the record's
        name, but the file has another name on disk.
        """
        place = self._places[index]
        record = self._sources[place.source][place.index]
        width, height = (record.width, record.height) if record.width is not None else place.size or (None, None)
        if place.path is not None:
            original_name = (place.found_at or place.path.name).rpartition("/")[2]
            has_other_name_on_disk = original_name != place.path.name
            record = original_names.with_original_name(
                record, original_name, place.found_at, always=has_other_name_on_disk
            )
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


def combined_records(
    sources: Sequence[Sequence[ImageRecord]], places: Sequence[CombinedPicture]
) -> Sequence[ImageRecord]:
    """Return the records as a tuple, or as lazy records if any source is lazy."""
    records = CombinedRecords(sources, places)
    return records if any(isinstance(source, LazyRecords) for source in sources) else tuple(records)
