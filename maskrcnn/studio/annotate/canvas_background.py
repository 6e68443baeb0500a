"""The background image of the canvas: the picture, region numbers, and the regions that are not canvas objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.regions import Region, Skeleton
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.labelled_picture import Colours, draw_numbered
from maskrcnn.studio.components import canvas
from maskrcnn.studio.shell.file_stamps import stamp

_SHARP_SIDE = 900
"""Smaller pictures are enlarged to this longer side (pixels), so that the region numbers are sharp."""
_SHOWN_AT = 700
"""Approximate length of the canvas's longer side in CSS pixels."""


def background(
    path: Path,
    regions: Sequence[Region],
    painted: set[str],
    colours: Colours,
    zoom: float = 1.0,
    skeletons: Mapping[str, Skeleton] | None = None,
    selected: int | None = None,
) -> bytes:
    """Return a JPEG of the picture with its regions drawn by `drawing.labelled_picture.draw_numbered`.

    At a zoom above 1 the JPEG has more pixels, up to the size of the picture. Raises `StudioError` if the picture
    cannot be read.
    """
    side = round(canvas.LONGEST_SIDE * zoom)
    picture, scale = _scaled(str(path), stamp(path), side)
    picture = picture.copy()
    unit = max(picture.shape[:2]) / (_SHOWN_AT * zoom)
    draw_numbered(picture, scale, unit, regions, painted, colours, skeletons or {}, selected)
    return jpeg(picture, side)


@st.cache_data(max_entries=12, show_spinner=False)
def _scaled(path: str, modified: int, side: int) -> tuple[np.ndarray, float]:
    """Return the picture resized to a longer side of `_SHARP_SIDE` to `side` pixels, and the scale factor."""
    picture = pictures.load(path)
    height, width = picture.shape[:2]
    scale = min(side, max(_SHARP_SIDE, height, width)) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), scale
