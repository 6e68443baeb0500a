"""Label chips: short texts on a coloured background, placed next to boxes with as little overlap as possible."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskrcnn.drawing.text_contrast import BLACK, RGB, text_colour

Place = tuple[float, float, float, float]
"""A rectangle: left, top, right and bottom in display pixels."""


def draw(canvas: np.ndarray, anchors: Sequence[tuple[Place, str, RGB]], font_size: int) -> np.ndarray:
    """Return a copy of the canvas, uint8 (h, w, 3), with one chip for each (box, text, background colour).

    A chip that is not next to its box is connected to the box by a line.
    """
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    font = _font(font_size)
    padding = max(2, font_size // 5)
    ascent, descent = font.getmetrics()
    height = ascent + descent + padding
    boxes = [box for box, _, _ in anchors]
    chips: list[Place] = []
    for box, text, background in anchors:
        size = (round(pen.textlength(text, font=font)) + 2 * padding, height)
        chip = place(box, size, (canvas.shape[1], canvas.shape[0]), chips, boxes)
        chips.append(chip)
        if _distance(chip, box) > height / 2:
            line = (*_nearest_point(chip, box), *_nearest_point(box, chip))
            pen.line(line, fill=BLACK, width=max(3, font_size // 7))
            pen.line(line, fill=background, width=max(1, font_size // 13))
    for chip, (_, text, background) in zip(chips, anchors, strict=True):
        pen.rounded_rectangle(chip, radius=padding, fill=background, outline=BLACK, width=1)
        pen.text((chip[0] + padding, chip[1] + padding // 2), text, font=font, fill=text_colour(background))
    return np.asarray(picture)


def place(
    box: Place, size: tuple[int, int], frame: tuple[int, int], taken: Sequence[Place], boxes: Sequence[Place]
) -> Place:
    """Return the place for a chip of `size` (width, height): close to its box, with little overlap with all `boxes`.

    Overlap with the chips that are already placed (`taken`) costs 1000 times as much. The place lies inside the picture
    of size `frame` (width, height), unless the chip is larger than the picture.

    >>> place((100, 100, 140, 140), (80, 24), (320, 240), [], [])  # above the box, left edges aligned
    (100, 76, 180, 100)
    """
    left, top, right, bottom = box
    width, height = size
    rows = [top - height, bottom, top, bottom - height]
    columns = [left, right - width, left - width, right]
    steps = [sign * step * height for step in range(8) for sign in (1, -1)]
    candidates = np.array([_clipped(x, y + step, size, frame) for step in steps for y in rows for x in columns])
    share = 1 / (width * height)
    cost = share * _overlap(candidates, boxes) + 1000 * share * _overlap(candidates, taken)
    cost += np.array([_distance(chip, box) for chip in candidates]) / (4 * height)
    x, y, *_ = candidates[cost.argmin()].tolist()
    return x, y, x + width, y + height


def _clipped(x: float, y: float, size: tuple[int, int], frame: tuple[int, int]) -> Place:
    """Return the place of a chip with its top left corner at (x, y), moved into the picture of size `frame`."""
    left = max(0, min(round(x), frame[0] - size[0] - 1))
    top = max(0, min(round(y), frame[1] - size[1] - 1))
    return left, top, left + size[0], top + size[1]


def _overlap(chips: np.ndarray, others: Sequence[Place]) -> np.ndarray:
    """Return the summed overlap of each chip (N, 4) with all `others`, in square pixels, float (N,)."""
    if not others:
        return np.zeros(len(chips))
    one, other = chips[:, None, :], np.array(others, dtype=float)[None, :, :]
    width = np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0])
    height = np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1])
    return (width.clip(0) * height.clip(0)).sum(axis=1)


def _nearest_point(place: Place, other: Place) -> tuple[float, float]:
    """Return the point (x, y) of `place` that is nearest to the middle of `other`."""
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return max(place[0], min(x, place[2])), max(place[1], min(y, place[3]))


def _distance(first: Place, second: Place) -> float:
    """Return the distance between two places in pixels; 0 if they touch or overlap."""
    across = max(0.0, first[0] - second[2], second[0] - first[2])
    down = max(0.0, first[1] - second[3], second[1] - first[3])
    return float(np.hypot(across, down))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, so it has no scalable font")
    return font
