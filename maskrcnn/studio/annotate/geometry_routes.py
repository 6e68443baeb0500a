"""The HTTP routes of the polygon editor that compute shapes: merge, subtract, cut, simplify, brush, repair.

They are below `/studio/annotate/{key}/geometry/` and change nothing in the project: the browser sends shapes and gets
shapes. Both have the JSON form of `store.region_json`. Errors are answered as `json_routes` says, with one line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from starlette.routing import Route

from maskrcnn.annotations import boolean_operations, raster, simplification
from maskrcnn.annotations.regions import RLE, Points, Polyline, Region, Shape
from maskrcnn.annotations.store.region_json import region_to_json, regions_from_untrusted
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.json_routes import Call, post
from maskrcnn.words import counted

MOST_VERTICES = 10_000
"""Maximum number of vertices of all shapes in one request. Their union takes up to 5 seconds."""

MOST_SHAPES = 500
"""Maximum number of shapes in one request."""

MOST_MASK_PIXELS = 50_000_000
"""Maximum number of pixels of all masks in one request. They are converted to outlines in about two seconds."""

MOST_RUNS = 60_000
"""Maximum length of the run-length codes of all masks in one request. The outlines of one with noise are endless."""

LARGEST_BRUSH = 5_000
"""Maximum radius of a brush in picture pixels."""


def routes() -> list[Route]:
    """Return the routes of the operations on shapes."""
    return [
        post("geometry/union", _union),
        post("geometry/difference", _difference),
        post("geometry/intersection", _intersection),
        post("geometry/hole", _hole),
        post("geometry/split", _split),
        post("geometry/simplify", _simplify),
        post("geometry/brush", _brush),
        post("geometry/repair", _repair),
    ]


def _union(call: Call) -> dict[str, Any]:
    """POST union {shapes} -> {shape}."""
    call.require_only("shapes")
    return _answer(boolean_operations.union(_shapes(call.body.get("shapes"))))


def _difference(call: Call) -> dict[str, Any]:
    """POST difference {shape, others} -> {shape, changed}: the shape without the others; null if nothing is left."""
    call.require_only("shape", "others")
    shape, *others = _shapes([call.body.get("shape"), *_list(call.body.get("others"))])
    rest = boolean_operations.difference(shape, others)
    return {**_answer(rest), "changed": rest is not shape}


def _intersection(call: Call) -> dict[str, Any]:
    """POST intersection {shapes} -> {shape}; null if they have no area in common."""
    call.require_only("shapes")
    return _answer(boolean_operations.intersection(_shapes(call.body.get("shapes"))))


def _hole(call: Call) -> dict[str, Any]:
    """POST hole {shape, hole} -> {shape}: the shape with a hole inside it."""
    call.require_only("shape", "hole")
    shape, hole = _shapes([call.body.get("shape"), call.body.get("hole")])
    return _answer(boolean_operations.with_hole(shape, hole))


def _split(call: Call) -> dict[str, Any]:
    """POST split {shapes, line} -> {pieces}: for each shape the list of its pieces; one if the line does not cut it.

    The pieces of different shapes are cut by the same line, so regions that share a border share its cut vertex.
    """
    call.require_only("shapes", "line")
    line = _line(call.body.get("line"))
    shapes = _shapes(call.body.get("shapes"))
    return {"pieces": [[_document(piece) for piece in boolean_operations.split(shape, line)] for shape in shapes]}


def _simplify(call: Call) -> dict[str, Any]:
    """POST simplify {shape, tolerance | most_vertices | least_iou} -> {shape, vertices, iou, tolerance, original}.

    `tolerance` is in pixels. `most_vertices` may have `least_iou` beside it, which comes first then. `original` is the
    number of vertices before.
    """
    call.require_only("shape", "tolerance", "most_vertices", "least_iou")
    (shape,) = _shapes([call.body.get("shape")])
    least_iou = 0.0
    if "least_iou" in call.body:
        least_iou = call.value("least_iou", (int, float), "a number")
        if not 0 <= least_iou <= 1:
            raise StudioError(f"the least IoU is {least_iou:g}, not between 0 and 1")
    if "tolerance" in call.body:
        tolerance = call.value("tolerance", (int, float), "a number")
        if tolerance < 0:
            raise StudioError(f"the tolerance is {tolerance:g} px; choose 0 or more")
        result = simplification.simplified(shape, tolerance)
    elif "most_vertices" in call.body:
        most = call.value("most_vertices", int, "a whole number")
        result = simplification.simplified_to_vertices(shape, most, least_iou)
    else:
        result = simplification.simplified_to_iou(shape, least_iou)
    return {
        **_answer(result.shape),
        "vertices": result.vertices,
        "iou": result.iou,
        "tolerance": result.tolerance,
        "original": simplification.vertex_count(shape),
    }


def _brush(call: Call) -> dict[str, Any]:
    """POST brush {shape | null, line, radius, erase, frame} -> {shape, changed}: paint or erase along a line.

    Without a shape, the stroke itself is the result. `frame` is [width, height] of the picture; paint outside it is cut
    off. The shape is null if nothing is left.
    """
    call.require_only("shape", "line", "radius", "erase", "frame")
    radius = call.value("radius", (int, float), "a number")
    if not 0.05 <= radius <= LARGEST_BRUSH:
        raise StudioError(f"the brush has a radius of {radius:g} px; choose one from 0.05 to {LARGEST_BRUSH} px")
    erase = call.value("erase", bool, "true or false")
    width, height = _pair(call.body.get("frame"))
    sent = call.body.get("shape")
    shape = None if sent is None else _shapes([sent])[0]
    stroke = boolean_operations.stroke_outline(_line(call.body.get("line")), radius, (width, height))
    if erase:
        if shape is None:
            raise StudioError("nothing can be erased: there is no region; select one")
        rest = shape if stroke is None else boolean_operations.difference(shape, [stroke])
        return {**_answer(rest), "changed": rest is not shape}
    if stroke is None:
        return {**_answer(shape), "changed": False}
    return {**_answer(stroke if shape is None else boolean_operations.union([shape, stroke])), "changed": True}


def _repair(call: Call) -> dict[str, Any]:
    """POST repair {shape} -> {shape, changed}: the same area with outlines that do not cross."""
    call.require_only("shape")
    (shape,) = _shapes([call.body.get("shape")])
    result = boolean_operations.repaired(shape)
    return {**_answer(result), "changed": result is not shape}


def _answer(shape: Shape | None) -> dict[str, Any]:
    """Return the JSON values of a resulting shape."""
    return {"shape": None if shape is None else _document(shape)}


def _document(shape: Shape) -> dict[str, Any]:
    """Convert a shape to JSON values."""
    document: dict[str, Any] = region_to_json(Region(shape, id=""))["shape"]
    return document


def _shapes(documents: object) -> list[Shape]:
    """Convert JSON values to shapes. Raises `StudioError` for invalid ones, and for too many vertices or pixels."""
    found = _list(documents)
    if len(found) > MOST_SHAPES:
        raise StudioError(f"{counted(len(found), 'region')} are too many at once; choose at most {MOST_SHAPES}")
    regions = regions_from_untrusted([{"id": str(place), "shape": shape} for place, shape in enumerate(found)])
    shapes = [region.shape for region in regions]
    masks = [shape for shape in shapes if isinstance(shape, RLE)]
    pixels, runs = sum(math.prod(mask.size) for mask in masks), sum(len(mask.counts) for mask in masks)
    if pixels > MOST_MASK_PIXELS or runs > MOST_RUNS:
        raise StudioError("the mask is too large or too ragged to be drawn as outlines; draw the region again")
    _require_few_vertices(shapes)
    return shapes


def _require_few_vertices(shapes: Sequence[Shape]) -> None:
    """Raise `StudioError` if the outlines of shapes have more than `MOST_VERTICES` vertices together."""
    vertices = sum(len(ring) for shape in shapes if not isinstance(shape, RLE) for ring in raster.rings(shape))
    if vertices > MOST_VERTICES:
        raise StudioError(
            f"{counted(vertices, 'vertex', 'vertices')} are too many at once; choose fewer regions, or simplify them"
        )


def _line(points: object) -> Points:
    """Convert the JSON values of a line or a stroke. Raises `StudioError` if it is invalid, empty, or too long."""
    (region,) = regions_from_untrusted([{"id": "line", "shape": {"kind": "polyline", "points": points}}])
    assert isinstance(region.shape, Polyline)
    if not region.shape.points:
        raise StudioError("the line has no points; draw it again")
    _require_few_vertices([region.shape])
    return region.shape.points


def _list(value: object) -> list[Any]:
    """Return a list in JSON values. Raises `StudioError` if it is none."""
    if not isinstance(value, list):
        raise StudioError("the shapes of the request are no list; load the page again")
    return value


def _pair(value: object) -> tuple[float, float]:
    """Return the width and height of a picture in JSON values. Raises `StudioError` if they are none."""
    if (
        not isinstance(value, list)
        or len(value) != 2
        or any(isinstance(side, bool) or not isinstance(side, int | float) or side <= 0 for side in value)
    ):
        raise StudioError("the frame of the request is not width and height; load the page again")
    return value[0], value[1]
