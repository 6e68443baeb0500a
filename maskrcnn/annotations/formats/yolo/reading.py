"""Read YOLO datasets; see `yolo` for the conversion, and `settings` for `data.yaml` and similar files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations import file_names, pictures, predefined_splits
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.folder_walk import folders_of_files
from maskrcnn.annotations.formats import original_names
from maskrcnn.annotations.formats.yolo import settings as yolo_settings
from maskrcnn.annotations.formats.yolo import text_file_kinds
from maskrcnn.annotations.formats.yolo.text_file_kinds import is_not_a_label_file
from maskrcnn.annotations.formats.yolo.yolo_files import IMAGES, YoloFiles, folders_in_words, studio_split_of_yolo
from maskrcnn.annotations.regions import Skeleton
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key
from maskrcnn.words import counted, shortened_remarks


def is_yolo(path: Path) -> bool:
    """Whether a folder holds a YOLO dataset, or a file is its `data.yaml`."""
    return yolo_settings.has_yolo_settings(path)


def read_folder(
    path: Path | str,
    images: Path | str | None = None,
    *,
    skip_unusable: bool = False,
    among: Mapping[str, Path] | None = None,
) -> Dataset:
    """Return the dataset of a folder with a `data.yaml`, or of that file. `path` of every record is set.

    The picture of a label file is searched in the folder of its split, then in `images` if given. Without `images`, and
    if no split has any picture, it is searched in the whole dataset or in `among` (relative name -> file). `warnings`
    name missing splits. Raises `StudioError` for a label file without a picture (coordinates are fractions of its
    size), for invalid rows, and if no split exists. With `skip_unusable`, label files without a picture and unreadable
    pictures are skipped with a line in `warnings`, if others remain; the browser's import uses this.
    """
    settings = yolo_settings.read_yolo_settings(Path(path))
    there = YoloFiles(settings, Path(images) if images is not None else None)
    if skip_unusable or images is not None:
        there.mend = "put it there"  # without the advice to pass --images: there is no such option, or it was passed
    places, warnings = there.places()
    there.look_around(places, among)
    there.look_for_near_names(places)
    records: list[ImageRecord] = []
    splits: dict[str, str] = {}
    twice: dict[tuple[str, str], int] = {}
    refused: list[StudioError] = []
    for place in places:
        for name in sorted({*place.pictures, *place.labels_without_picture}, key=natural_key):
            if name in splits:
                if splits[name] != place.split:
                    twice[splits[name], place.split] = twice.get((splits[name], place.split), 0) + 1
                continue
            splits[name] = place.split
            try:
                picture, text = there.picture_and_text(name, place)
                size = pictures.size(picture)
            except StudioError as error:
                if not skip_unusable:
                    raise
                refused.append(error)
                continue
            records.append(there.record(name, place, picture, text, size))
    if refused and not records:
        raise refused[0]
    warnings += shortened_remarks([f"passed over: {error}" for error in refused])
    warnings += [
        f"{settings.file}: {counted(number, 'picture')} of {other} {'is' if number == 1 else 'are'} in {split} too, "
        f"and {'was' if number == 1 else 'were'} taken for {split}"
        for (split, other), number in twice.items()
    ]
    if not settings.splits:
        records = _split_by_folders(records)
    if unused := there.labelled_elsewhere(splits):
        some, folders = counted(len(unused), "picture"), folders_in_words(folders_of_files(unused))
        warnings.append(f"{settings.file}: {some} with labels left out, in {folders}, which no split names")
    names = settings.names
    classes = tuple(dict.fromkeys(names[number] for number in sorted(names)))
    skeletons = {names[number]: Skeleton(listed) for number, listed in (settings.keypoint_names or {}).items()}
    return Dataset(
        tuple(_with_distinct_names(records)),
        classes,
        source=settings.file,
        extras={"flavour": "yolo"},
        skeletons=skeletons,
        warnings=(*settings.warnings, *warnings),
    )


def _split_by_folders(records: list[ImageRecord]) -> list[ImageRecord]:
    """Return the pictures of a dataset without splits, with the splits that their folders are named after, if there
    are at least two."""
    words = [predefined_splits.split_word(record.file_name.rpartition("/")[0]) for record in records]
    if len(set(words) - {None}) < 2:
        return records
    return [
        replace(record, split=studio_split_of_yolo(word or ""), extras={"yolo": {"split": word}}) if word else record
        for record, word in zip(records, words, strict=True)
    ]


def _with_distinct_names(records: list[ImageRecord]) -> Iterator[ImageRecord]:
    """Yield the records with different names. If several splits have a picture of the same name, the split becomes a
    folder of the name (`train/a.jpg`, `val/a.jpg`), and the original name is noted for an export."""
    seen: dict[str, int] = {}
    for record in records:
        seen[record.file_name] = seen.get(record.file_name, 0) + 1
    for record in records:
        split = record.extras.get("yolo", {}).get("split")
        twice = seen[record.file_name] > 1 and split
        if twice:  # an export to YOLO separates them by split again
            place = f"{split}/{record.file_name}"
            origin = {original_names.ORIGIN: {"name": record.file_name, "place": place}}
            record = replace(record, file_name=place, extras={**record.extras, **origin})
        yield record


def yolo_without_class_names(files: Mapping[str, Path]) -> str:
    """Return the message why a folder with these files (relative name -> path) cannot be read as YOLO: there are rows,
    but no file with class names. Empty if there are no such rows."""
    texts = [name for name in files if file_names.suffix(name) == ".txt" and not is_not_a_label_file(name)]
    rows = next((name for name in texts[:20] if text_file_kinds.has_yolo_rows(files[name])), None)
    if rows is None:
        return ""
    folders = folders_of_files(name for name in files if file_names.suffix(name) in pictures.SUFFIXES)
    train = folders[0] if folders else IMAGES
    return (
        f"{file_names.brief(rows)} is of YOLO, and nothing names its classes; write a data.yaml with two lines: "
        f'"train: {train}" and "names: [first class, second class]"'
    )
