"""What lies under the canvas: the picture, the regions that are no canvas objects, and the number of each region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.regions import Keypoints, MultiPolygon, Points, Region, Shape, Skeleton
from maskrcnn.drawing.overlays import display, rgb
from maskrcnn.studio.components import canvas

Colours = Mapping[str | None, str]
"""The colour of each class, and of regions that have none."""

_SHARP_SIDE = 900
"""A smaller picture is enlarged to this, so that the numbers on it are sharp."""
_SHOWN_AT = 700  # pixels at which the canvas shows the longer side, about
_FILL = 0.3
_HIDDEN = 1  # a keypoint's visibility: labelled, but not to be seen


def background(
    path: Path,
    regions: Sequence[Region],
    painted: set[str],
    colours: Colours,
    zoom: float = 1.0,
    skeletons: Mapping[str, Skeleton] | None = None,
    selected: int | None = None,
) -> bytes:
    """JPEG bytes of the picture with every region's number and keypoints, and with the `painted` ones (their ids) drawn
    in colour. The number of the `selected` one, counted from 0, is larger and has a white ring.

    Beyond zoom 1 there are more pixels, as far as the picture has them. `skeletons` (class -> skeleton) say between
    which keypoints there are bones. Raises `StudioError` for a picture that cannot be read.
    """
    side = round(canvas.LONGEST_SIDE * zoom)
    picture, scale = _scaled(str(path), _modified(path), side)
    picture = picture.copy()
    unit = max(picture.shape[:2]) / (_SHOWN_AT * zoom)
    for region in regions:
        colour = rgb(colours[region.class_name])
        if region.id in painted:
            paint(picture, region.shape, scale, unit, colour)
        if (keypoints := keypoints_of(region)) is not None:
            skeleton = (skeletons or {}).get(region.class_name or "")
            _paint_keypoints(picture, keypoints, skeleton, scale, unit, colour)
    for number, region in enumerate(regions, 1):
        if number - 1 != selected:
            _number(picture, number, region, scale, unit, rgb(colours[region.class_name]))
    if selected is not None:  # on top of the others
        region = regions[selected]
        _number(picture, selected + 1, region, scale, unit, rgb(colours[region.class_name]), is_selected=True)
    return canvas.jpeg(picture, side)


def preview(
    path: Path,
    regions: Sequence[Region],
    colours: Colours,
    side: int = 420,
    skeletons: Mapping[str, Skeleton] | None = None,
) -> bytes:
    """JPEG bytes of the picture with its longer side at `side` pixels and its regions filled in their colours.

    Raises `StudioError` for a picture that cannot be read.
    """
    picture, scale = display(pictures.load(path), side)
    for region in regions:
        colour = rgb(colours[region.class_name])
        paint(picture, region.shape, scale, 0.5, colour, fill=0.4)
        if (keypoints := keypoints_of(region)) is not None:
            _paint_keypoints(picture, keypoints, (skeletons or {}).get(region.class_name or ""), scale, 0.5, colour)
    return canvas.jpeg(picture, side)


def keypoints_of(region: Region) -> Keypoints | None:
    """The keypoints of a region, whether they are all of it or belong to an outline."""
    return region.shape if isinstance(region.shape, Keypoints) else region.keypoints


def _modified(path: Path) -> int:
    """When the file was changed, for the cache; 0 for one that is not there, which `_scaled` has the words for."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(max_entries=12, show_spinner=False)
def _scaled(path: str, modified: int, side: int) -> tuple[np.ndarray, float]:
    """The picture with its longer side between `_SHARP_SIDE` and `side` pixels, and the factor of that."""
    picture = pictures.load(path)
    height, width = picture.shape[:2]
    scale = min(side, max(_SHARP_SIDE, height, width)) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), scale


@st.cache_data(max_entries=1000, show_spinner=False)
def square(content: bytes) -> bytes:
    """The middle of a JPEG as a square one, so that those in a row are of one height."""
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    picture = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return canvas.jpeg(picture[top : top + side, left : left + side])


def paint(
    picture: np.ndarray, shape: Shape, scale: float, unit: float, colour: tuple[int, int, int], fill: float = _FILL
) -> None:
    """Fill and outline a shape on a uint8 RGB picture, in place; keypoints are left out.

    `scale` is the picture's pixels per pixel of the shape, `unit` how many of them make a thin line.
    """
    height, width = picture.shape[:2]
    rings = [_fixed(ring, scale) for ring in raster.rings(shape)]
    if raster.has_area(shape):
        inside = np.zeros((height, width), np.uint8)
        # The parts of a shape are united; the rings of one part go by the even-odd rule, which leaves holes open.
        parts = (
            [[_fixed(ring, scale) for ring in part] for part in shape.parts]
            if isinstance(shape, MultiPolygon)
            else [rings]
        )
        for part in parts:
            cv2.fillPoly(inside, part, 1, shift=4)
        covered = inside.astype(bool)
        picture[covered] = ((1 - fill) * picture[covered] + fill * np.array(colour)).astype(np.uint8)
    thickness = max(2, round(4 * unit))
    if not isinstance(shape, Keypoints):
        cv2.polylines(picture, rings, raster.has_area(shape), colour, thickness, cv2.LINE_AA, shift=4)


def _paint_keypoints(
    picture: np.ndarray,
    keypoints: Keypoints,
    skeleton: Skeleton | None,
    scale: float,
    unit: float,
    colour: tuple[int, int, int],
) -> None:
    """Bones as lines, keypoints as discs on the picture, in place; one that is labelled but hidden is hollow."""
    places = [_fixed(((x, y),), scale)[0] if visibility else None for x, y, visibility in keypoints.points]
    thin = max(1, round(1.2 * unit))
    for first, second in skeleton.edges if skeleton else ():
        if max(first, second) < len(places):
            start, end = places[first], places[second]
            if start is not None and end is not None:
                cv2.line(picture, start.tolist(), end.tolist(), (0, 0, 0), thin + 2, cv2.LINE_AA, shift=4)
                cv2.line(picture, start.tolist(), end.tolist(), colour, thin, cv2.LINE_AA, shift=4)
    radius = max(2, round(2.5 * unit))
    for place, (_, _, visibility) in zip(places, keypoints.points, strict=True):
        if place is not None:
            middle = (place / 16).round().astype(int).tolist()
            cv2.circle(picture, middle, radius + 1, (0, 0, 0), cv2.FILLED, cv2.LINE_AA)
            cv2.circle(picture, middle, radius, colour, thin if visibility == _HIDDEN else cv2.FILLED, cv2.LINE_AA)


def _fixed(ring: Points, scale: float) -> np.ndarray:
    """Vertices as cv2 takes them, int32 `(N, 2)`: counted from pixel centres, in 1/16 pixel."""
    return (
        np.round((np.array(ring, dtype=float).reshape(-1, 2) * scale - 0.5) * 16).clip(-(2**27), 2**27).astype(np.int32)
    )


def _number(
    picture: np.ndarray,
    number: int,
    region: Region,
    scale: float,
    unit: float,
    colour: tuple[int, int, int],
    is_selected: bool = False,
) -> None:
    """A disc with the region's number above its topmost vertex, in place."""
    height, width = picture.shape[:2]
    points = [point for ring in raster.rings(region.shape) for point in ring]
    if not points:  # an empty mask, or keypoints of which none is labelled
        return
    x, y = min(points, key=lambda point: point[1])
    radius = max(6, round((15 if is_selected else 10) * unit))
    wanted = ((x * scale, width), (y * scale - radius, height))
    place = [int(min(max(radius, round(value)), side - radius)) for value, side in wanted]
    written = _black_or_white(colour)
    if is_selected:
        ring = max(2, round(3 * unit))
        cv2.circle(picture, place, radius + 2 * ring, (0, 0, 0), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, place, radius + ring, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, place, radius, (0, 0, 0), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, place, max(5, radius - max(1, round(unit))), colour, cv2.FILLED, cv2.LINE_AA)
    text, size, thickness = str(number), 0.055 * radius * (0.75 if number > 9 else 1), max(1, round(1.5 * unit))
    (across, up), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    corner = (place[0] - across // 2, place[1] + up // 2)
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, written, thickness, cv2.LINE_AA)


def ink(colour: str) -> tuple[int, int, int]:
    """Black or white, whichever can be read on a `#rrggbb` ground."""
    return _black_or_white(rgb(colour))


def _black_or_white(ground: tuple[int, int, int]) -> tuple[int, int, int]:
    return (0, 0, 0) if 0.3 * ground[0] + 0.59 * ground[1] + 0.11 * ground[2] > 110 else (255, 255, 255)
