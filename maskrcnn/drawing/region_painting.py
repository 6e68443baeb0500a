"""Painting of single regions on a picture, in place: filled shapes, keypoints with limbs, numbered discs.

In all functions `picture` is uint8 RGB `(H, W, 3)`. `scale` is the number of its pixels per pixel of the region's
coordinates. `unit` is the width of a thin line in pixels of `picture`.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Keypoints, MultiPolygon, Points, Region, Shape, Skeleton
from maskrcnn.drawing.text_contrast import BLACK, RGB, WHITE, text_colour

_OPACITY = 0.3
_OCCLUDED = 1
"""Visibility (as in COCO) of a keypoint that is labelled but not visible."""


def paint_shape(
    picture: np.ndarray, shape: Shape, scale: float, unit: float, colour: RGB, opacity: float = _OPACITY
) -> None:
    """Fill and outline a shape. For a `Keypoints` shape nothing is painted; see `paint_keypoints`."""
    height, width = picture.shape[:2]
    rings = [_fixed_point(ring, scale) for ring in raster.rings(shape)]
    if raster.has_area(shape):
        inside = np.zeros((height, width), np.uint8)
        # The result is the union of the parts. The rings of one part follow the even-odd rule, which keeps holes open.
        parts = (
            [[_fixed_point(ring, scale) for ring in part] for part in shape.parts]
            if isinstance(shape, MultiPolygon)
            else [rings]
        )
        for part in parts:
            cv2.fillPoly(inside, part, 1, shift=4)
        covered = inside.astype(bool)
        picture[covered] = ((1 - opacity) * picture[covered] + opacity * np.array(colour)).astype(np.uint8)
    thickness = max(2, round(4 * unit))
    if not isinstance(shape, Keypoints):
        cv2.polylines(picture, rings, raster.has_area(shape), colour, thickness, cv2.LINE_AA, shift=4)


def paint_keypoints(
    picture: np.ndarray, keypoints: Keypoints, skeleton: Skeleton | None, scale: float, unit: float, colour: RGB
) -> None:
    """Paint limbs as lines and keypoints as discs. Occluded keypoints are rings; unlabelled keypoints are skipped."""
    places = [_fixed_point(((x, y),), scale)[0] if visibility else None for x, y, visibility in keypoints.points]
    thin = max(1, round(1.2 * unit))
    for first, second in skeleton.edges if skeleton else ():
        if max(first, second) < len(places):
            start, end = places[first], places[second]
            if start is not None and end is not None:
                cv2.line(picture, start.tolist(), end.tolist(), BLACK, thin + 2, cv2.LINE_AA, shift=4)
                cv2.line(picture, start.tolist(), end.tolist(), colour, thin, cv2.LINE_AA, shift=4)
    radius = max(2, round(2.5 * unit))
    for place, (_, _, visibility) in zip(places, keypoints.points, strict=True):
        if place is not None:
            middle = (place / 16).round().astype(int).tolist()
            cv2.circle(picture, middle, radius + 1, BLACK, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(picture, middle, radius, colour, thin if visibility == _OCCLUDED else cv2.FILLED, cv2.LINE_AA)


def paint_number(
    picture: np.ndarray,
    number: int,
    region: Region,
    scale: float,
    unit: float,
    colour: RGB,
    is_selected: bool = False,
) -> None:
    """Paint a disc with the region's number above the topmost vertex of the region.

    The disc of a selected region is larger and has a white ring. A region without vertices (empty mask) gets no disc.
    """
    height, width = picture.shape[:2]
    points = [point for ring in raster.rings(region.shape) for point in ring]
    if not points:
        return
    x, y = min(points, key=lambda point: point[1])
    radius = max(6, round((15 if is_selected else 10) * unit))
    centre = ((x * scale, width), (y * scale - radius, height))
    place = [int(min(max(radius, round(value)), side - radius)) for value, side in centre]
    if is_selected:
        ring = max(2, round(3 * unit))
        cv2.circle(picture, place, radius + 2 * ring, BLACK, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, place, radius + ring, WHITE, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, place, radius, BLACK, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, place, max(5, radius - max(1, round(unit))), colour, cv2.FILLED, cv2.LINE_AA)
    text, size, thickness = str(number), 0.055 * radius * (0.75 if number > 9 else 1), max(1, round(1.5 * unit))
    (across, up), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    corner = (place[0] - across // 2, place[1] + up // 2)
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, text_colour(colour), thickness, cv2.LINE_AA)


def _fixed_point(ring: Points, scale: float) -> np.ndarray:
    """Return the vertices as OpenCV expects them: int32 `(N, 2)`, relative to pixel centres, in units of 1/16 pixel."""
    return (
        np.round((np.array(ring, dtype=float).reshape(-1, 2) * scale - 0.5) * 16).clip(-(2**27), 2**27).astype(np.int32)
    )
