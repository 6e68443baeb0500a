"""Read one label file: detect its format by its content, parse it, and find its pictures."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.annotations.folder_walk import files_below
from maskrcnn.annotations.formats import format_table, json_mistakes, other_formats, picture_places, text_encodings
from maskrcnn.annotations.formats.label_format import DocumentReader, Source
from maskrcnn.annotations.formats.lazy_records import Records, with_paths
from maskrcnn.annotations.regions import Dataset
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

LARGEST_FILE = 150 * 10**6
"""Bytes. A larger label file is refused before it is read. 10,000 pictures with ten outlines each are 70 MB."""

MOST_GROUPS = 8_000_000
"""Maximum number of lists and objects in one JSON file. Each takes at least 60 bytes of memory and two characters of
the file."""

_EXPECTED = json_mistakes.EXPECTED
LABEL_SUFFIXES = (".json", ".csv")
"""Suffixes of formats that are a single file; other formats are a folder of files."""
NO_LABELS = "no labels"
"""Part of every message about a file that holds something other than labels."""


def labels_of_file(path: Path, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a label file, as `annotations.read` does, without searching for pictures.

    Raises `StudioError` if the content has an unknown format or is invalid.
    """
    return dataset_of_text(_text(path), path, class_attribute)


def dataset_of_text(text: str, source: Source, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a label file's text. `source` is for messages."""
    if (reader := format_table.text_reader(text)) is not None:
        return reader.parse(text, source, class_attribute)
    if text.count("{") + text.count("[") > MOST_GROUPS:
        raise StudioError(f"{source}: holds more than {MOST_GROUPS} lists and groups, too many for one file; split it")
    with _without_collector():
        with _json_mistakes_named(text, source):
            large = _large(text, source, class_attribute)
        return large if large is not None else parse(_document(text, source), source, class_attribute)


def parse(document: Any, source: Source, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a parsed JSON document of any format, without searching for pictures. `source` is for
    messages."""
    if other := other_formats.of_document(document):
        raise StudioError(f"{source}: this is {other}")
    if (reader := format_table.document_reader(document)) is not None:
        return reader.parse(document, source, class_attribute)
    raise StudioError(f"{source}: this JSON holds {NO_LABELS} that the studio knows; {_EXPECTED}")


def labels_of_all_files(folder: Path) -> list[Dataset]:
    """Return at most one dataset for each format with one file per picture, read from all JSON files in and below a
    folder. Unreadable files are skipped with a line in `warnings`."""
    found = []
    for format in format_table.LABEL_FORMATS:
        if (reader := format.document) is not None and reader.parse_all is not None:
            dataset = _of_all_documents(folder, reader)
            if dataset is not None:
                found.append(dataset)
    return found


def _of_all_documents(folder: Path, reader: DocumentReader) -> Dataset | None:
    """Return the dataset of all documents of one format in and below a folder, or None if there are none."""
    assert reader.parse_all is not None
    passed_over: list[str] = []

    def documents() -> Iterator[tuple[str, Any]]:
        for name, file in files_below(folder, (".json",)).items():
            try:
                document = _document(_text(file), file)
            except StudioError as error:
                passed_over.append(f"passed over: {error}")
                continue
            if reader.is_one(document):
                yield name, document

    dataset = reader.parse_all(documents(), folder)
    return replace(dataset, warnings=picture_places.shortened(passed_over)) if dataset.images else None


def with_pictures(dataset: Dataset, label_file: Path, images: Path | None = None) -> Dataset:
    """Return the dataset with `path` set for each picture that is found. `warnings` name the missing pictures."""
    records = dataset.images
    file_names = records.file_names if isinstance(records, Records) else [record.file_name for record in records]
    also = picture_places.own_names(records) if format_table.has_one_file_for_each_picture(dataset) else None
    found = picture_places.find(file_names, label_file, images, picture_places.default_folder(dataset), also)
    base = label_file if label_file.is_dir() else label_file.parent
    warnings = picture_places.lines(label_file, found, str(images or base))
    return replace(dataset, images=with_paths(records, found.paths), warnings=(*dataset.warnings, *warnings))


def _large(text: str, source: Source, class_attribute: str | None) -> Dataset | None:
    """Return the dataset of a text that is too large to be parsed at once; None for any other text."""
    for format in format_table.LABEL_FORMATS:
        if (reader := format.document) is not None and reader.parse_large is not None:
            dataset = reader.parse_large(text, source, class_attribute, _refuse)
            if dataset is not None:
                return dataset
    return None


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Disable garbage collection while reading. It would take longer than the reading, because it searches millions of
    new objects for reference cycles again and again, and these objects have none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _text(path: Path) -> str:
    """Return the text of a label file. Raises `StudioError` if it is not a file, not text, or too large."""
    try:
        if not path.is_file():
            raise StudioError(f"{path}: this is no file that could be read; {_EXPECTED}")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise StudioError(
                f"{path}: {byte_size(size)} are too much for one label file (at most {byte_size(LARGEST_FILE)}); "
                "split it"
            )
        return text_encodings.decoded(untrusted_files.read_bytes(path, most=LARGEST_FILE, mend="split it"), path)
    except OSError as error:
        raise StudioError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None


def _document(text: str, source: Source) -> Any:
    """Return the parsed JSON text. Raises `StudioError` that explains the mistake in it."""
    with _json_mistakes_named(text, source):
        return json.loads(text, parse_constant=_refuse)


@contextlib.contextmanager
def _json_mistakes_named(text: str, source: Source) -> Iterator[None]:
    """Convert errors of the JSON parser to `StudioError` with a clear message."""
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
    """Raised for NaN and Infinity, which JSON does not allow."""


def _refuse(constant: str) -> Any:
    """Raise `_NoNumber`; called by the JSON parser for NaN and Infinity."""
    raise _NoNumber(constant)
