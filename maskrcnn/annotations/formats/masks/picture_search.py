"""Where the pictures of masks lie: in a folder beside theirs, in `images/`, or beside each mask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.folder_walk import files_below
from maskrcnn.annotations.formats import picture_places
from maskrcnn.annotations.formats.masks.class_list import CLASSES
from maskrcnn.annotations.formats.masks.mask_files import PICTURES, is_called_so
from maskrcnn.annotations.picture_index import Pictures

_WORDS_OF_PICTURES = ("images", "image", "imgs", "img")


def pictures_around(folder: Path, images: Path | None) -> Iterator[tuple[str, Path]]:
    """Pictures that could be those of the masks, by their path with and without suffix; the last of one name wins."""
    if images is not None:
        yield from _named(images, pictures.SUFFIXES, images)
        return
    above = folder.parent
    if is_called_so(above.name) or above.name.lower() in picture_places.OF_LABELS:  # masks/train beside images/train
        for beside in _folders_of_pictures(above):
            yield from _named(beside / folder.name, pictures.SUFFIXES, above.parent)
    for beside in _folders_of_pictures(folder):
        yield from _named(beside, pictures.SUFFIXES, folder.parent)
    yield from _named(folder, pictures.SUFFIXES, folder)
    yield from _named(folder / PICTURES, pictures.SUFFIXES, folder)


def _folders_of_pictures(folder: Path) -> list[Path]:
    """The folders beside that of masks which may hold their pictures, the likeliest last: Penn-Fudan has PedMasks/
    beside PNGImages/, VOC SegmentationObject/ beside JPEGImages/, others train_masks/ beside train_images/, train/."""
    own = folder.name.lower()
    swapped = [re.sub(r"(mask|label|annotation|segmentation)s?", word, own) for word in ("", *_WORDS_OF_PICTURES)]
    likely = [*picture_places.OF_PICTURES, *(name.strip("_- ") for name in swapped if name != own), PICTURES]
    try:
        there = [place for place in folder.parent.iterdir() if place.name.lower() in likely and place.is_dir()]
    except OSError:
        return []
    ranks = {name: rank for rank, name in enumerate(likely)}
    return sorted(
        (p for p in there if p.name != folder.name), key=lambda place: (ranks[place.name.lower()], place.name)
    )


def _named(folder: Path, suffixes: tuple[str, ...], base: Path) -> Iterator[tuple[str, Path]]:
    """The files of a folder by their names in it; none where it is a link that leads out of `base`."""
    for name, file in files_below(folder, suffixes, base).items():
        yield PurePosixPath(name).with_suffix("").as_posix(), file
        yield name, file


class PicturesByWholeName:
    """The pictures below the folder of the masks, or in `among`, that are no masks; found by whole names alone."""

    def __init__(self, folder: Path, masks: Sequence[Path], among: Mapping[str, Path] | None) -> None:
        self._folder, self._masks, self._among = folder, {*masks}, among

    def find(self, file_name: str) -> Path | None:
        found = self._index.match(file_name, self._label_file).file
        return self._index.files[found] if found is not None else None

    @cached_property
    def _index(self) -> Pictures:
        files = self._among if self._among is not None else files_below(self._folder, pictures.SUFFIXES)
        kept = {name: path for name, path in files.items() if file_names.suffix(name) in pictures.SUFFIXES}
        return Pictures({name: path for name, path in kept.items() if path not in self._masks})

    @cached_property
    def _label_file(self) -> str:
        return next((name for name, path in (self._among or {}).items() if path == self._folder / CLASSES), CLASSES)
