"""Masks cut out of their pictures: pixels within a box, read from a run-length code (RLE) without the whole picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.run_length_codes import run_lengths


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
