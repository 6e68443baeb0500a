"""How much of its range of values a picture uses: what is nearly black, nearly white or nearly one grey teaches little.

Microscopes and X-ray detectors write 10, 12 or 14 bits into files of 16, so that all their values lie at the dark end;
others use a narrow window in the middle. A file says which values are black and white, not which of them are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

TRIM = 1e-4
"""Share of the values at either end that are left out of account: dead and hot pixels of a camera."""

NARROW = 0.25
"""A picture is told of if its values cover no more of the range than that: 14 bits of 16, or 64 of 256 levels."""

_DEPTHS = (1, 2, 4, 6, 8, 10, 12, 14)
"""Bits that programs and detectors count in."""

_SAMPLED = 4_000_000


@dataclass(frozen=True)
class Tones:
    """The least and greatest value of a picture as they are stored, but for a few (`TRIM`), and what becomes white; 0
    becomes black. Colours are taken together; `is_one_colour` says that each of them has one value."""

    low: float
    high: float
    white: float
    is_one_colour: bool = False

    @property
    def share(self) -> float:
        """How much of the range from black to white is used, 0 to 1."""
        return (self.high - self.low) / self.white

    @property
    def is_narrow(self) -> bool:
        return self.share <= NARROW or self.is_one_colour

    @property
    def is_blank(self) -> bool:
        """Whether all pixels have nearly one value, so that stretching shows nothing."""
        return self.low == self.high or self.is_one_colour

    @property
    def seen(self) -> tuple[int, int]:
        """Least and greatest value as the network sees them, of 255."""
        low, high = (
            255 * value / self.white if self.white != 65535 else value // 256 for value in (self.low, self.high)
        )
        return round(low), round(high)


def of_bytes(pixels: np.ndarray, are_upper: bool = False) -> Tones:
    """The tones of 8-bit RGB `(H, W, 3)`; with `are_upper`, of 16 bits per colour whose upper bytes these are."""
    counts = np.reshape(Image.fromarray(pixels).histogram(), (3, 256))
    low, high = _ends(counts.sum(axis=0))
    is_one_colour = all(first == last for first, last in map(_ends, counts))
    if are_upper:
        return Tones(256 * low, 256 * high + 255, 65535, is_one_colour)
    return Tones(low, high, 255, is_one_colour)


def of_values(values: np.ndarray) -> Tones | None:
    """Those of stored numbers `(H, W)`: whole ones from 0 to 65535, of which that is white, or fractions from 0 to 1;
    None for others, which are stretched when they are read.

    >>> tones = of_values(np.array([[100, 4000], [200, 300]], np.uint16))  # 12 bits would do
    >>> window(tones)
    (0, 4095)
    """
    if values.dtype.kind in "iu":
        if values.min() < 0 or values.max() > 65535:
            return None
        return Tones(*_ends(np.bincount(values.ravel(), minlength=65536)), 65535)
    known = values[np.isfinite(values)]
    if not known.size or known.min() < 0 or known.max() > 1:
        return None
    some = known[:: -(-known.size // _SAMPLED)]
    low, high = np.quantile(some, [TRIM, 1 - TRIM], method="nearest")
    return Tones(float(low), float(high), 1.0)


def _ends(counts: np.ndarray) -> tuple[float, float]:
    """The first and last value that is reached when `TRIM` of all are left out at its end."""
    total = np.cumsum(counts)
    out = TRIM * total[-1]
    low = int(np.searchsorted(total, out, side="right"))
    high = int(np.searchsorted(total, total[-1] - out, side="left"))
    return float(low), float(high)


def together(several: Sequence[Tones]) -> Tones:
    """The tones of several pictures of one kind, as if they were one picture."""
    return Tones(min(each.low for each in several), max(each.high for each in several), several[0].white)


def window(tones: Tones) -> tuple[float, float]:
    """The values that should become black and white: those that are used, or all that so many bits can count."""
    if tones.white == 1:
        return tones.low, tones.high
    depth = next((bits for bits in _DEPTHS if 2**bits > tones.high), None)
    is_dark = tones.low <= 0.1 * tones.high
    if depth is not None and is_dark and (tones.white == 65535 or depth <= 2):
        return 0, 2**depth - 1
    return tones.low, tones.high


def in_words(tones: Tones) -> str:
    """What a picture's values are, and what the network sees of it."""
    low, high = tones.seen
    if tones.is_blank:
        one = f"the value {_number(tones.low)} of {_number(tones.white)}" if tones.low == tones.high else "one colour"
        return f"every pixel has {one}: there is nothing to see"
    look = "nearly black" if high <= 64 else "nearly white" if low >= 191 else "nearly one brightness"
    black, white = window(tones)
    bits = round(np.log2(white + 1))
    kind = (
        f", as pictures of {bits} bits in {16 if tones.white == 65535 else 8} have"
        if black == 0 and 2**bits - 1 == white
        else ""
    )
    if kind and bits == 1:
        kind = ", as masks have and pictures of two colours"
    return (
        f"the values go from {_number(tones.low)} to {_number(tones.high)} of {_number(tones.white)}{kind}, so the "
        f"network sees it {look} ({low} to {high} of 255)"
    )


def how_to(tones: Tones) -> str:
    """The command that stretches pictures of those values; empty where there is nothing to stretch."""
    if tones.is_blank:
        return ""
    black, white = window(tones)
    return (
        f"python -m maskrcnn stretch FOLDER NEW_FOLDER --black {_plain(black)} --white {_plain(white)} makes stretched "
        "copies; use those in place of the originals"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def _plain(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.6g}"
