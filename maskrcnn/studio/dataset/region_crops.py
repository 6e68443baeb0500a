"""A piece of a picture around one region, with the region as it was drawn: also where that lies outside the picture."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import MultiPolygon, Point, Points, Polyline, Region, Shape
from maskrcnn.drawing.overlays import rgb
from maskrcnn.studio.annotate.canvas_picture import paint
from maskrcnn.studio.components import canvas

SIDE = 440
"""Pixels of the longer side of a crop."""
_ROUND_ABOUT, _LEAST = 0.35, 48.0  # what is shown around a region: a share of its size, and at least so many px of all
_CONTEXT = 0.15  # of an object's size is shown at least, around what changes on it
_OUTSIDE = (120, 122, 134)
_MOST_VERTICES = 60  # of an outline whose vertices are marked; more would hide the line


def crop(path: Path, region: Region | None, around: Box, colour: str) -> bytes:
    """JPEG bytes of the picture around the box `around` (xyxy, picture px), with the region (None: nothing) on it.

    What lies beyond the picture is grey. Raises `StudioError` for a picture that cannot be read.
    """
    return _crop(str(path), path.stat().st_mtime_ns if path.is_file() else 0, region, around, colour)


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs={Region: lambda region: repr((region.id, region.shape))})
def _crop(path: str, changed: int, region: Region | None, around: Box, colour: str) -> bytes:
    picture = _picture(path, changed)
    left, top, right, bottom = window(around, picture.shape[1], picture.shape[0])
    piece = np.full((bottom - top, right - left, 3), _OUTSIDE, np.uint8)
    inside = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    piece[max(0, -top) :, max(0, -left) :][: inside.shape[0], : inside.shape[1]] = inside
    scale = SIDE / max(piece.shape[:2])
    size = max(1, round(piece.shape[1] * scale)), max(1, round(piece.shape[0] * scale))
    shown = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    if region is not None:
        moved = _moved(region.shape, left, top, 4.0 * max(piece.shape[:2]))
        paint(shown, moved, scale, 0.7, rgb(colour), fill=0.35)
        _mark_vertices(shown, moved, scale)
    return canvas.jpeg(shown, SIDE)


@st.cache_data(max_entries=4, show_spinner=False)
def _picture(path: str, changed: int) -> np.ndarray:
    """The last few pictures, as several findings are often on one."""
    return pictures.load(path)


def window(around: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The piece (left, top, right, bottom) to cut out, in whole px; beyond a picture of this size only where `around`
    lies there, and not far."""
    if not all(math.isfinite(value) for value in around):
        return 0, 0, width, height
    x0, x1 = (min(max(value, -width), 2 * width) for value in (around[0], around[2]))
    y0, y1 = (min(max(value, -height), 2 * height) for value in (around[1], around[3]))
    longer = max(x1 - x0, y1 - y0)
    half = max(longer / 2 + _ROUND_ABOUT * longer, _LEAST / 2)
    left, right = _stretch(x0, x1, half, width)
    top, bottom = _stretch(y0, y1, half, height)
    return left, top, right, bottom


def _stretch(low: float, high: float, half: float, side: int) -> tuple[int, int]:
    """`half` to both sides of the middle between `low` and `high`, moved to show little beyond 0 and `side`."""
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


def difference(before: Shape, after: Shape) -> Box | None:
    """The box around the vertices that only one of two shapes has, wide enough to see where on the object that is;
    None where the two differ all over."""
    first, second = ({point for ring in raster.rings(shape) for point in ring} for shape in (before, after))
    changed = first ^ second
    if not changed:
        return None
    whole = raster.bounds(before)
    xs, ys = zip(*changed, strict=True)
    least = _CONTEXT * max(whole[2] - whole[0], whole[3] - whole[1])
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    across, down = max(max(xs) - min(xs), least) / 2, max(max(ys) - min(ys), least) / 2
    return x - across, y - down, x + across, y + down


def _moved(shape: Shape, left: int, top: int, limit: float) -> Shape:
    """The shape with (left, top) as its origin, all of it within `limit` of that (drawing cannot go further)."""

    def moved(ring: Points) -> Points:
        return tuple((min(max(x - left, -limit), limit), min(max(y - top, -limit), limit)) for x, y in ring)

    if isinstance(shape, MultiPolygon):
        return MultiPolygon(tuple(tuple(moved(ring) for ring in part) for part in shape.parts))
    rings = [moved(ring) for ring in raster.rings(shape) if ring]
    if isinstance(shape, Polyline | Point):
        return Polyline(rings[0]) if rings else Point(-limit, -limit)
    return MultiPolygon((tuple(rings),))


def _mark_vertices(picture: np.ndarray, shape: Shape, scale: float) -> None:
    rings = raster.rings(shape)
    if sum(len(ring) for ring in rings) > _MOST_VERTICES:
        return
    for ring in rings:
        for x, y in ring:
            place = (round(x * scale - 0.5), round(y * scale - 0.5))
            cv2.circle(picture, place, 4, (0, 0, 0), cv2.FILLED, cv2.LINE_AA)
            cv2.circle(picture, place, 2, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
