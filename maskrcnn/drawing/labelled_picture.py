"""Drawing of all labelled regions of a picture: numbered for the annotation canvas, or as a small preview."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.annotations.learnable_objects import keypoints_of
from maskrcnn.annotations.regions import Region, Skeleton
from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import resize_for_overlay
from maskrcnn.drawing.region_painting import paint_keypoints, paint_number, paint_shape

Colours = Mapping[str | None, str]
"""Class name -> `#rrggbb`. The key None has the colour of regions without a class."""

_PREVIEW_OPACITY = 0.4
_PREVIEW_UNIT = 0.5  # lines are thin on a preview


def draw_numbered(
    picture: np.ndarray,
    scale: float,
    unit: float,
    regions: Sequence[Region],
    painted: Collection[str],
    colours: Colours,
    skeletons: Mapping[str, Skeleton],
    selected: int | None = None,
) -> None:
    """Draw the number and the keypoints of every region on the picture, in place.

    The shapes of the regions whose ids are in `painted` are drawn too. `picture` is uint8 RGB `(H, W, 3)`. `scale` and
    `unit` are explained in `region_painting`. `selected` is the index of the selected region: its number is larger, has
    a white ring and is drawn on top. `skeletons` (class -> skeleton) give the lines between keypoints.
    """
    for region in regions:
        colour = rgb(colours[region.class_name])
        if region.id in painted:
            paint_shape(picture, region.shape, scale, unit, colour)
        if (keypoints := keypoints_of(region)) is not None:
            paint_keypoints(picture, keypoints, skeletons.get(region.class_name or ""), scale, unit, colour)
    for number, region in enumerate(regions, 1):
        if number - 1 != selected:
            paint_number(picture, number, region, scale, unit, rgb(colours[region.class_name]))
    if selected is not None:
        region = regions[selected]
        paint_number(picture, selected + 1, region, scale, unit, rgb(colours[region.class_name]), is_selected=True)


def preview(
    path: Path,
    regions: Sequence[Region],
    colours: Colours,
    side: int = 420,
    skeletons: Mapping[str, Skeleton] | None = None,
) -> bytes:
    """Return a JPEG of the picture with its regions filled in their colours. Its longer side has `side` pixels.

    Raises `StudioError` if the picture cannot be read.
    """
    picture, scale = resize_for_overlay(pictures.load(path), side)
    for region in regions:
        colour = rgb(colours[region.class_name])
        paint_shape(picture, region.shape, scale, _PREVIEW_UNIT, colour, _PREVIEW_OPACITY)
        if (keypoints := keypoints_of(region)) is not None:
            skeleton = (skeletons or {}).get(region.class_name or "")
            paint_keypoints(picture, keypoints, skeleton, scale, _PREVIEW_UNIT, colour)
    return jpeg(picture, side)
