"""Reading pictures: pixels and size, always in the displayed frame (EXIF orientation applied).

The network gets the same pixels that the user sees. Every kind of picture is converted to 8-bit RGB by a fixed rule:

| kind | result |
|---|---|
| grey, 1-bit, palette, YCbCr | its RGB colours |
| CMYK | RGB without a colour profile; in JPEGs the inks are taken as inverted, which is how all programs write them |
| with transparency (alpha or a transparent colour) | blended with white; if fully transparent: the RGB colours |
| 16 bits per channel | the upper byte: 65535 is white, in every picture of a set |
| 32-bit integers | as 16 bits if all values are in 0..65535, else the minimum becomes black and the maximum white |
| floating point | 0 is black and 1 is white if all values are in 0..1, else minimum to maximum; NaN is black |
| several frames or pages (GIF, APNG, WebP, TIFF, MPO, AVIF) | the first |
| HEIC, AVIF of 10 or 12 bits per channel | the upper 8 bits |
| several pictures (HEIC) | the one that the file calls its primary one |

The format is detected from the content, not from the file name. Only some raster formats are opened; SVG, PDF,
PostScript and similar formats, which can contain programs, are refused. The size is checked before decoding, and all
threads together decode at most the number of pixels of `pixel_budget` at once. HEIC is decoded by libheif (`pi_heif`,
which contains no encoder), all other formats by Pillow.

HEIC and AVIF store the rotation in the container (`irot`, `imir`) and often in EXIF, too; only the container's is used.
libheif returns rotated pixels. For AVIF, Pillow returns the stored pixels and reports the container's rotation as the
EXIF orientation.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pi_heif
from PIL import Image, UnidentifiedImageError

from maskrcnn.annotations.picture_files import heic_boxes, rgb_pixels, tonal_range
from maskrcnn.annotations.picture_files.exif import AVIF, HEIF, PNG, date_taken, displayed_size_of, orientation_of
from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS, TOO_LARGE, decoded
from maskrcnn.annotations.picture_files.rgb_pixels import as_rgb, has_one_deep_channel
from maskrcnn.annotations.picture_files.tonal_range import Tones
from maskrcnn.errors import StudioError

SUFFIXES: tuple[str, ...] = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".heic", ".heif", ".hif", ".avif"),
)
"""File suffixes that pages offer to open. The format is detected from the content, not from the suffix."""

MOST_BYTES_AT_ONCE = 200_000_000
"""Maximum file size of HEIC and AVIF in bytes, because they are read into memory as a whole before their size in pixels
is known. Phones write up to 20 MB."""

_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")  # MPO comes with JPEG

_ENDS = {b"\xff\xd8\xff": b"\xff\xd9", PNG: b"IEND\xaeB`\x82"}
"""First bytes of a format -> bytes near the end of a complete file of this format."""


# Pillow's default blocks of 16 MB are kept by the C library for each thread after they are freed: gigabytes after some
# large pictures. Blocks of 64 MB are returned to the system at once.
Image.core.set_block_size(1 << 26)

# Only the main picture is needed; skipping the other parts avoids attacks through them.
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def load(path: Path | str) -> np.ndarray:
    """Load a picture as displayed: uint8 `(H, W, 3)`, RGB, converted by the table above.

    Raises `StudioError` for a file that is missing, truncated, too large or not a picture.
    """
    with _opened(path) as picture, decoded(picture, path):
        return as_rgb(picture)


def reduced(path: Path | str, side: int) -> np.ndarray:
    """Load a picture scaled down to a longer side of at most `side` px. Much faster than `load` for large JPEGs."""
    return _load_reduced(path, side, with_tones=False)[0]


def reduced_with_tones(path: Path | str, side: int) -> tuple[np.ndarray, Tones | None]:
    """Return the `reduced` picture and its tonal range.

    The range is None if the values are not of a usual range (`tonal_range.of_values`). Such values are stretched while
    the picture is loaded, so it cannot be too dark.
    """
    return _load_reduced(path, side, with_tones=True)


def _load_reduced(path: Path | str, side: int, with_tones: bool) -> tuple[np.ndarray, Tones | None]:
    """Load a picture as `reduced` does, and its tonal range if `with_tones`."""
    found: Tones | None = None
    with _opened(path) as picture:
        # Pillow reduces 16-bit colours to their upper bytes. This is visible only before decoding.
        is_deep = any("16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
        longest = max(picture.size)
        if longest > side:
            picture.draft(picture.mode, (picture.width * side // longest, picture.height * side // longest))
        with decoded(picture, path):
            # Reduce large pictures by a whole factor first, to twice the wanted size: as `thumbnail`, but in strips.
            factor = max(picture.size) // (2 * side) if picture.width * picture.height > rgb_pixels.STRIP else 1
            pixels = as_rgb(picture, max(1, factor))
            if with_tones and has_one_deep_channel(picture):
                found = tonal_range.of_values(np.asarray(picture))
            elif with_tones:
                found = tonal_range.of_bytes(pixels, is_deep)
    small = Image.fromarray(pixels)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.array(small), found


def load_at_least(path: Path | str, size: tuple[int, int]) -> np.ndarray:
    """Load a picture, a JPEG possibly at 1/2, 1/4 or 1/8 of its size, but not smaller than `size` (height, width).

    Decoding a JPEG at a reduced size takes a fraction of the time.
    """
    with _opened(path) as picture:
        turned = picture.size != displayed_size_of(picture)
        picture.draft(picture.mode, size if turned else size[::-1])
        with decoded(picture, path):
            return as_rgb(picture)


def size(path: Path | str, name: str | None = None) -> tuple[int, int]:
    """Return `(width, height)` of the displayed frame, read from the file header only.

    `name` is the name of the picture in error messages. Raises `StudioError` as `load` does, but does not notice a
    picture that is truncated after its header.
    """
    with _opened(path, name) as picture:
        return displayed_size_of(picture)


def check(path: Path | str, name: str | None = None) -> tuple[int, int]:
    """Check that the whole picture can be decoded. Return `(width, height)` of the displayed frame.

    A JPEG is decoded at 1/8 of its size. This is fast, but reads every byte of the file, so truncation is found.
    `name` is the name of the picture in error messages. Raises `StudioError` as `load` does.
    """
    with _opened(path, name) as picture:
        displayed = displayed_size_of(picture)
        picture.draft(picture.mode, (max(1, picture.width // 8), max(1, picture.height // 8)))
        with decoded(picture, path, name):
            return displayed


def quick_check(
    path: Path | str, name: str | None = None, known_size: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Check a picture as `check` does, but decode it only if the end of the file is missing. For many pictures.

    Returns `(width, height)` of the displayed frame. Damage inside a file that has its end is not noticed.
    `known_size` is the result of `size`, if it was already read.
    """
    displayed = known_size or size(path, name)
    return displayed if has_its_end(path) else check(path, name)


def has_its_end(path: Path | str) -> bool:
    """Whether a picture file is complete by its last bytes: the end marker of a JPEG or PNG, the boxes of a HEIC.

    AVIF is checked as HEIC. False for other formats.
    """
    if heic_boxes.heic_or_avif(path):
        return heic_boxes.has_its_end(path)
    with open(path, "rb") as file:
        begins = file.read(8)
        file.seek(-min(64, file.seek(0, os.SEEK_END)), os.SEEK_END)
        ends = file.read()
    return any(begins.startswith(begin) and end in ends for begin, end in _ENDS.items())


class ColouredMaskError(StudioError):
    """Raised by `values` if a picture has colours instead of one number for each pixel."""


def values(path: Path | str) -> np.ndarray:
    """Return the stored values of a one-channel picture, `(H, W)`, without rotation or conversion. Used for masks.

    Accepts palette indices, grey of up to 16 bits, and RGB with three equal channels. Ignores transparency. Raises
    `StudioError` as `load` does, and `ColouredMaskError` if the picture has colours.
    """
    with _opened(path) as picture:
        mode = picture.mode
        if mode not in ("1", "L", "P", "I", "I;16", "I;16B", "LA", "RGB", "RGBA"):
            raise ColouredMaskError(f"{path}: has colours ({mode}), where a mask has one number for each pixel")
        with decoded(picture, path):
            stored = np.array(picture)
    if mode in ("RGB", "RGBA") and not all(np.array_equal(stored[..., 0], stored[..., n]) for n in (1, 2)):
        raise ColouredMaskError(f"{path}: has colours ({mode}), where a mask has one number for each pixel")
    return stored[..., 0].copy() if stored.ndim == 3 else stored


def is_stored_in_colours(path: Path | str) -> bool:
    """Whether a picture is stored as RGB or RGBA, even if all its pixels are grey. Raises `StudioError` as `size`."""
    with _opened(path) as picture:
        return picture.mode in ("RGB", "RGBA")


def orientation(path: Path | str) -> int:
    """Return the EXIF orientation of the stored pixels, 1 to 8 (1 if not given). Raises `StudioError` as `size`."""
    with _opened(path) as picture:
        return orientation_of(picture)


def taken(path: Path | str) -> datetime | None:
    """Return the date and time when a picture was taken, else when the file was made, from EXIF; None if not given.

    Raises `StudioError` as `size`.
    """
    with _opened(path) as picture:
        return date_taken(picture)


@contextmanager
def _opened(path: Path | str, name: str | None = None) -> Iterator[Image.Image]:
    """Open a picture and check its size. Any exception of Pillow inside the block becomes a `StudioError`."""
    name = name or str(path)
    try:
        # Reading from a pipe could block for ever, and a device has no end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise StudioError(f"{name}: this is not a file; give a picture")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures and of damaged EXIF blocks
            with Image.open(path, formats=_allowed_formats(path, name)) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise StudioError(f"{name}: the picture is {width} x {height} px; {TOO_LARGE}")
                yield picture
    except StudioError:
        raise
    except FileNotFoundError:
        raise StudioError(f"{name}: there is no such picture; put it there, or pass --images DIR") from None
    except PermissionError as error:
        raise StudioError(f"{name}: cannot be read ({error.strerror}); check the file's permissions") from None
    except UnidentifiedImageError:
        if family := heic_boxes.heic_or_avif(path):
            words = {HEIF: "HEIC", AVIF: "AVIF"}[family]
            raise StudioError(
                f"{name}: the {words} picture is cut off or damaged; replace the file by a whole copy"
            ) from None
        raise StudioError(f"{name}: this is not {_KNOWN}; replace it, or take it out of the label file") from None
    except Image.DecompressionBombError:
        raise StudioError(f"{name}: the picture is far too large to open; {TOO_LARGE}") from None
    except Exception as error:
        # Pillow reports damage with almost any exception, depending on the format.
        reason = "it is truncated" if "truncated" in str(error) or isinstance(error, EOFError) else str(error)
        raise StudioError(
            f"{name}: the picture cannot be decoded ({reason[:80]}); replace the file by a whole copy"
        ) from None


def _allowed_formats(path: Path | str, name: str) -> tuple[str, ...]:
    """Return the formats as which Pillow may open a picture. Raises `StudioError` for a too large HEIC or AVIF."""
    family = heic_boxes.heic_or_avif(path)
    if family is None:
        return _FORMATS
    if os.stat(path).st_size > MOST_BYTES_AT_ONCE:
        most = f"{MOST_BYTES_AT_ONCE // 1_000_000} MB"
        raise StudioError(f"{name}: a {family} picture of more than {most} is not opened; save it again as a JPEG")
    return (family,)


_KNOWN = "a picture that can be read (JPEG, PNG, BMP, GIF, WebP, TIFF, HEIC or AVIF)"
