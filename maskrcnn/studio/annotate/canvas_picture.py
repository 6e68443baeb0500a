"""The background of the canvas: the picture, the regions that are no canvas objects, and the number of each region."""

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
"""A smaller picture is enlarged to this, so that the numbers on it are sharp."""
_SHOWN_AT = 700
"""Pixels at which the canvas shows the longer side, about."""


def background(
    path: Path,
    regions: Sequence[Region],
    painted: set[str],
    colours: Colours,
    zoom: float = 1.0,
    skeletons: Mapping[str, Skeleton] | None = None,
    selected: int | None = None,
) -> bytes:
    """JPEG bytes of the picture with its regions on it, as `drawing.labelled_picture.draw_numbered` draws them.

    Beyond zoom 1 there are more pixels, as far as the picture has them. Raises `StudioError` for a picture that cannot
    be read.
    """
    side = round(canvas.LONGEST_SIDE * zoom)
    picture, scale = _scaled(str(path), stamp(path), side)
    picture = picture.copy()
    unit = max(picture.shape[:2]) / (_SHOWN_AT * zoom)
    draw_numbered(picture, scale, unit, regions, painted, colours, skeletons or {}, selected)
    return jpeg(picture, side)


@st.cache_data(max_entries=12, show_spinner=False)
def _scaled(path: str, modified: int, side: int) -> tuple[np.ndarray, float]:
    """The picture with its longer side between `_SHARP_SIDE` and `side` pixels, and the factor of that."""
    picture = pictures.load(path)
    height, width = picture.shape[:2]
    scale = min(side, max(_SHARP_SIDE, height, width)) / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), scale
