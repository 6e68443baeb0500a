"""Crops of a picture around one region or box, with its outline drawn. The region may lie outside the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import MultiPolygon, Point, Points, Polyline, Region, Shape
from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.drawing.overlays import resize_for_overlay
from maskrcnn.drawing.region_painting import paint_shape
from maskrcnn.drawing.text_contrast import BLACK, WHITE

SIDE = 440
"""Length of a crop's longer side in pixels."""
_MARGIN = 0.35
"""Width of the margin around a box, as a share of the box's longer side."""
_MIN_SIDE = 48.0
"""Minimum side of a crop in picture pixels."""
_OUTSIDE = (120, 122, 134)
"""Grey fill for the part of a crop that lies outside the picture."""
_MAX_VERTICES = 60
"""Vertices are marked only on outlines with at most this many: more marks would hide the line."""


def crop(picture: np.ndarray, region: Region | None, around: Box, colour: str) -> np.ndarray:
    """Return a crop of a picture around the box `around` (xyxy, picture px), with the region, if any, drawn on it.

    `picture` is uint8 RGB `(H, W, 3)`. The result is too, and its longer side has `SIDE` pixels. The part outside the
    picture is grey. Vertices are marked on outlines that have few.
    """
    left, top, right, bottom = window(around, picture.shape[1], picture.shape[0])
    piece = np.full((bottom - top, right - left, 3), _OUTSIDE, np.uint8)
    inside = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    row, column = max(0, -top), max(0, -left)
    piece[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    scale = SIDE / max(piece.shape[:2])
    size = max(1, round(piece.shape[1] * scale)), max(1, round(piece.shape[0] * scale))
    shown = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    if region is not None:
        limit = 4.0 * max(piece.shape[:2])  # far outside the crop
        moved = _shape_in_crop(region.shape, left, top, limit)
        paint_shape(shown, moved, scale, 0.7, rgb(colour), opacity=0.35)
        _mark_vertices(shown, moved, scale)
    return shown


def boxed_crop(picture: np.ndarray, bbox: Sequence[float], side: int, colour: str) -> np.ndarray:
    """Return a crop of a picture around a box [x, y, w, h] with the box drawn on it, uint8 RGB `(h, w, 3)`.

    The longer side of the crop has `side` pixels. The crop is clipped to the picture.
    """
    x, y, width, height = bbox
    left, top, right, bottom = window((x, y, x + width, y + height), picture.shape[1], picture.shape[0])
    left, top = max(0, left), max(0, top)
    piece = picture[top : max(1, bottom), left : max(1, right)]
    shown, scale = resize_for_overlay(piece, side)
    corners = [
        (round((across - left) * scale), round((down - top) * scale))
        for across, down in ((x, y), (x + width, y + height))
    ]
    return cv2.rectangle(shown, corners[0], corners[1], rgb(colour), 2)


def window(around: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the area to crop around a box: left, top, right and bottom in whole picture pixels.

    The area is the box with a margin, shifted into the picture of size `width` x `height`. It extends a little outside
    the picture only if the box does. If the box is not finite, the area is the whole picture.

    >>> window((400, 300, 500, 360), 1000, 600)  # 100 wide, with 35 on either side
    (365, 245, 535, 415)
    """
    if not all(math.isfinite(value) for value in around):
        return 0, 0, width, height
    x0, x1 = (min(max(value, -width), 2 * width) for value in (around[0], around[2]))
    y0, y1 = (min(max(value, -height), 2 * height) for value in (around[1], around[3]))
    longer = max(x1 - x0, y1 - y0)
    half = max(longer / 2 + _MARGIN * longer, _MIN_SIDE / 2)
    left, right = _shifted_interval(x0, x1, half, width)
    top, bottom = _shifted_interval(y0, y1, half, height)
    return left, top, right, bottom


def _shifted_interval(low: float, high: float, half: float, side: int) -> tuple[int, int]:
    """Return start and end of an interval along one axis, in whole pixels.

    It has length 2 `half` around the middle of `low` and `high`, and is shifted so that little of it is outside
    [0, `side`].
    """
    beyond = 0.15 * half
    least = low - beyond if low < 0 else 0.0
    most = high + beyond if high > side else float(side)
    middle = (low + high) / 2
    start, end = middle - half, middle + half
    if end - start >= most - least:
        start, end = least, most
    else:
        shift = max(0.0, least - start) - max(0.0, end - most)
        start, end = start + shift, end + shift
    return math.floor(start), max(math.ceil(end), math.floor(start) + 1)


def _shape_in_crop(shape: Shape, left: int, top: int, limit: float) -> Shape:
    """Return the shape relative to the corner (`left`, `top`) of a crop, clipped to [-`limit`, `limit`] for OpenCV.

    A point becomes a line with one vertex, and a line without vertices becomes a point outside the crop.
    """

    def moved(ring: Points) -> Points:
        return tuple((min(max(x - left, -limit), limit), min(max(y - top, -limit), limit)) for x, y in ring)

    if isinstance(shape, MultiPolygon):
        return MultiPolygon(tuple(tuple(moved(ring) for ring in part) for part in shape.parts))
    rings = [moved(ring) for ring in raster.rings(shape) if ring]
    if isinstance(shape, Polyline | Point):
        return Polyline(rings[0]) if rings else Point(-limit, -limit)
    return MultiPolygon((tuple(rings),))


def _mark_vertices(picture: np.ndarray, shape: Shape, scale: float) -> None:
    """Draw a dot on each vertex of a shape, in place, unless it has more than `_MAX_VERTICES`."""
    rings = raster.rings(shape)
    if sum(len(ring) for ring in rings) > _MAX_VERTICES:
        return
    for ring in rings:
        for x, y in ring:
            place = (round(x * scale - 0.5), round(y * scale - 0.5))
            cv2.circle(picture, place, 4, BLACK, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(picture, place, 2, WHITE, cv2.FILLED, cv2.LINE_AA)
