"""Measure the tonal range of a picture. A model learns little from pictures that are nearly black, white or uniform.

Microscopes and X-ray detectors write 10, 12 or 14 bits into 16-bit files, so all values are near black. Other devices
use a narrow window in the middle. A file defines which values are black and white, but not which range is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

TRIM = 1e-4
"""Share of the values at each end that are ignored, because of dead and hot pixels of a camera."""

NARROW = 0.25
"""A picture is reported if its values cover at most this share of the range: 14 bits of 16, or 64 of 256 levels."""

_DEPTHS = (1, 2, 4, 6, 8, 10, 12, 14)
"""Usual bit depths of programs and detectors."""

_SAMPLED = 4_000_000


@dataclass(frozen=True)
class Tones:
    """The range of the stored values of a picture: `low` and `high` (without outliers, see `TRIM`).

    `white` is the value that is displayed as white; 0 is black. All channels are taken together. `is_one_colour` means
    that each channel has a single value.
    """

    low: float
    high: float
    white: float
    is_one_colour: bool = False

    @property
    def share(self) -> float:
        """The used share of the range from black to white, 0 to 1."""
        return (self.high - self.low) / self.white

    @property
    def is_narrow(self) -> bool:
        """Whether the used share is so small that the picture is reported (see `NARROW`)."""
        return self.share <= NARROW or self.is_one_colour

    @property
    def is_blank(self) -> bool:
        """Whether all pixels have nearly the same value, so that stretching the contrast does not help."""
        return self.low == self.high or self.is_one_colour

    @property
    def seen(self) -> tuple[int, int]:
        """The lowest and highest value after conversion to 8 bits (0 to 255), as the network gets them.

        Of 16-bit values, the conversion keeps the upper byte; other values are scaled.
        """
        if self.white == 65535:
            return round(self.low // 256), round(self.high // 256)
        return round(255 * self.low / self.white), round(255 * self.high / self.white)


def of_bytes(pixels: np.ndarray, are_upper: bool = False) -> Tones:
    """Return the tones of 8-bit RGB `(H, W, 3)`. `are_upper`: the bytes are the upper bytes of 16-bit channels."""
    counts = np.reshape(Image.fromarray(pixels).histogram(), (3, 256))
    low, high = _trimmed_ends(counts.sum(axis=0))
    is_one_colour = all(first == last for first, last in map(_trimmed_ends, counts))
    if are_upper:
        return Tones(256 * low, 256 * high + 255, 65535, is_one_colour)
    return Tones(low, high, 255, is_one_colour)


def of_values(values: np.ndarray) -> Tones | None:
    """Return the tones of stored values `(H, W)`: integers in 0..65535 (65535 is white) or fractions in 0..1.

    None for other values, because they are stretched while loading.

    >>> tones = of_values(np.array([[100, 4000], [200, 300]], np.uint16))  # 12 bits would do
    >>> window(tones)
    (0, 4095)
    """
    if values.dtype.kind in "iu":
        if values.min() < 0 or values.max() > 65535:
            return None
        return Tones(*_trimmed_ends(np.bincount(values.ravel(), minlength=65536)), 65535)
    known = values[np.isfinite(values)]
    if not known.size or known.min() < 0 or known.max() > 1:
        return None
    some = known[:: -(-known.size // _SAMPLED)]
    low, high = np.quantile(some, [TRIM, 1 - TRIM], method="nearest")
    return Tones(float(low), float(high), 1.0)


def _trimmed_ends(counts: np.ndarray) -> tuple[float, float]:
    """Return the lowest and highest value of a histogram, without the share `TRIM` at each end."""
    total = np.cumsum(counts)
    out = TRIM * total[-1]
    low = int(np.searchsorted(total, out, side="right"))
    high = int(np.searchsorted(total, total[-1] - out, side="left"))
    return float(low), float(high)


def together(several: Sequence[Tones]) -> Tones:
    """Return the common tones of several pictures of one kind: lowest `low` and highest `high`."""
    return Tones(min(each.low for each in several), max(each.high for each in several), several[0].white)


def window(tones: Tones) -> tuple[float, float]:
    """Return the values (black, white) for stretching.

    By default, these are `low` and `high`. Integers that start near 0 probably have a smaller bit depth than their
    file; then they are 0 and the maximum of the smallest usual depth that holds all values. In a file of 8 bits, only
    depths of 1 and 2 are assumed (masks, pictures of few colours); with more, the picture is probably just dark.
    """
    are_fractions = tones.white == 1
    if are_fractions:
        return tones.low, tones.high
    depth = next((bits for bits in _DEPTHS if 2**bits > tones.high), None)
    starts_near_0 = tones.low <= 0.1 * tones.high
    is_file_of_16_bits = tones.white == 65535
    if depth is not None and starts_near_0 and (is_file_of_16_bits or depth <= 2):
        return 0, 2**depth - 1
    return tones.low, tones.high


def in_words(tones: Tones) -> str:
    """Describe the range of values of a picture, which bit depth it suggests, and how the network sees it."""
    low, high = tones.seen
    if tones.is_blank:
        value = f"the value {_tone_text(tones.low)} of {_tone_text(tones.white)}"
        one = value if tones.low == tones.high else "one colour"
        return f"every pixel has {one}: there is nothing to see"
    look = "nearly black" if high <= 64 else "nearly white" if low >= 191 else "nearly one brightness"
    black, white = window(tones)
    bits = round(np.log2(white + 1))
    is_bit_depth = black == 0 and 2**bits - 1 == white  # `white` is the maximum of a bit depth
    origin = ""  # which pictures have such a range
    if is_bit_depth and bits == 1:
        origin = ", as masks have and pictures of two colours"
    elif is_bit_depth:
        origin = f", as pictures of {bits} bits in {16 if tones.white == 65535 else 8} have"
    return (
        f"the values go from {_tone_text(tones.low)} to {_tone_text(tones.high)} of {_tone_text(tones.white)}{origin}, "
        f"so the network sees it {look} ({low} to {high} of 255)"
    )


def how_to(tones: Tones) -> str:
    """Return advice with the `stretch` command for pictures with these tones; empty for a blank picture."""
    if tones.is_blank:
        return ""
    black, white = window(tones)
    return (
        f"python -m maskrcnn stretch FOLDER NEW_FOLDER --black {_tone_argument(black)} --white {_tone_argument(white)} "
        "makes stretched copies; use those in place of the originals"
    )


def _tone_text(value: float) -> str:
    """Return an end of a tonal range for a message: `4,095` or `0.25`."""
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def _tone_argument(value: float) -> str:
    """Return an end of a tonal range as an argument of the `stretch` command, for `how_to`: `4095` or `0.25`."""
    return f"{value:.0f}" if value == int(value) else f"{value:.6g}"


def stretched(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """The values `(H, W)` or `(H, W, C)` mapped linearly: `black` to 0 and `white` to the largest value of their dtype.

    The largest value is 255 or 65535, and 1 for floats. Results are clipped to that range. A fourth channel is opacity
    and stays as it is.

    >>> stretched(np.array([[100, 150, 250]], np.uint8), black=100, white=200).tolist()
    [[0, 128, 255]]
    """
    largest = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
    shares = np.clip((values.astype(np.float64) - black) / (white - black), 0, 1) * largest
    result: np.ndarray = (shares if values.dtype.kind == "f" else np.rint(shares)).astype(values.dtype)
    if values.ndim == 3 and values.shape[2] == 4:
        result[..., 3] = values[..., 3]
    return result
