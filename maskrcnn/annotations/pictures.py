"""Reading pictures: pixels and size, always in the displayed frame (EXIF orientation applied)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from maskrcnn.errors import StudioError

SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""File names that pages offer to open; reading goes by content, not by name."""

_EXIF_ORIENTATION = 0x0112
_TURNED_ON_ITS_SIDE = (5, 6, 7, 8)


def load(path: Path | str) -> np.ndarray:
    """The picture as displayed: uint8 `(H, W, 3)`, RGB.

    Grey, palette and 16-bit pictures are converted; transparency is dropped. Raises `StudioError` for a file that is
    missing, truncated or not an image.
    """
    with _opened(path) as picture:
        turned = ImageOps.exif_transpose(picture)
        if turned.mode.startswith("I;16"):
            # Pillow would clip 16-bit values to 255; the upper byte is what a viewer shows.
            grey = (np.asarray(turned).astype(np.uint16) >> 8).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        return np.array(turned.convert("RGB"))


def size(path: Path | str) -> tuple[int, int]:
    """`(width, height)` of the displayed frame, from the file's header alone. Raises `StudioError` as `load` does,
    except for a picture that is cut off after its header."""
    with _opened(path) as picture:
        return _displayed_size(picture)


def check(path: Path | str, name: str | None = None) -> tuple[int, int]:
    """`(width, height)` of the displayed frame, after making sure that the whole picture can be decoded.

    A JPEG is decoded at an eighth of its size: that still reads every byte of the file, so a truncated one is found,
    at a fraction of the time. Raises `StudioError` as `load` does; `name` is what its message calls the picture.
    """
    with _opened(path, name) as picture:
        displayed = _displayed_size(picture)
        picture.draft(picture.mode, (max(1, picture.width // 8), max(1, picture.height // 8)))
        picture.load()
        return displayed


def _displayed_size(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    if picture.getexif().get(_EXIF_ORIENTATION) in _TURNED_ON_ITS_SIDE:
        return height, width
    return width, height


@contextmanager
def _opened(path: Path | str, name: str | None = None) -> Iterator[Image.Image]:
    """An open picture; whatever Pillow raises while it is used becomes a `StudioError` that names the file."""
    name = name or str(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures and of damaged EXIF blocks
            with Image.open(path) as picture:
                yield picture
    except FileNotFoundError:
        raise StudioError(f"{name}: there is no such picture; put it there, or pass --images DIR") from None
    except UnidentifiedImageError:
        raise StudioError(f"{name}: this is not an image; replace it, or take it out of the label file") from None
    except Image.DecompressionBombError:
        raise StudioError(f"{name}: the picture is too large to open; scale it down below 170 megapixels") from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        # Pillow reports damage with any of these, depending on the format.
        reason = "it is truncated" if "truncated" in str(error) or isinstance(error, EOFError) else str(error)
        raise StudioError(
            f"{name}: the picture cannot be decoded ({reason}); replace the file by a whole copy"
        ) from None
