"""Checks of a region's shape: is it inside the picture, is its outline valid, is it large enough to learn.

`examined` runs all checks in order, each on the shape after the automatic fixes of earlier checks. A fix is automatic
if there is only one interpretation and nothing useful is lost. All other fixes are choices of the user. Frames are
`(width, height)`.

An outline is valid if all its winding numbers (see `shape_repairs`) are 0 and 1, or 0 and -1. It may touch itself. One
outline may contain several rings (parts or holes joined by a line that is drawn forth and back, as the studio writes
them for VIA). Then each ring must be valid, and no two rings may overlap partially.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import shapely
from pycocotools import mask as coco_mask
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import outside_picture, shape_repairs, skipped_regions
from maskrcnn.annotations.doctor.box_checks import box_from_corners
from maskrcnn.annotations.doctor.findings import DROP_REGION, Fix, Symptom
from maskrcnn.annotations.doctor.outside_picture import (
    UNKNOWN_FRAME,
    distance_outside,
    has_area_outside,
    largest_slip,
    places_outside,
)
from maskrcnn.annotations.raster import Frame
from maskrcnn.annotations.regions import (
    RLE,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
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

SCRIBBLE = 150
"""A self-crossing outline is a scribble if its length is more than this multiple of its width and height. It has tens
of thousands of unintended faces."""


@dataclass(frozen=True)
class Examined:
    """The symptoms of one region, and the region after their automatic fixes.

    `region` is None if an automatic fix drops it. `encoded` is its mask as a run-length code of pycocotools; None for a
    shape without area, and if no mask can be drawn.
    """

    symptoms: tuple[Symptom, ...]
    region: Region | None
    encoded: dict[str, Any] | None = None


def examined(region: Region, frame: Frame | None, canvas: tuple[int, int] | None, *, may_clip: bool = True) -> Examined:
    """Run all checks of the shape of one region.

    `frame` is the size of the picture (None: unknown), `canvas` the size for drawing masks.

    Automatic fixes:

    - An outline, a box or a mask that has neither width nor height is dropped, unless the region has keypoints.
    - Vertices of points, lines and keypoints that are slightly outside the picture are moved to its edge
      (`outside_picture.largest_slip`).

    Two more fixes are automatic if the outline has one reading, that is, both fill rules enclose the same area:

    - Redrawing an outline that crosses itself or has too few vertices.
    - Clipping a shape at the picture's edge, if also `may_clip` is True (False: the labels may belong to another size)
      and the four numbers of a rectangle cannot be two corners (`box_from_corners`).

    A fix that is not automatic becomes a choice of the user and does not change the shape.
    """
    shape = region.shape
    if isinstance(shape, Point | Polyline | Keypoints):
        return _examined_places(region, frame)
    if not raster.has_area(shape):
        symptom = few_vertices(region) or no_area(region)
        return Examined((symptom,), None if symptom.fix else region)
    if has_scribble(shape):
        words = "the outline is a scribble that crosses itself all over"
        return Examined((Symptom("self-crossing", "warning", words, None, (DROP_REGION,)),), region)

    short, leaving, crossed = few_vertices(region), places_outside(shape, frame), crossing(shape)
    has_one_reading = not crossed or not shape_repairs.has_two_readings(shape)
    clipped = outside_picture.clipped(shape, frame or UNKNOWN_FRAME) if leaving else shape
    corners = box_from_corners(region, frame) if leaving else None
    is_clipped = bool(leaving) and may_clip and has_one_reading and clipped is not None and corners is None
    mended: Shape | None = shape
    if is_clipped:
        mended = clipped
    elif has_one_reading and (crossed or short):
        mended = shape_repairs.redrawn(shape)

    symptoms = []
    if short:
        symptoms.append(short if has_one_reading else short.unsure())
    if leaving:
        clip = Fix("cut the region off at the picture's edge", "clip", frame or UNKNOWN_FRAME)
        nothing = Fix("drop the region: nothing of it lies in the picture", "drop")
        choices = (nothing,) if clipped is None else (clip, DROP_REGION)
        if corners:
            choices = (Fix("read its four numbers as two corners", "corners", corners), *choices)
        fix = clip if is_clipped else None
        symptoms.append(Symptom("outside-picture", "warning", leaving, fix, () if is_clipped else choices))
    if crossed:
        symptoms.append(_crossing_symptom(crossed, has_one_reading))
    if mended is None:  # the outline encloses only slivers, so nothing is left of it
        return Examined(tuple(symptom.unsure(DROP_REGION) for symptom in symptoms), region)
    encoded = _encoded_mask(mended, canvas)
    if (not leaving or is_clipped) and (small := too_small(mended, encoded)):
        symptoms.append(small)
    mended_region = shape_repairs.with_shape(region, mended, region.keypoints)
    if region.keypoints:
        of_keypoints = _examined_places(Region(region.keypoints), frame, "of its keypoints, ")
        symptoms += of_keypoints.symptoms
        if of_keypoints.region is not None and isinstance(of_keypoints.region.shape, Keypoints):
            mended_region = shape_repairs.with_shape(mended_region, mended, of_keypoints.region.shape)
    return Examined(tuple(symptoms), mended_region, encoded)


def _crossing_symptom(words: str, has_one_reading: bool) -> Symptom:
    """Return the symptom of an outline that crosses itself.

    With one reading (both fill rules enclose the same area), redrawing it is an automatic fix. Otherwise the user
    chooses the nonzero rule, which fills the whole inside, or the even-odd rule, which leaves holes.
    """
    if has_one_reading:
        redraw = Fix("draw the outline anew around what it encloses", "untangle")
        return Symptom("self-crossing", "warning", words, redraw)
    fill = Fix("fill it: draw the outline anew around all that it runs around", "fill")
    holes = Fix("leave holes where it runs around twice, as training sees it now", "untangle")
    words = f"{words}, and what it encloses can be read in two ways"
    return Symptom("self-crossing", "warning", words, None, (fill, holes))


def _examined_places(region: Region, frame: Frame | None, prefix: str = "") -> Examined:
    """Check a region without area: a point, a line or keypoints.

    `prefix`: text before the message; set only for the keypoints of a region with an outline.
    """
    symptoms = []
    shape = region.shape
    if leaving := places_outside(shape, frame):
        places = [place for ring in raster.rings(shape) for place in ring]
        clamp = Fix("move what lies outside onto the picture's edge", "clamp", frame or UNKNOWN_FRAME)
        symptom = Symptom("outside-picture", "warning", f"{prefix}{leaving}", clamp)
        if all(distance_outside(place, frame or UNKNOWN_FRAME) <= largest_slip(frame) for place in places):
            region = outside_picture.clamped(region, frame or UNKNOWN_FRAME)
        else:
            symptom = symptom.unsure()
        symptoms.append(symptom)
    if isinstance(shape, Keypoints):
        # An unlabelled keypoint has visibility 0 and the place (0, 0). Another place was probably meant as a label.
        if number := sum(visibility == 0 and (x, y) != (0, 0) for x, y, visibility in shape.points):
            who = counted(number, "keypoint has", "keypoints have")
            words = f"{who} a place and visibility 0, and {'is' if number == 1 else 'are'} not learned"
            label = Fix("count them as labelled, hidden (visibility 1)", "label-keypoints")
            symptoms.append(Symptom("unlabelled-keypoints", "warning", words, None, (label,)))
    elif not prefix:
        symptoms.append(skipped_regions.skipped_line_or_point(shape))
    return Examined(tuple(symptoms), region)


def shape_before_clipping(region: Region, frame: Frame | None, canvas: tuple[int, int] | None) -> Shape | None:
    """Return the shape after all automatic fixes except clipping, if it extends outside the picture; else None.

    Only shapes that can be clipped count (`has_area_outside`). A fix may remove the part outside, so the result can be
    None for a shape that extends outside before the fixes.
    """
    if not has_area_outside(region.shape, frame):
        return None
    fixed = examined(region, frame, canvas, may_clip=False).region
    return fixed.shape if fixed is not None and has_area_outside(fixed.shape, frame) else None


def crossing(shape: Shape) -> str | None:
    """Describe the fault of the first outline of a shape that is not valid; None if all are valid."""
    if not isinstance(shape, Polygon | MultiPolygon):
        return None
    found = (outline_fault(ring) for ring in raster.rings(shape) if len(ring) >= 3)
    fault = next((words for words in found if words), None)
    return fault and f"the outline {fault}"


def has_scribble(shape: Shape) -> bool:
    """Check whether an outline of the shape is a scribble (see `SCRIBBLE`), so that the other checks are skipped."""
    return isinstance(shape, Polygon | MultiPolygon) and any(map(is_scribble, raster.rings(shape)))


def few_vertices(region: Region) -> Symptom | None:
    """Return a symptom if an outline has fewer than three different vertices. The fix keeps the other outlines."""
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
    return _without_extent("few-vertices", words, region, *box)


def no_area(region: Region) -> Symptom:
    """Return the symptom of an outline, a box or a mask that encloses nothing."""
    words = "the mask has no pixel" if isinstance(region.shape, RLE) else "it encloses nothing"
    return _without_extent("no-area", words, region)


def _without_extent(check: str, words: str, region: Region, *choices: Fix) -> Symptom:
    """Return the symptom of a region that encloses nothing.

    It is dropped automatically if it has neither width nor height, because then nothing is lost.
    """
    x0, y0, x1, y1 = raster.bounds(region.shape)
    is_nothing = x0 == x1 and y0 == y1 and region.keypoints is None
    if is_nothing:
        return Symptom(check, "error", words, DROP_REGION)
    return Symptom(check, "error", words, None, (*choices, DROP_REGION))


def too_small(shape: Shape, encoded: dict[str, Any] | None) -> Symptom | None:
    """Return a symptom if the box is less than 1 px wide or high, or the mask `encoded` has fewer than 16 pixels."""
    x0, y0, x1, y1 = raster.bounds(shape)
    if min(x1 - x0, y1 - y0) < LEAST_SIDE:
        words = f"its box is {x1 - x0:.3g} x {y1 - y0:.3g} px"
        return Symptom("thin-box", "error", words, None, (DROP_REGION,))
    if encoded is None or (pixels := int(coco_mask.area(encoded))) >= LEAST_PIXELS:
        return None
    words = f"it covers {counted(pixels, 'pixel')} of the picture"
    return Symptom("tiny", "warning", words, None, (DROP_REGION,))


def _encoded_mask(shape: Shape, canvas: tuple[int, int] | None) -> dict[str, Any] | None:
    """Return the mask that a shape draws on a canvas (width, height), as a compressed RLE for pycocotools.

    A shape that is a mask has its own size and needs no canvas. None for another shape without a canvas.
    """
    if isinstance(shape, RLE):
        return raster.encoded(shape, *shape.size)
    return None if canvas is None else raster.encoded(shape, canvas[1], canvas[0])


def outline_fault(points: Points) -> str | None:
    """Return the fault of a closed outline with at least three vertices, as part of a sentence; None if valid."""
    if shapely.Polygon(points).is_valid:
        return None
    rings = shape_repairs.rings_in_outline(points)
    for ring in rings:
        if shapely.Polygon(ring).is_valid:
            continue
        windings = {winding for _, winding in shape_repairs.faces_of(ring)} - {0}
        goes_around_once = windings <= {1} or windings <= {-1}
        if not goes_around_once:
            return "crosses itself"
        if _runs_back(ring):
            return "runs back over itself"
    if len(rings) == 1:
        return None
    areas = [shape_repairs.area_in_outline(ring) for ring in rings]
    return "crosses itself" if _overlap_in_part(areas) else None


def is_scribble(points: Points) -> bool:
    """Whether an outline crosses itself too often to compute its area (see `SCRIBBLE`)."""
    if len(points) < 3 or shapely.Polygon(points).is_valid:
        return False
    return any(
        _ring_is_scribble(ring) for ring in shape_repairs.rings_in_outline(points) if not shapely.Polygon(ring).is_valid
    )


def _overlap_in_part(areas: list[BaseGeometry]) -> bool:
    """Whether any two areas overlap, and neither contains the other."""
    for first, second in shapely.STRtree(areas).query(areas, predicate="intersects").T.tolist():
        one, other = areas[first], areas[second]
        shared = one.intersection(other).area if first < second else 0
        if shape_repairs.ROUNDING < shared < min(one.area, other.area) - shape_repairs.ROUNDING:
            return True
    return False


def _ring_is_scribble(points: Points) -> bool:
    """Whether a closed ring is longer than `SCRIBBLE` times its larger side."""
    line = shapely.LinearRing(points)
    x0, y0, x1, y1 = line.bounds
    return bool(line.length > SCRIBBLE * max(x1 - x0, y1 - y0))


def _runs_back(points: Points) -> bool:
    """Whether an outline runs back over a part of itself."""
    line = shapely.LinearRing(points)
    return bool(line.length - shapely.node(line).length > shape_repairs.ROUNDING)
