"""Find the pictures of masks: in a sibling folder, in `images/`, or beside each mask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.folder_walk import files_below
from maskrcnn.annotations.formats import picture_folders
from maskrcnn.annotations.formats.masks.class_list import CLASSES
from maskrcnn.annotations.formats.masks.mask_files import PICTURES, is_mask_folder_name
from maskrcnn.annotations.picture_index import PictureIndex

_WORDS_OF_PICTURES = ("images", "image", "imgs", "img")


def pictures_around(folder: Path, images: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield (relative path, file) of the pictures that may belong to masks, each with and without suffix in the path.
    The likeliest folders come last, so that a dict of these pairs keeps the likeliest file of each path."""
    if images is not None:
        yield from _pictures_by_name(images, pictures.SUFFIXES, images)
        return
    above = folder.parent
    # masks/train beside images/train
    if is_mask_folder_name(above.name) or above.name.lower() in picture_folders.LABEL_FOLDERS:
        for beside in _folders_of_pictures(above):
            yield from _pictures_by_name(beside / folder.name, pictures.SUFFIXES, above.parent)
    for beside in _folders_of_pictures(folder):
        yield from _pictures_by_name(beside, pictures.SUFFIXES, folder.parent)
    yield from _pictures_by_name(folder, pictures.SUFFIXES, folder)
    yield from _pictures_by_name(folder / PICTURES, pictures.SUFFIXES, folder)


def _folders_of_pictures(folder: Path) -> list[Path]:
    """Return the sibling folders of the mask folder that may hold the pictures, the likeliest last: PNGImages/ for
    PedMasks/ (Penn-Fudan), JPEGImages/ for SegmentationObject/ (VOC), train_images/ or train/ for train_masks/."""
    own = folder.name.lower()
    swapped = [re.sub(r"(mask|label|annotation|segmentation)s?", word, own) for word in ("", *_WORDS_OF_PICTURES)]
    likely = [*picture_folders.PICTURE_FOLDERS, *(name.strip("_- ") for name in swapped if name != own), PICTURES]
    try:
        there = [place for place in folder.parent.iterdir() if place.name.lower() in likely and place.is_dir()]
    except OSError:
        return []
    ranks = {name: rank for rank, name in enumerate(likely)}
    return sorted(
        (p for p in there if p.name != folder.name), key=lambda place: (ranks[place.name.lower()], place.name)
    )


def _pictures_by_name(folder: Path, suffixes: tuple[str, ...], base: Path) -> Iterator[tuple[str, Path]]:
    """Yield the pictures below a folder, each twice: by its relative path without suffix (as a mask names it) and with
    suffix. Yields none if the folder is a link that leads outside `base`."""
    for name, file in files_below(folder, suffixes, base).items():
        yield PurePosixPath(name).with_suffix("").as_posix(), file
        yield name, file


class PicturesOfMasks:
    """The pictures below the mask folder, or in `among`, that are not masks. Found only by their complete name."""

    def __init__(self, folder: Path, masks: Sequence[Path], among: Mapping[str, Path] | None) -> None:
        self._folder, self._masks, self._among = folder, {*masks}, among

    def find(self, file_name: str) -> Path | None:
        """Return the picture of a mask by the name that `classes.json` gives it; None if there is none."""
        found = self._index.match(file_name, self._label_file).file
        return self._index.files[found] if found is not None else None

    @cached_property
    def _index(self) -> PictureIndex:
        """The index of the pictures that are no masks."""
        files = self._among if self._among is not None else files_below(self._folder, pictures.SUFFIXES)
        kept = {name: path for name, path in files.items() if file_names.suffix(name) in pictures.SUFFIXES}
        return PictureIndex({name: path for name, path in kept.items() if path not in self._masks})

    @cached_property
    def _label_file(self) -> str:
        """The name of `classes.json` among the dropped files (`among`), else its plain name. Picture names are relative
        to it."""
        return next((name for name, path in (self._among or {}).items() if path == self._folder / CLASSES), CLASSES)
