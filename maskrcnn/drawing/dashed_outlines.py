"""Dashed outlines of regions that nobody has accepted yet, on a small picture."""

from __future__ import annotations

import cv2
import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Shape
from maskrcnn.drawing.text_contrast import BLACK, RGB

DASH, GAP = 8.0, 7.0
"""Lengths in pixels of the picture."""


def paint_dashed(picture: np.ndarray, shape: Shape, scale: float, colour: RGB, thickness: int = 2) -> None:
    """Outline a shape with dashes in a colour and a dark rim, in place.

    `picture` is uint8 RGB `(H, W, 3)`; `scale` is the number of its pixels per pixel of the shape's coordinates.

    >>> from maskrcnn.annotations.regions import Rect
    >>> picture = np.full((40, 60, 3), 255, np.uint8)
    >>> paint_dashed(picture, Rect(5, 5, 40, 30), 1, (200, 0, 0))
    >>> row = (picture[5] == (200, 0, 0)).all(axis=1)  # the upper side, from left to right
    >>> bool(row[6]), bool(row[16])  # a dash of 8 px from 5 to 13, then a gap of 7 px
    (True, False)
    """
    dashes = [dash for ring in raster.rings(shape) for dash in dashes_of(np.asarray(ring, float) * scale - 0.5)]
    lines = [np.round(dash * 16).clip(-(2**27), 2**27).astype(np.int32) for dash in dashes]
    for width, paint in ((thickness + 2, BLACK), (thickness, colour)):
        cv2.polylines(picture, lines, False, paint, width, cv2.LINE_AA, shift=4)


def dashes_of(ring: np.ndarray, dash: float = DASH, gap: float = GAP) -> list[np.ndarray]:
    """Cut a closed ring `(N, 2)` into dashes, each `(K, 2)` with K >= 2. It begins with a dash at the first vertex.

    >>> [dash.tolist() for dash in dashes_of(np.array([[0.0, 0], [10, 0], [10, 2], [0, 2]]), 9, 3)]
    [[[0.0, 0.0], [9.0, 0.0]], [[10.0, 2.0], [1.0, 2.0]]]
    """
    if len(ring) == 0:
        return []
    closed = np.concatenate([ring, ring[:1]])
    sides = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(sides)])
    length = float(along[-1])
    if length <= 0:
        return []
    found = []
    for begin in np.arange(0.0, length, dash + gap):
        end = min(begin + dash, length)
        between = closed[(along > begin) & (along < end)]
        places = [(np.interp(at, along, closed[:, 0]), np.interp(at, along, closed[:, 1])) for at in (begin, end)]
        found.append(np.array([places[0], *between, places[1]]))
    return found
