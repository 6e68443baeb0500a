"""COCO's compressed run-length codes: their runs, and how many pixels they cover.

Codes are checked with `pixels_of` before pycocotools, which makes no check, gets them.

The code has base 32 in characters from "0" on. Bit 32 marks that more characters follow; bit 16 of the last character
marks a negative number. From the fourth run on, a run is stored as the difference to the run two before it
(pycocotools' maskApi.c, rleToString).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LONGEST = 7
"""Maximum number of characters of a number in a compressed code, 5 bits each."""

CHARACTERS_AT_ONCE = 30_000
"""Batch size of `pixels_of_codes`: its arrays fit into the processor's cache."""

_SIGNED_BITS = np.array([digit - 32 if 16 <= digit < 32 else digit & 31 for digit in range(64)], dtype=np.int32)
"""The bits of a character: bit 32 marks that more follow, and bit 16 of the last one is the sign."""


def pixels_of(counts: str) -> int | None:
    """Return how many pixels a compressed run-length code covers; None if the text is not such a code.

    pycocotools does not check its input: a code that covers more pixels than the picture would make it write outside
    its memory. A negative number of more than 6 characters is refused: pycocotools shifts its sign by more bits than an
    int has, and reads another number than what is written.
    """
    if not counts.isascii():
        return None
    digits = _digits(counts)
    if not len(digits):
        return 0
    ends = np.flatnonzero(digits & 32 == 0)
    if digits.min() < 0 or digits.max() >= 64 or not len(ends) or ends[-1] != len(digits) - 1:
        return None
    lengths = np.diff(ends, prepend=-1)
    if lengths.max() > LONGEST or (lengths[digits[ends] & 16 > 0] >= LONGEST).any():
        return None
    runs = _runs(digits, ends, lengths)
    return None if runs.min() < 0 else int(runs.sum())


def run_lengths(counts: str | bytes) -> np.ndarray:
    """The lengths of the runs of a sound code, background first: (N,) int64. `pixels_of` says whether a code is sound.

    Example: the fourth number is 4, so this run is 4 longer than the second one, which is 2. The characters "o" and "1"
    stand for 31, with another one to follow, and for 1: 31 + 1 * 32.

    >>> run_lengths("1234").tolist(), run_lengths("o1").tolist()
    ([1, 2, 3, 6], [63])
    """
    digits = _digits(counts)
    ends = np.flatnonzero(digits & 32 == 0)
    return _runs(digits, ends, np.diff(ends, prepend=-1)) if len(ends) else np.zeros(0, dtype=np.int64)


def cropped_mask(code: Mapping[str, Any]) -> tuple[np.ndarray, int, int]:
    """The pixels of a sound code (`{"size": [height, width], "counts"}`), cropped to the box around them.

    Returns `inside`, bool `(h, w)`, and the column and the row of its first pixel in the picture. Only the columns of
    the object are decoded, never a bitmap of the whole picture. `inside` is `(0, 0)` for a mask without pixels.

    Pixels 5 to 7 of a picture of 3 x 4 pixels, counted down the columns, are the last of column 1, and two of column 2:

    >>> inside, left, top = cropped_mask({"size": [3, 4], "counts": "534"})
    >>> inside.astype(int).tolist(), left, top
    ([[0, 1], [0, 1], [1, 0]], 1, 0)
    """
    height = int(code["size"][0])
    ends = np.cumsum(run_lengths(code["counts"]))
    stops = ends[1::2]
    starts = ends[0::2][: len(stops)]
    starts, stops = starts[stops > starts], stops[stops > starts]
    if not len(starts):
        return np.zeros((0, 0), bool), 0, 0
    first, last = starts // height, (stops - 1) // height
    left, right = int(first[0]), int(last[-1]) + 1
    if (last > first).any():  # a run that goes on in the next column has the last row and the first
        top, bottom = 0, height
    else:
        top, bottom = int((starts % height).min()), int(((stops - 1) % height).max()) + 1
    edges = np.stack([starts, stops], axis=1).ravel() - left * height
    lengths = np.diff(edges, prepend=0, append=(right - left) * height)
    columns = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(right - left, height)
    return np.ascontiguousarray(columns[:, top:bottom].T), left, top


def _digits(counts: str | bytes) -> np.ndarray:
    """The values of the characters of an ASCII code: (N,) int64."""
    return np.frombuffer(counts.encode("ascii") if isinstance(counts, str) else counts, np.uint8).astype(np.int64) - 48


def _runs(digits: np.ndarray, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The runs, from the position of the last digit of each number and its number of digits: (N,) int64."""
    starts = ends - lengths + 1
    place = np.arange(len(digits)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((digits & 31) << (5 * place), starts)
    runs -= np.where(digits[ends] & 16, 1 << (5 * lengths), 0)
    for first in (1, 2):  # each run depends on the run two before it; the first run depends on none
        runs[first::2] = np.cumsum(runs[first::2])
    return runs


def pixels_of_codes(codes: Sequence[bytes]) -> np.ndarray:
    """`pixels_of` for many compressed codes at once: (N,) int64, -1 for a damaged one.

    >>> pixels_of_codes([b"04", b"6", b"PPPP"])  # runs of 0 and 4 pixels; a run of 6; a number without an end
    array([ 4,  6, -1])
    """
    ends = np.cumsum([len(code) for code in codes], dtype=np.int64)
    found, begin = [np.zeros(0, dtype=np.int64)], 0
    while begin < len(codes):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + CHARACTERS_AT_ONCE, side="right")))
        found.append(_pixels_of_batch(codes[begin:end]))
        begin = end
    return np.concatenate(found)


def _pixels_of_batch(codes: Sequence[bytes]) -> np.ndarray:
    """`pixels_of_codes` without batches. Codes that are all sound are measured together, others one by one."""
    totals = _pixels_of_sound_codes(codes)
    if totals is None:
        each = (pixels_of(code.decode("latin-1")) for code in codes)
        totals = np.array([-1 if pixels is None else pixels for pixels in each], dtype=np.int64)
    return totals


def _pixels_of_sound_codes(codes: Sequence[bytes]) -> np.ndarray | None:
    """The pixels of each code, (N,) int64; None if one is damaged, empty, or has a number of 7 characters."""
    bounds = np.cumsum([0, *map(len, codes)])
    digits = np.frombuffer(b"".join(codes), np.uint8) - np.uint8(48)  # what is below "0" comes out above 63
    if not len(digits) or np.diff(bounds).min() == 0 or digits.max() > 63:
        return None
    goes_on = digits & 32 > 0
    if goes_on[bounds[1:] - 1].any():
        return None
    ends = np.flatnonzero(~goes_on)
    place = np.empty_like(ends)  # of the first character of each number, then of the next ones
    place[0], place[1:] = 0, ends[:-1] + 1
    bits = _SIGNED_BITS[digits]
    stored, firsts = bits[place], np.searchsorted(ends, bounds[:-1])
    longer = np.flatnonzero(goes_on[place])
    for character in range(1, LONGEST):
        if not len(longer):
            break
        place = place[longer] + 1 if character == 1 else place + 1
        stored[longer] += bits[place] << (5 * character)
        more = goes_on[place]
        longer, place = longer[more], place[more]
    else:
        return None
    # Run j is r[j] = s[j] + s[j-2] + s[j-4] + ..., and that is half the sum of all s[i] + (-1)^(j-i) s[i] up to j. The
    # first run of a code is in no such sum.
    first = stored[firsts]
    stored[firsts] = 0
    runs = _sums_in_each(stored, firsts)
    np.negative(stored[1::2], out=stored[1::2])
    alternating = _sums_in_each(stored, firsts)
    np.negative(alternating[1::2], out=alternating[1::2])
    runs += alternating
    runs >>= 1
    runs[firsts] = first
    return None if runs.min() < 0 else np.add.reduceat(runs, firsts)


def _sums_in_each(values: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """The cumulative sums of `values` in each group, as int64. Groups begin at `firsts`, where the values are 0."""
    before = np.add.reduceat(values, firsts, dtype=np.int64)[:-1]
    kept = values.astype(np.int64)
    kept[firsts[1:]] = -before
    return np.cumsum(kept, out=kept)
