"""What the overlays of pictures are called: each its own name, and never the name of a file of somebody else."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from pathlib import Path, PurePosixPath

from maskrcnn.errors import ArgumentError
from maskrcnn.inference.given_pictures import GivenPicture
from maskrcnn.inference.overlay_files import is_overlay
from maskrcnn.unused_names import folded, unused_name


def overlay_names(given: Sequence[GivenPicture], out: Path) -> list[str]:
    """A file name in the folder `out` for the overlay of each picture, relative to it, with `/`.

    That of the picture with the suffix .png; `a-2.png`, `a-3.png` and so on where several would have the same (without
    regard to case, as on many computers), where it would be a folder of others, or where such a file is there already
    and is no overlay, or is to be predicted itself. The picture that is the only one of a name has it, wherever it
    stands in the list.

    >>> given = [GivenPicture(Path("photos") / name, name) for name in ("a.png", "a.jpg")]
    >>> overlay_names(given, Path("predictions"))
    ['a.png', 'a-2.png']
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


def _is_free(path: Path, inputs: Container[str]) -> bool:
    """Whether an overlay may be written there. One of an earlier time is replaced; a link would lead elsewhere."""
    if not os.path.lexists(path):
        return True
    own = path.is_file() and not path.is_symlink() and is_overlay(path)
    return own and os.path.realpath(path) not in inputs
