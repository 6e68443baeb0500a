"""Masks of COCO documents as compressed run-length codes, checked, because pycocotools does not check its input.

pycocotools is C: a code that covers more pixels than its picture makes it write outside its memory, and an outline
with a coordinate of 10^12 takes all memory. Everything is checked here, for all masks of a document at once, before it
is handed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.errors import StudioError
from maskrcnn.run_length_codes import pixels_of_codes
from maskrcnn.words import brief

Fault = Callable[[int, str], StudioError]
"""Makes the error about an entry: its index and what is wrong with it."""

FARTHEST = 1_000_000
"""Largest coordinate and length in pixels."""

LONGEST_OUTLINE = 5_000_000
"""Maximum length of the outlines of a mask in pixels: pycocotools takes some 100 bytes for each."""


def mask_codes(segmentations: Sequence[Any], sizes: Sequence[tuple[int, int]], fault: Fault) -> list[dict[str, Any]]:
    """N COCO segmentations (outlines, plain or compressed run-length codes) as compressed codes of pycocotools.

    `sizes` are (height, width) of the picture of each. Raises the error of `fault` for the first one of another size,
    of runs that do not add up to it, or of outlines that are no lists of finite coordinates.

    >>> def fault(index, wrong):
    ...     return StudioError(f"mask {index} {wrong}")
    >>> mask_codes([[[0, 0, 2, 0, 2, 1, 0, 1]]], [(2, 4)], fault)[0]["size"]
    [2, 4]
    >>> mask_codes([{"size": [2, 4], "counts": [3, 2, 2]}], [(2, 4)], fault)
    Traceback (most recent call last):
    maskrcnn.errors.StudioError: mask 0 has run lengths that do not add up to the 8 pixels of its picture
    """
    if _are_sound_codes(segmentations, sizes):
        return list(segmentations)
    codes: list[Any] = [None] * len(segmentations)
    compressed: list[int] = []
    outlined: list[int] = []
    for index, (given, size) in enumerate(zip(segmentations, sizes, strict=True)):
        if isinstance(given, Mapping):
            counts = _counts(given, size, index, fault)
            if isinstance(counts, bytes):
                codes[index] = {"size": [*size], "counts": counts}
                compressed.append(index)
            else:
                codes[index] = coco_mask.frPyObjects({"size": [*size], "counts": counts}, *size)
        elif isinstance(given, list | tuple):
            outlined.append(index)
        else:
            raise fault(index, f'has {brief(given)} as "segmentation", which is neither outlines nor a run-length code')
    pixels = pixels_of_codes([codes[index]["counts"] for index in compressed])
    expected = np.array([sizes[index][0] * sizes[index][1] for index in compressed], dtype=np.int64)
    if len(wrong := np.flatnonzero(pixels != expected)):
        raise fault(compressed[wrong[0]], "has a mask whose run-length code is damaged or of another picture size")
    _check_outlines([segmentations[index] for index in outlined], lambda row, words: fault(outlined[row], words))
    for index in outlined:
        codes[index] = coco_mask.merge(coco_mask.frPyObjects(segmentations[index], *sizes[index]))
    return codes


def _are_sound_codes(segmentations: Sequence[Any], sizes: Sequence[tuple[int, int]]) -> bool:
    """Whether all segmentations are compressed codes (texts) of these sizes, as most detections are."""
    if not {dict}.issuperset(map(type, segmentations)):
        return False
    counts = [code.get("counts") for code in segmentations]
    if not {str}.issuperset(map(type, counts)) or not all(map(str.isascii, counts)):
        return False
    try:
        own = np.array([code.get("size") for code in segmentations]).reshape(-1, 2)
    except ValueError:  # sizes of several lengths
        return False
    expected = np.array(sizes, dtype=np.int64).reshape(-1, 2)
    if own.shape != expected.shape or (own.dtype.kind != "i" and len(own)) or (own != expected).any():
        return False
    pixels = pixels_of_codes([code.encode("ascii") for code in counts])
    return bool((pixels == expected[:, 0] * expected[:, 1]).all())


def mask_areas(codes: Sequence[Mapping[str, Any]]) -> list[float]:
    """The number of pixels of each of N compressed codes that were checked.

    `area` of pycocotools 2.0.11 fails for more than 255 masks (it keeps their number in a uint8 for a moment).
    """
    batches = [codes[start : start + 255] for start in range(0, len(codes), 255)]
    return [float(area) for batch in batches for area in coco_mask.area(list(batch))]


def mask_boxes(codes: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """The boxes [x, y, w, h] in whole pixels around each of N compressed codes that were checked."""
    boxes: list[list[float]] = coco_mask.toBbox(list(codes)).tolist() if codes else []
    return boxes


def _counts(given: Mapping[str, Any], size: tuple[int, int], index: int, fault: Fault) -> bytes | list[int]:
    """The run lengths of a code: compressed ones as bytes, plain ones as a list that adds up to the picture."""
    height, width = size
    own, counts = given.get("size"), given.get("counts")
    if not isinstance(own, list | tuple) or [*own] != [height, width]:
        is_size = isinstance(own, list | tuple) and len(own) == 2
        shown = f"{brief(own[1])} x {brief(own[0])}" if own is not None and is_size else brief(own)
        raise fault(index, f"has a mask of size {shown}, but its picture is {width} x {height}")
    if isinstance(counts, str):
        try:
            return counts.encode("ascii")
        except UnicodeEncodeError:
            raise fault(index, "has a mask whose run-length code is damaged or of another picture size") from None
    if isinstance(counts, bytes):
        return counts
    if not isinstance(counts, list):
        raise fault(index, f'has a mask with {brief(counts)} as "counts", which is no run-length code')
    if not counts or any(type(count) is not int or count < 0 for count in counts) or sum(counts) != height * width:
        raise fault(index, f"has run lengths that do not add up to the {height * width} pixels of its picture")
    return counts


def _check_outlines(masks: Sequence[Sequence[Any]], fault: Fault) -> None:
    """Raise the error of `fault` for the first mask whose outlines are not lists of at least three vertices each."""
    for index, rings in enumerate(masks):
        if not rings or any(not isinstance(ring, list | tuple) or len(ring) < 6 or len(ring) % 2 for ring in rings):
            raise fault(index, "has an outline that is no list of x and y of at least three vertices")
        values = list(chain.from_iterable(rings))
        if len(wrong := wrong_numbers(values, -FARTHEST, FARTHEST)):
            raise fault(index, f"has {brief(values[wrong[0]])} as a coordinate, which is no place in a picture")
        if len(values) * (max(values) - min(values)) > LONGEST_OUTLINE:  # else no sum of sides can be as long
            points = [np.array(ring, dtype=np.float64).reshape(-1, 2) for ring in rings]
            length = sum(float(np.abs(np.diff(ring, axis=0, append=ring[:1])).max(axis=1).sum()) for ring in points)
            if length > LONGEST_OUTLINE:
                raise fault(index, f"has outlines of {length:,.0f} pixels, more than a picture holds")


def wrong_numbers(values: Sequence[Any], low: float, high: float) -> list[int]:
    """The indices of the values that are no finite numbers from `low` to `high`.

    >>> wrong_numbers([1, 0.5, float("nan"), "1", True, 10**400], 0, 1)
    [2, 3, 4, 5]
    """
    # Passes in C. min and max can miss a NaN, but the sum cannot; it cannot overflow if all others are in bounds.
    is_plain = {int, float}.issuperset(map(type, values))
    if not values or (is_plain and min(values) >= low and max(values) <= high and not math.isnan(sum(values))):
        return []
    return [index for index, value in enumerate(values) if not _is_number(value) or not low <= value <= high]


def _is_number(value: Any) -> bool:
    """Whether a value is a number of Python or NumPy. (Python counts true and false as numbers.)"""
    return isinstance(value, Real) and not isinstance(value, bool)
