"""Messages about pictures of a label file that were not found: how many, and which files have similar names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.picture_folders import FoundPictures
from maskrcnn.words import counted, shortened_remarks

_SHOWN = 3


def missing_picture_lines(source: Path | str, found: FoundPictures, where: str) -> tuple[str, ...]:
    """Return the messages about the pictures of a label file that were not found in `where`."""
    sentences = [*shortened_remarks(found.warnings)]
    if found.paths and not any(found.paths):
        number = len(found.paths)
        which = "its picture was not" if number == 1 else f"none of its {number:,} pictures was"
        sentences.append(f"{source}: {which} found in {where}; give the folder of pictures with --images DIR")
    if found.near:
        pairs = [f"{_near_name_beginning(name)}{_near_names_in_words(files)}" for name, files in found.near.items()]
        some, shown = counted(len(pairs), "picture"), "; ".join(pairs[:_SHOWN])
        more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
        sentences.append(
            f"{source}: {some} not found, but near names are there: {shown}{more}; if so, rename one of the two"
        )
    return tuple(sentences)


def near_hint(dataset: Dataset, file_name: str) -> str:
    """Return ` ("1 (2).jpg" is there)` if `missing_picture_lines` has such a suggestion for a missing picture;
    otherwise an empty string."""
    begin = _near_name_beginning(file_name)
    for line in dataset.warnings:
        if begin in line and (files := re.match(r'"[^"]*"(?: or "[^"]*")?', line.partition(begin)[2])):
            return f" ({files[0]} is there)"
    return ""


def _near_name_beginning(name: str) -> str:
    """Return the beginning of the suggestion for a missing picture, before the similar file names."""
    return f'"{names.brief(name)}" may be '


def _near_names_in_words(files: Sequence[str]) -> str:
    """Return the similar file names in the suggestion for a missing picture: "a.jpg" or "b.jpg"."""
    return " or ".join(f'"{names.brief(file)}"' for file in files[:2])
