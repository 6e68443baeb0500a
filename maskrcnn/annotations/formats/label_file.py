"""Read one label file: detect its format by its content, and parse it. `annotations.reading` finds its pictures."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import format_table, text_encodings, unsupported_formats
from maskrcnn.annotations.formats.format_interface import Source
from maskrcnn.annotations.formats.json_mistakes import EXPECTED, explained_json_errors, parsed_json, refuse_constant
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

LARGEST_FILE = 150 * 10**6
"""Bytes. A larger label file is refused before it is read. 10,000 pictures with ten outlines each are 70 MB."""

MOST_GROUPS = 8_000_000
"""Maximum number of lists and objects in one JSON file. Each takes at least 60 bytes of memory and two characters of
the file."""

LABEL_SUFFIXES = (".json", ".csv")
"""Suffixes of formats that are a single file; other formats are a folder of files."""
NO_LABELS = "no labels"
"""Part of every message about a file that holds something other than labels."""


def labels_of_file(path: Path, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a label file, as `annotations.read` does, without searching for pictures.

    Raises `StudioError` if the content has an unknown format or is invalid.
    """
    return dataset_of_text(text_of_label_file(path), path, class_attribute)


def dataset_of_text(text: str, source: Source, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a label file's text. `source` is for messages."""
    if (reader := format_table.text_reader(text)) is not None:
        return reader.parse(text, source, class_attribute)
    if text.count("{") + text.count("[") > MOST_GROUPS:
        raise StudioError(f"{source}: holds more than {MOST_GROUPS} lists and groups, too many for one file; split it")
    with _garbage_collection_off():
        with explained_json_errors(text, source):
            large = _dataset_of_large_text(text, source, class_attribute)
        return large if large is not None else dataset_of_document(parsed_json(text, source), source, class_attribute)


def dataset_of_document(document: Any, source: Source, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a parsed JSON document of any format, without searching for pictures. `source` is for
    messages."""
    if other := unsupported_formats.unsupported_document(document):
        raise StudioError(f"{source}: this is {other}")
    if (reader := format_table.document_reader(document)) is not None:
        return reader.parse(document, source, class_attribute)
    raise StudioError(f"{source}: this JSON holds {NO_LABELS} that the studio knows; {EXPECTED}")


def _dataset_of_large_text(text: str, source: Source, class_attribute: str | None) -> Dataset | None:
    """Return the dataset of a text that is too large to be parsed at once; None for any other text."""
    for format in format_table.LABEL_FORMATS:
        if (reader := format.document) is not None and reader.parse_large is not None:
            dataset = reader.parse_large(text, source, class_attribute, refuse_constant)
            if dataset is not None:
                return dataset
    return None


@contextlib.contextmanager
def _garbage_collection_off() -> Iterator[None]:
    """Disable garbage collection while the JSON of one label file is parsed. It would take longer than the parsing,
    because it searches millions of new objects for reference cycles again and again, and these objects have none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def text_of_label_file(path: Path) -> str:
    """Return the text of a label file. Raises `StudioError` if it is not a file, not text, or too large."""
    try:
        if not path.is_file():
            raise StudioError(f"{path}: this is no file that could be read; {EXPECTED}")
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise StudioError(
                f"{path}: {byte_size(size)} are too much for one label file (at most {byte_size(LARGEST_FILE)}); "
                "split it"
            )
        return text_encodings.decoded_text(untrusted_files.read_bytes(path, most=LARGEST_FILE, mend="split it"), path)
    except OSError as error:
        raise StudioError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from None
