"""Conversion of shapes in picture pixels to objects of streamlit-drawable-canvas (Fabric.js) and back.

An object has vertices and a matrix. On the screen it is `translate(left, top) . rotate(angle) . scale . skew` applied
to `vertex - centre of the vertices' bounding box`. Moving, scaling or rotating an object changes only the matrix.
Dragging a vertex changes the vertices.

The canvas drops custom keys from an object, but keeps `strokeDashOffset`, which has no effect without a dash array. So
that key stores the number of the region that an object represents. It is 0 for an object that the user has drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Shape
from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.studio.components.canvas_view import View

STROKE_WIDTH = 2
CanvasObject = dict[str, Any]
"""An object as JSON, in Fabric.js's format."""
_SAME = 0.02  # tolerance in canvas pixels; the canvas rounds positions to 4 decimals
_SMALLEST_BOX = 2 * STROKE_WIDTH  # canvas pixels; a click without a drag makes a box of this size
_POINT_RADIUS = 6  # canvas pixels
_NUMBER_KEY = "strokeDashOffset"
"""Key of an object that stores the number of its region (see above)."""
_ORIGINS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def on_canvas(shape: Shape) -> bool:
    """Whether the shape becomes an editable canvas object. Other shapes are painted on the background."""
    if isinstance(shape, Polygon):
        return len(shape.points) >= 3
    return isinstance(shape, Rect | Circle | Ellipse | Point) or (
        isinstance(shape, Polyline) and len(shape.points) >= 2
    )


def canvas_object(shape: Shape, view: View, colour: str, number: int = 0) -> CanvasObject:
    """Return the canvas object for a shape with `on_canvas(shape)`. Curves become polygons with many vertices."""
    outline = view.to_canvas(raster.rings(shape)[0])
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    made: CanvasObject = {
        "left": float(centre[0]),
        "top": float(centre[1]),
        "originX": "center",
        "originY": "center",
        "fill": translucent_fill(colour),
        "stroke": colour,
        "strokeWidth": STROKE_WIDTH,
        "strokeUniform": True,
        _NUMBER_KEY: number,
        "selectable": False,
        "evented": False,
    }
    if isinstance(shape, Point):
        return made | {"type": "Circle", "radius": _POINT_RADIUS, "fill": colour}
    points = [{"x": x, "y": y} for x, y in outline.tolist()]
    if isinstance(shape, Polyline):
        return made | {"type": "Polyline", "points": points, "fill": "rgba(0,0,0,0)"}
    return made | {"type": "Polygon", "points": points}


def translucent_fill(colour: str) -> str:
    """Return the fill of a canvas object: a `#rrggbb` colour as a CSS colour with opacity 0.25.

    >>> translucent_fill("#e69f00")
    'rgba(230,159,0,0.25)'
    """
    red, green, blue = rgb(colour)
    return f"rgba({red},{green},{blue},0.25)"


def object_matrix(item: Mapping[str, Any]) -> np.ndarray:
    """Return the object's affine matrix, float `(2, 3)`.

    It maps vertices, relative to the centre of their bounding box, to canvas pixels.
    """
    angle = math.radians(item.get("angle") or 0.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    scale_x = _object_number(item, "scaleX", 1.0) * (-1 if item.get("flipX") else 1)
    scale_y = _object_number(item, "scaleY", 1.0) * (-1 if item.get("flipY") else 1)
    skew_x = np.array([[1.0, math.tan(math.radians(_object_number(item, "skewX", 0.0)))], [0.0, 1.0]])
    skew_y = np.array([[1.0, 0.0], [math.tan(math.radians(_object_number(item, "skewY", 0.0))), 1.0]])
    linear = turn @ np.diag([scale_x, scale_y]) @ skew_x @ skew_y
    # `left` and `top` place the origin: the centre, or a corner of the box around the vertices. The stroke lies partly
    # outside this box, but a drawn box begins where the drag began, so the stroke width must not be added.
    size = np.abs([_object_number(item, "width", 0.0) * scale_x, _object_number(item, "height", 0.0) * scale_y])
    origin = np.array([_ORIGINS[item.get("originX", "left")], _ORIGINS[item.get("originY", "top")]])
    centre = np.array([_object_number(item, "left", 0.0), _object_number(item, "top", 0.0)]) + turn @ (
        (0.5 - origin) * size
    )
    return np.column_stack([linear, centre])


def region_number(item: Mapping[str, Any]) -> int:
    """Return the number of the region that a canvas object represents; 0 if the user has drawn the object."""
    return int(item.get(_NUMBER_KEY) or 0)


def outline(item: Mapping[str, Any]) -> np.ndarray | None:
    """Return the object's vertices in canvas pixels, float `(N, 2)`; None if its type is not a region type."""
    local = _object_vertices(item)
    return None if local is None else _map_vertices(object_matrix(item), local)


def shape_of(item: Mapping[str, Any], view: View) -> Shape | None:
    """Return the shape of a drawn object in picture pixels; None if it has no area (a click, a stray line)."""
    seen = outline(item)
    if seen is None:
        return None
    points = _rounded_vertices(view.to_picture(seen))
    if item["type"] == "Rect":
        if max(np.ptp(seen, axis=0)) <= _SMALLEST_BOX:
            return None
        if not (item.get("angle") or 0.0) % 360:
            (x0, y0), (x1, y1) = np.min(points, axis=0), np.max(points, axis=0)
            return Rect(float(x0), float(y0), round(float(x1 - x0), 2), round(float(y1 - y0), 2))
    shape = Polygon(points)
    return shape if raster.has_area(shape) else None


def edited(shape: Shape, before: Mapping[str, Any], now: Mapping[str, Any], view: View) -> Shape:
    """Return the new shape of an object that represented `shape` as `before`, and that the canvas sent back as `now`.

    If the object did not change, `shape` itself is returned. If it was moved, scaled or rotated, the type of shape is
    kept if it can represent the result. If vertices changed, the result is a polygon, and vertices that were not
    dragged keep their exact coordinates.
    """
    old_local, new_local = _object_vertices(before), _object_vertices(now)
    old_matrix, new_matrix = object_matrix(before), object_matrix(now)
    if isinstance(shape, Point):
        seen, was = new_matrix[:, 2], old_matrix[:, 2]
        return shape if same_place(seen, was) else Point(*_rounded_vertices(view.to_picture(seen))[0])
    assert old_local is not None
    if new_local is None:
        return shape
    if len(old_local) == len(new_local) and same_place(old_local, new_local):
        if same_place(_map_vertices(old_matrix, old_local), _map_vertices(new_matrix, new_local)):
            return shape
        return _transformed_shape(
            shape, _map_in_picture(_compose_object_maps(new_matrix, _inverse_object_map(old_matrix)), view)
        )
    was = _map_vertices(old_matrix, old_local)
    exact = raster.rings(shape)[0]
    points = []
    for place, seen in zip(
        _rounded_vertices(view.to_picture(_map_vertices(new_matrix, new_local))),
        _map_vertices(new_matrix, new_local),
        strict=True,
    ):
        distance = np.abs(was - seen).max(axis=1)
        nearest = int(distance.argmin())
        points.append(exact[nearest] if distance[nearest] < _SAME else place)
    return Polygon(tuple(points))


def _object_vertices(item: Mapping[str, Any]) -> np.ndarray | None:
    """Return the vertices relative to the centre of their bounding box, float `(N, 2)`, before the matrix is applied.

    None if the object is not a polygon, polyline or rectangle.
    """
    if item.get("type") in ("Polygon", "Polyline") and item.get("points"):
        points = np.array([(point["x"], point["y"]) for point in item["points"]], dtype=float)
        return points - (points.min(axis=0) + points.max(axis=0)) / 2
    if item.get("type") == "Rect":
        half = np.array([_object_number(item, "width", 0.0), _object_number(item, "height", 0.0)]) / 2
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    return None


def _transformed_shape(shape: Shape, change: np.ndarray) -> Shape:
    """Return the shape after the user moved, scaled or rotated its canvas object.

    `change` is the affine map `(2, 3)` of picture pixels from the old to the new place.
    """
    linear = change[:, :2]
    match shape:
        case Rect() if abs(linear[0, 1]) < 1e-4 and abs(linear[1, 0]) < 1e-4:
            corners = _rounded_vertices(
                _map_vertices(change, np.array([(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)]))
            )
            (x0, y0), (x1, y1) = np.min(corners, axis=0), np.max(corners, axis=0)
            return Rect(float(x0), float(y0), round(float(x1 - x0), 2), round(float(y1 - y0), 2))
        case Circle() | Ellipse():
            (cx, cy), *_ = _rounded_vertices(_map_vertices(change, np.array([(shape.cx, shape.cy)])))
            if np.abs(linear - np.eye(2)).max() < 1e-4:
                return replace(shape, cx=cx, cy=cy)
            rx, ry, theta = (shape.r, shape.r, 0.0) if isinstance(shape, Circle) else (shape.rx, shape.ry, shape.theta)
            turn = np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])
            # The matrix maps the unit circle to the new ellipse. Its SVD gives the directions and lengths of the axes.
            axes, radii, _ = np.linalg.svd(linear @ turn @ np.diag([rx, ry]))
            if isinstance(shape, Circle) and radii[0] < 1.01 * radii[1]:
                return Circle(cx, cy, round(float(radii.mean()), 2))
            long, short = (round(float(radius), 2) for radius in radii)
            return Ellipse(cx, cy, long, short, math.atan2(axes[1, 0], axes[0, 0]))
        case Polyline():
            return Polyline(_rounded_vertices(_map_vertices(change, np.array(shape.points))))
        case _:
            return Polygon(_rounded_vertices(_map_vertices(change, np.array(raster.rings(shape)[0]))))


def _map_in_picture(change: np.ndarray, view: View) -> np.ndarray:
    """Convert an affine map `(2, 3)` of canvas pixels to the same map of picture pixels."""
    scale = view.scale
    return np.column_stack([change[:, :2] * scale[None, :] / scale[:, None], change[:, 2] / scale])


def _map_vertices(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return vertices of a canvas object, `(N, 2)`, after its affine map `(2, 3)`."""
    return points @ affine[:, :2].T + affine[:, 2]


def _compose_object_maps(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return the affine map `(2, 3)` of canvas pixels that applies `inner` first, then `outer`."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def _inverse_object_map(affine: np.ndarray) -> np.ndarray:
    """Return the inverse of the affine map `(2, 3)` of a canvas object."""
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def same_place(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two outlines `(N, 2)`, in canvas pixels, differ only by rounding."""
    return bool(np.abs(a - b).max() < _SAME)


def _rounded_vertices(points: np.ndarray) -> Points:
    """Round vertices from the canvas to 0.01 picture pixels; a user cannot draw so precisely."""
    return tuple((round(x, 2), round(y, 2)) for x, y in np.asarray(points).reshape(-1, 2).tolist())


def _object_number(item: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number of a canvas object; `default` if it is missing or null."""
    value = item.get(name)
    return default if value is None else float(value)
