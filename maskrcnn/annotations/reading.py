"""Read labels from a label file, a folder of labels or a project folder. The format is detected from the content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import file_names
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.folder_walk import files_below, files_in, walk
from maskrcnn.annotations.formats import (
    format_table,
    json_mistakes,
    masks,
    missing_pictures,
    picture_folders,
    unreadable_folders,
)
from maskrcnn.annotations.formats.format_interface import DocumentReader
from maskrcnn.annotations.formats.json_mistakes import parsed_json
from maskrcnn.annotations.formats.label_file import LABEL_SUFFIXES, NO_LABELS, labels_of_file, text_of_label_file
from maskrcnn.annotations.formats.labelme.reading import names_of_labelme_files
from maskrcnn.annotations.formats.lazy_records import file_names_of, with_paths
from maskrcnn.annotations.formats.masks.mask_files import is_mask_folder_name
from maskrcnn.annotations.formats.via.project_parts import picture_folder_of_project
from maskrcnn.annotations.intake import combined_dataset
from maskrcnn.annotations.intake.dropped_project import dropped_project_folder
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.store.database_files import is_project
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import shortened_remarks

_EXPECTED = json_mistakes.EXPECTED


def read(path: Path | str, images: Path | str | None = None, class_attribute: str | None = None) -> Dataset:
    """Read the dataset of a label file, of a folder with labels of one kind, or of a project folder (all splits).

    Supported files: VIA JSON or CSV, COCO, labelme, YOLO's `data.yaml`. Supported folders: one such file, a labelme
    file for each picture, a YOLO dataset, or PNG masks. `class_attribute` overrides the VIA attribute that gives the
    class (else `via.class_attributes` chooses it). It may list several attributes, separated by commas; the one that
    is set on a region gives its class.

    Pictures are searched in `images` if given, else in the folder of the label file, its subfolders and the layouts of
    `picture_folders.pictures_around_labels`. Names are matched by the rules of `picture_index`. A picture that is not
    found has `path` None; this is not an error here, but in `trainable_check.require_trainable`. `warnings` tell if no
    picture was found or if files have similar names.

    A folder with several label files, or with labels in subfolders (`annotations/` next to `images/`, `train/` next to
    `valid/`), is read by the same rules as the import in the browser (`intake.combined_dataset`). An unreadable file
    next to a readable one gives a warning.

    Raises `ArgumentError` if the path does not exist, `StudioError` if the content is not valid.
    """
    path = Path(path)
    if images is not None and not Path(images).is_dir():
        raise ArgumentError(f"{images}: there is no such folder; give --images the folder that holds the pictures")
    if not path.exists():
        raise ArgumentError(f"{path}: there is no such file or folder; check the path")
    images = Path(images) if images is not None else None
    if is_project(path):
        return Project.open(path).dataset()
    if (reader := format_table.folder_reader(path)) is not None:
        return reader.read(path, images)
    if not path.is_dir():
        return with_pictures(labels_of_file(path, class_attribute), path, images)
    return _dataset_of_folder(path, images, class_attribute)


def _dataset_of_folder(folder: Path, images: Path | None, class_attribute: str | None) -> Dataset:
    """Read the dataset of a folder by the label files in it.

    - Labels of one dataset, and none in subfolders: this dataset, with a warning for each unreadable file.
    - No readable label file: the folder as a whole, if it looks like a kind that is read so (`folder_reader`).
    - Else, or if there are further labels in subfolders: the combined dataset (`_dataset_of_folders_in`).

    Files of a format with one file per picture are read together, also from subfolders.
    """
    found: list[Dataset] = []
    refused: list[StudioError] = []
    has_one_file_per_picture = False
    for candidate in files_in(folder, LABEL_SUFFIXES).values():
        try:
            dataset = labels_of_file(candidate, class_attribute)
        except StudioError as error:
            refused.append(error)
            continue
        if format_table.has_one_file_for_each_picture(dataset):
            has_one_file_per_picture = True  # all of them are read together below
        else:
            found.append(dataset)
    has_labels = bool(found) or has_one_file_per_picture
    if not has_labels and (reader := format_table.folder_reader(folder, by_looks=True)) is not None:
        return reader.read(folder, images)
    if has_one_file_per_picture:
        found += labels_of_all_files(folder)
        refused = []  # the warnings of `labels_of_all_files` name these files
    if len(found) != 1:
        return _dataset_of_folders_in(folder, images, class_attribute, refused)
    remarks = [f"passed over: {error}" for error in refused]
    if not has_one_file_per_picture and (further := _further_labels(folder)):
        try:
            return _dataset_of_folders_in(folder, images, class_attribute, refused)
        except StudioError as error:
            left_out = file_names.listed(further)
            remarks.append(f"{folder}: left out {left_out}, which lie in folders of it; read together: {error}")
    dataset = with_pictures(found[0], folder, images)
    return replace(dataset, warnings=(*dataset.warnings, *shortened_remarks(remarks)))


def _further_labels(folder: Path) -> list[str]:
    """List the readable label files in subfolders, by their names relative to the folder."""
    further = []
    for name, file in walk(folder, enough=picture_folders.MOST_FILES)[0].items():
        if "/" in name and file_names.suffix(name) in LABEL_SUFFIXES:
            with contextlib.suppress(StudioError):
                labels_of_file(file)
                further.append(name)
    return further


def _dataset_of_folders_in(
    folder: Path, images: Path | None, class_attribute: str | None, refused: Sequence[StudioError]
) -> Dataset:
    """Read the dataset of a folder with labels in its subfolders, by the same rules as the import in the browser.

    Raises `StudioError` if there are no labels; its message says what the folder contains instead.
    """
    files, _ = walk(folder)
    if (own := dropped_project_folder(files, folder)) is not None:
        return Project.open(own).dataset()
    if (dataset := combined_dataset.of_labels(files, folder, images, class_attribute)) is not None:
        return dataset
    if (of_masks := _mask_folder_below(folder, files)) is not None:
        return masks.read_folder(of_masks, images)
    if (
        refused
        and all(NO_LABELS in str(error) for error in refused)
        and (trouble := unreadable_folders.unusable_labels(folder, files))
    ):
        raise StudioError(f"{folder}: {trouble}")
    if refused:
        # If several files failed, prefer the error of a label file to the error of another kind of file.
        raise min(refused, key=lambda error: NO_LABELS in str(error))
    raise StudioError(
        f"{folder}: {unreadable_folders.nothing_to_read(folder, files)}; {_EXPECTED}, or a project folder"
    )


def _mask_folder_below(folder: Path, files: Mapping[str, Path]) -> Path | None:
    """Return the folder of PNG masks to read: the only one below `folder`, else `folder`; None if it has no masks."""
    places = {folder / file_names.folder(name) for name in files if file_names.suffix(name) == ".png"}
    found = {place for place in places if is_mask_folder_name(place.name) and masks.is_mask_folder(place)}
    if len(found) == 1:
        return next(iter(found))
    return folder if masks.is_mask_folder(folder) else None


def labels_of_all_files(folder: Path) -> list[Dataset]:
    """Return the datasets of all JSON files in and below a folder, for the formats that write one file per picture.

    All files of a format give one dataset; a format without files gives none. Unreadable files are skipped with a line
    in `warnings`.
    """
    found = []
    for format in format_table.LABEL_FORMATS:
        if (reader := format.document) is not None and reader.parse_all is not None:
            dataset = _dataset_of_all_documents(folder, reader)
            if dataset is not None:
                found.append(dataset)
    return found


def _dataset_of_all_documents(folder: Path, reader: DocumentReader) -> Dataset | None:
    """Return the dataset of all documents of one format in and below a folder, or None if there are none."""
    assert reader.parse_all is not None
    passed_over: list[str] = []

    def documents() -> Iterator[tuple[str, Any]]:
        for name, file in files_below(folder, (".json",)).items():
            try:
                document = parsed_json(text_of_label_file(file), file)
            except StudioError as error:
                passed_over.append(f"passed over: {error}")
                continue
            if reader.is_one(document):
                yield name, document

    dataset = reader.parse_all(documents(), folder)
    return replace(dataset, warnings=shortened_remarks(passed_over)) if dataset.images else None


def with_pictures(dataset: Dataset, label_file: Path, images: Path | None = None) -> Dataset:
    """Return the dataset with `path` set for each picture that is found. `warnings` name the missing pictures."""
    records = dataset.images
    wanted = file_names_of(records)
    also = names_of_labelme_files(records) if format_table.has_one_file_for_each_picture(dataset) else None
    found = picture_folders.find_pictures(wanted, label_file, images, picture_folder_of_project(dataset), also)
    base = label_file if label_file.is_dir() else label_file.parent
    warnings = missing_pictures.missing_picture_lines(label_file, found, str(images or base))
    return replace(dataset, images=with_paths(records, found.paths), warnings=(*dataset.warnings, *warnings))
