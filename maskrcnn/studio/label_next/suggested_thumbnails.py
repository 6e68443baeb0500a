"""Thumbnails with what a network suggests drawn on them, dashed as in the editor."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.drawing.dashed_outlines import paint_dashed
from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.labelled_picture import Colours
from maskrcnn.studio.components import thumbnails

SURE = 0.5
"""Score from which the editor shows suggestions at first. Those below it have thinner lines here."""

LEAST = 0.2
"""Suggestions with a lower score are not drawn."""

_SIDE = 400
"""Longer side in pixels: sharp on a screen with more than one device pixel for a CSS pixel."""


def suggested_thumbnail(project: Project, image: StoredImage, regions: Sequence[Region], colours: Colours) -> bytes:
    """Return a JPEG of the picture with dashed outlines of the regions that have a score of at least `LEAST`.

    Raises `StudioError` if the picture cannot be read.
    """
    content = thumbnails.thumbnail(project, image, _SIDE)
    drawn = [(region, colours[region.class_name]) for region in regions if score_of(region) >= LEAST]
    key = tuple((region.id, colour) for region, colour in drawn)
    return _drawn(image.sha256, key, content, image.width, drawn) if drawn else content


def score_of(region: Region) -> float:
    """Return the score of a suggestion; 1 if it has none."""
    return 1.0 if region.score is None else region.score


@st.cache_data(max_entries=300, show_spinner=False)
def _drawn(
    sha256: str,
    key: tuple[tuple[str, str], ...],
    _content: bytes,
    _width: int,
    _regions: Sequence[tuple[Region, str]],
) -> bytes:
    """Draw regions in their colours on a thumbnail (JPEG) of a picture that is `_width` px wide.

    `sha256` names the picture, and `key` the regions: a suggestion keeps its id and does not change.
    """
    decoded = cv2.imdecode(np.frombuffer(_content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    picture = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    scale = picture.shape[1] / _width
    for region, colour in reversed(_regions):  # the best one on top
        paint_dashed(picture, region.shape, scale, rgb(colour), 2 if score_of(region) >= SURE else 1)
    return jpeg(picture, _SIDE)
