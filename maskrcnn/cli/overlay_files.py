"""Which pictures `predict` was given, and what their overlays are called: each its own, and nobody else's file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from maskrcnn.annotations import folder_walk, pictures
from maskrcnn.atomic_files import replacing
from maskrcnn.errors import ArgumentError
from maskrcnn.unused_names import folded, unused_name
from maskrcnn.words import counted

MARK = "Mask R-CNN Studio: predict"
"""Stands in every overlay (as PNG's text `Software`), so that one is told from a picture of somebody's."""


@dataclass(frozen=True)
class Given:
    """A picture to be predicted: its file, and what it is called. In a folder that is its path there, with `/`."""

    path: Path
    name: str


def pictures_of(arguments: Sequence[Path]) -> tuple[list[Given], list[str]]:
    """The pictures that files and folders stand for, and a line for each kind of thing that was passed over.

    Files are taken as they are given; of a folder, the files below it with the suffix of a picture, in natural order,
    without junk and without overlays. With several folders a name begins with that of its folder, or with as much of
    its path as tells it from another of that name. A file that is given twice counts once. Raises `ArgumentError` where
    something does not exist, or a folder has no picture.
    """
    if missing := [path for path in arguments if not path.is_file() and not path.is_dir()]:
        raise ArgumentError(f"{missing[0]} does not exist; give pictures, or folders of pictures")
    begins = _beginnings([path for path in arguments if path.is_dir()])
    found: dict[str, Given] = {}
    lines: list[str] = []
    for argument in arguments:
        if argument.is_dir():
            inside, passed_over = _in_folder(argument)
            entries = [Given(path, begins[argument] + name) for name, path in inside.items()]
            lines += passed_over
        else:
            entries = [Given(argument, argument.name)]
        for entry in entries:
            if found.setdefault(os.path.realpath(entry.path), entry) is not entry:
                lines.append(f"{entry.path}: is given twice, and predicted once")
    return list(found.values()), lines


def _beginnings(folders: Sequence[Path]) -> dict[Path, str]:
    """What the names in each folder begin with: nothing where there is one, else the end of its path, as long as it
    takes to be no other's."""
    if len(folders) < 2:
        return dict.fromkeys(folders, "")
    parts = {folder: Path(os.path.abspath(folder)).parts[1:] for folder in folders}
    length = dict.fromkeys(folders, 1)
    while True:
        ends = {folder: "/".join(parts[folder][-length[folder] :]) for folder in folders}
        owners: dict[str, set[str]] = {}
        for folder, end in ends.items():
            owners.setdefault(folded(end), set()).add(os.path.realpath(folder))
        shared = [folder for folder in parts if len(owners[folded(ends[folder])]) > 1]
        longer = [folder for folder in shared if length[folder] < len(parts[folder])]
        if not longer:
            return {folder: f"{end}/" if end else "" for folder, end in ends.items()}
        for folder in longer:
            length[folder] += 1


def _in_folder(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Its pictures by their paths in it, and what was passed over."""
    files, lines = folder_walk.walk(folder)
    named = {name: path for name, path in files.items() if PurePosixPath(name).suffix.lower() in pictures.SUFFIXES}
    chosen = {name: path for name, path in named.items() if not is_overlay(path)}
    if not chosen:
        others = f"{counted(len(files), 'file')}, none of them a picture" if files else "nothing that could be one"
        if named:
            others = "nothing but overlays of predict"
        raise ArgumentError(
            f"{folder}: a folder without pictures (it holds {others}); give one with {', '.join(pictures.SUFFIXES)}"
        )
    if len(files) > len(named):
        lines.append(f"{folder}: {counted(len(files) - len(named), 'file')} without the suffix of a picture")
    if len(named) > len(chosen):
        lines.append(f"{folder}: {counted(len(named) - len(chosen), 'overlay')} that predict made before")
    return chosen, [f"passed over: {line}" for line in lines]


def overlay_names(given: Sequence[Given], out: Path) -> list[str]:
    """A file name in the folder `out` for the overlay of each picture, relative to it, with `/`.

    That of the picture with the suffix .png; `a-2.png`, `a-3.png` and so on where several would have the same (without
    regard to case, as on many computers), where it would be a folder of others, or where such a file is there already
    and is no overlay, or is to be predicted itself. The picture that is the only one of a name has it, wherever it
    stands in the list.
    """
    names = [entry.name for entry in given]
    inputs = {os.path.realpath(entry.path) for entry in given}
    wished = [str(PurePosixPath(name).with_suffix("")) for name in names]
    shared = Counter(map(folded, wished))
    # Folders of overlays, "a.png" of "a.png/b.jpg", cannot be files too.
    taken = {folded(str(folder)) for name in names for folder in PurePosixPath(name).parents}

    def is_taken(name: str) -> bool:
        return folded(name) in taken or not _is_free(out / name, inputs)

    found: dict[int, str] = {}
    first_of_all = sorted(range(len(names)), key=lambda place: shared[folded(wished[place])] > 1)
    for place in first_of_all:
        found[place] = unused_name(f"{wished[place]}.png", is_taken, "{stem}-{number}{suffix}")
        taken.add(folded(found[place]))
    return [found[place] for place in range(len(names))]


def require_folders(overlays: Iterable[str], out: Path) -> None:
    """`ArgumentError` where a folder that the overlays need cannot be one."""
    for name in overlays:
        for folder in [*(out / name).parents]:
            if folder.exists() and not folder.is_dir():
                raise ArgumentError(f"{folder} is a file, where a folder is needed; give --out another folder")


def save(overlay: np.ndarray, path: Path) -> None:
    """Write an overlay, uint8 `(H, W, 3)`, whole and with its `MARK`; `ArgumentError` where that fails."""
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", MARK)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            Image.fromarray(overlay).save(temporary, "PNG", pnginfo=about)
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be written ({error.strerror}); choose another place") from None


def is_overlay(path: Path) -> bool:
    """Whether a file is an overlay that predict has made. Reads its header alone."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.info.get("Software") == MARK
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _is_free(path: Path, inputs: Container[str]) -> bool:
    """Whether an overlay may be written there. One of an earlier time is replaced; a link would lead elsewhere."""
    if not os.path.lexists(path):
        return True
    own = path.is_file() and not path.is_symlink() and is_overlay(path)
    return own and os.path.realpath(path) not in inputs
