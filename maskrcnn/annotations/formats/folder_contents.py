"""Explain why no labels can be read from a folder: the message names what the folder holds instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.formats import other_formats, yolo
from maskrcnn.annotations.formats.masks.mask_files import coloured_masks
from maskrcnn.words import counted

_SHOWN = 4


def trouble(folder: Path, files: Mapping[str, Path]) -> str:
    """Return the message about unusable labels in a folder that only their content shows: masks in colours, or YOLO
    rows without class names. Empty if there are none."""
    return coloured_masks(folder) or yolo.without_names(files)


def nothing_to_read(folder: Path, files: Mapping[str, Path]) -> str:
    """Return the message why no labels were read from a folder with these files (relative name -> path), and how to fix
    it."""
    shown = [name for name in files if names.suffix(name) in pictures.SUFFIXES]
    others = [name for name in files if names.suffix(name) not in pictures.SUFFIXES]
    if not files:
        return "no label file is in this folder, which is empty; give the folder that holds the labels"
    if known := trouble(folder, files):
        return known
    if not others:
        return (
            f"no label file is in this folder, only {counted(len(shown), 'picture')}; give it, and this folder "
            "with --images, or label the pictures in the studio"
        )
    if of_another := other_formats.of_files(files):
        return f"no label file that can be read is in this folder; it holds {of_another}"
    kinds = Counter(names.suffix(name) or "no suffix" for name in others).most_common(_SHOWN)
    listed = ", ".join(f"{number} x {suffix}" for suffix, number in kinds)
    there = f"{counted(len(shown), 'picture')} and other files" if shown else "only other files, and no pictures"
    return f"no label file is in this folder, {there} ({listed}); give the folder that holds the labels"
