"""Reading label files: what a path holds is found out from its content, not from its name."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn import foreign
from maskrcnn.annotations import file_names
from maskrcnn.annotations.folder_walk import files_below, files_in, walk
from maskrcnn.annotations.formats import (
    coco,
    folder_contents,
    json_mistakes,
    labelme,
    other_formats,
    picture_places,
    text_encodings,
    via,
    yolo,
)
from maskrcnn.annotations.formats.lazy_records import Records, with_paths
from maskrcnn.annotations.formats.masks import mask_pngs
from maskrcnn.annotations.formats.via import csv_file, large_files
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store.database import DATABASE
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.words import byte_size, counted

LARGEST_FILE = 150 * 10**6
"""Bytes; a label file beyond this is refused before it is read. Ten thousand pictures with ten outlines are 70 MB."""

MOST_GROUPS = 8_000_000
"""Lists and groups in one JSON file. Each takes at least 60 bytes of memory, and two characters of the file."""

_EXPECTED = json_mistakes.EXPECTED
LABEL_SUFFIXES = (".json", ".csv")
"""Label files of their own; what else labels can be is a folder of files."""
NO_LABELS = "no labels"
"""Words in every complaint about a file of something else."""


def read(path: Path | str, images: Path | str | None = None, class_attribute: str | None = None) -> Dataset:
    """The dataset of a label file, of a folder that holds labels of one kind, or of a project folder (all splits).

    Files: VIA JSON or CSV, COCO, labelme, YOLO's `data.yaml`. Folders: one such file, a labelme file for each picture,
    a YOLO data set, or PNG masks. `class_attribute` names the VIA attribute that is the class, where the rule of
    `via_classes` would choose another, or several with commas between them, each the class where it is set.

    Pictures are looked for in `images` if given, else in the folder of the file and below it, and in the layouts of
    `picture_places.around`; names may be spelled as other programs do (`picture_index`). A picture that is not found
    has `path` None, which is no error here (`trainable.require_trainable` makes it one); where none is found, or a file
    of a near name, `warnings` say so. A folder that holds several label files, or whose labels lie in folders
    of it, such as `annotations/` beside `images/` or `train/` beside `valid/`, is understood as the browser's import
    does (`intake.understanding`); and as there, a file that cannot be read beside one that can is a warning.

    Raises `ArgumentError` for a path that does not exist, `StudioError` for content that is not what it should be.
    """
    path = Path(path)
    if images is not None and not Path(images).is_dir():
        raise ArgumentError(f"{images}: there is no such folder; give --images the folder that holds the pictures")
    if not path.exists():
        raise ArgumentError(f"{path}: there is no such file or folder; check the path")
    images = Path(images) if images is not None else None
    if (path / DATABASE).is_file():
        from maskrcnn.annotations.store import Project  # the store reads datasets itself

        return Project.open(path).dataset()
    if yolo.is_yolo(path):
        return yolo.read_folder(path, images)
    if not path.is_dir():
        return with_pictures(labels_of_file(path, class_attribute), path, images)
    return _dataset_of_folder(path, images, class_attribute)


def labels_of_file(path: Path, class_attribute: str | None = None) -> Dataset:
    """The dataset of a label file, as `read` gives it; no pictures are looked for."""
    return _text_dataset(_text(path), path, class_attribute)


def parse(document: Any, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """The dataset of a parsed JSON document of any kind; no pictures are looked for. `source` is for messages."""
    if not via.is_project(document) and (other := other_formats.of_document(document)):
        raise StudioError(f"{source}: this is {other}")
    if via.is_via(document):
        return via.parse(document, source, class_attribute)
    if via.is_attribute_definitions(document):
        raise via.only_definitions(source)
    if coco.is_coco(document):
        return coco.parse(document, source)
    if labelme.is_labelme(document):
        return labelme.parse({Path(source).name: document}, source)
    raise StudioError(f"{source}: this JSON holds {NO_LABELS} that the studio knows; {_EXPECTED}")


def with_pictures(dataset: Dataset, label_file: Path, images: Path | None = None) -> Dataset:
    """The dataset with `path` set for each picture that is found, and lines in `warnings` where that is not so."""
    records = dataset.images
    file_names = records.file_names if isinstance(records, Records) else [record.file_name for record in records]
    also = picture_places.own_names(records) if dataset.extras.get("flavour") == "labelme" else None
    found = picture_places.find(file_names, label_file, images, picture_places.default_folder(dataset), also)
    base = label_file if label_file.is_dir() else label_file.parent
    warnings = picture_places.lines(label_file, found, str(images or base))
    return replace(dataset, images=with_paths(records, found.paths), warnings=(*dataset.warnings, *warnings))


def _dataset_of_folder(folder: Path, images: Path | None, class_attribute: str | None) -> Dataset:
    """The dataset of a folder with labels of one kind."""
    if (folder / mask_pngs.CLASSES).is_file() and mask_pngs.is_mask_pngs(folder):
        return mask_pngs.read_folder(folder, images)
    found: list[Dataset] = []
    refused: list[StudioError] = []
    has_labelme = False
    for candidate in files_in(folder, LABEL_SUFFIXES).values():
        try:
            dataset = labels_of_file(candidate, class_attribute)
        except StudioError as error:
            refused.append(error)
            continue
        if dataset.extras.get("flavour") == "labelme":
            has_labelme = True  # one of many, and with its picture inside: not kept here
        else:
            found.append(dataset)
    if not found and not has_labelme and files_in(folder, (".png",)) and mask_pngs.is_mask_pngs(folder):
        return mask_pngs.read_folder(folder, images)
    if has_labelme:
        found += _labelme_of_folder(folder)
        refused = []  # it has told of those below, too
    if len(found) > 1:
        return _dataset_of_folders_in(folder, images, class_attribute, refused)
    if found:
        said = [] if has_labelme else _further_labels(folder)
        if said:
            try:
                return _dataset_of_folders_in(folder, images, class_attribute, refused)
            except StudioError as error:
                said = [
                    f"{folder}: left out {file_names.listed(said)}, which lie in folders of it; read together: {error}"
                ]
        passed_over = [f"passed over: {error}" for error in refused]
        dataset = with_pictures(found[0], folder, images)
        return replace(dataset, warnings=(*dataset.warnings, *picture_places.shortened([*passed_over, *said])))
    return _dataset_of_folders_in(folder, images, class_attribute, refused)


def _further_labels(folder: Path) -> list[str]:
    """The label files in folders of a folder, by their names in it."""
    further = []
    for name, file in walk(folder, enough=picture_places.MOST_FILES)[0].items():
        if "/" in name and file_names.suffix(name) in LABEL_SUFFIXES:
            with contextlib.suppress(StudioError):
                labels_of_file(file)
                further.append(name)
    return further


def _dataset_of_folders_in(
    folder: Path, images: Path | None, class_attribute: str | None, refused: Sequence[StudioError]
) -> Dataset:
    """The dataset of a folder whose labels lie in folders of it, as the browser's import understands it.

    Raises `StudioError` that says what the folder holds instead.
    """
    from maskrcnn.annotations.intake import combined_dataset

    files, _ = walk(folder)
    if (own := _project_in(folder, files)) is not None:
        return read(own)
    if (dataset := combined_dataset.of_labels(files, folder, images, class_attribute)) is not None:
        return dataset
    # Masks in folders of it, without their pictures.
    of_masks = {folder / file_names.folder(name) for name in files if file_names.suffix(name) == ".png"}
    of_masks = {place for place in of_masks if mask_pngs.is_called_so(place.name) and mask_pngs.is_mask_pngs(place)}
    place = next(iter(of_masks)) if len(of_masks) == 1 else folder
    if mask_pngs.is_mask_pngs(place):
        return mask_pngs.read_folder(place, images)
    if (
        refused
        and all(NO_LABELS in str(error) for error in refused)
        and (trouble := folder_contents.trouble(folder, files))
    ):
        raise StudioError(f"{folder}: {trouble}")
    if refused:
        # Of several complaints, that about a file of labels says more than that about a file of something else.
        raise min(refused, key=lambda error: NO_LABELS in str(error))
    raise StudioError(f"{folder}: {folder_contents.nothing_to_read(folder, files)}; {_EXPECTED}, or a project folder")


def _project_in(folder: Path, files: Mapping[str, Path]) -> Path | None:
    """The folder of the one project that lies below a folder, as a zip of it is unpacked. `StudioError` for several."""
    found = [file.parent for name, file in files.items() if file_names.parts(name)[-1] == DATABASE]
    if len(found) > 1:
        raise StudioError(f"{folder}: holds {counted(len(found), 'project')}; give one of them")
    return found[0] if found else None


def _labelme_of_folder(folder: Path) -> list[Dataset]:
    """The one dataset of all labelme files in a folder and below it, if there are any. A file that cannot be read is
    passed over with a line in `warnings`."""
    passed_over: list[str] = []

    def documents() -> Iterator[tuple[str, Any]]:
        for name, file in files_below(folder, (".json",)).items():
            try:
                document = _document(_text(file), file)
            except StudioError as error:
                passed_over.append(f"passed over: {error}")
                continue
            if labelme.is_labelme(document):
                yield name, document

    dataset = labelme.parse(documents(), folder)
    return [replace(dataset, warnings=picture_places.shortened(passed_over))] if dataset.images else []


def _text_dataset(text: str, source: Path | str, class_attribute: str | None) -> Dataset:
    if csv_file.is_csv(text):
        return csv_file.parse(text, source, class_attribute)
    if text.count("{") + text.count("[") > MOST_GROUPS:
        raise StudioError(f"{source}: holds more than {MOST_GROUPS} lists and groups, too many for one file; split it")
    with _without_collector():
        with _json_mistakes_named(text, source):
            large = large_files.parse(text, source, class_attribute, refuse=_refuse)
        return large if large is not None else parse(_document(text, source), source, class_attribute)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Python looks for circles among all objects again and again while millions are made, which takes longer than to
    make them; what is read here has none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _text(path: Path) -> str:
    """What a label file holds, if it is text and not too much of it."""
    try:
        if not path.is_file():
            raise StudioError(f"{path}: this is no file that could be read; {_EXPECTED}")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise StudioError(
                f"{path}: {byte_size(size)} are too much for one label file (at most {byte_size(LARGEST_FILE)}); "
                "split it"
            )
        return text_encodings.decoded(foreign.read_bytes(path, most=LARGEST_FILE, mend="split it"), path)
    except OSError as error:
        raise StudioError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None


def _document(text: str, source: Path | str) -> Any:
    with _json_mistakes_named(text, source):
        return json.loads(text, parse_constant=_refuse)


@contextlib.contextmanager
def _json_mistakes_named(text: str, source: Path | str) -> Iterator[None]:
    try:
        yield
    except json.JSONDecodeError as error:
        raise json_mistakes.mistake(text, error, source) from None
    except RecursionError:
        raise StudioError(f"{source}: the JSON is nested too deep to be a label file; {_EXPECTED}") from None
    except _NoNumber as error:
        raise json_mistakes.no_number(text, str(error), source) from None
    except ValueError as error:
        raise StudioError(f"{source}: not JSON ({error}); {_EXPECTED}") from None


class _NoNumber(ValueError):
    """NaN or Infinity, where JSON knows numbers only."""


def _refuse(constant: str) -> Any:
    raise _NoNumber(constant)
