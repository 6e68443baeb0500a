"""Find the PNGs of a folder that are masks, by their names, `classes.json`, and how flat they are."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import numpy as np

from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.folder_walk import files_below, files_in
from maskrcnn.annotations.formats.masks import mask_pairs
from maskrcnn.annotations.formats.masks.class_list import CLASSES, classes_json_content
from maskrcnn.errors import StudioError

PICTURES = "images"
"""The sub folder of a mask folder that holds pictures and no masks."""

EXAMINED = 3
"""Number of PNGs that are opened to find out whether a folder holds masks."""

_FLAT = 0.9
"""Smallest share of equal neighbouring pixels in a mask. Photos have a smaller one."""
_MOST_COLOURS = 256


def is_mask_folder(folder: Path) -> bool:
    """Whether a folder holds instance masks. Opens at most three PNGs."""
    try:
        masks = mask_files(folder) if folder.is_dir() else []
    except OSError:
        return False
    if not masks:
        return False
    settings = classes_json_content(folder / CLASSES)
    if isinstance(settings, dict) and "classes" in settings:
        return True
    is_one = _is_flat_in_any_case if mask_pairs.pair_of_object_folder(folder) is not None else _is_flat
    return all(is_one(mask) for mask in masks[:EXAMINED])


def is_mask_folder_with_classes(folder: Path) -> bool:
    """Whether the PNGs of a folder are mask files, with a `classes.json` beside them."""
    return (folder / CLASSES).is_file() and is_mask_folder(folder)


def has_own_masks(folder: Path) -> bool:
    """Whether a folder's own PNGs look like masks. The folder may hold other files too."""
    return bool(files_in(folder, (".png",))) and is_mask_folder(folder)


def coloured_masks_message(folder: Path) -> str:
    """Return the message about a folder whose PNGs are flat as masks but coloured; empty for other folders. Opens at
    most three PNGs."""
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


def is_mask_folder_name(folder: str) -> bool:
    """Whether the name of a folder says that it holds masks: it contains "mask" or "segmentation"."""
    return bool(re.search("mask|segmentation", folder, re.IGNORECASE))


def mask_files(folder: Path, listed: Collection[str] = ()) -> list[Path]:
    """Return the masks below a folder: its PNGs without the pictures.

    A PNG in `images/` is a picture, and so is `a.png` if there is an `a_mask.png`. If `classes.json` lists masks
    (`listed`), any other PNG is a mask only if its pixels have large areas of equal values.
    """
    found = files_below(folder, (".png",)).items()
    stems: dict[str, set[str]] = {}
    for name, _ in found:
        stems.setdefault(file_names.folder(name), set()).add(file_names.stem(name))
    pictures_of_masks = {  # folder and stem: `a` if there is an `a_mask`
        (place, picture)
        for place, there in stems.items()
        for stem in there
        if (picture := mask_stem_without_mark(stem)) != stem
    }
    kept = [
        (name, file)
        for name, file in found
        if name in listed or (file_names.folder(name), file_names.stem(name)) not in pictures_of_masks
    ]
    return [
        file
        for name, file in kept
        if file_names.parts(name)[0].lower() != PICTURES and (not listed or name in listed or _is_flat(file))
    ]


def grey_in_colours_message(mask: Path) -> str:
    """Return the message about masks that are stored in colour but only have grey values."""
    return (
        f"its PNGs ({mask.name}) have colours, all of them grey; they were read, but a mask has one number for each "
        "pixel: 0 for the background and another number for each object, in a PNG of one channel (grey or palette)"
    )


def _is_flat(mask: Path) -> bool:
    """Whether a PNG may be a mask file: it has one channel and large areas of equal values."""
    try:
        values = pictures.values(mask)
    except StudioError:
        return False
    return _is_mostly_flat(values)


def _is_flat_in_any_case(mask: Path) -> bool:
    """Whether a PNG may be a mask file of any kind: it has large areas of equal values or equal colours."""
    return _is_flat(mask) or _is_flat_and_coloured(mask)


def _is_flat_and_coloured(mask: Path) -> bool:
    """Whether a PNG may be a mask file that was saved in colour: it has few colours, in large areas."""
    try:
        pictures.values(mask)
        return False
    except pictures.ColouredMaskError:
        pass
    except StudioError:
        return False
    try:
        red, green, blue = np.moveaxis(pictures.load(mask).astype(np.uint32), -1, 0)
    except StudioError:
        return False
    values = (red << 16) + (green << 8) + blue
    return len(np.unique(values)) <= _MOST_COLOURS and _is_mostly_flat(values)


def _is_mostly_flat(values: np.ndarray) -> bool:
    """Whether most neighbouring pixels are equal, horizontally and vertically."""
    pairs = [values[:, 1:] == values[:, :-1], values[1:] == values[:-1]]
    return all(not equal.size or bool(equal.mean() >= _FLAT) for equal in pairs)


def mask_stem_without_mark(stem: str) -> str:
    """Return the name of a mask file without suffix and without the word that marks it as a mask: `a` for the masks
    `a_mask`, `mask-a` and `a.seg`. Its picture is called so."""
    return _MARKED.sub("", PurePosixPath(stem).name)


_MARKED = re.compile(
    r"^(?:mask|seg|segmentation|label|gt)s?[_\-. ]+(?=.)"
    r"|(?<=.)[_\-. ]+(?:mask|seg|segmentation|label|gt|instance|instance_?ids?|annotation)s?$",
    re.IGNORECASE,
)
