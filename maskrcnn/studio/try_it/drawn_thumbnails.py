"""Small pictures of a set with the objects that a selection keeps drawn on them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import Edges, detection_marks, draw
from maskrcnn.errors import StudioError
from maskrcnn.studio.components import thumbnails
from maskrcnn.studio.try_it.opened_set import PAGE, OpenedSet
from maskrcnn.studio.try_it.sets import tried_set
from maskrcnn.studio.try_it.sets.finding import THUMBNAIL

if TYPE_CHECKING:
    from maskrcnn.model.candidates import Selection


def drawn_url(opened: OpenedSet, position: int, selection: Selection) -> str | None:
    """The address of a small picture with its objects, until the next run of the page; None if it cannot be drawn."""
    found = tried_set.candidates_path(opened.workspace, opened.tried.id, position)
    try:
        stamp = found.stat().st_mtime_ns
        config = opened.tried.config
        content = _drawn(found, stamp, selection, config.names, opened.colours, config.keypoint_edges)
    except (StudioError, OSError):
        return None
    return thumbnails.thumbnail_url(content, f"{PAGE} {opened.tried.id} {position}") or None


@lru_cache(maxsize=1500)  # about 15 kB each
def _drawn(
    found: Path,
    stamp: int,
    selection: Selection,
    names: tuple[str, ...],
    colours: tuple[str, ...],
    edges: Edges,
) -> bytes:
    """A JPEG of a small picture with its objects. `found` is the file of its candidates in the state of `stamp`.

    The candidates are selected in a frame of the size of the small picture, so that masks are pasted in it.
    """
    from maskrcnn.model.candidates import Candidates

    encoded = np.frombuffer(found.with_suffix(".jpg").read_bytes(), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    if picture is None:
        raise StudioError("a small picture is damaged")
    picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    height, width = picture.shape[:2]
    whole = Candidates.open(found)
    stretch = np.array([width / whole.width, height / whole.height] * 2, np.float32)
    keypoints = whole.keypoints
    if keypoints is not None:
        keypoints = keypoints * np.array([*stretch[:2], 1], np.float32)
    small = replace(whole, height=height, width=width, boxes=whole.boxes * stretch, keypoints=keypoints)
    entries = small.select(selection)
    marks = [
        replace(mark, colour=colours[entry["category_id"] - 1])
        for mark, entry in zip(detection_marks(entries, names, edges), entries, strict=True)
    ]
    has_masks = whole.masks is not None
    # Drawn at twice the size, so that the colour of a line is wider than its dark edges.
    drawn = draw(picture, marks, longest=2 * THUMBNAIL, labels=False, boxes=not has_masks, opacity=0.3, line=3)
    return jpeg(drawn, THUMBNAIL)
