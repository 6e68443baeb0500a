"""Checks on the shape of one region: does it lie in the picture, is its outline sound, is it large enough to learn.

`examined` runs them in order, each on what the mends before it leave, so that all mends of a region together make it
sound. Frames are `(width, height)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import enclosed, mending
from maskrcnn.annotations.doctor.findings import Fix, Symptom
from maskrcnn.annotations.doctor.mending import Frame
from maskrcnn.annotations.formats.json_values import FARTHEST
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Region,
    Shape,
)

LEAST_PIXELS = 16
"""Regions with fewer pixels are tiny: the finest feature map has one cell for 4 x 4 px."""

LEAST_SIDE = 1.0
"""Boxes narrower or lower than this many px are degenerate."""

ROUNDING = 0.01
"""So far (px) a vertex may lie beyond the edge: files with two decimals round that much."""


@dataclass(frozen=True)
class Examined:
    """The symptoms of one region and what their mends leave of it.

    `region` is None where it is dropped. `encoded` is its mask as a run-length code of pycocotools; None for a shape
    without area, and where no mask can be drawn.
    """

    symptoms: tuple[Symptom, ...]
    region: Region | None
    encoded: dict[str, Any] | None = None


def examined(region: Region, frame: Frame | None, canvas: tuple[int, int] | None) -> Examined:
    """All checks on one region: `frame` is the picture's if anybody knows it, `canvas` the one to draw masks on."""
    keypoints, beside = region.keypoints, outside(region.keypoints, frame) if region.keypoints else None
    if isinstance(region.shape, Point | Polyline | Keypoints):
        leaving = outside(region.shape, frame) or beside
        if leaving is None:
            return Examined((), region)
        return Examined((_outside(leaving, _clamp(frame)),), clamped(region, frame or _UNKNOWN))

    if not raster.has_area(region.shape) and (symptom := few_vertices(region.shape) or no_area(region.shape)):
        return Examined((symptom,), None)
    if scribbled(region.shape):
        words = "the outline is a scribble that crosses itself all over"
        return Examined((Symptom("self-crossing", "warning", words, Fix("drop the region", "drop")),), None)
    shape: Shape | None = region.shape
    short, leaving, crossed = few_vertices(region.shape), outside(region.shape, frame), crossing(region.shape)
    if leaving:
        shape = mending.clipped(region.shape, frame or _UNKNOWN)
    elif crossed or short:
        shape = mending.untangled(region.shape)
    encoded = drawn(shape, canvas) if shape is not None else None
    slight = too_small(shape, encoded) if shape is not None else None

    if shape is None or slight:
        nothing = Fix("drop the region: nothing of it is left that can be learned", "drop")
        symptoms = [
            *([Symptom("few-vertices", "error", short.what, nothing)] if short else []),
            *([_outside(leaving, nothing)] if leaving else []),
            *([Symptom("self-crossing", "warning", crossed, nothing)] if crossed else []),
        ]
        return Examined(tuple(symptoms or ([slight] if slight else [])), None)

    symptoms = [short] if short else []
    if leaving:
        symptoms.append(_outside(leaving, Fix("cut the region off at the picture's edge", "clip", frame or _UNKNOWN)))
    if crossed:
        words = "draw the outline anew around what it encloses"
        symptoms.append(Symptom("self-crossing", "warning", crossed, Fix(words, "untangle")))
    mended = mending.with_shape(region, shape, keypoints)
    if beside:
        symptoms.append(_outside(f"of its keypoints, {beside}", _clamp(frame)))
        mended = clamped(mended, frame or _UNKNOWN)
    return Examined(tuple(symptoms), mended, encoded)


def outside(shape: Shape, frame: Frame | None) -> str | None:
    """Which places of a shape lie beyond the picture's edges, in words.

    Of circles and ellipses that is the centre only: such a shape can follow an object to the edge in no other way than
    by leaving the picture. A mask cannot leave it. Without a frame, only the edges at 0 are known.
    """
    if isinstance(shape, RLE):
        return None
    width, height = frame or _UNKNOWN
    x0, y0, x1, y1 = raster.bounds(shape)
    if x0 >= -ROUNDING and y0 >= -ROUNDING and x1 <= width + ROUNDING and y1 <= height + ROUNDING:
        return None
    if isinstance(shape, Circle | Ellipse):
        places = [(shape.cx, shape.cy)]
    else:
        places = [place for ring in raster.rings(shape) for place in ring]
    beyond = [
        f"({x:g}, {y:g})"
        for x, y in places
        if not (-ROUNDING <= x <= width + ROUNDING and -ROUNDING <= y <= height + ROUNDING)
    ]
    if not beyond:
        return None
    size = "the picture" if frame is None else f"the picture of {width:g} x {height:g} px"
    if len(beyond) == 1:
        return f"{beyond[0]} lies outside {size}"
    return f"{len(beyond)} places lie outside {size}, the first at {beyond[0]}"


def crossing(shape: Shape) -> str | None:
    """What is wrong with the first outline that is not sound (see `enclosed`), in words."""
    if not isinstance(shape, Polygon | MultiPolygon):
        return None
    found = (enclosed.fault(ring) for ring in raster.rings(shape) if len(ring) >= 3)
    fault = next((words for words in found if words), None)
    return fault and f"the outline {fault}"


def scribbled(shape: Shape) -> bool:
    """Whether an outline of the shape crosses itself too often to be mended."""
    return isinstance(shape, Polygon | MultiPolygon) and any(map(enclosed.is_scribble, raster.rings(shape)))


def few_vertices(shape: Shape) -> Symptom | None:
    """Outlines of fewer than three different vertices; the mend keeps the outlines that have more."""
    if not isinstance(shape, Polygon | MultiPolygon):
        return None
    rings = raster.rings(shape)
    short = [len(ring) for ring in rings if len(set(ring)) < 3]
    if rings and not short:
        return None
    if len(short) < len(rings):
        words = f"{len(short)} of its {len(rings)} outlines have fewer than three different vertices"
        return Symptom("few-vertices", "warning", words, Fix("keep the other outlines", "untangle"))
    count = len(set(rings[0])) if rings else 0
    words = f"the outline has {count} different {'vertex' if count == 1 else 'vertices'}"
    return Symptom("few-vertices", "error", words, Fix("drop the region", "drop"))


def no_area(shape: Shape) -> Symptom | None:
    """Shapes that are meant to enclose something and do not."""
    if isinstance(shape, Point | Polyline | Keypoints) or raster.has_area(shape):
        return None
    words = "the mask has no pixel" if isinstance(shape, RLE) else "it encloses nothing"
    return Symptom("no-area", "error", words, Fix("drop the region", "drop"))


def too_small(shape: Shape, encoded: dict[str, Any] | None) -> Symptom | None:
    """A box of less than a pixel, or a mask of fewer than 16: `encoded` is the mask, if it could be drawn."""
    x0, y0, x1, y1 = raster.bounds(shape)
    if min(x1 - x0, y1 - y0) < LEAST_SIDE:
        words = f"its box is {x1 - x0:.3g} x {y1 - y0:.3g} px"
        return Symptom("thin-box", "error", words, Fix("drop the region", "drop"))
    if encoded is None or (pixels := int(coco_mask.area(encoded))) >= LEAST_PIXELS:
        return None
    words = f"it covers {pixels} pixel{'' if pixels == 1 else 's'} of the picture"
    return Symptom("tiny", "warning", words, Fix("drop the region", "drop"))


def drawn(shape: Shape, canvas: tuple[int, int] | None) -> dict[str, Any] | None:
    """The mask on a canvas of that size as pycocotools' run-length code; None where there is no canvas for it."""
    if isinstance(shape, RLE):
        return {"size": list(shape.size), "counts": shape.counts.encode("ascii")}
    if canvas is None:
        return None
    encoded = raster.rle(shape, canvas[1], canvas[0])
    return {**encoded, "counts": encoded["counts"].encode("ascii")}


def clamped(region: Region, frame: Frame) -> Region:
    """The region with keypoints, point or line moved to the picture's edge where they lie beyond it."""
    keypoints = region.keypoints and mending.clamped(region.keypoints, frame)
    assert keypoints is None or isinstance(keypoints, Keypoints)
    return mending.with_shape(region, mending.clamped(region.shape, frame), keypoints)


_UNKNOWN: Frame = (FARTHEST, FARTHEST)
"""Stands for the frame of a picture whose size nobody knows."""


def _outside(words: str, fix: Fix) -> Symptom:
    return Symptom("outside-picture", "warning", words, fix)


def _clamp(frame: Frame | None) -> Fix:
    return Fix("move what lies outside onto the picture's edge", "clamp", frame or _UNKNOWN)
