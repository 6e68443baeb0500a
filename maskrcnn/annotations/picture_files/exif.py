"""Read the EXIF block of an open picture: its orientation, displayed size and date. Decodes no pixels."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import zlib
from datetime import datetime
from pathlib import Path

from PIL import Image, PngImagePlugin, TiffImagePlugin

HEIF, AVIF = "HEIF", "AVIF"
"""Pillow's names of the two formats whose container stores the rotation."""

_EXIF_ORIENTATION, _EXIF_MADE, _EXIF_IFD, _EXIF_TAKEN = 0x0112, 0x0132, 0x8769, 0x9003
_DATE = re.compile(r"[\s\0]*(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
"""Matches a date like `2021:03:04 05:06:07`, also with other separators; a fraction or time zone may follow."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> Pillow operation that converts stored to displayed pixels. Pillow's angles are anticlockwise."""

SWAPPING_SIDES = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""

PNG = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS, _LARGEST_CHUNK = 100_000, 1_000_000


def orientation_of(picture: Image.Image) -> int:
    """Return the EXIF orientation of the decoded pixels, 1 to 8; 1 if there is none."""
    if picture.format == HEIF:  # libheif has already rotated the pixels
        return 1
    try:
        value = exif_of(picture).get(_EXIF_ORIENTATION)
    except Exception:  # ignore a damaged EXIF block (Pillow raises any exception here); the pixels may be good
        return 1
    return value if value in TURNS else 1


def displayed_size_of(picture: Image.Image) -> tuple[int, int]:
    """Return (width, height) of an open picture with its EXIF orientation applied."""
    width, height = picture.size
    if isinstance(picture, TiffImagePlugin.TiffImageFile):  # its `size` has the orientation applied
        width, height = picture.tag_v2[TiffImagePlugin.IMAGEWIDTH], picture.tag_v2[TiffImagePlugin.IMAGELENGTH]
    return (height, width) if orientation_of(picture) in SWAPPING_SIDES else (width, height)


def date_taken(picture: Image.Image) -> datetime | None:
    """Return when a picture was taken, else when the file was made, from EXIF; None if there is no date."""
    try:
        block = exif_of(picture)
        texts = [block.get_ifd(_EXIF_IFD).get(_EXIF_TAKEN), block.get(_EXIF_MADE)]
    except Exception:  # a damaged block, as in `orientation_of`
        return None
    for text in texts:
        if found := _DATE.match(str(text)):
            with contextlib.suppress(ValueError):  # for example month 0, if the camera's clock was not set
                year, month, day, hour, minute, second = map(int, found.groups())
                return datetime(year, month, day, hour, minute, second)
    return None


def exif_of(picture: Image.Image) -> Image.Exif:
    """Return the EXIF block of a picture without decoding its pixels."""
    if picture.format == AVIF:  # ignore the orientation in XMP; the container stores the rotation
        block = Image.Exif()
        block.load(picture.info.get("exif", b""))
        return block
    if not isinstance(picture, PngImagePlugin.PngImageFile) or not picture.tile:
        return picture.getexif()
    # In a PNG the block may come after the pixels, so Pillow would decode them. Instead, read the metadata chunks and
    # give Pillow a PNG of one pixel with these chunks.
    about, behind = _exif_chunks(picture.filename)
    if not behind:
        return Image.Image.getexif(picture)
    head = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = _png_chunk(b"IDAT", zlib.compress(bytes(2)))
    small = io.BytesIO(b"".join([PNG, head, *about, pixel, _png_chunk(b"IEND", b"")]))
    with Image.open(small, formats=("PNG",)) as same:
        return same.getexif()


def _exif_chunks(path: Path | str | bytes) -> tuple[list[bytes], bool]:
    """Return the chunks of a PNG that may contain an EXIF block, and whether any of them comes after the pixels."""
    about: list[bytes] = []
    seen_pixels = behind = False
    with open(path, "rb") as file:
        file.seek(len(PNG))
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            length, kind = struct.unpack(">I4s", head)
            if kind == b"IEND" or (kind == b"fcTL" and seen_pixels):  # the end, or the second frame
                break
            seen_pixels = seen_pixels or kind == b"IDAT"
            if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") and length <= _LARGEST_CHUNK:
                about.append(_png_chunk(kind, file.read(length)))
                behind = behind or seen_pixels
                file.seek(4, os.SEEK_CUR)
            else:
                file.seek(length + 4, os.SEEK_CUR)
    return about, behind


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return the bytes of a PNG chunk, for the small PNG from which Pillow reads the EXIF block."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
