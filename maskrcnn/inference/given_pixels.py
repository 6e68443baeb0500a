"""The pixels of a picture that Python code gives to a network: a file, a PIL image, or an array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS, TOO_LARGE
from maskrcnn.annotations.picture_files.rgb_pixels import as_rgb
from maskrcnn.errors import ArgumentError, StudioError

Picture = Path | str | Image.Image | np.ndarray
"""A picture file, an image of PIL, or a uint8 `(H, W, 3)` RGB array."""

_WANTED = "give uint8 (height, width, 3) RGB"


def given_pixels(picture: Picture) -> tuple[np.ndarray, str, Path | None]:
    """The pixels of a picture as displayed, uint8 `(H, W, 3)` RGB, with its name and its file ("" and None without).

    Files and PIL images of any mode are converted by the rules of `annotations.pictures`: EXIF orientation is applied,
    transparency is blended with white. An array is used as it is; it is copied only if its memory is not contiguous.

    Raises `ArgumentError` for an array of another type or shape, and `StudioError` for a file that cannot be read.

    >>> given_pixels(Image.new("L", (4, 2), 7))[0].shape
    (2, 4, 3)
    """
    if isinstance(picture, str | Path):
        path = Path(picture)
        return pictures.load(path), path.name, path
    if isinstance(picture, Image.Image):
        return _pixels_of_image(picture), "", None
    return _checked(picture), "", None


def _pixels_of_image(picture: Image.Image) -> np.ndarray:
    """The pixels of an image of PIL."""
    width, height = picture.size
    if not 0 < width * height <= MOST_PIXELS:
        raise StudioError(f"the picture is {width} x {height} px; {TOO_LARGE if width * height else 'it is empty'}")
    try:
        picture.load()
        return as_rgb(picture)
    except Exception as error:  # Pillow reports damage with almost any exception, depending on the format
        raise StudioError(f"the picture cannot be decoded ({str(error)[:80]}); open a whole copy") from None


def _checked(picture: Any) -> np.ndarray:
    """An array that is a picture. Raises `ArgumentError` for anything else."""
    if not isinstance(picture, np.ndarray):
        raise ArgumentError(f"a picture is a file, a PIL image or an array, not a {type(picture).__name__}; {_WANTED}")
    if picture.dtype != np.uint8:
        scaled = "; multiply values in [0, 1] by 255" if picture.dtype.kind == "f" else ""
        raise ArgumentError(f"the array is {picture.dtype} {_shape_in_words(picture)}; {_WANTED}{scaled}")
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise ArgumentError(f"the array is {_shape_in_words(picture)}; {_WANTED}, or Image.fromarray of it")
    if not 0 < picture.shape[0] * picture.shape[1] <= MOST_PIXELS:
        wrong = TOO_LARGE if picture.size else "it is empty"
        raise ArgumentError(f"the array is {_shape_in_words(picture)}; {wrong}")
    return np.ascontiguousarray(picture)  # frame[..., ::-1], which turns OpenCV's BGR into RGB, is not


def _shape_in_words(picture: np.ndarray) -> str:
    """The shape of an array: (48, 64)."""
    return f"({', '.join(map(str, picture.shape))})"
