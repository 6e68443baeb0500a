"""How a package describes its format for the table of formats (`table.LABEL_FORMATS`).

A format names what it writes, and one reader for each way in which its labels can be stored: a JSON document, a text of
another kind, or a folder of files. Readers are asked by content, never by a file's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats.encoded_files import Encoded
from maskrcnn.annotations.regions import Dataset

Source = Path | str
"""The file or folder that labels are read from, as messages name it."""


@dataclass(frozen=True)
class Writer:
    """How labels are written in a format.

    `words` is what a button calls it; `suffix` that of its one file, None for a format that is a folder of files.
    `own_folders` says that training and validation have a folder each, so that a picture of either may have the same
    name.
    """

    words: str
    suffix: str | None
    encode: Callable[[Dataset], Encoded]
    own_folders: bool = False


@dataclass(frozen=True)
class DocumentReader:
    """How a JSON document is read.

    - `is_one(document)`: whether a parsed document is of this format.
    - `parse(document, source, class_attribute)`: its dataset; raises `StudioError` for what the format does not allow.
    - `parse_all(documents, folder)`: the dataset of many documents, pairs of a name in the folder and the document, for
      a format that has one for each picture; None for a format whose document holds a whole dataset.
    - `parse_large(text, source, class_attribute, refuse)`: optional, the dataset of a text that is too large to be
      parsed at once, None for any other text; `refuse` is called with a number that JSON does not have.
    """

    is_one: Callable[[Any], bool]
    parse: Callable[[Any, Source, str | None], Dataset]
    parse_all: Callable[[Iterable[tuple[str, Any]], Source], Dataset] | None = None
    parse_large: Callable[[str, Source, str | None, Callable[[str], Any]], Dataset | None] | None = None


@dataclass(frozen=True)
class TextReader:
    """How a text that is no JSON is read: `is_one(text)`, and `parse(text, source, class_attribute)`."""

    is_one: Callable[[str], bool]
    parse: Callable[[str, Source, str | None], Dataset]


def _never(_: Path) -> bool:
    return False


@dataclass(frozen=True)
class FolderReader:
    """How a folder of files is read (or a file that stands for one, as YOLO's `data.yaml`).

    - `is_one(path)`: whether it can be nothing but this format.
    - `read(path, images)`: its dataset; pictures are looked for in the folder `images` if given.
    - `looks_like_one(folder)`: whether it may be of this format; asked only where no label file was found.
    """

    is_one: Callable[[Path], bool]
    read: Callable[[Path, Path | None], Dataset]
    looks_like_one: Callable[[Path], bool] = _never


@dataclass(frozen=True)
class LabelFormat:
    """A family of label files. `writers` go by the name on the command line, which is also that in
    `Dataset.extras["flavour"]` of a dataset that was read from such labels."""

    writers: Mapping[str, Writer]
    document: DocumentReader | None = None
    text: TextReader | None = None
    folder: FolderReader | None = None
