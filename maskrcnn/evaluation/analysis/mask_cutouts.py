"""Masks cut out of their pictures: pixels within a box, read from a run-length code (RLE) without the whole picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask


@dataclass(frozen=True)
class Cutout:
    """The part of a mask within its bounding box: rows `top` to `bottom`, columns `left` to `right`, ends excluded.

    `pixels` (right - left, bottom - top) uint8, 0 or 1, has the columns of the picture first, as an RLE has.
    """

    pixels: np.ndarray
    left: int
    top: int
    right: int
    bottom: int


def cut_out(code: dict[str, Any]) -> Cutout:
    """The mask of a compressed RLE within its bounding box.

    Only the columns of the box are unpacked: in a large photo the object is mostly a small part.

    >>> bitmap = np.zeros((4, 5), dtype=np.uint8, order="F")
    >>> bitmap[1, 2:4] = 1
    >>> found = cut_out(coco_mask.encode(bitmap))
    >>> found.pixels.tolist(), (found.left, found.top, found.right, found.bottom)
    ([[1], [1]], (2, 1, 4, 2))
    """
    left, top, width, height = coco_mask.toBbox(code).astype(np.int64).tolist()
    rows = code["size"][0]
    first, last = left * rows, (left + width) * rows
    ends = np.clip(np.cumsum(run_lengths(code["counts"])), first, last)
    is_mask = np.arange(len(ends), dtype=np.uint8) & 1  # runs of background and mask take turns
    columns = np.repeat(is_mask, np.diff(ends, prepend=first)).reshape(width, rows)
    return Cutout(columns[:, top : top + height], left, top, left + width, top + height)


def run_lengths(counts: str | bytes) -> np.ndarray:
    """The lengths of the runs of a compressed RLE, background first: (N,) int64.

    The code is that of `rleFrString` in pycocotools. Each character holds 5 bits, the lowest first, and says whether
    another one follows. From the fourth run on, a number is the difference to the run before the last one.

    Example: the fourth number is 4, so this run is 4 longer than the second one, which is 2. The characters "o" and "1"
    stand for 31, with another one to follow, and for 1: 31 + 1 * 32.

    >>> run_lengths("1234").tolist(), run_lengths("o1").tolist()
    ([1, 2, 3, 6], [63])
    """
    symbols = np.frombuffer(counts.encode() if isinstance(counts, str) else counts, dtype=np.uint8).astype(np.int64)
    symbols -= 48
    last = np.flatnonzero(symbols & 0x20 == 0)
    first = np.append(0, last[:-1] + 1)[: len(last)]
    if not len(last):
        return np.zeros(0, dtype=np.int64)
    place = np.arange(len(symbols)) - np.repeat(first, last - first + 1)
    values = np.add.reduceat((symbols & 0x1F) << (5 * place), first)
    values -= (symbols[last] & 0x10 != 0) * (np.int64(1) << (5 * (last - first + 1)))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
