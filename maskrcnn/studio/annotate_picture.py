"""What lies under the canvas: the picture, the regions that are no canvas objects, and the number of each region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.regions import Region
from maskrcnn.studio import canvas

THUMBNAIL_SIDE = 160
_SHARP_SIDE = 900
"""A smaller picture is enlarged to this, so that the numbers on it are sharp."""
_SHOWN_AT = 700  # pixels at which the canvas shows the longer side, about
_FILL = 0.3


def background(
    path: Path, regions: Sequence[Region], painted: set[str], colours: Mapping[str | None, str], zoom: float = 1.0
) -> bytes:
    """JPEG bytes of the picture with every region's number, and with the `painted` ones (their ids) drawn in colour.

    Beyond zoom 1 there are more pixels, as far as the picture has them.
    """
    side = round(canvas.LONGEST_SIDE * zoom)
    picture, scale = _scaled(str(path), path.stat().st_mtime_ns, side)
    picture = picture.copy()
    unit = max(picture.shape[:2]) / (_SHOWN_AT * zoom)
    for region in regions:
        if region.id in painted:
            _paint(picture, region, scale, unit, _rgb(colours[region.class_name]))
    for number, region in enumerate(regions, 1):
        _number(picture, number, region, scale, unit, _rgb(colours[region.class_name]))
    return canvas.jpeg(picture, side)


def thumbnail(path: Path) -> bytes:
    """The picture as JPEG bytes of at most `THUMBNAIL_SIDE` pixels, cut to the same proportions for all."""
    return _thumbnail(str(path), path.stat().st_mtime_ns)


@st.cache_data(max_entries=12, show_spinner=False)
def _scaled(path: str, _changed: int, side: int) -> tuple[np.ndarray, float]:
    """The picture with its longer side between `_SHARP_SIDE` and `side` pixels, and the factor of that."""
    picture = pictures.load(path)
    height, width = picture.shape[:2]
    scale = min(side, max(_SHARP_SIDE, height, width)) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), scale


@st.cache_data(max_entries=1000, show_spinner=False)
def _thumbnail(path: str, changed: int) -> bytes:
    picture = pictures.load(path)
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return canvas.jpeg(picture[top : top + side, left : left + side], THUMBNAIL_SIDE)


def _paint(picture: np.ndarray, region: Region, scale: float, unit: float, colour: tuple[int, int, int]) -> None:
    """Fill and outline a region on the picture, in place."""
    height, width = picture.shape[:2]
    # cv2 takes coordinates of pixel centres, in 1/16 pixel here.
    rings = [np.round((np.array(ring) * scale - 0.5) * 16).astype(np.int32) for ring in raster.rings(region.shape)]
    if raster.has_area(region.shape):
        inside = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inside, rings, 1, shift=4)
        covered = inside.astype(bool)
        picture[covered] = ((1 - _FILL) * picture[covered] + _FILL * np.array(colour)).astype(np.uint8)
    thickness = max(2, round(4 * unit))
    cv2.polylines(picture, rings, raster.has_area(region.shape), colour, thickness, cv2.LINE_AA, shift=4)


def _number(
    picture: np.ndarray, number: int, region: Region, scale: float, unit: float, colour: tuple[int, int, int]
) -> None:
    """A disc with the region's number above its topmost vertex, in place."""
    height, width = picture.shape[:2]
    x, y = min((point for ring in raster.rings(region.shape) for point in ring), key=lambda point: point[1])
    radius = max(6, round(10 * unit))
    wanted = ((x * scale, width), (y * scale - radius, height))
    place = [int(min(max(radius, round(value)), side - radius)) for value, side in wanted]
    written = _black_or_white(colour)
    cv2.circle(picture, place, radius, (0, 0, 0), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, place, max(5, radius - max(1, round(unit))), colour, cv2.FILLED, cv2.LINE_AA)
    text, size, thickness = str(number), 0.055 * radius * (0.75 if number > 9 else 1), max(1, round(1.5 * unit))
    (across, up), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    corner = (place[0] - across // 2, place[1] + up // 2)
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, written, thickness, cv2.LINE_AA)


def ink(colour: str) -> tuple[int, int, int]:
    """Black or white, whichever can be read on a `#rrggbb` ground."""
    return _black_or_white(_rgb(colour))


def _black_or_white(ground: tuple[int, int, int]) -> tuple[int, int, int]:
    return (0, 0, 0) if 0.3 * ground[0] + 0.59 * ground[1] + 0.11 * ground[2] > 110 else (255, 255, 255)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
