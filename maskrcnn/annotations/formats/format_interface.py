"""The types that describe a label format for the table of formats (`format_table.LABEL_FORMATS`).

A format has its writers, and one reader for each way in which its labels can be stored: a JSON document, another kind
of text, or a folder of files. The reader is chosen by the content, never by the file name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskrcnn.annotations.dataset import Dataset

Source = Path | str
"""The file or folder that the labels are read from, for messages."""


@dataclass(frozen=True)
class Writer:
    """How labels are written in a format.

    `words` is the name for buttons. `suffix` is the suffix of the single file, or None for a format that is a folder of
    files. `split_folders` is true if training and validation have separate folders, so that a picture of each may have
    the same name.
    """

    words: str
    suffix: str | None
    encode: Callable[[Dataset], Encoded]
    split_folders: bool = False


@dataclass(frozen=True)
class DocumentReader:
    """How a JSON document is read.

    - `is_one(document)`: whether a parsed document has this format.
    - `parse(document, source, class_attribute)`: returns its dataset. Raises `StudioError` if the document is invalid.
    - `parse_all(documents, folder)`: returns one dataset of many documents, for a format with one document for each
      picture. `documents` are pairs of file name and document. None for a format whose document holds a whole dataset.
    - `parse_large(text, source, class_attribute, refuse)`: optional; returns the dataset of a text that is too large to
      be parsed at once, or None for any other text. It calls `refuse` for NaN and Infinity.
    """

    is_one: Callable[[Any], bool]
    parse: Callable[[Any, Source, str | None], Dataset]
    parse_all: Callable[[Iterable[tuple[str, Any]], Source], Dataset] | None = None
    parse_large: Callable[[str, Source, str | None, Callable[[str], Any]], Dataset | None] | None = None


@dataclass(frozen=True)
class TextReader:
    """How text that is not JSON is read: `is_one(text)`, and `parse(text, source, class_attribute)`."""

    is_one: Callable[[str], bool]
    parse: Callable[[str, Source, str | None], Dataset]


def _is_never_of_this_format(_: Path) -> bool:
    """The default for a format whose folders are recognised with certainty: no other folder may be of this format."""
    return False


@dataclass(frozen=True)
class FolderReader:
    """How a folder of files is read, or a file that represents the folder, such as YOLO's `data.yaml`.

    - `is_one(path)`: whether the folder can only be of this format.
    - `read(path, images)`: returns its dataset. Pictures are searched in the folder `images`, if given.
    - `looks_like_one(folder)`: whether the folder may be of this format. Called only if no label file was found.
    """

    is_one: Callable[[Path], bool]
    read: Callable[[Path, Path | None], Dataset]
    looks_like_one: Callable[[Path], bool] = _is_never_of_this_format


@dataclass(frozen=True)
class LabelFormat:
    """A family of label files: its writers and readers.

    The keys of `writers` are the command-line names. They are also the `Dataset.extras["flavour"]` of datasets that
    were read from such labels.
    """

    writers: Mapping[str, Writer]
    document: DocumentReader | None = None
    text: TextReader | None = None
    folder: FolderReader | None = None


@dataclass(frozen=True)
class Encoded:
    """Label files in memory, by their name relative to the target folder, with the warnings of `encode`.

    - `files`: name -> content. A single-file format has exactly one entry; the caller may write it under another name.
    - `n_regions`: the number of regions in the files. It may be smaller than in the dataset; `warnings` say why.
    - `warnings`: one line for each kind of information that the format cannot hold.
    - `pictures`: name relative to the target folder -> picture file. Empty if the pictures belong beside their label
      files under their own names.
    - `within`: the folder that no picture may lie outside of. None if the reader of the labels has checked this.
    - `left_out`: a line about the pictures that cannot be written.
    - `notes`: lines about unexpected changes that lose no information.
    """

    files: Mapping[str, bytes]
    n_regions: int
    warnings: tuple[str, ...] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)
    within: Path | None = None
    left_out: str | None = None
    notes: tuple[str, ...] = ()
