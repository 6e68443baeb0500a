"""Find the pictures of a label file in the folders where they usually are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.folder_walk import walk
from maskrcnn.annotations.picture_index import PictureIndex
from maskrcnn.annotations.similar_file_names import similar_files
from maskrcnn.errors import ArgumentError

MOST_FILES = 200_000
"""Maximum number of files that are searched around a label file, which may be in a home folder."""

LABEL_FOLDERS = ("annotations", "annotation", "anns", "ann", "labels", "label", "jsons", "json")
"""Names (in any case) of folders that hold only label files. The pictures are in sibling folders."""
_IMAGES = "images"
PICTURE_FOLDERS = ("image", "imgs", "img", "jpegimages", "pngimages", "pictures", "photos", "frames")
"""Names (in any case) of picture folders that are used if no folder is called `images`."""


@dataclass(frozen=True)
class PicturesAround:
    """An index of the pictures that a label file may refer to, and the label file's own name in it."""

    index: PictureIndex
    label_file: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundPictures:
    """The paths of the requested pictures, in order (None: not found); files with similar names for the missing ones;
    and warnings."""

    paths: tuple[Path | None, ...]
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def pictures_around_labels(label_file: Path, images: Path | None = None) -> PicturesAround:
    """Return the pictures that a label file may refer to.

    These are the pictures below `images`, if given. Otherwise they are the pictures below the label file's folder. If
    that is a folder of labels, its sibling folders are searched too: for `annotations/instances_val2017.json`,
    `images/` and `val2017/`, or else other usual picture folders.
    """
    if images is not None:
        files, warnings = _pictures_below(images)
        return PicturesAround(PictureIndex(files), label_file.name, tuple(warnings))
    base = label_file if label_file.is_dir() else label_file.parent
    files, warnings = _pictures_below(base)
    name = label_file.name if label_file != base else "labels"
    if base.name.lower() in LABEL_FOLDERS:
        files = {f"{base.name}/{file}": path for file, path in files.items()}
        name = f"{base.name}/{name}"
        further, lines = pictures_beside_labels(label_file)
        files |= further
        warnings += lines
    return PicturesAround(PictureIndex(files), name, tuple(warnings))


def pictures_beside_labels(label_file: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the pictures in the sibling folders of a folder of labels, by name relative to the parent folder, and
    warnings. `label_file` may also be the folder of labels itself. Returns no pictures for a folder with another name.
    """
    base = label_file if label_file.is_dir() else label_file.parent
    if base.name.lower() not in LABEL_FOLDERS:
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
    for called in ({_IMAGES, stem, stem.rpartition("_")[2]}, PICTURE_FOLDERS):
        files: dict[str, Path] = {}
        for folder in sorted(folder for name in called for folder in there.get(name, ()) if folder != base):
            further, lines = _pictures_below(folder)
            files |= {f"{folder.name}/{file}": path for file, path in further.items()}
            warnings += lines
        if files:
            return files, warnings
    return {}, warnings


def find_pictures(
    file_names: Sequence[str],
    label_file: Path,
    images: Path | None = None,
    default_folder: str = "",
    also: Mapping[str, str] | None = None,
) -> FoundPictures:
    """Return the pictures with these names, as `label_file` writes them. Only the folders of `pictures_around_labels`
    are searched.

    `also` maps some names to further names, which are also used to find similar file names. If every name matches a
    file exactly, the folders are not walked.
    """
    exact = _files_at_written_paths(file_names, label_file, images, default_folder)
    if all(exact) and len(set(exact)) == len(set(file_names)):
        return FoundPictures(tuple(exact))
    there = pictures_around_labels(label_file, images)
    matched, warnings = there.index.match_all(file_names, there.label_file, default_folder)
    paths = [there.index.files[file] if file is not None else None for file in matched]
    # The index has only files with the suffix of a picture. A file with another suffix is found if its path is written
    # exactly, unless the index has it as the picture of another name.
    from_index = {path for path in paths if path is not None}
    paths = [path or (found if found not in from_index else None) for path, found in zip(paths, exact, strict=True)]
    named = {line.partition(": ")[0] for line in warnings}
    missing = [
        name for name, path in zip(file_names, paths, strict=True) if path is None and names.brief(name) not in named
    ]
    used = {path for path in paths if path is not None}
    unused = [file for file, path in there.index.files.items() if path not in used]
    return FoundPictures(tuple(paths), similar_files(missing, unused, also or {}), (*there.warnings, *warnings))


def _files_at_written_paths(
    file_names: Sequence[str], label_file: Path, images: Path | None, default_folder: str
) -> list[Path | None]:
    """Return the pictures of a label file that lie at exactly the paths that it writes. The likeliest folder is tried
    first."""
    base = label_file if label_file.is_dir() else label_file.parent
    if images is not None:
        folders = [images]
    elif default_folder and names.leads_out(default_folder):
        return [None] * len(file_names)  # the folder is outside the labels' folder: only the index can find it
    else:
        folders = [base.joinpath(*names.parts(default_folder))] if names.parts(default_folder) else []
        folders += [base, base / _IMAGES]
    real = [
        (folder, os.path.realpath(folder))
        for folder in folders
        if untrusted_files.is_confined(folder, [images or base])
    ]
    return [_file_in_folders(name, real) for name in file_names]


def _file_in_folders(file_name: str, folders: Sequence[tuple[Path, str]]) -> Path | None:
    """Return the first existing file at the path `file_name` below the folders, pairs of a folder and its real path
    that the file must not leave; None if there is none."""
    parts = names.parts(file_name)
    if not parts or names.leads_out(file_name) or names.is_junk(file_name):
        return None
    for folder, real in folders:
        candidate = folder.joinpath(*parts)
        try:
            if candidate.is_file() and untrusted_files.is_confined(candidate, [real]):
                return candidate
        except (OSError, ValueError):  # the file system does not allow this name
            continue
    return None


def _pictures_below(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the pictures below a folder, by relative name, and warnings; neither if the folder cannot be read."""
    try:
        found, warnings = walk(folder, enough=MOST_FILES)
    except ArgumentError:
        return {}, []
    return {name: path for name, path in found.items() if names.suffix(name) in pictures.SUFFIXES}, warnings
