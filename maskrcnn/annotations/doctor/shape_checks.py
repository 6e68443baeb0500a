"""Checks of a region's shape: is it inside the picture, is its outline valid, is it large enough to learn.

`examined` runs all checks in order, each on the shape after the automatic fixes of earlier checks. A fix is automatic
if there is only one interpretation and nothing useful is lost. All other fixes are choices of the user. Frames are
`(width, height)`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import enclosed_area, shape_repairs
from maskrcnn.annotations.doctor.findings import Fix, Symptom
from maskrcnn.annotations.doctor.frame_checks import (
    SLIP_PX,
    SLIP_SHARE,
    UNKNOWN_FRAME,
    corners_read,
    distance_beyond,
    outside,
)
from maskrcnn.annotations.doctor.shape_repairs import Frame
from maskrcnn.annotations.regions import (
    RLE,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Region,
    Shape,
)
from maskrcnn.words import counted

LEAST_PIXELS = 16
"""Regions with fewer pixels are tiny: the finest feature map has one cell for 4 x 4 px."""

LEAST_SIDE = 1.0
"""Boxes narrower or lower than this many px are degenerate."""


@dataclass(frozen=True)
class Examined:
    """The symptoms of one region, and the region after their certain fixes.

    `region` is None where it is surely dropped. `encoded` is its mask as a run-length code of pycocotools; None for a
    shape without area, and where no mask can be drawn.
    """

    symptoms: tuple[Symptom, ...]
    region: Region | None
    encoded: dict[str, Any] | None = None


_DROP = Fix("drop the region", "drop")


def examined(region: Region, frame: Frame | None, canvas: tuple[int, int] | None, *, may_cut: bool = True) -> Examined:
    """Run all checks on one region.

    `frame` is the size of the picture (None: unknown), `canvas` the size for drawing masks. `may_cut` False: do not
    clip automatically, because the labels may belong to another size.
    """
    if isinstance(region.shape, Point | Polyline | Keypoints):
        return _without_area(region, frame)
    if not raster.has_area(region.shape) and (symptom := few_vertices(region) or no_area(region)):
        return Examined((symptom,), None if symptom.fix else region)
    if scribbled(region.shape):
        words = "the outline is a scribble that crosses itself all over"
        return Examined((Symptom("self-crossing", "warning", words, None, (_DROP,)),), region)

    short, leaving, crossed = few_vertices(region), outside(region.shape, frame), crossing(region.shape)
    one_reading = not crossed or not shape_repairs.has_two_readings(region.shape)
    clipped = shape_repairs.clipped(region.shape, frame or UNKNOWN_FRAME) if leaving else region.shape
    corners = corners_read(region, frame) if leaving else None
    cuts = bool(leaving) and may_cut and one_reading and clipped is not None and corners is None
    untangles = one_reading and bool(crossed or short)
    shape: Shape | None = clipped if cuts else shape_repairs.untangled(region.shape) if untangles else region.shape
    symptoms = []
    if short:
        symptoms.append(short if one_reading else unsure(short))
    if leaving:
        cut = Fix("cut the region off at the picture's edge", "clip", frame or UNKNOWN_FRAME)
        if cuts:
            symptoms.append(_outside(leaving, cut))
        elif clipped is None:
            nothing = Fix("drop the region: nothing of it lies in the picture", "drop")
            symptoms.append(unsure(_outside(leaving, nothing)))
        else:
            symptoms.append(unsure(_outside(leaving, cut), _DROP))
        if corners:
            read = Fix("read its four numbers as two corners", "corners", corners)
            symptoms[-1] = replace(symptoms[-1], choices=(read, *symptoms[-1].choices))
    if crossed and one_reading:
        anew = Fix("draw the outline anew around what it encloses", "untangle")
        symptoms.append(Symptom("self-crossing", "warning", crossed, anew))
    elif crossed:
        whole = Fix("fill it: draw the outline anew around all that it runs around", "fill")
        holes = Fix("leave holes where it runs around twice, as training sees it now", "untangle")
        words = f"{crossed}, and what it encloses can be read in two ways"
        symptoms.append(Symptom("self-crossing", "warning", words, None, (whole, holes)))
    if shape is None:  # of an outline of slivers nothing is left
        return Examined(tuple(unsure(symptom, _DROP) for symptom in symptoms), region)
    encoded = drawn(shape, canvas)
    if (not leaving or cuts) and (slight := too_small(shape, encoded)):
        symptoms.append(slight)
    mended = shape_repairs.with_shape(region, shape, region.keypoints)
    if region.keypoints:
        more = _without_area(Region(region.keypoints), frame, "of its keypoints, ")
        symptoms += more.symptoms
        if more.region is not None and isinstance(more.region.shape, Keypoints):
            mended = shape_repairs.with_shape(mended, mended.shape, more.region.shape)
    return Examined(tuple(symptoms), mended, encoded)


def _without_area(region: Region, frame: Frame | None, of: str = "") -> Examined:
    """The checks on places: points, lines and keypoints."""
    symptoms = []
    shape = region.shape
    if leaving := outside(shape, frame):
        onto_edge = Fix("move what lies outside onto the picture's edge", "clamp", frame or UNKNOWN_FRAME)
        slip = max(SLIP_PX, SLIP_SHARE * max(frame)) if frame else SLIP_PX
        near = all(
            distance_beyond(place, frame or UNKNOWN_FRAME) <= slip for ring in raster.rings(shape) for place in ring
        )
        symptoms.append(_outside(f"{of}{leaving}", onto_edge))
        if near:
            region = clamped(region, frame or UNKNOWN_FRAME)
        else:
            symptoms[-1] = unsure(symptoms[-1])
    if isinstance(shape, Keypoints):
        if number := sum(not v and (x, y) != (0, 0) for x, y, v in shape.points):
            who = counted(number, "keypoint has", "keypoints have")
            words = f"{who} a place and visibility 0, and {'is' if number == 1 else 'are'} not learned"
            label = Fix("count them as labelled, hidden (visibility 1)", "label-keypoints")
            symptoms.append(Symptom("unlabelled-keypoints", "warning", words, None, (label,)))
    elif not of:
        symptoms.append(line_or_point(shape))
    return Examined(tuple(symptoms), region)


def line_or_point(shape: Shape) -> Symptom:
    """A region without area: a line may be meant as an outline."""
    if isinstance(shape, Polyline):
        words = f"it is a line of {counted(len(shape.points), 'point')}"
        close = Fix("close the line: it becomes the outline of an area", "close")
        return Symptom(
            "line-or-point", "hint", words, None, (*[close] * (shape_repairs.closed(shape) is not None), _DROP)
        )
    return Symptom("line-or-point", "hint", "it is a point", None, (_DROP,))


def before_a_cut(region: Region, frame: Frame | None, canvas: tuple[int, int] | None) -> Shape | None:
    """Return the shape after automatic fixes but before clipping, if it has an area and extends outside; else None."""
    if not _leaves_with_area(region.shape, frame):
        return None
    left = examined(region, frame, canvas, may_cut=False).region
    return left.shape if left is not None and _leaves_with_area(left.shape, frame) else None


def _leaves_with_area(shape: Shape, frame: Frame | None) -> bool:
    return not isinstance(shape, RLE | Point | Polyline | Keypoints) and outside(shape, frame) is not None


def unsure(symptom: Symptom, *more: Fix) -> Symptom:
    """The symptom with its fix, and further ones, as choices for a person."""
    mends = (*([symptom.fix] if symptom.fix else []), *symptom.choices, *more)
    return replace(symptom, fix=None, choices=tuple(dict.fromkeys(mends)))


def crossing(shape: Shape) -> str | None:
    """The fault of the first outline that is not valid (see `enclosed_area`), in words; None if all are."""
    if not isinstance(shape, Polygon | MultiPolygon):
        return None
    found = (enclosed_area.fault(ring) for ring in raster.rings(shape) if len(ring) >= 3)
    fault = next((words for words in found if words), None)
    return fault and f"the outline {fault}"


def scribbled(shape: Shape) -> bool:
    """Whether an outline of the shape crosses itself too often to be mended."""
    return isinstance(shape, Polygon | MultiPolygon) and any(map(enclosed_area.is_scribble, raster.rings(shape)))


def few_vertices(region: Region) -> Symptom | None:
    """Outlines of fewer than three different vertices; the mend keeps the outlines that have more."""
    shape = region.shape
    if not isinstance(shape, Polygon | MultiPolygon):
        return None
    rings = raster.rings(shape)
    short = [len(ring) for ring in rings if len(set(ring)) < 3]
    if rings and not short:
        return None
    if len(short) < len(rings):
        words = (
            f"of its {len(rings):,} outlines {counted(len(short), 'has', 'have')} fewer than three different vertices"
        )
        return Symptom("few-vertices", "warning", words, Fix("keep the other outlines", "untangle"))
    count = len(set(rings[0])) if rings else 0
    box = [Fix("make it the box between its two corners", "box")] if shape_repairs.boxed(shape) else []
    words = f"the outline has {counted(count, 'different vertex', 'different vertices')}"
    return _nothing("few-vertices", words, region, *box)


def no_area(region: Region) -> Symptom | None:
    """Shapes that are meant to enclose something and do not."""
    if isinstance(region.shape, Point | Polyline | Keypoints) or raster.has_area(region.shape):
        return None
    words = "the mask has no pixel" if isinstance(region.shape, RLE) else "it encloses nothing"
    return _nothing("no-area", words, region)


def _nothing(check: str, words: str, region: Region, *choices: Fix) -> Symptom:
    """A region that encloses nothing: where it has no extent at all, nothing is lost with it."""
    x0, y0, x1, y1 = raster.bounds(region.shape)
    is_nothing = x0 == x1 and y0 == y1 and region.keypoints is None
    return (
        Symptom(check, "error", words, _DROP) if is_nothing else Symptom(check, "error", words, None, (*choices, _DROP))
    )


def too_small(shape: Shape, encoded: dict[str, Any] | None) -> Symptom | None:
    """A box of less than a pixel, or a mask of fewer than 16: `encoded` is the mask, if it could be drawn."""
    x0, y0, x1, y1 = raster.bounds(shape)
    if min(x1 - x0, y1 - y0) < LEAST_SIDE:
        words = f"its box is {x1 - x0:.3g} x {y1 - y0:.3g} px"
        return Symptom("thin-box", "error", words, None, (_DROP,))
    if encoded is None or (pixels := int(coco_mask.area(encoded))) >= LEAST_PIXELS:
        return None
    words = f"it covers {counted(pixels, 'pixel')} of the picture"
    return Symptom("tiny", "warning", words, None, (_DROP,))


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
    keypoints = region.keypoints and shape_repairs.clamped(region.keypoints, frame)
    assert keypoints is None or isinstance(keypoints, Keypoints)
    return shape_repairs.with_shape(region, shape_repairs.clamped(region.shape, frame), keypoints)


def _outside(words: str, fix: Fix, *choices: Fix) -> Symptom:
    return Symptom("outside-picture", "warning", words, fix, choices)
