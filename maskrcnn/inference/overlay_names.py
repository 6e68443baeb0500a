"""File names for the overlays of pictures: all different, and never the name of a file that predict did not write."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from pathlib import Path, PurePosixPath

from maskrcnn.errors import ArgumentError
from maskrcnn.inference.input_pictures import GivenPicture
from maskrcnn.inference.overlay_files import is_overlay
from maskrcnn.unused_names import folded, unused_name


def overlay_names(given: Sequence[GivenPicture], out: Path) -> list[str]:
    """A file name for the overlay of each picture: a path relative to the folder `out`, with `/`.

    The overlay of `a.jpg` is `a.png`. It is `a-2.png`, `a-3.png` and so on if another overlay has that name (ignoring
    case, as many file systems do), if overlays of a folder need that name for their folder, or if `out` has such a file
    that is not an overlay or is one of the given pictures. Pictures whose name no other picture shares are named first,
    so they keep it in any order of the list.

    >>> given = [GivenPicture(Path("photos") / name, name) for name in ("a.png", "a.jpg")]
    >>> overlay_names(given, Path("predictions"))
    ['a.png', 'a-2.png']
    """
    names = [entry.name for entry in given]
    inputs = {os.path.realpath(entry.path) for entry in given}
    wanted = [str(PurePosixPath(name).with_suffix("")) for name in names]
    shared = Counter(map(folded, wanted))
    # The folder of an overlay cannot be a file too, such as "a.png" in "a.png/b.jpg".
    taken = {folded(str(folder)) for name in names for folder in PurePosixPath(name).parents}

    def is_taken(name: str) -> bool:
        return folded(name) in taken or not _may_write(out / name, inputs)

    found: dict[int, str] = {}
    unshared_first = sorted(range(len(names)), key=lambda index: shared[folded(wanted[index])] > 1)
    for index in unshared_first:
        found[index] = unused_name(f"{wanted[index]}.png", is_taken, "{stem}-{number}{suffix}")
        taken.add(folded(found[index]))
    return [found[index] for index in range(len(names))]


def require_folders(overlays: Iterable[str], out: Path) -> None:
    """Raise `ArgumentError` if a folder that the overlays need is a file."""
    for name in overlays:
        for folder in [*(out / name).parents]:
            if folder.exists() and not folder.is_dir():
                raise ArgumentError(f"{folder} is a file, where a folder is needed; give --out another folder")


def _may_write(path: Path, inputs: Container[str]) -> bool:
    """Whether an overlay may be written to this path: nothing exists there, or an overlay that is not an input.

    A symbolic link is not replaced, because its target can be in another folder.
    """
    if not os.path.lexists(path):
        return True
    is_own = path.is_file() and not path.is_symlink() and is_overlay(path)
    return is_own and os.path.realpath(path) not in inputs
