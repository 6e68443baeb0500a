"""Where the pictures of a label file usually lie, and finding each of them there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.folder_walk import walk
from maskrcnn.annotations.near_names import near
from maskrcnn.annotations.picture_index import Pictures
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.errors import ArgumentError
from maskrcnn.words import counted

MOST_FILES = 200_000
"""So many files around a label file are looked at for its pictures; it may lie in a home folder."""

OF_LABELS = ("annotations", "annotation", "anns", "ann", "labels", "label", "jsons", "json")
"""Folders that hold label files only; their pictures lie in folders beside them. In any case, as the next."""
_IMAGES = "images"
OF_PICTURES = ("image", "imgs", "img", "jpegimages", "pngimages", "pictures", "photos", "frames")
"""What folders of pictures are called where none is called `images`."""
_SHOWN = 3
_MOST_LINES = 20


@dataclass(frozen=True)
class Around:
    """The pictures that a label file may mean: an index of them, and the label file's own name in it."""

    index: Pictures
    label_file: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Where the pictures lie, in the order in which they were asked for (None: not found); for those that were not, the
    files of a near name, if any; and lines about what was not taken."""

    paths: tuple[Path | None, ...]
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def around(label_file: Path, images: Path | None = None) -> Around:
    """The pictures in the folder `images`, if given, and below it; else those below the folder of the label file (or
    the folder of labels), and for `annotations/instances_val2017.json` also in `images/` and `val2017/` beside that,
    or else in the usual folders of pictures there."""
    if images is not None:
        files, warnings = _pictures_below(images)
        return Around(Pictures(files), label_file.name, tuple(warnings))
    base = label_file if label_file.is_dir() else label_file.parent
    files, warnings = _pictures_below(base)
    name = label_file.name if label_file != base else "labels"
    if base.name.lower() in OF_LABELS:
        files = {f"{base.name}/{file}": path for file, path in files.items()}
        name = f"{base.name}/{name}"
        further, lines = beside(label_file)
        files |= further
        warnings += lines
    return Around(Pictures(files), name, tuple(warnings))


def beside(label_file: Path) -> tuple[dict[str, Path], list[str]]:
    """The pictures in the folders beside one that holds labels only (which may itself be given), by their names
    relative to the folder of these; and warnings. None for a folder of another name."""
    base = label_file if label_file.is_dir() else label_file.parent
    if base.name.lower() not in OF_LABELS:
        return {}, []
    stem = label_file.stem.lower() if label_file != base else _IMAGES
    there: dict[str, list[Path]] = {}
    try:
        with os.scandir(base.parent) as listing:
            for entry in listing:
                if entry.is_dir() and untrusted_files.is_confined(entry.path, [base.parent]):
                    there.setdefault(entry.name.lower(), []).append(base.parent / entry.name)
    except OSError:
        return {}, []
    warnings: list[str] = []
    for called in ({_IMAGES, stem, stem.rpartition("_")[2]}, OF_PICTURES):
        files: dict[str, Path] = {}
        for folder in sorted(folder for name in called for folder in there.get(name, ()) if folder != base):
            further, lines = _pictures_below(folder)
            files |= {f"{folder.name}/{file}": path for file, path in further.items()}
            warnings += lines
        if files:
            return files, warnings
    return {}, warnings


def find(
    file_names: Sequence[str],
    label_file: Path,
    images: Path | None = None,
    default_folder: str = "",
    also: Mapping[str, str] | None = None,
) -> Found:
    """The pictures of these names, as `label_file` calls them; never outside the folders of `around`. `also` has
    further names for some, which a near name may be near to.

    Names that are written as the files are need no walk through the folders.
    """
    exact = _exact(file_names, label_file, images, default_folder)
    if all(exact) and len(set(exact)) == len(set(file_names)):
        return Found(tuple(exact))
    there = around(label_file, images)
    matched, warnings = there.index.match_all(file_names, there.label_file, default_folder)
    paths = [there.index.files[file] if file is not None else None for file in matched]
    # A file without a picture's suffix is in no index.
    others = {path for path in paths if path is not None}
    paths = [path or (found if found not in others else None) for path, found in zip(paths, exact, strict=True)]
    named = {line.partition(": ")[0] for line in warnings}
    missing = [
        name for name, path in zip(file_names, paths, strict=True) if path is None and names.brief(name) not in named
    ]
    used = {path for path in paths if path is not None}
    unused = [file for file, path in there.index.files.items() if path not in used]
    return Found(tuple(paths), near(missing, unused, also or {}), (*there.warnings, *warnings))


def own_names(records: Sequence[ImageRecord]) -> dict[str, str]:
    """The names of the labelme files by the pictures that they name: a picture that was renamed together with its file
    is called as that is."""
    notes = {record.file_name: record.extras.get("labelme") for record in records}
    return {name: str(kept["file"]) for name, kept in notes.items() if isinstance(kept, dict) and kept.get("file")}


def default_folder(dataset: Dataset) -> str:
    """Where a VIA project says that its pictures lie; empty where it, or another format, says nothing."""
    core: Any = dataset.extras.get("via_settings", {})
    for key in ("core", "default_filepath"):
        core = core.get(key) if isinstance(core, Mapping) else None
    return core.strip() if isinstance(core, str) else ""


def lines(source: Path | str, found: Found, where: str) -> tuple[str, ...]:
    """What a person should know of pictures that were not found, for a terminal."""
    sentences = [*shortened(found.warnings)]
    if found.paths and not any(found.paths):
        number = len(found.paths)
        which = "its picture was not" if number == 1 else f"none of its {number:,} pictures was"
        sentences.append(f"{source}: {which} found in {where}; give the folder of pictures with --images DIR")
    if found.near:
        pairs = [f"{_may_be(name)}{_either(files)}" for name, files in found.near.items()]
        some, shown = counted(len(pairs), "picture"), "; ".join(pairs[:_SHOWN])
        more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
        sentences.append(
            f"{source}: {some} not found, but near names are there: {shown}{more}; if so, rename one of the two"
        )
    return tuple(sentences)


def shortened(lines: Sequence[str]) -> tuple[str, ...]:
    """The first of many lines, and how many more there are."""
    more = len(lines) - _MOST_LINES
    return (
        *lines[:_MOST_LINES],
        *([f"and {counted(more, 'more remark')} like {'this' if more == 1 else 'these'}"] if more > 0 else []),
    )


def near_hint(dataset: Dataset, file_name: str) -> str:
    """` ("1 (2).jpg" is there)`, where `lines` has that for a picture that was not found; else empty."""
    begin = _may_be(file_name)
    for line in dataset.warnings:
        if begin in line and (files := re.match(r'"[^"]*"(?: or "[^"]*")?', line.partition(begin)[2])):
            return f" ({files[0]} is there)"
    return ""


def _may_be(name: str) -> str:
    return f'"{names.brief(name)}" may be '


def _either(files: Sequence[str]) -> str:
    return " or ".join(f'"{names.brief(file)}"' for file in files[:2])


def _exact(file_names: Sequence[str], label_file: Path, images: Path | None, default_folder: str) -> list[Path | None]:
    """The files at exactly the places that the names say, in the likeliest folder first."""
    base = label_file if label_file.is_dir() else label_file.parent
    if images is not None:
        folders = [images]
    elif default_folder and names.leads_out(default_folder):
        return [None] * len(file_names)  # which of the folders is meant is for the index to say
    else:
        folders = [base.joinpath(*names.parts(default_folder))] if names.parts(default_folder) else []
        folders += [base, base / _IMAGES]
    real = [
        (folder, os.path.realpath(folder))
        for folder in folders
        if untrusted_files.is_confined(folder, [images or base])
    ]
    return [_at(name, real) for name in file_names]


def _at(file_name: str, folders: Sequence[tuple[Path, str]]) -> Path | None:
    parts = names.parts(file_name)
    if not parts or names.leads_out(file_name) or names.is_junk(file_name):
        return None
    for folder, real in folders:
        candidate = folder.joinpath(*parts)
        try:
            if candidate.is_file() and untrusted_files.is_confined(candidate, [real]):
                return candidate
        except (OSError, ValueError):  # a name that no file system would take
            continue
    return None


def _pictures_below(folder: Path) -> tuple[dict[str, Path], list[str]]:
    try:
        found, warnings = walk(folder, enough=MOST_FILES)
    except ArgumentError:
        return {}, []
    return {name: path for name, path in found.items() if names.suffix(name) in pictures.SUFFIXES}, warnings
