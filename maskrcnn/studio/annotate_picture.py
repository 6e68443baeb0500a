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
_FILL = 0.3


def background(path: Path, regions: Sequence[Region], painted: set[str], colours: Mapping[str | None, str]) -> bytes:
    """JPEG bytes of the picture with every region's number, and with the `painted` ones (their ids) drawn in colour."""
    picture, scale = _scaled(str(path), path.stat().st_mtime_ns, canvas.LONGEST_SIDE)
    picture = picture.copy()
    for region in regions:
        if region.id in painted:
            _paint(picture, region, scale, _rgb(colours[region.class_name]))
    for number, region in enumerate(regions, 1):
        _number(picture, number, region, scale, _rgb(colours[region.class_name]))
    return canvas.jpeg(picture)


def thumbnail(path: Path) -> bytes:
    """The picture as JPEG bytes of at most `THUMBNAIL_SIDE` pixels, cut to the same proportions for all."""
    return _thumbnail(str(path), path.stat().st_mtime_ns)


@st.cache_data(max_entries=12, show_spinner=False)
def _scaled(path: str, _changed: int, side: int) -> tuple[np.ndarray, float]:
    """The picture at most `side` pixels long, and the factor by which it was scaled."""
    picture = pictures.load(path)
    scale = min(1.0, side / max(picture.shape[:2]))
    if scale < 1:
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return picture, scale


@st.cache_data(max_entries=1000, show_spinner=False)
def _thumbnail(path: str, changed: int) -> bytes:
    picture = pictures.load(path)
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return canvas.jpeg(picture[top : top + side, left : left + side], THUMBNAIL_SIDE)


def _paint(picture: np.ndarray, region: Region, scale: float, colour: tuple[int, int, int]) -> None:
    """Fill and outline a region on the picture, in place."""
    height, width = picture.shape[:2]
    # cv2 takes coordinates of pixel centres, in 1/16 pixel here.
    rings = [np.round((np.array(ring) * scale - 0.5) * 16).astype(np.int32) for ring in raster.rings(region.shape)]
    if raster.has_area(region.shape):
        inside = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inside, rings, 1, shift=4)
        covered = inside.astype(bool)
        picture[covered] = ((1 - _FILL) * picture[covered] + _FILL * np.array(colour)).astype(np.uint8)
    thickness = max(2, round(4 * max(height, width) / 700))
    cv2.polylines(picture, rings, raster.has_area(region.shape), colour, thickness, cv2.LINE_AA, shift=4)


def _number(picture: np.ndarray, number: int, region: Region, scale: float, colour: tuple[int, int, int]) -> None:
    """A disc with the region's number above its topmost vertex, in place."""
    height, width = picture.shape[:2]
    unit = max(height, width) / 700  # the canvas shows the picture at about 700 pixels
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
