"""Between regions in picture pixels and the objects of streamlit-drawable-canvas (Fabric.js), without a browser.

An object keeps its vertices as they were and carries a matrix: what a person sees is
`translate(left, top) . rotate(angle) . scale . skew` applied to `vertex - centre of the vertices' bounding box`.
Moving, scaling or turning an object changes only that matrix; dragging a vertex changes the vertices. Own keys of an
object do not survive the canvas, `strokeDashOffset` does (and draws nothing without a dash array), so it carries the
number of the region that an object stands for; 0 is an object that was drawn since.

"Canvas pixels" are those of the canvas element, "picture pixels" the continuous frame of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Region, Shape

STROKE_WIDTH = 2
CanvasObject = dict[str, Any]
NewRegion = Callable[[Shape], Region]
"""Makes the region of a shape that was drawn; it is called once for each."""

_SAME = 0.02  # canvas pixels; the canvas rounds positions to 4 decimals
_SMALLEST_BOX = 2 * STROKE_WIDTH  # canvas pixels; what a click without a drag leaves
_POINT_RADIUS = 6  # canvas pixels
_ORIGINS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


@dataclass(frozen=True)
class View:
    """A picture of `width` x `height` pixels, stretched over a canvas."""

    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @classmethod
    def fit(cls, width: int, height: int, max_width: float, max_height: float, zoom: float = 1.0) -> View:
        """The largest canvas of the picture's proportions inside a box, enlarged by `zoom`."""
        scale = min(max_width / width, max_height / height) * zoom
        return cls(width, height, max(1, round(width * scale)), max(1, round(height * scale)))

    @property
    def scale(self) -> np.ndarray:
        """Canvas pixels per picture pixel along x and y, float `(2,)`."""
        return np.array([self.canvas_width / self.width, self.canvas_height / self.height])

    def to_canvas(self, points: Sequence[Sequence[float]]) -> np.ndarray:
        """Picture -> canvas pixels, float `(N, 2)`."""
        return np.asarray(points, dtype=float).reshape(-1, 2) * self.scale

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Canvas -> picture pixels, float `(N, 2)`."""
        return np.asarray(points, dtype=float).reshape(-1, 2) / self.scale


def on_canvas(shape: Shape) -> bool:
    """Whether the shape is an object that can be moved and edited; the rest is painted into the background."""
    if isinstance(shape, Polygon):
        return len(shape.points) >= 3
    return isinstance(shape, Rect | Circle | Ellipse | Point) or (
        isinstance(shape, Polyline) and len(shape.points) >= 2
    )


def canvas_object(shape: Shape, view: View, colour: str, number: int = 0) -> CanvasObject:
    """The object that shows a shape for which `on_canvas` holds. Curved outlines become polygons of many corners."""
    outline = view.to_canvas(raster.rings(shape)[0])
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    made: CanvasObject = {
        "left": float(centre[0]),
        "top": float(centre[1]),
        "originX": "center",
        "originY": "center",
        "fill": translucent(colour),
        "stroke": colour,
        "strokeWidth": STROKE_WIDTH,
        "strokeUniform": True,
        "strokeDashOffset": number,
        "selectable": False,
        "evented": False,
    }
    if isinstance(shape, Point):
        return made | {"type": "Circle", "radius": _POINT_RADIUS, "fill": colour}
    points = [{"x": x, "y": y} for x, y in outline.tolist()]
    if isinstance(shape, Polyline):
        return made | {"type": "Polyline", "points": points, "fill": "rgba(0,0,0,0)"}
    return made | {"type": "Polygon", "points": points}


def translucent(colour: str) -> str:
    """`#rrggbb` -> the same colour as a fill that lets the picture through."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"


def matrix(item: Mapping[str, Any]) -> np.ndarray:
    """The object's own matrix, float `(2, 3)`: from vertices around the origin to canvas pixels."""
    angle = math.radians(item.get("angle") or 0.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    scale_x = _number(item, "scaleX", 1.0) * (-1 if item.get("flipX") else 1)
    scale_y = _number(item, "scaleY", 1.0) * (-1 if item.get("flipY") else 1)
    skew_x = np.array([[1.0, math.tan(math.radians(_number(item, "skewX", 0.0)))], [0.0, 1.0]])
    skew_y = np.array([[1.0, 0.0], [math.tan(math.radians(_number(item, "skewY", 0.0))), 1.0]])
    linear = turn @ np.diag([scale_x, scale_y]) @ skew_x @ skew_y
    # An origin at an edge: `left` and `top` are where the drag began, so the stroke's half width is left out.
    size = np.abs([_number(item, "width", 0.0) * scale_x, _number(item, "height", 0.0) * scale_y])
    origin = np.array([_ORIGINS[item.get("originX", "left")], _ORIGINS[item.get("originY", "top")]])
    centre = np.array([_number(item, "left", 0.0), _number(item, "top", 0.0)]) + turn @ ((0.5 - origin) * size)
    return np.column_stack([linear, centre])


def outline(item: Mapping[str, Any]) -> np.ndarray | None:
    """The object's vertices as seen, in canvas pixels, float `(N, 2)`; None for an object that is no region."""
    local = _vertices(item)
    return None if local is None else _apply(matrix(item), local)


def shape_of(item: Mapping[str, Any], view: View) -> Shape | None:
    """The shape of an object that was drawn, in picture pixels; None where it is nothing (a click, a stray line)."""
    seen = outline(item)
    if seen is None:
        return None
    points = _rounded(view.to_picture(seen))
    if item["type"] == "Rect":
        if max(np.ptp(seen, axis=0)) <= _SMALLEST_BOX:
            return None
        if not (item.get("angle") or 0.0) % 360:
            (x0, y0), (x1, y1) = np.min(points, axis=0), np.max(points, axis=0)
            return Rect(float(x0), float(y0), round(float(x1 - x0), 2), round(float(y1 - y0), 2))
    shape = Polygon(points)
    return shape if raster.has_area(shape) else None


def edited(shape: Shape, before: Mapping[str, Any], now: Mapping[str, Any], view: View) -> Shape:
    """The shape of an object that stood for `shape` when it looked like `before`, and looks like `now`.

    Untouched, it is the very same shape. Moved, scaled or turned, it stays the same kind where that kind can hold it.
    With other vertices it is a polygon, whose vertices that nobody touched keep the numbers they had.
    """
    old_local, new_local = _vertices(before), _vertices(now)
    old_matrix, new_matrix = matrix(before), matrix(now)
    if isinstance(shape, Point):
        seen, was = new_matrix[:, 2], old_matrix[:, 2]
        return shape if _close(seen, was) else Point(*_rounded(view.to_picture(seen))[0])
    assert old_local is not None
    if new_local is None:
        return shape
    if len(old_local) == len(new_local) and _close(old_local, new_local):
        if _close(_apply(old_matrix, old_local), _apply(new_matrix, new_local)):
            return shape
        return _moved(shape, _in_picture(_compose(new_matrix, _inverse(old_matrix)), view))
    was = _apply(old_matrix, old_local)
    written = raster.rings(shape)[0]
    points = []
    for place, seen in zip(
        _rounded(view.to_picture(_apply(new_matrix, new_local))), _apply(new_matrix, new_local), strict=True
    ):
        distance = np.abs(was - seen).max(axis=1)
        nearest = int(distance.argmin())
        points.append(written[nearest] if distance[nearest] < _SAME else place)
    return Polygon(tuple(points))


@dataclass(frozen=True)
class Drawing:
    """What one mounted canvas shows: the regions it was given, and those drawn on it since.

    `base` are the regions at mount, in order; object number i + 1 stands for `base[i]`. `drawn` are new regions with
    the outline (canvas pixels) at which each was last seen. The canvas is never given anything else while it is
    mounted, because that would drop a polygon that somebody is in the middle of.
    """

    base: tuple[Region, ...]
    view: View
    colours: Mapping[str | None, str]
    drawn: tuple[tuple[np.ndarray, Region], ...] = ()
    regions: tuple[Region, ...] = ()

    @classmethod
    def start(cls, regions: tuple[Region, ...], view: View, colours: Mapping[str | None, str]) -> Drawing:
        return cls(regions, view, colours, (), regions)

    def objects(self) -> list[CanvasObject]:
        """The objects to mount the canvas with."""
        return [self._object(number) for number, region in enumerate(self.base, 1) if on_canvas(region.shape)]

    def after(self, objects: Sequence[Mapping[str, Any]], new_region: NewRegion) -> Drawing:
        """This drawing after the canvas sent these objects: `regions` are what the picture has now.

        A region whose object is gone is gone; one whose object did not change is the very same object.
        """
        numbered = {int(item.get("strokeDashOffset") or 0): item for item in objects}
        kept = []
        for number, region in enumerate(self.base, 1):
            if not on_canvas(region.shape):
                kept.append(region)
            elif number in numbered:
                shape = edited(region.shape, self._object(number), numbered[number], self.view)
                kept.append(region.with_shape(shape))
        drawn = self._drawn([item for item in objects if not item.get("strokeDashOffset")], new_region)
        return replace(self, drawn=drawn, regions=(*kept, *(region for _, region in drawn)))

    def _object(self, number: int) -> CanvasObject:
        region = self.base[number - 1]
        return canvas_object(region.shape, self.view, self.colours[region.class_name], number)

    def _drawn(self, items: list[Mapping[str, Any]], new_region: NewRegion) -> tuple[tuple[np.ndarray, Region], ...]:
        """Drawn objects carry no number. One seen before at the same place is the same region; of the rest, as many as
        there are regions left over were edited, in order, and the others are new."""
        found = [(item, seen) for item in items if (seen := outline(item)) is not None and shape_of(item, self.view)]
        left_over = list(self.drawn)
        matched: dict[int, Region] = {}
        for index, (_, seen) in enumerate(found):
            for entry in left_over:
                if entry[0].shape == seen.shape and _close(entry[0], seen):
                    matched[index] = entry[1]
                    left_over = [other for other in left_over if other is not entry]
                    break
        result = []
        for index, (item, seen) in enumerate(found):
            region = matched.get(index)
            if region is None:
                shape = shape_of(item, self.view)
                assert shape is not None
                region = left_over.pop(0)[1].with_shape(shape) if left_over else new_region(shape)
            result.append((seen, region))
        return tuple(result)


def _vertices(item: Mapping[str, Any]) -> np.ndarray | None:
    """Vertices around the origin of the object's own frame, before its matrix."""
    if item.get("type") in ("Polygon", "Polyline") and item.get("points"):
        points = np.array([(point["x"], point["y"]) for point in item["points"]], dtype=float)
        return points - (points.min(axis=0) + points.max(axis=0)) / 2
    if item.get("type") == "Rect":
        half = np.array([_number(item, "width", 0.0), _number(item, "height", 0.0)]) / 2
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    return None


def _moved(shape: Shape, change: np.ndarray) -> Shape:
    """The shape under an affine change `(2, 3)` in picture pixels."""
    linear = change[:, :2]
    match shape:
        case Rect() if abs(linear[0, 1]) < 1e-4 and abs(linear[1, 0]) < 1e-4:
            corners = _rounded(
                _apply(change, np.array([(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]))
            )
            (x0, y0), (x1, y1) = np.min(corners, axis=0), np.max(corners, axis=0)
            return Rect(float(x0), float(y0), round(float(x1 - x0), 2), round(float(y1 - y0), 2))
        case Circle() | Ellipse():
            (cx, cy), *_ = _rounded(_apply(change, np.array([(shape.cx, shape.cy)])))
            if np.abs(linear - np.eye(2)).max() < 1e-4:
                return replace(shape, cx=cx, cy=cy)
            rx, ry, theta = (shape.r, shape.r, 0.0) if isinstance(shape, Circle) else (shape.rx, shape.ry, shape.theta)
            turn = np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])
            axes, radii, _ = np.linalg.svd(linear @ turn @ np.diag([rx, ry]))
            if isinstance(shape, Circle) and radii[0] < 1.01 * radii[1]:
                return Circle(cx, cy, round(float(radii.mean()), 2))
            long, short = (round(float(radius), 2) for radius in radii)
            return Ellipse(cx, cy, long, short, math.atan2(axes[1, 0], axes[0, 0]))
        case Polyline():
            return Polyline(_rounded(_apply(change, np.array(shape.points))))
        case _:
            return Polygon(_rounded(_apply(change, np.array(raster.rings(shape)[0]))))


def _in_picture(change: np.ndarray, view: View) -> np.ndarray:
    """An affine change of canvas pixels as one of picture pixels."""
    scale = view.scale
    return np.column_stack([change[:, :2] * scale[None, :] / scale[:, None], change[:, 2] / scale])


def _apply(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ affine[:, :2].T + affine[:, 2]


def _compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The affine that does `inner` first."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def _inverse(affine: np.ndarray) -> np.ndarray:
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max() < _SAME)


def _rounded(points: np.ndarray) -> Points:
    """Vertices to a hundredth of a pixel, far finer than a hand can place them."""
    return tuple((round(x, 2), round(y, 2)) for x, y in np.asarray(points).reshape(-1, 2).tolist())


def _number(item: Mapping[str, Any], name: str, default: float) -> float:
    value = item.get(name)
    return default if value is None else float(value)
