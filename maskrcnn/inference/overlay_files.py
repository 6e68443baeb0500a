"""Overlay files (PNG pictures with drawn detections): their names, and a mark that distinguishes them from others."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from maskrcnn.annotations.unused_names import unused_name
from maskrcnn.atomic_files import replacing
from maskrcnn.errors import ArgumentError
from maskrcnn.name_order import folded
from maskrcnn.output_files import writing

MARK = "Mask R-CNN Studio: predict"
"""Value of the PNG text field `Software` of every overlay."""


_HEADER = 8 + 25
"""Length of the signature of a PNG and of its first chunk, after which texts can stand."""

_LARGE = 1_000_000
"""Number of pixels from which a PNG is written with the compression that is fast."""


def save_overlay(overlay: np.ndarray, path: Path) -> None:
    """Write an overlay, uint8 `(H, W, 3)` RGB, as a PNG file with `MARK`, atomically.

    A large picture is compressed fast: a photograph of 12 megapixels in half a second where Pillow needs eight, and
    the file is as large. Makes missing folders. Raises `ArgumentError` if the file cannot be written.
    """
    save_picture(overlay, path, MARK)


def save_picture(picture: np.ndarray, path: Path, software: str | None = None) -> None:
    """Write a picture as `save_overlay` does, with `software` as its PNG text field `Software`."""
    about = PngImagePlugin.PngInfo()
    if software:
        about.add_text("Software", software)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=False) as temporary:  # after a power failure it can be drawn again
            if picture.ndim == 3 and picture.shape[2] == 3 and picture.shape[0] * picture.shape[1] >= _LARGE:
                temporary.write_bytes(_fast_png(picture, about))
            else:
                Image.fromarray(picture).save(temporary, "PNG", pnginfo=about)


def _fast_png(picture: np.ndarray, about: PngImagePlugin.PngInfo) -> bytes:
    """A uint8 `(H, W, 3)` RGB picture as the bytes of a PNG with the texts of `about`."""
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # OpenCV 4.11 and later
        fast += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    packed = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), fast)[1].tobytes()
    texts = io.BytesIO()
    for name, content, *_ in about.chunks:
        PngImagePlugin.putchunk(texts, name, content)
    return packed[:_HEADER] + texts.getvalue() + packed[_HEADER:]


def is_overlay(path: Path) -> bool:
    """Whether a file is an overlay that predict wrote. Reads only the header of the file."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.info.get("Software") == MARK
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def overlay_names(names: Sequence[str], pictures: Sequence[Path], out: Path) -> list[str]:
    """The name of the overlay file of each picture: a path relative to the folder `out`, with `/`.

    `names` are the names of the given pictures, `pictures` their files.

    The overlay of `a.jpg` is `a.png`. It is `a-2.png`, `a-3.png` and so on if another overlay has that name (ignoring
    case, as many file systems do), if overlays of a folder need that name for their folder, or if `out` has such a file
    that is not an overlay or is one of the given pictures. Pictures whose name no other picture shares are named first,
    so they keep it in any order of the list.

    >>> overlay_names(["a.png", "a.jpg"], [Path("photos/a.png"), Path("photos/a.jpg")], Path("predictions"))
    ['a.png', 'a-2.png']
    """
    inputs = {os.path.realpath(picture) for picture in pictures}
    wanted = [str(PurePosixPath(name).with_suffix("")) for name in names]
    shared = Counter(map(folded, wanted))
    # The folder of an overlay cannot be a file too, such as "a.png" in "a.png/b.jpg".
    taken = {folded(str(folder)) for name in names for folder in PurePosixPath(name).parents}

    def is_taken(name: str) -> bool:
        return folded(name) in taken or not _may_write_overlay(out / name, inputs)

    found: dict[int, str] = {}
    unshared_first = sorted(range(len(names)), key=lambda index: shared[folded(wanted[index])] > 1)
    for index in unshared_first:
        found[index] = unused_name(f"{wanted[index]}.png", is_taken, "{stem}-{number}{suffix}")
        taken.add(folded(found[index]))
    return [found[index] for index in range(len(names))]


def require_overlay_folders(overlays: Iterable[str], out: Path) -> None:
    """Raise `ArgumentError` if a folder that the overlay files need is itself a file."""
    for name in overlays:
        for folder in [*(out / name).parents]:
            if folder.exists() and not folder.is_dir():
                raise ArgumentError(f"{folder} is a file, where a folder is needed; give --out another folder")


def _may_write_overlay(path: Path, inputs: Container[str]) -> bool:
    """Whether an overlay may be written to this path: nothing exists there, or an overlay that is not an input.

    A symbolic link is not replaced, because its target can be in another folder.
    """
    if not os.path.lexists(path):
        return True
    is_own = path.is_file() and not path.is_symlink() and is_overlay(path)
    return is_own and os.path.realpath(path) not in inputs
