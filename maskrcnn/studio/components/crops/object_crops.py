"""Crops of a picture around one detection or labelled object, drawn in the style of its match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.drawing import overlays
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import MATCH_COLOURS, MATCH_STYLES, Mark
from maskrcnn.drawing.region_crops import window
from maskrcnn.evaluation import MeasuredSet

Side = Literal["found", "truth"]
"""A detection, or a labelled object."""

SIDE = 300
"""Longer side of a crop in pixels."""

_LINE = 2.5
"""Width of its outlines in pixels; a page shows a crop about half as large."""


def crop(picture: np.ndarray, measured: MeasuredSet, side: Side, number: int, *, is_found: bool = False) -> bytes:
    """Return a JPEG of the surroundings of detection or object `number` of the measured set.

    A detection is drawn solid, and the objects that it overlaps dashed below it. An object is drawn as one
    that is found (`is_found`), or missed: dashed. `picture` is uint8 RGB (H, W, 3).
    """
    columns = measured.detections if side == "found" else measured.objects
    entries = measured.detection_entries if side == "found" else measured.object_entries
    height, width = picture.shape[:2]
    x, y, w, h = columns.boxes[number].tolist()
    left, top, right, bottom = window((x, y, x + w, y + h), width, height)
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if right <= left or bottom <= top:
        left, top, right, bottom = 0, 0, width, height
    corner = (left, top, right - left, bottom - top)
    has_masks = measured.documents.masks
    marks = []
    if side == "found":
        pairs = measured.pairs(measured.matched_by)
        start, stop = np.searchsorted(pairs.detection, [number, number + 1])
        for place in pairs.object[start:stop].tolist():
            marks.append(_mark(measured.object_entries[place], corner, "fn", has_masks))
        marks.append(replace(_mark(entries[number], corner, "fp", has_masks), style="solid"))
    else:
        marks.append(_mark(entries[number], corner, "tp" if is_found else "fn", has_masks))
    # Lines are drawn three times as large as they are sent, so that their colour is wider than its dark edges.
    cut = np.ascontiguousarray(picture[top:bottom, left:right])
    drawn = overlays.draw(
        cut, marks, longest=3 * SIDE, labels=False, boxes=not has_masks, opacity=0.2, line=round(3 * _LINE)
    )
    return jpeg(drawn, SIDE)


def _mark(entry: Mapping[str, Any], corner: tuple[int, int, int, int], status: str, has_masks: bool) -> Mark:
    """A mark in pixels of the crop with this `corner`: left, top, width and height."""
    left, top, width, height = corner
    x, y, w, h = entry["bbox"]
    rle = None
    if has_masks:
        mask = coco_mask.decode([entry["segmentation"]])[top : top + height, left : left + width, 0]
        rle = coco_mask.encode(np.asfortranarray(mask))
    points = np.array(entry.get("keypoints") or [], float).reshape(-1, 3) - (left, top, 0)
    return Mark(
        (x - left, y - top, w, h),
        MATCH_COLOURS[status],
        style=MATCH_STYLES[status],
        rle=rle,
        keypoints=tuple(points.ravel().tolist()),
    )
