"""Convert decoded pixels of any mode to 8-bit RGB in the displayed frame. See `pictures` for the table of rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from maskrcnn.annotations.picture_files.exif import SWAPPING_SIDES, TURNS, orientation_of

STRIP = 16_000_000
"""Number of pixels that are converted at once, so that a large picture is not copied several times in memory."""

_FIRST_ROW_COMES_LAST = {
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
}
"""Operations after which the first stored row is the last row or column."""


def has_one_deep_channel(picture: Image.Image) -> bool:
    """Whether a picture has a single channel of more than 8 bits, which `as_rgb` scales to bytes."""
    return picture.mode == "F" or picture.mode.startswith("I")


def as_rgb(picture: Image.Image, factor: int = 1) -> np.ndarray:
    """Return decoded pixels as displayed, uint8 `(H, W, 3)`; each is the mean of `factor` x `factor` pixels."""
    # Pillow rotates a TIFF while loading it, and then no longer reports an orientation.
    orientation = orientation_of(picture)
    turn = TURNS.get(orientation)
    if has_one_deep_channel(picture):
        picture = Image.fromarray(_values_as_bytes(np.asarray(picture)))
    width, height = -(-picture.width // factor), -(-picture.height // factor)
    is_on_its_side = orientation in SWAPPING_SIDES
    pixels = np.empty((width, height, 3) if is_on_its_side else (height, width, 3), np.uint8)
    for top, strip in _rgb_strips(picture, max(1, STRIP // (picture.width * factor)) * factor):
        small = strip.reduce(factor) if factor > 1 else strip
        # The rows (or columns) of the result that this strip fills, counted from the other end if they are reversed.
        first, end = top // factor, top // factor + small.height
        if turn in _FIRST_ROW_COMES_LAST:
            first, end = height - end, height - first
        if turn is not None:
            small = small.transpose(turn)
        if is_on_its_side:
            pixels[:, first:end] = np.asarray(small)
        else:
            pixels[first:end] = np.asarray(small)
    return pixels


def _rgb_strips(picture: Image.Image, rows: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield (index of the first row, strip as RGB) for strips of `rows` rows; transparency is blended with white.

    A picture that is wholly transparent would become white, so its colours are used as if it were opaque.
    """
    blends = picture.has_transparency_data and any(
        part.convert("RGBA").getchannel("A").getextrema() != (0, 0) for _, part in _strips_as_stored(picture, rows)
    )
    for top, part in _strips_as_stored(picture, rows):
        if blends:
            part = part.convert("RGBA")
            white = Image.new("RGB", part.size, (255, 255, 255))
            white.paste(part, mask=part.getchannel("A"))
            part = white
        elif picture.has_transparency_data:
            part = part.convert("RGBA")  # wholly transparent
        yield top, part if part.mode == "RGB" else part.convert("RGB")


def _strips_as_stored(picture: Image.Image, rows: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield (index of the first row, strip) for strips of `rows` rows."""
    if rows >= picture.height:
        yield 0, picture
        return
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _values_as_bytes(values: np.ndarray) -> np.ndarray:
    """Convert the only channel `(H, W)` of a picture to uint8 for `as_rgb`, by the table of rules in `pictures`."""
    whole = values.dtype.kind in "iu"
    if whole and values.min() >= 0 and values.max() <= 65535:
        return (values.astype(np.uint16) >> 8).astype(np.uint8)
    blocks = np.array_split(values, 1 + values.size // 4_000_000)  # some rows at a time: float64 is large
    known = [block[np.isfinite(block)] for block in blocks]
    low = min((float(block.min()) for block in known if block.size), default=0.0)
    high = max((float(block.max()) for block in known if block.size), default=1.0)
    if not whole and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return np.concatenate([_scaled_to_bytes(block.astype(np.float64), low, high) for block in blocks])


def _scaled_to_bytes(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scale values linearly to uint8: `low` becomes 0 and `high` becomes 255; values that are not finite become 0."""
    known = np.isfinite(values) & (high > low)
    return np.rint(255 * np.divide(values - low, high - low, out=np.zeros_like(values), where=known)).astype(np.uint8)
