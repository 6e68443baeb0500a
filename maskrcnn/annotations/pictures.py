"""Reading pictures: pixels and size, always in the displayed frame (EXIF orientation applied).

What a person sees is what is learned from, so every kind of picture becomes 8-bit RGB by a fixed rule:

| kind | becomes |
|---|---|
| grey, 1-bit, palette, YCbCr | its RGB colours |
| CMYK | RGB without a colour profile; in JPEGs the inks are taken as inverted, which is how all programs write them |
| with transparency (alpha or a transparent colour) | laid on white, as viewers do; wholly transparent: its colours |
| 16 bits per channel | the upper byte: 65535 is white, in every picture of a set |
| 32-bit whole numbers | as 16 bits if all are from 0 to 65535, else the least becomes black and the greatest white |
| floating point | 0 is black and 1 white if all values are between; else as above; what is not a number is black |
| several frames or pages (GIF, APNG, WebP, TIFF, MPO, AVIF) | the first |
| HEIC, AVIF of 10 or 12 bits per channel | the upper 8 bits |
| several pictures (HEIC) | the one that the file calls its primary one |

Files are opened by content, and only as one of a few formats of pixels: SVG, PDF, PostScript and the like, which are
programs as much as pictures, are refused whatever they are called. Size is checked before anything is decoded, and
threads together decode no more pixels at once than `pixel_budget` says. HEIC is decoded by libheif (`pi_heif`, which
holds no encoder), everything else by Pillow.

HEIC and AVIF say how a picture is turned in the container (`irot`, `imir`) and often in EXIF, too; the container
counts alone. libheif gives turned pixels; Pillow gives those of AVIF as they are stored, and the container's turn as
EXIF's orientation.
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
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from maskrcnn.annotations.picture_files import heic_boxes, rgb_pixels, tonal_range
from maskrcnn.annotations.picture_files.exif import AVIF, HEIF, PNG, date_taken, orientation_of
from maskrcnn.annotations.picture_files.pixel_budget import DECODING
from maskrcnn.annotations.picture_files.rgb_pixels import as_rgb, has_one_deep_channel
from maskrcnn.annotations.picture_files.tonal_range import Tones
from maskrcnn.errors import StudioError

SUFFIXES: tuple[str, ...] = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".heic", ".heif", ".hif", ".avif"),
)
"""File names that pages offer to open; reading goes by content, not by name."""

MOST_PIXELS = 170_000_000
"""A larger picture is not opened: its pixels alone would take half a gigabyte, and a few bytes can claim any size."""

MOST_SCANS = 100
"""A JPEG with more scans is not decoded: a scan of a few bytes costs as much time as the whole picture. Programs write
about ten."""

MOST_BYTES_AT_ONCE = 200_000_000
"""HEIC and AVIF files are read into memory whole, before their size is known; a larger one is not. Phones write up to
20 MB."""

MOST_CODED = 4
"""A HEIC whose tiles, thumbnails and further pictures have that many times `MOST_PIXELS` together is not decoded."""

_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")  # MPO comes with JPEG
_AVIF_BRANDS = (b"avif", b"avis")

_ENDS = {b"\xff\xd8\xff": b"\xff\xd9", PNG: b"IEND\xaeB`\x82"}
"""How the files of a format begin, and what stands at their end."""
_TURNED_ON_ITS_SIDE = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


# Blocks of 16 MB, Pillow's own size, are kept by the C library for each thread when they are free again: after some
# large pictures that is gigabytes. Blocks of 64 MB go back to the system at once.
Image.core.set_block_size(1 << 26)

# Only the picture itself is of use; what is not looked for cannot do harm.
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def load(path: Path | str) -> np.ndarray:
    """The picture as displayed: uint8 `(H, W, 3)`, RGB, by the table above.

    Raises `StudioError` for a file that is missing, truncated, too large or not a picture.
    """
    with _opened(path) as picture, _decoded(picture, path):
        return as_rgb(picture)


def reduced(path: Path | str, side: int) -> np.ndarray:
    """`load`, scaled down so that the longer side is `side` pixels at most; for a large JPEG many times as fast."""
    return _reduced(path, side, with_tones=False)[0]


def surveyed(path: Path | str, side: int) -> tuple[np.ndarray, Tones | None]:
    """`reduced`, and which part of its range of values the picture uses; None where it is stretched as it is read."""
    return _reduced(path, side, with_tones=True)


def _reduced(path: Path | str, side: int, with_tones: bool) -> tuple[np.ndarray, Tones | None]:
    found: Tones | None = None
    with _opened(path) as picture:
        # Pillow gives colours of 16 bits as their upper bytes, and tells that only until it has decoded them.
        is_deep = any("16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
        longest = max(picture.size)
        if longest > side:
            picture.draft(picture.mode, (picture.width * side // longest, picture.height * side // longest))
        with _decoded(picture, path):
            # `thumbnail` would do the same to the whole picture first: means of whole pixels, to twice the size.
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
    """`load`, where a JPEG may come at a half, a quarter or an eighth of its size, but not below `size` (height,
    width): that takes a fraction of the time."""
    with _opened(path) as picture:
        turned = picture.size != _displayed_size(picture)
        picture.draft(picture.mode, size if turned else size[::-1])
        with _decoded(picture, path):
            return as_rgb(picture)


def size(path: Path | str, name: str | None = None) -> tuple[int, int]:
    """`(width, height)` of the displayed frame, from the file's header alone. Raises `StudioError` as `load` does,
    except for a picture that is cut off after its header; `name` is what its message calls the picture."""
    with _opened(path, name) as picture:
        return _displayed_size(picture)


def check(path: Path | str, name: str | None = None) -> tuple[int, int]:
    """`(width, height)` of the displayed frame, after making sure that the whole picture can be decoded.

    A JPEG is decoded at an eighth of its size: that still reads every byte of the file, so a truncated one is found,
    at a fraction of the time. Raises `StudioError` as `load` does; `name` is what its message calls the picture.
    """
    with _opened(path, name) as picture:
        displayed = _displayed_size(picture)
        picture.draft(picture.mode, (max(1, picture.width // 8), max(1, picture.height // 8)))
        with _decoded(picture, path, name):
            return displayed


def glance(path: Path | str, name: str | None = None) -> tuple[int, int]:
    """`check` for thousands of pictures: one that has its end is taken to be whole, and not decoded."""
    displayed = size(path, name)
    return displayed if has_its_end(path) else check(path, name)


def has_its_end(path: Path | str) -> bool:
    """Whether a file is a JPEG or PNG with what stands at the end of one, or a HEIC or AVIF whose boxes end with it."""
    if _iso_family(path):
        return heic_boxes.has_its_end(path)
    with open(path, "rb") as file:
        begins = file.read(8)
        file.seek(-min(64, file.seek(0, os.SEEK_END)), os.SEEK_END)
        ends = file.read()
    return any(begins.startswith(begin) and end in ends for begin, end in _ENDS.items())


def values(path: Path | str) -> np.ndarray:
    """The numbers of a picture of one channel as they are stored, `(H, W)`: a palette's indices, grey of up to 16 bits,
    and grey that was saved as red, green and blue of the same number. Transparency is no matter.

    For masks, so nothing is turned or converted. Raises `StudioError` as `load` does, and for a picture of colours.
    """
    with _opened(path) as picture:
        mode = picture.mode
        if mode not in ("1", "L", "P", "I", "I;16", "I;16B", "LA", "RGB", "RGBA"):
            raise StudioError(f"{path}: has colours ({mode}), where a mask has one number for each pixel")
        with _decoded(picture, path):
            stored = np.array(picture)
    if mode in ("RGB", "RGBA") and not all(np.array_equal(stored[..., 0], stored[..., n]) for n in (1, 2)):
        raise StudioError(f"{path}: has colours ({mode}), where a mask has one number for each pixel")
    return stored[..., 0].copy() if stored.ndim == 3 else stored


def is_stored_in_colours(path: Path | str) -> bool:
    """Whether a picture is stored as red, green and blue, be they grey or not. Raises `StudioError` as `size`."""
    with _opened(path) as picture:
        return picture.mode in ("RGB", "RGBA")


def orientation(path: Path | str) -> int:
    """EXIF's orientation of the stored pixels, 1 to 8; 1 where the file gives none. Raises `StudioError` as `size`."""
    with _opened(path) as picture:
        return orientation_of(picture)


def taken(path: Path | str) -> datetime | None:
    """When a picture was taken, or else made, by its EXIF block; None where it says nothing that is a date.

    Raises `StudioError` as `size`.
    """
    with _opened(path) as picture:
        return date_taken(picture)


def _displayed_size(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    if isinstance(picture, TiffImagePlugin.TiffImageFile):  # whose `size` is the displayed one already
        width, height = picture.tag_v2[TiffImagePlugin.IMAGEWIDTH], picture.tag_v2[TiffImagePlugin.IMAGELENGTH]
    return (height, width) if orientation_of(picture) in _TURNED_ON_ITS_SIDE else (width, height)


@contextmanager
def _decoded(picture: Image.Image, path: Path | str, name: str | None = None) -> Iterator[None]:
    """Decode a picture that is open, once the budget has room for it; the room is held until the block ends."""
    name = name or str(path)
    pixels = picture.width * picture.height
    if picture.format in ("JPEG", "MPO"):
        if _scans(path) > MOST_SCANS:
            raise StudioError(f"{name}: the JPEG has more than {MOST_SCANS} scans; save it again as an ordinary one")
        if "progressive" in picture.info:  # which is decoded at full size whatever size was asked for
            pixels *= max((1, *getattr(picture, "decoderconfig", ()))) ** 2
    elif isinstance(picture, TiffImagePlugin.TiffImageFile):
        tile = picture.tag_v2.get(TiffImagePlugin.TILEWIDTH, 0) * picture.tag_v2.get(TiffImagePlugin.TILELENGTH, 0)
        if tile > MOST_PIXELS:
            raise StudioError(f"{name}: the picture is stored in tiles of {tile} px; {_TOO_LARGE}")
        pixels = max(pixels, tile)
    elif picture.format == HEIF:
        pixels = max(pixels, _coded_pixels(path, name))
        if picture.mode == "RGBA":  # 18 bytes of memory a pixel, where others take 10 to 14
            pixels *= 2
    with DECODING.of(pixels):
        picture.load()
        yield


def _coded_pixels(path: Path | str, name: str) -> int:
    """The pixels that libheif holds at one moment to decode a HEIC; `StudioError` where it would decode too many."""
    try:
        largest, total = heic_boxes.coded_pixels(path)
    except ValueError as error:
        raise StudioError(f"{name}: the HEIC picture is damaged ({error}); replace the file by a whole copy") from None
    if total > MOST_CODED * MOST_PIXELS:
        raise StudioError(f"{name}: the HEIC holds {total // 1_000_000} megapixels in its parts; {_TOO_LARGE}")
    return min(total, largest * pi_heif.options.DECODE_THREADS)


def _scans(path: Path | str) -> int:
    """How many scans a JPEG has; inside one, the byte 255 is never followed by that of the marker."""
    with open(path, "rb") as file:
        return file.read().count(b"\xff\xda")


@contextmanager
def _opened(path: Path | str, name: str | None = None) -> Iterator[Image.Image]:
    """An open picture of a size that can be decoded; whatever Pillow raises while it is used becomes a `StudioError`
    that names the file."""
    name = name or str(path)
    try:
        # A pipe would keep us waiting for ever, and a device has no end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise StudioError(f"{name}: this is not a file; give a picture")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures and of damaged EXIF blocks
            with Image.open(path, formats=_formats(path, name)) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise StudioError(f"{name}: the picture is {width} x {height} px; {_TOO_LARGE}")
                yield picture
    except StudioError:
        raise
    except FileNotFoundError:
        raise StudioError(f"{name}: there is no such picture; put it there, or pass --images DIR") from None
    except PermissionError as error:
        raise StudioError(f"{name}: cannot be read ({error.strerror}); check the file's permissions") from None
    except UnidentifiedImageError:
        if family := _iso_family(path):
            words = {HEIF: "HEIC", AVIF: "AVIF"}[family]
            raise StudioError(
                f"{name}: the {words} picture is cut off or damaged; replace the file by a whole copy"
            ) from None
        raise StudioError(f"{name}: this is not {_KNOWN}; replace it, or take it out of the label file") from None
    except Image.DecompressionBombError:
        raise StudioError(f"{name}: the picture is far too large to open; {_TOO_LARGE}") from None
    except Exception as error:
        # Pillow reports damage with almost any exception, depending on the format.
        reason = "it is truncated" if "truncated" in str(error) or isinstance(error, EOFError) else str(error)
        raise StudioError(
            f"{name}: the picture cannot be decoded ({reason[:80]}); replace the file by a whole copy"
        ) from None


def _formats(path: Path | str, name: str) -> tuple[str, ...]:
    """What a file may be opened as."""
    family = _iso_family(path)
    if family is None:
        return _FORMATS
    if os.stat(path).st_size > MOST_BYTES_AT_ONCE:
        most = f"{MOST_BYTES_AT_ONCE // 1_000_000} MB"
        raise StudioError(f"{name}: a {family} picture of more than {most} is not opened; save it again as a JPEG")
    return (family,)


def _iso_family(path: Path | str) -> str | None:
    """`HEIF` or `AVIF` for a file of boxes that begins as such pictures do, else None.

    Either may call itself `mif1`, "a picture", and name the codec among the brands that follow.
    """
    with open(path, "rb") as file:
        begins = file.read(12)
        if len(begins) < 12 or begins[4:8] != b"ftyp":
            return None
        brands = begins[8:] + file.read(min(256, max(0, int.from_bytes(begins[:4], "big") - 12)))
    known = {brands[start : start + 4] for start in (0, *range(8, len(brands) - 3, 4))}
    if not known.isdisjoint(_AVIF_BRANDS):
        return AVIF
    return HEIF if any(brand[:3] in (b"hei", b"hev", b"mif", b"msf") for brand in known) else None


_KNOWN = "a picture that can be read (JPEG, PNG, BMP, GIF, WebP, TIFF, HEIC or AVIF)"
_TOO_LARGE = f"scale it down below {MOST_PIXELS // 1_000_000} megapixels"
