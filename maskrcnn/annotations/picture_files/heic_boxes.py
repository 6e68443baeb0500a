"""How many pixels a HEIC file codes, told from its boxes (ISO/IEC 14496-12 and 23008-12) before any is decoded.

A picture may be a grid of tiles, each coded by itself. libheif decodes every tile, also where they reach far beyond the
picture: one of 64 x 64 px can have hundreds of tiles of many megapixels that are the same few bytes of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MOST_BYTES = 20_000_000
"""Of a `meta` box; those of phones have some kilobytes."""

_MOST_BOXES = 100_000


def coded_pixels(path: Path | str) -> tuple[int, int]:
    """The pixels of the largest item of a HEIC file (a tile, a thumbnail, a picture), and those of all items together.

    Raises `ValueError` where the boxes make no sense.
    """
    largest = total = 0
    for meta in _metas(path):
        sizes: list[int] = []  # of the properties in their order, 0 for those that say no size
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
    """Whether the boxes of a file, HEIC or AVIF, end where the file ends, with the pixels among them."""
    kinds, at = set(), 0
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        for kind, begin, at in _places(file, end):
            kinds.add(kind if begin < at else b"")
    return at == end and {b"meta", b"mdat"} <= kinds


def _metas(path: Path | str) -> Iterator[bytes]:
    """The content of the `meta` boxes of a file."""
    with open(path, "rb") as file:
        for kind, begin, end in _places(file, file.seek(0, 2)):
            if kind == b"meta":
                if end - begin > _MOST_BYTES:
                    raise ValueError("its `meta` box is too large")
                file.seek(begin)
                yield file.read(end - begin)


def _places(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a file of `end` bytes: of each its kind, and where its content begins and ends."""
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
    """The boxes in a box, from its byte `at` on."""
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
    if kind != b"ispe" or len(content) < 12:
        return 0
    width, height = struct.unpack(">II", content[4:12])
    return int(width * height)


def _associations(content: bytes) -> Iterator[list[int]]:
    """For each item, the numbers of its properties, counted from 1."""
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
