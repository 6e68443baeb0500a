"""The rasteriser: converts shapes to masks. All code in the studio uses this module for it.

The rule is that of pycocotools, so that a mask is equal to the mask decoded from an exported COCO file in every pixel.
An outline is traced on a grid five times finer than the pixels. In each pixel column, the crossings of the outline with
the column's middle are found, and the pixels between an odd and the next even crossing are set. A pixel is set if its
centre is inside (within 0.1 px). So a rectangle over [0, 4] x [0, 3] has 12 pixels, and an outline that crosses itself
is filled by the even-odd rule. Parts outside the picture are clipped.

A circle or an ellipse becomes an inscribed polygon of 72 corners, which is less than half a pixel inside the curve for
radii up to 500 px. The mask of a `MultiPolygon` is the union of its parts, each without its holes.
`tests/annotations/test_raster.py` checks these numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Shape,
)

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in pixels."""

Frame = tuple[float, float]
"""(width, height) of a picture in pixels."""

CORNERS_OF_A_CIRCLE = 72


def polygons(shape: Shape) -> list[Points] | None:
    """Return polygons whose union is the shape, as in COCO's polygon format.

    None for a shape with holes and for a mask, which polygons cannot represent. Empty for shapes without area.
    """
    match shape:
        case Polygon():
            return [shape.points] if len(shape.points) >= 3 else []
        case MultiPolygon():
            if any(len(part) > 1 for part in shape.parts):
                return None
            return [part[0] for part in shape.parts if part and len(part[0]) >= 3]
        case Rect():
            x, y, right, bottom = bounds(shape)
            return [((x, y), (right, y), (right, bottom), (x, bottom))]
        case Circle():
            return [_ellipse_corners(Ellipse(shape.cx, shape.cy, shape.r, shape.r))]
        case Ellipse():
            return [_ellipse_corners(shape)]
        case RLE():
            return None
        case Polyline() | Point() | Keypoints():
            return []


def rle(shape: Shape, height: int, width: int) -> dict[str, Any]:
    """Return the mask as COCO's compressed run-length code: `{"size": [height, width], "counts": str}`.

    Raises `ValueError` for an `RLE` of another picture size.

    >>> from maskrcnn.annotations.regions import Rect
    >>> rle(Rect(1, 0, 2, 1), height=2, width=4)["size"]
    [2, 4]
    """
    code = encoded(shape, height, width)
    return {"size": [int(height), int(width)], "counts": code["counts"].decode("ascii")}


def encoded(shape: Shape, height: int, width: int) -> dict[str, Any]:
    """Return the mask as pycocotools' run-length code with `counts` as bytes.

    Raises `ValueError` for an `RLE` of another picture size.
    """
    if isinstance(shape, RLE):
        if shape.size != (height, width):
            raise ValueError(f"the mask is {shape.size[1]} x {shape.size[0]} px, the picture {width} x {height} px")
        return {"size": [height, width], "counts": shape.counts.encode("ascii")}
    outlines = polygons(shape)
    if outlines is not None:
        return _union_code(outlines, height, width)
    assert isinstance(shape, MultiPolygon)
    pixels = np.zeros((height, width), dtype=bool)
    for outer, *holes in (part for part in shape.parts if part):
        part = coco_mask.decode(_union_code([outer], height, width)).astype(bool)
        part &= ~coco_mask.decode(_union_code(list(holes), height, width)).astype(bool)
        pixels |= part
    return coco_mask.encode(np.asfortranarray(pixels, dtype=np.uint8))


def mask(shape: Shape, height: int, width: int) -> np.ndarray:
    """Return the mask as bool `(height, width)`; all False for a shape without area.

    Raises `ValueError` for an `RLE` of another picture size.

    >>> from maskrcnn.annotations.regions import Rect
    >>> mask(Rect(1, 0, 2, 1), height=2, width=4).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    return coco_mask.decode(encoded(shape, height, width)).astype(bool)


def fill(parts: Iterable[Iterable[np.ndarray]], height: int, width: int) -> np.ndarray:
    """Rasterise the union of `parts` as uint8 `(height, width)` with values 0 and 1.

    A part is a sequence of rings `(V, 2)`, filled by the even-odd rule. Used for outlines that were scaled and moved
    for training.

    >>> square = np.array([(0, 0), (3, 0), (3, 2), (0, 2)], float)
    >>> fill([[square]], height=2, width=4).tolist()
    [[1, 1, 1, 0], [1, 1, 1, 0]]
    """
    whole = np.zeros((height, width), np.uint8)
    for rings in parts:
        part: np.ndarray | None = None
        for ring in rings:
            if len(ring) < 3:
                continue
            filled = coco_mask.decode(coco_mask.frPyObjects([np.asarray(ring, float).ravel()], height, width))[..., 0]
            part = filled if part is None else part ^ filled
        if part is not None:
            whole |= part
    return whole


def area(shape: Shape, height: int, width: int) -> int:
    """Return the number of pixels of the mask inside the picture.

    >>> from maskrcnn.annotations.regions import Rect
    >>> area(Rect(-2, 0, 4, 3), height=10, width=10)  # half of it lies in the picture
    6
    """
    return int(coco_mask.area(encoded(shape, height, width)))


def rings(shape: Shape) -> list[Points]:
    """Return all closed outlines of the shape, including holes, for drawing; for a line or a point, its vertices.

    The outlines of an `RLE` follow the edges of its pixels. Rasterising them by the even-odd rule gives the same mask.

    >>> from maskrcnn.annotations.regions import Rect
    >>> rings(Rect(1, 2, 3, 4))
    [((1, 2), (4, 2), (4, 6), (1, 6))]
    """
    match shape:
        case Polyline():
            return [shape.points]
        case Point():
            return [((shape.cx, shape.cy),)]
        case Keypoints():
            return [((x, y),) for x, y, visibility in shape.points if visibility]
        case MultiPolygon():
            return [ring for part in shape.parts for ring in part]
        case RLE():
            height, width = shape.size
            return _pixel_outlines(mask(shape, height, width))
        case Polygon():
            return [shape.points]
        case _:
            return polygons(shape) or []


def bounds(shape: Shape) -> Box:
    """Return the bounding box `(x0, y0, x1, y1)` of the shape as drawn, not clipped to the picture.

    >>> from maskrcnn.annotations.regions import Circle
    >>> bounds(Circle(10, 10, 4))
    (6, 6, 14, 14)
    """
    match shape:
        case Rect():
            xs, ys = (shape.x, shape.x + shape.width), (shape.y, shape.y + shape.height)
            return min(xs), min(ys), max(xs), max(ys)
        case Circle():
            return shape.cx - shape.r, shape.cy - shape.r, shape.cx + shape.r, shape.cy + shape.r
        case Ellipse():
            cos, sin = math.cos(shape.theta), math.sin(shape.theta)
            across = math.hypot(shape.rx * cos, shape.ry * sin)
            down = math.hypot(shape.rx * sin, shape.ry * cos)
            return shape.cx - across, shape.cy - down, shape.cx + across, shape.cy + down
        case RLE():
            x, y, width, height = (float(v) for v in coco_mask.toBbox(encoded(shape, *shape.size)))
            return x, y, x + width, y + height
        case _:
            points = np.array([point for ring in rings(shape) for point in ring], dtype=float).reshape(-1, 2)
            if not len(points):
                return 0.0, 0.0, 0.0, 0.0
            (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
            return x0, y0, x1, y1


def has_area(shape: Shape) -> bool:
    """Whether the shape has an area. Its mask may still be empty if it is tiny or outside the picture.

    >>> from maskrcnn.annotations.regions import Point, Rect
    >>> has_area(Rect(0, 0, 2, 2)), has_area(Point(1, 1))
    (True, False)
    """
    match shape:
        case Point() | Polyline() | Keypoints():
            return False
        case Polygon():
            return not _outline_has_no_area(shape.points)
        case MultiPolygon():
            return any(part and not _outline_has_no_area(part[0]) for part in shape.parts)
        case RLE():
            return int(coco_mask.area(encoded(shape, *shape.size))) > 0
        case _:
            x0, y0, x1, y1 = bounds(shape)
            return x1 > x0 and y1 > y0


def from_mask(pixels: np.ndarray) -> RLE:
    """Convert a bool mask `(H, W)` to an `RLE` shape.

    >>> from_mask(np.array([[True, False], [True, True]])).size
    (2, 2)
    """
    code = coco_mask.encode(np.asfortranarray(pixels, dtype=np.uint8))
    return RLE((int(pixels.shape[0]), int(pixels.shape[1])), code["counts"].decode("ascii"))


def _union_code(outlines: list[Points], height: int, width: int) -> dict[str, Any]:
    """Return the union of polygons as pycocotools' run-length code."""
    flat = [np.asarray(outline, dtype=float).ravel().tolist() for outline in outlines if len(outline) >= 3]
    if not flat:
        return coco_mask.encode(np.zeros((height, width), dtype=np.uint8, order="F"))
    return coco_mask.merge(coco_mask.frPyObjects(flat, height, width))


def _ellipse_corners(shape: Ellipse) -> Points:
    """Return the inscribed polygon of an ellipse."""
    angles = np.arange(CORNERS_OF_A_CIRCLE) * (2 * math.pi / CORNERS_OF_A_CIRCLE)
    along, aside = shape.rx * np.cos(angles), shape.ry * np.sin(angles)
    cos, sin = math.cos(shape.theta), math.sin(shape.theta)
    xs, ys = shape.cx + along * cos - aside * sin, shape.cy + along * sin + aside * cos
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))


def _outline_has_no_area(points: Points) -> bool:
    """Whether the rasteriser has nothing to fill: the vertices are fewer than three, or lie on one straight line."""
    if len(points) < 3:
        return True
    (x0, y0), rest = points[0], points[1:]
    far = max(rest, key=lambda point: math.hypot(point[0] - x0, point[1] - y0))
    return all((far[0] - x0) * (y - y0) == (far[1] - y0) * (x - x0) for x, y in rest)


def _pixel_outlines(pixels: np.ndarray) -> list[Points]:
    """Return the closed outlines of a mask along pixel edges, as corner points; the mask is right of each edge.

    If two pixels touch only at a corner, they get two separate outlines: from such a corner two edges start, and the
    outline turns right, around the same pixel.
    """
    padded = np.pad(pixels, 1).astype(np.int8)
    across = np.diff(padded, axis=0)[:, 1:-1]  # edges between a pixel and the one below, (H + 1, W)
    down = np.diff(padded, axis=1)[1:-1, :]  # edges between a pixel and the one to its right, (H, W + 1)
    steps: dict[tuple[int, int], list[tuple[int, int]]] = {}  # {start of an edge: its ends}
    for y, x in np.argwhere(across == 1).tolist():
        steps.setdefault((x, y), []).append((x + 1, y))
    for y, x in np.argwhere(across == -1).tolist():
        steps.setdefault((x + 1, y), []).append((x, y))
    for y, x in np.argwhere(down == 1).tolist():
        steps.setdefault((x, y + 1), []).append((x, y))
    for y, x in np.argwhere(down == -1).tolist():
        steps.setdefault((x, y), []).append((x, y + 1))

    outlines: list[Points] = []
    while steps:
        start = next(iter(steps))
        here, direction = start, (0, 0)
        corners: list[tuple[float, float]] = []
        while True:
            ends = steps[here]
            end_of_right_turn = (here[0] - direction[1], here[1] + direction[0])
            end = end_of_right_turn if len(ends) > 1 and end_of_right_turn in ends else ends[-1]
            ends.remove(end)
            if not ends:
                del steps[here]
            next_direction = (end[0] - here[0], end[1] - here[1])
            if next_direction != direction:
                corners.append(here)
            here, direction = end, next_direction
            if here == start:
                break
        outlines.append(tuple(corners))
    return outlines


def from_runs(starts: np.ndarray, ends: np.ndarray, height: int, width: int) -> RLE:
    """Return the mask of these runs: pixels from each start to before its end, counted down the columns, in order.

    The time depends only on the number of runs, not on the number of pixels.
    """
    if len(starts):  # join runs that touch
        apart = starts[1:] != ends[:-1]
        starts, ends = starts[np.append(True, apart)], ends[np.append(apart, True)]
    edges = np.column_stack([starts, ends]).ravel()
    counts = np.diff(np.concatenate([[0], edges, [height * width]]))
    if counts[-1] == 0:
        counts = counts[:-1]
    coded = coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    return RLE((height, width), coded["counts"].decode("ascii"))
