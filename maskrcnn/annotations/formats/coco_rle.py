"""COCO's run-length codes as anybody may have written them."""

from __future__ import annotations

from pycocotools import mask as coco_mask

from maskrcnn.annotations.formats.json_values import Complaint, Json, brief
from maskrcnn.annotations.regions import RLE, ImageRecord

LARGEST_SIDE = 100_000
"""No picture is wider or higher than this; nor is a mask."""


def run_lengths(segmentation: Json, record: ImageRecord, complain: Complaint) -> RLE:
    """The mask of a `{"size": [height, width], "counts": text or list}`, compressed.

    Raises `StudioError` for a code that is damaged, and for a mask that is not of the picture's size.
    """
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(type(s) is int and 0 < s < LARGEST_SIDE for s in size):
        raise complain(f"has a mask of size {brief(size)}, not height and width")
    height, width = size
    if (record.height, record.width) != (None, None) and (record.height, record.width) != (height, width):
        raise complain(
            f'has a mask of {width} x {height} px, but "{record.file_name}" is {record.width} x {record.height} px'
        )
    if isinstance(counts, list):
        if not all(type(count) is int and count >= 0 for count in counts) or sum(counts) != height * width:
            raise complain("has run lengths that do not add up to its size")
        counts = coco_mask.frPyObjects({"size": size, "counts": counts}, height, width)["counts"].decode("ascii")
    elif not isinstance(counts, str) or pixels_of(counts) != height * width:
        raise complain("has a mask whose run-length code is damaged")
    return RLE((height, width), counts)


def pixels_of(counts: str) -> int | None:
    """How many pixels a compressed run-length code covers; None for text that is none.

    pycocotools trusts its input: a code that covers more than the picture would make it write beyond its memory. The
    code is base 32 in characters from "0" on, 32 marking that more follows and 16 in the last character a negative
    number; from the third run on, a run is stored as the difference to the run two before it (pycocotools' maskApi.c,
    rleToString).
    """
    runs: list[int] = []
    position = 0
    while position < len(counts):
        value = shift = 0
        while True:
            if position == len(counts) or not 0 <= (digit := ord(counts[position]) - 48) < 64 or shift > 30:
                return None
            value |= (digit & 31) << shift
            shift += 5
            position += 1
            if not digit & 32:
                value -= (1 << shift) if digit & 16 else 0
                break
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        if runs[-1] < 0:
            return None
    return sum(runs)
