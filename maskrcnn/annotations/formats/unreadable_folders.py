"""Explain why no labels can be read from a folder: the message names what the folder holds instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.annotations.formats.masks import mask_pairs
from maskrcnn.annotations.formats.masks.mask_files import coloured_masks_message, is_mask_folder, is_mask_folder_name
from maskrcnn.annotations.formats.unsupported_formats import (
    LENGTH_OF_BEGINNING,
    unsupported_binary,
    unsupported_first_line,
    unsupported_text,
)
from maskrcnn.annotations.formats.yolo.reading import yolo_without_class_names
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

_SHOWN = 4


def unusable_labels(folder: Path, files: Mapping[str, Path]) -> str:
    """Return the message why labels in a folder cannot be used, for labels that are recognised by their content alone:
    masks in colours, and YOLO rows without class names. Empty if there are none."""
    return coloured_masks_message(folder) or yolo_without_class_names(files)


def nothing_to_read(folder: Path, files: Mapping[str, Path]) -> str:
    """Return the message why no labels were read from a folder with these files (relative name -> path), and how to fix
    it."""
    shown = [name for name in files if file_names.suffix(name) in pictures.SUFFIXES]
    others = [name for name in files if file_names.suffix(name) not in pictures.SUFFIXES]
    if not files:
        return "no label file is in this folder, which is empty; give the folder that holds the labels"
    if known := unusable_labels(folder, files):
        return known
    if not others:
        return (
            f"no label file is in this folder, only {counted(len(shown), 'picture')}; give it, and this folder "
            "with --images, or label the pictures in the studio"
        )
    if of_another := unsupported_files(files):
        return f"no label file that can be read is in this folder; it holds {of_another}"
    kinds = Counter(file_names.suffix(name) or "no suffix" for name in others).most_common(_SHOWN)
    listed = ", ".join(f"{number} x {suffix}" for suffix, number in kinds)
    there = f"{counted(len(shown), 'picture')} and other files" if shown else "only other files, and no pictures"
    return f"no label file is in this folder, {there} ({listed}); give the folder that holds the labels"


def unsupported_files(files: Mapping[str, Path]) -> str | None:
    """Return what unreadable files of a folder are, judged by the beginning of the first few; None if unknown."""
    for path in [path for name, path in files.items() if name.lower().endswith(_SUFFIXES)][:_LOOKED_INTO]:
        try:
            with untrusted_files.opened(path) as file:
                content = file.read(LENGTH_OF_BEGINNING)
        except (StudioError, OSError):
            continue
        beginning = text_encodings.decoded_beginning(content)
        if "\0" in beginning or "\ufffd" in beginning:
            known = unsupported_binary(content)
        else:
            known = unsupported_text(beginning) or unsupported_first_line(beginning)
        if known is not None:
            return known
    return None


_SUFFIXES = (
    *(".xml", ".txt", ".jsonl", ".ndjson", ".manifest", ".tfrecord", ".tfrecords", ".record", ".pkl", ".pickle"),
    *(".parquet", ".arrow", ".npz", ".npy", ".mat", ".h5", ".hdf5", ".xlsx", ".xls", ".ods", ".zip", ".rar", ".7z"),
    *(".tar", ".gz", ".tgz"),
)
"""Suffixes of files that may be labels of another program."""
_LOOKED_INTO = 3


def have_photo_sidecars(files: Mapping[str, Path]) -> bool:
    """Whether pictures have JSON files named after them with information of a photo service (`a.jpg.json`, as in
    Google Takeout)."""
    there = {name for name in files if file_names.suffix(name) in pictures.SUFFIXES}
    sidecars = [name for name in files if file_names.suffix(name) == ".json"]
    return any(name[:-5].removesuffix(".supplemental-metadata") in there for name in sidecars)


def coloured_mask_warnings(files: Mapping[str, Path], root: Path) -> Iterator[str]:
    """Yield a warning for each folder of PNGs that were read as pictures, but look like masks.

    Their colours are the reason if the folder is named like a mask folder or all its PNGs have the names of other
    pictures. For uncoloured masks in a folder named like a mask folder, the reason is that no picture was found. A
    folder of class masks (of a pair of mask folders) has no warning of its own.
    """
    by_folder: dict[str, list[str]] = {}
    for name in files:
        if file_names.suffix(name) == ".png":
            by_folder.setdefault(file_names.folder(name), []).append(name)
    stems = Counter(file_names.stem(name) for name in files if file_names.suffix(name) in pictures.SUFFIXES)
    for folder, there in by_folder.items():
        named_masks = is_mask_folder_name(folder)
        if mask_pairs.is_class_mask_folder(root / folder):
            continue
        all_have_namesakes = all(stems[file_names.stem(name)] > 1 for name in there)
        is_pair = mask_pairs.pair_of_object_folder(root / folder) is not None
        if (named_masks or all_have_namesakes) and not is_pair and (trouble := coloured_masks_message(root / folder)):
            yield f"{folder or 'the pictures'}: {trouble}; they came in as pictures"
        elif named_masks and is_mask_folder(root / folder):
            yield (
                f"{folder}: its PNGs ({file_names.parts(there[0])[-1]}) look like masks, but no picture of their names "
                "was found; they came in as pictures. Put the pictures into images/ beside that folder"
            )


def texts_named_like_pictures(files: Mapping[str, Path]) -> list[str]:
    """Return the text files that have the same name as a picture, in a folder from which no labels were read. They are
    probably labels."""
    stems = {file_names.stem(name) for name in files if file_names.suffix(name) in pictures.SUFFIXES}
    return [name for name in files if file_names.suffix(name) == ".txt" and file_names.stem(name) in stems]
