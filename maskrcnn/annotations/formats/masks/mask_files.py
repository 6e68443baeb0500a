"""Which PNGs of a folder are masks: told by their names, by `classes.json`, and by how flat they are."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import numpy as np

from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.folder_walk import files_below, files_in
from maskrcnn.annotations.formats.masks import voc_masks
from maskrcnn.annotations.formats.masks.class_list import CLASSES, json_content
from maskrcnn.errors import StudioError

PICTURES = "images"
"""The folder in that of the masks that holds pictures and no masks."""

EXAMINED = 3
"""Masks of a folder that are opened to find out whether it holds masks."""

_FLAT = 0.9
"""Least share of neighbouring pixels that are equal: in a mask they are, in a photo they are not."""
_MOST_COLOURS = 256


def is_mask_folder(folder: Path) -> bool:
    """Whether a folder holds instance masks; opens three pictures at most."""
    try:
        masks = mask_files(folder) if folder.is_dir() else []
    except OSError:
        return False
    if not masks:
        return False
    settings = json_content(folder / CLASSES)
    if isinstance(settings, dict) and "classes" in settings:
        return True
    is_one = _is_flat_in_any_case if voc_masks.of(folder) is not None else _is_flat
    return all(is_one(mask) for mask in masks[:EXAMINED])


def has_class_list(folder: Path) -> bool:
    """Whether a folder holds masks that `classes.json` is beside, so that it can be nothing else."""
    return (folder / CLASSES).is_file() and is_mask_folder(folder)


def has_masks(folder: Path) -> bool:
    """Whether a folder looks as if its own PNGs were masks; it may hold anything."""
    return bool(files_in(folder, (".png",))) and is_mask_folder(folder)


def coloured_masks(folder: Path) -> str:
    """The message for a folder whose PNGs are flat as masks are, but have colours; empty for any other folder. Opens
    three pictures at most."""
    try:
        masks = mask_files(folder)[:EXAMINED]
    except OSError:
        return ""
    if not masks or not all(map(_is_flat_and_coloured, masks)):
        return ""
    return (
        f"its PNGs ({masks[0].name}) look like masks, but have colours, and a mask has one number for each pixel; "
        "save them as PNGs of one channel (grey or palette), 0 for the background and another number for each object"
    )


def is_called_so(folder: str) -> bool:
    """Whether the name of a folder says that it holds masks."""
    return bool(re.search("mask|segmentation", folder, re.IGNORECASE))


def mask_files(folder: Path, listed: Collection[str] = ()) -> list[Path]:
    """The masks below a folder. Where `classes.json` lists some, a PNG that it does not list is one only if it looks
    like one: the others are pictures."""
    found = files_below(folder, (".png",)).items()
    # `a.png` beside `a_mask.png` is the picture.
    stems: dict[str, set[str]] = {}
    for name, _ in found:
        stems.setdefault(file_names.folder(name), set()).add(file_names.stem(name))
    marked = {
        (place, picture)
        for place, there in stems.items()
        for stem in there
        if (picture := stem_of_picture(stem)) != stem
    }
    kept = [
        (name, file)
        for name, file in found
        if name in listed or (file_names.folder(name), file_names.stem(name)) not in marked
    ]
    return [
        file
        for name, file in kept
        if file_names.parts(name)[0].lower() != PICTURES and (not listed or name in listed or _is_flat(file))
    ]


def grey_in_colours(mask: Path) -> str:
    """The message for masks that are stored with colours, all of them grey."""
    return (
        f"its PNGs ({mask.name}) have colours, all of them grey; they were read, but a mask has one number for each "
        "pixel: 0 for the background and another number for each object, in a PNG of one channel (grey or palette)"
    )


def _is_flat(mask: Path) -> bool:
    try:
        values = pictures.values(mask)
    except StudioError:
        return False
    return _has_areas(values)


def _is_flat_in_any_case(mask: Path) -> bool:
    return _is_flat(mask) or _is_flat_and_coloured(mask)


def _is_flat_and_coloured(mask: Path) -> bool:
    """Whether a picture has colours, few of them, in areas as a mask has."""
    try:
        pictures.values(mask)
        return False
    except StudioError as error:
        if "has colours" not in str(error):
            return False
    try:
        red, green, blue = np.moveaxis(pictures.load(mask).astype(np.uint32), -1, 0)
    except StudioError:
        return False
    values = (red << 16) + (green << 8) + blue
    return len(np.unique(values)) <= _MOST_COLOURS and _has_areas(values)


def _has_areas(values: np.ndarray) -> bool:
    pairs = [values[:, 1:] == values[:, :-1], values[1:] == values[:-1]]
    return all(not equal.size or bool(equal.mean() >= _FLAT) for equal in pairs)


def stem_of_picture(stem: str) -> str:
    """The name of a mask without what marks it as one: `a_mask`, `mask-a`, `a.seg` are `a`."""
    return _MARKED.sub("", PurePosixPath(stem).name)


_MARKED = re.compile(
    r"^(?:mask|seg|segmentation|label|gt)s?[_\-. ]+(?=.)"
    r"|(?<=.)[_\-. ]+(?:mask|seg|segmentation|label|gt|instance|instance_?ids?|annotation)s?$",
    re.IGNORECASE,
)
