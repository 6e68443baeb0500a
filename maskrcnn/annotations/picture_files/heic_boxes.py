"""Read the boxes of a HEIC or AVIF file (ISO/IEC 14496-12 and 23008-12): its format, its end and its coded pixels.

A picture may be a grid of separately coded tiles. libheif decodes every tile, even outside the picture. So a picture of
64 x 64 px can have hundreds of tiles of many megapixels that all refer to the same few bytes of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from maskrcnn.annotations.picture_files.exif import AVIF, HEIF

_MOST_BYTES = 20_000_000
"""Maximum size of a `meta` box in bytes; phones write some kilobytes."""

_MOST_BOXES = 100_000

_AVIF_BRANDS = (b"avif", b"avis")


def heic_or_avif(path: Path | str) -> str | None:
    """Return Pillow's name `HEIF` or `AVIF` by the brands at the start of a file; None for other formats.

    Both may have the general major brand `mif1`; then the compatible brands name the codec.
    """
    with open(path, "rb") as file:
        begins = file.read(12)
        if len(begins) < 12 or begins[4:8] != b"ftyp":
            return None
        brands = begins[8:] + file.read(min(256, max(0, int.from_bytes(begins[:4], "big") - 12)))
    # `brands` has the major brand (4 bytes), the minor version (4 bytes, skipped), then the compatible brands.
    known = {brands[start : start + 4] for start in (0, *range(8, len(brands) - 3, 4))}
    if not known.isdisjoint(_AVIF_BRANDS):
        return AVIF
    return HEIF if any(brand[:3] in (b"hei", b"hev", b"mif", b"msf") for brand in known) else None


def coded_pixels(path: Path | str) -> tuple[int, int]:
    """Return the pixel count of the largest item of a HEIC file (tile, thumbnail or picture), and the sum of all items.

    Raises `ValueError` if the boxes are malformed.
    """
    largest = total = 0
    for meta in _metas(path):
        sizes: list[int] = []  # pixel count of each property in order; 0 for a property that is not a size
        for kind, content in _boxes(meta, 4):
            if kind != b"iprp":
                continue
            for inner, properties in _boxes(content, 0):
                if inner == b"ipco":
                    sizes += [_pixels(name, body) for name, body in _boxes(properties, 0)]
            for inner, properties in _boxes(content, 0):
                if inner == b"ipma":
                    for indices in _associations(properties):
                        pixels = max((sizes[index - 1] for index in indices if 0 < index <= len(sizes)), default=0)
                        largest, total = max(largest, pixels), total + pixels
    return largest, total


def has_its_end(path: Path | str) -> bool:
    """Whether a HEIC or AVIF file is complete: its boxes end with the file, and `meta` and `mdat` are not empty."""
    kinds_with_content: set[bytes] = set()
    end_of_last_box = 0
    with open(path, "rb") as file:
        end_of_file = file.seek(0, 2)
        for kind, begin, end in _places(file, end_of_file):
            if begin < end:
                kinds_with_content.add(kind)
            end_of_last_box = end
    return end_of_last_box == end_of_file and {b"meta", b"mdat"} <= kinds_with_content


def _metas(path: Path | str) -> Iterator[bytes]:
    """Yield the content of each `meta` box of a file."""
    with open(path, "rb") as file:
        for kind, begin, end in _places(file, file.seek(0, 2)):
            if kind == b"meta":
                if end - begin > _MOST_BYTES:
                    raise ValueError("its `meta` box is too large")
                file.seek(begin)
                yield file.read(end - begin)


def _places(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the content of each top-level box in a file of `end` bytes."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, begin = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if size < begin:
            return
        yield head[4:8], at + begin, at + size
        at += size


def _boxes(content: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (kind, content) of the boxes inside a box, starting at byte `at`."""
    while at + 8 <= len(content):
        size, begin = int.from_bytes(content[at : at + 4], "big"), 8
        if size == 1:
            size, begin = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(content) - at
        if size < begin:
            raise ValueError("a box is shorter than its head")
        yield content[at + 4 : at + 8], content[at + begin : at + size]
        at += size


def _pixels(kind: bytes, content: bytes) -> int:
    """Return width * height of an `ispe` (image size) property; 0 for other properties."""
    if kind != b"ispe" or len(content) < 12:
        return 0
    width, height = struct.unpack(">II", content[4:12])
    return int(width * height)


def _associations(content: bytes) -> Iterator[list[int]]:
    """Yield the property indices (from 1) of each item in an `ipma` box."""
    try:
        version, wide = content[0], content[3] & 1
        (count,) = struct.unpack_from(">I", content, 4)
        at = 8
        for _ in range(count):
            at += 4 if version else 2
            many = content[at]
            width = 2 if wide else 1
            numbers = content[at + 1 : at + 1 + many * width]
            at += 1 + many * width
            yield [
                int.from_bytes(numbers[n : n + width], "big") & (0x7FFF if wide else 0x7F)
                for n in range(0, len(numbers), width)
            ]
    except (IndexError, struct.error):
        raise ValueError("its `ipma` box is cut off") from None
