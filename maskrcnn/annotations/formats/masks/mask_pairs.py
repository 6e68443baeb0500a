"""Pairs of mask folders, as in Pascal VOC and in exports of CVAT ("segmentation mask") and labelme.

    JPEGImages/a.jpg  SegmentationObject/a.png  SegmentationClass/a.png  ImageSets/Segmentation/train.txt

For each pixel, `SegmentationObject` gives the object and `SegmentationClass` its class, as numbers (grey, palette) or
as colours. Black, or 0, is the background. 255, or VOC's (224, 224, 192), is a border that belongs to no object. An
object's class is the one that most of its pixels have.

`labelmap.txt` names classes by colour (CVAT: `leaf:128,0,0::`), `class_names.txt` by number (labelme: one per line, the
first is 0). Otherwise the names are "class 15" and so on. `ImageSets` gives the split of each picture.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from maskrcnn import untrusted_files
from maskrcnn.annotations import pictures, predefined_splits
from maskrcnn.annotations.folder_walk import files_in
from maskrcnn.annotations.formats import text_encodings
from maskrcnn.errors import StudioError

_OBJECTS, _CLASSES = "segmentationobject", "segmentationclass"
_LARGEST = 20_000_000
_MOST_RUNS = 20_000_000
_COLOURS = np.dtype(np.uint32)
"""Data type of masks in colours; masks of numbers have other types."""
_BORDER_NUMBER, _BORDER_COLOUR = 255, 224 << 16 | 224 << 8 | 192
_SPLITS: Mapping[str, Literal["train", "val"]] = {"train": "train", "val": "val"}
_COLOUR = re.compile(r"([^:#]+):\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*(?::.*)?")


@dataclass(frozen=True)
class MaskPair:
    """A folder of object masks and the folder of their class masks."""

    objects: Path
    classes: Path

    @cached_property
    def colours(self) -> dict[int, str]:
        """Class names by colour; empty if there is no `labelmap.txt`."""
        found = (_COLOUR.fullmatch(line.strip()) for line in self._lines("labelmap.txt"))
        named = {(int(m[2]) << 16) + (int(m[3]) << 8) + int(m[4]): m[1].strip() for m in found if m}
        return {colour: name for colour, name in named.items() if colour}

    @cached_property
    def numbers(self) -> dict[int, str]:
        """Class names by number; empty if there is no `class_names.txt`."""
        lines = [line.strip() for line in self._lines("class_names.txt")]
        return {number: line for number, line in enumerate(lines) if number and line}

    @cached_property
    def splits(self) -> dict[str, Literal["train", "val"]]:
        """The split of each picture, by name without suffix; empty if `ImageSets` does not have both splits."""
        lists = self.objects.parent / "ImageSets" / "Segmentation"
        found: dict[str, Literal["train", "val"]] = {}
        if untrusted_files.is_confined(lists, [self.objects.parent]):
            for name, file in files_in(lists, (".txt",)).items():
                known = _SPLITS.get(predefined_splits.split_word(name) or "")
                if known is not None:
                    found |= dict.fromkeys((line.strip() for line in _lines_beside_mask_pair(file)), known)
        return found if len({*found.values()}) > 1 else {}

    def read(self, name: str) -> tuple[np.ndarray, Mapping[int, str]]:
        """Return the object number of each pixel, `(H, W)`, 0 for none, and the class of each object, for the mask
        `name` in both folders. Raises `StudioError` if the masks do not fit together."""
        owners = self._pixels(self.objects / name)
        classes = self._pixels(self.classes / name, as_colours=bool(self.colours))
        if owners.shape != classes.shape:
            raise StudioError(
                f"{self.classes / name}: is of another size than that in {self.objects.name}; export both again"
            )
        found: dict[int, int] = {}
        owners = np.where(owners == _border_of_pair(owners), 0, owners)
        for owner, key in _classes_by_frequency(owners, classes, self.classes / name):
            found.setdefault(owner, key)
        is_colour = classes.dtype == _COLOURS
        return owners, {owner: self._named(key, is_colour, name) for owner, key in found.items()}

    def _pixels(self, mask: Path, as_colours: bool = False) -> np.ndarray:
        """Return the pixels of one mask of the pair: its numbers, or its colours as one number each (uint32)."""
        if not mask.is_file() or not untrusted_files.is_confined(mask, [self.objects.parent]):
            raise StudioError(f"{mask}: is not there, though the mask of its objects is; export both again")
        if not as_colours:
            with contextlib.suppress(pictures.ColouredMaskError):
                return pictures.values(mask)
        red, green, blue = np.moveaxis(pictures.load(mask).astype(_COLOURS), -1, 0)
        colours: np.ndarray = (red << 16) + (green << 8) + blue
        return colours

    def _named(self, key: int, is_colour: bool, file_name: str) -> str:
        """Return the class name of a number or colour `key`: from the list of names, or "class 15" if there is no list.
        Raises `StudioError` about the class mask `file_name` if the list does not have the key."""
        names, list_of_names = (self.colours, "labelmap.txt") if is_colour else (self.numbers, "class_names.txt")
        shown = f"{key >> 16}, {key >> 8 & 255}, {key & 255}" if is_colour else str(key)
        if names and key not in names:
            what = f"the colour {shown}" if is_colour else f"the value {shown}"
            mask = self.classes / file_name
            raise StudioError(f"{mask}: has {what}, which {list_of_names} does not name; add it there")
        return names.get(key, f"class {shown}")

    def _lines(self, called: str) -> list[str]:
        """Return the lines of a file beside the two folders; empty if it is missing."""
        file = self.objects.parent / called
        return _lines_beside_mask_pair(file) if file.is_file() else []


def pair_of_object_folder(objects: Path) -> MaskPair | None:
    """Return the pair of a folder of object masks and the folder of class masks beside it; None for other folders."""
    classes = _sibling_mask_folder(objects, _OBJECTS, _CLASSES)
    return MaskPair(objects, classes) if classes is not None else None


def is_class_mask_folder(classes: Path) -> bool:
    """Whether a folder holds the class masks of a pair, beside a folder of object masks."""
    return _sibling_mask_folder(classes, _CLASSES, _OBJECTS) is not None


def _sibling_mask_folder(folder: Path, prefix: str, other_prefix: str) -> Path | None:
    """Return the other folder of a pair of mask folders; None if there is none.

    It lies beside `folder`, and has the same name except for its beginning: `SegmentationClass-2` beside
    `SegmentationObject-2`. Both prefixes are in lower case.
    """
    name = folder.name.lower()
    if not name.startswith(prefix):
        return None
    wanted = other_prefix + name[len(prefix) :]
    try:
        there = [place for place in folder.parent.iterdir() if place.name.lower() == wanted and place.is_dir()]
    except OSError:
        return None
    kept = [place for place in there if untrusted_files.is_confined(place, [folder.parent])]
    return kept[0] if len(kept) == 1 else None


def _border_of_pair(pixels: np.ndarray) -> int:
    """Return the value of the border pixels, which belong to no object, in a mask of a pair. A mask in colours has
    another one than a mask of numbers; the data type shows which it is."""
    return _BORDER_COLOUR if pixels.dtype == _COLOURS else _BORDER_NUMBER


def _classes_by_frequency(owners: np.ndarray, classes: np.ndarray, mask: Path) -> Iterator[tuple[int, int]]:
    """Yield (object, class) for each combination in the pixels of a pair of masks, the most frequent first. Pixels of
    the background or the border are left out. `mask` is named in the error."""
    of_object, of_class = owners.ravel().astype(np.uint64), classes.ravel().astype(np.uint64)
    both = (of_object << np.uint64(32)) | of_class  # one number: object in the upper 32 bits, class in the lower
    # Runs of equal pixels are sorted instead of single pixels, because they are fewer.
    ends = np.append(np.flatnonzero(both[1:] != both[:-1]) + 1, both.size)
    if len(ends) > _MOST_RUNS:
        raise StudioError(f"{mask}: has more than {_MOST_RUNS:,} runs of equal pixels, as noise has; export it again")
    starts = np.concatenate([[0], ends[:-1]])
    found, which = np.unique(both[starts], return_inverse=True)
    counts = np.bincount(which, weights=ends - starts)
    for number in np.argsort(-counts, kind="stable"):
        owner, key = int(found[number]) >> 32, int(found[number]) & 0xFFFFFFFF
        if owner and key and key != _border_of_pair(classes):
            yield owner, key


def _lines_beside_mask_pair(file: Path) -> list[str]:
    """Return the lines of a text file beside a pair of mask folders (`labelmap.txt`, lists of splits); empty if it is
    missing."""
    try:
        content = untrusted_files.read_bytes(file, most=_LARGEST, mend="check the file")
    except FileNotFoundError:
        return []
    return text_encodings.decoded_text(content, file).splitlines()
