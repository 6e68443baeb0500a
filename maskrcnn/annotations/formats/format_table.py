"""The table of formats that the studio reads and writes. A new format is a package with a `FORMAT`, and a line here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import coco, labelme, masks, via, yolo
from maskrcnn.annotations.formats.format_interface import DocumentReader, FolderReader, LabelFormat, TextReader, Writer

LABEL_FORMATS: tuple[LabelFormat, ...] = (via.FORMAT, coco.FORMAT, labelme.FORMAT, yolo.FORMAT, masks.FORMAT)
"""All formats, in the order in which their readers are tried and in which an export offers them."""

WRITERS: dict[str, Writer] = {name: writer for format in LABEL_FORMATS for name, writer in format.writers.items()}
"""Every format that can be written, by its command-line name."""


def folder_formats() -> set[str]:
    """Return the names of the formats that are a folder of files. Their readers find the pictures themselves."""
    return {name for format in LABEL_FORMATS if format.folder is not None for name in format.writers}


def document_reader(document: Any) -> DocumentReader | None:
    """Return the reader for a parsed JSON document, or None if no format has such documents."""
    readers = (format.document for format in LABEL_FORMATS)
    return next((reader for reader in readers if reader is not None and reader.is_one(document)), None)


def text_reader(text: str) -> TextReader | None:
    """Return the reader for text that is not JSON, or None if no format has such texts."""
    readers = (format.text for format in LABEL_FORMATS)
    return next((reader for reader in readers if reader is not None and reader.is_one(text)), None)


def folder_reader(path: Path, *, by_looks: bool = False) -> FolderReader | None:
    """Return the reader for a folder of files, or for the file that represents it; None if no format fits. With
    `by_looks`, formats that only look similar are accepted too."""
    for format in LABEL_FORMATS:
        reader = format.folder
        if reader is not None and (reader.looks_like_one(path) if by_looks else reader.is_one(path)):
            return reader
    return None


def has_one_file_for_each_picture(dataset: Dataset) -> bool:
    """Whether the labels were read from a format with one document for each picture. Only the readers of such formats
    have `parse_all`."""
    name_of_format = dataset.extras.get("flavour")
    read_formats = [format for format in LABEL_FORMATS if name_of_format in format.writers]
    return any(format.document is not None and format.document.parse_all is not None for format in read_formats)
