"""The list of pictures to predict, from the files and folders that the user gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskrcnn.annotations import folder_walk, pictures
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.overlay_files import is_overlay
from maskrcnn.inference.video_frames import is_video_name
from maskrcnn.name_order import folded
from maskrcnn.words import counted


@dataclass(frozen=True)
class GivenPicture:
    """A picture to predict: its file, and its name: the file name, or its path in a given folder, with `/`."""

    path: Path
    name: str


def pictures_of(images: Path | str | Sequence[Path | str]) -> tuple[list[GivenPicture], list[str]]:
    """The pictures to predict, and a message for each kind of skipped file.

    `images` is a file or a folder, or several of them. Every given file is used. Of a folder, all files below it with
    the suffix of a picture are used, in natural order, without system files and without overlays of predict. With
    several folders, each picture name starts with the name of its folder; folders of the same name are distinguished by
    more of their path. A file that is given twice is used once. Raises `ArgumentError` if a path does not exist or a
    folder has no picture.

    >>> from tempfile import mkdtemp
    >>> from PIL import Image
    >>> folder = Path(mkdtemp())
    >>> for name in ("10.png", "2.png"):
    ...     Image.new("RGB", (8, 8)).save(folder / name)
    >>> given, _ = pictures_of([folder])
    >>> [entry.name for entry in given]
    ['2.png', '10.png']
    """
    arguments = [Path(path) for path in ([images] if isinstance(images, (str, Path)) else images)]
    if missing := [path for path in arguments if not path.is_file() and not path.is_dir()]:
        raise ArgumentError(f"{missing[0]} does not exist; give pictures, or folders of pictures")
    prefixes = _prefixes_of_picture_names([path for path in arguments if path.is_dir()])
    found: dict[str, GivenPicture] = {}
    lines: list[str] = []
    for argument in arguments:
        if argument.is_dir():
            inside, passed_over = _pictures_in_folder(argument)
            entries = [GivenPicture(path, prefixes[argument] + name) for name, path in inside.items()]
            lines += passed_over
        else:
            entries = [GivenPicture(argument, argument.name)]
        for entry in entries:
            if found.setdefault(os.path.realpath(entry.path), entry) is not entry:
                lines.append(f"{entry.path}: is given twice, and predicted once")
    return list(found.values()), lines


def _prefixes_of_picture_names(folders: Sequence[Path]) -> dict[Path, str]:
    """Folder of pictures to predict -> the prefix of their names, so that the names differ between folders.

    It is empty for a single folder. For several, it is the shortest end of the path that no other folder has.
    """
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


def _pictures_in_folder(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The pictures below a folder (path in the folder -> file), and a message for each kind of skipped file."""
    files, lines = folder_walk.walk(folder)
    named = {name: path for name, path in files.items() if PurePosixPath(name).suffix.lower() in pictures.SUFFIXES}
    chosen = {name: path for name, path in named.items() if not is_overlay(path)}
    videos = [name for name in files if is_video_name(name)]
    if not chosen:
        others = f"{counted(len(files), 'file')}, none of them a picture" if files else "nothing that could be one"
        if named:
            others = "nothing but overlays of predict"
        elif videos:
            words = f"a folder without pictures, with {counted(len(videos), 'video')}"
            raise ArgumentError(f"{folder}: {words}; give videos by their names")
        raise ArgumentError(
            f"{folder}: a folder without pictures (it holds {others}); give one with {', '.join(pictures.SUFFIXES)}"
        )
    if len(files) > len(named):
        hint = f" ({counted(len(videos), 'video')}: give videos by their names)" if videos else ""
        lines.append(f"{folder}: {counted(len(files) - len(named), 'file')} without the suffix of a picture{hint}")
    if len(named) > len(chosen):
        lines.append(f"{folder}: {counted(len(named) - len(chosen), 'overlay')} that predict made before")
    return chosen, [f"passed over: {line}" for line in lines]
