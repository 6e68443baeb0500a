"""Regions to canvas objects and back: numbers worked by hand, and the region that nobody touched is the same object."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)
from maskrcnn.studio.components.canvas_drawing import Drawing
from maskrcnn.studio.components.canvas_objects import canvas_object, edited, on_canvas, outline, shape_of
from maskrcnn.studio.components.canvas_view import View

HALF = View(800, 600, 400, 300)
"""A canvas pixel is two picture pixels."""

COLOURS: dict[str | None, str] = {"cat": "#e69f00", "dog": "#56b4e9", None: "#a0a0a0"}
TRIANGLE = Polygon(((100.0, 100.0), (300.0, 100.0), (300.0, 400.0)))


def drawn(shape: str, **fields: Any) -> dict[str, Any]:
    """An object as the canvas sends one that was drawn by hand."""
    item = {"type": shape, "originX": "center", "originY": "center", "left": 0, "top": 0, "angle": 0}
    return item | {"scaleX": 1, "scaleY": 1, "strokeDashOffset": 0} | fields


def polygon(*points: tuple[float, float], **fields: Any) -> dict[str, Any]:
    return drawn("Polygon", points=[{"x": x, "y": y} for x, y in points], **fields)


def start(*shapes: Shape, view: View = HALF) -> Drawing:
    return Drawing.start(tuple(Region(shape, "cat") for shape in shapes), view, COLOURS)


def new_region(shape: Shape) -> Region:
    return Region(shape, "dog")


def test_a_drawn_polygon_in_picture_pixels() -> None:
    item = polygon((50, 50), (150, 50), (150, 200), left=100, top=125)
    assert shape_of(item, HALF) == TRIANGLE


# A square of side 10 around the origin, its vertices written anywhere (local), under one change at a time.
SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        # Moved: the centre goes to (left, top).
        ({"left": 105, "top": 55}, [(100, 50), (110, 50), (110, 60), (100, 60)]),
        # Scaled about the centre: twice as wide, half as high.
        (
            {"left": 100, "top": 100, "scaleX": 2, "scaleY": 0.5},
            [(90, 97.5), (110, 97.5), (110, 102.5), (90, 102.5)],
        ),
        # Turned by 90 degrees clockwise on the screen: (-5, -5) -> (5, -5).
        ({"left": 100, "top": 100, "angle": 90}, [(105, 95), (105, 105), (95, 105), (95, 95)]),
        # Mirrored left to right.
        ({"left": 100, "top": 100, "flipX": True}, [(105, 95), (95, 95), (95, 105), (105, 105)]),
        # Scale first, then turn: 20 wide becomes 20 high.
        (
            {"left": 100, "top": 100, "scaleX": 2, "angle": 90},
            [(105, 90), (105, 110), (95, 110), (95, 90)],
        ),
        # Skewed along x by 45 degrees: x += y.
        ({"left": 100, "top": 100, "skewX": 45}, [(90, 95), (100, 95), (110, 105), (100, 105)]),
    ],
)
def test_what_is_seen_of_an_object_with_a_matrix(fields: dict[str, Any], seen: list[tuple[float, float]]) -> None:
    assert outline(polygon(*SQUARE, **fields)) == pytest.approx(np.array(seen))


def test_a_drawn_box_begins_where_the_mouse_was_pressed() -> None:
    item = drawn("Rect", left=40, top=30, width=100, height=50, originX="left", originY="top", strokeWidth=2)
    assert shape_of(item, HALF) == Rect(80.0, 60.0, 200.0, 100.0)


def test_a_click_without_a_drag_is_no_box() -> None:
    assert shape_of(drawn("Rect", left=40, top=30, width=2, height=2, originX="left", originY="top"), HALF) is None


@pytest.mark.parametrize("kind", ["Line", "Path", "IText", "Circle"])
def test_objects_of_other_kinds_are_no_regions(kind: str) -> None:
    assert start().after([drawn(kind, width=50, height=50)], new_region).regions == ()


EVERY_SHAPE: list[Shape] = [
    TRIANGLE,
    Rect(10.5, 20.25, 100, 50),
    Circle(400, 300, 50),
    Ellipse(200, 200, 80, 30, 0.5),
    Polyline(((10, 10), (20, 40), (50, 60))),
    Point(33, 44),
    MultiPolygon(((((0, 0), (10, 0), (10, 10)),), (((20, 20), (30, 20), (30, 30)),))),
    RLE((600, 800), "0"),
    Polygon(((5.0, 5.0), (6.0, 6.0))),
]


@pytest.mark.parametrize("view", [HALF, View(800, 600, 700, 525), View(801, 603, 700, 527)])
def test_untouched_regions_come_back_as_the_very_same_objects(view: View) -> None:
    drawing = start(*EVERY_SHAPE, view=view)
    # The canvas sends positions rounded to four decimals.
    sent = [{**item, "left": round(item["left"], 4), "top": round(item["top"], 4)} for item in drawing.objects()]
    after = drawing.after(sent, new_region)
    assert len(after.regions) == len(EVERY_SHAPE)
    assert all(now is was for now, was in zip(after.regions, drawing.base, strict=True))


def test_what_the_canvas_cannot_edit_is_not_put_on_it() -> None:
    assert [on_canvas(shape) for shape in EVERY_SHAPE] == [True] * 6 + [False] * 3
    assert [item["strokeDashOffset"] for item in start(*EVERY_SHAPE).objects()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("shape", "change", "expected"),
    [
        # 10 canvas pixels to the right are 20 picture pixels.
        (TRIANGLE, {"left": 110}, Polygon(((120.0, 100.0), (320.0, 100.0), (320.0, 400.0)))),
        (Rect(100, 100, 200, 300), {"left": 110}, Rect(120.0, 100.0, 200.0, 300.0)),
        (Rect(100, 100, 200, 300), {"scaleX": 1.5}, Rect(50.0, 100.0, 300.0, 300.0)),
        # Turned by a right angle about (200, 250), a box is a polygon: (100, 100) -> (350, 150).
        (
            Rect(100, 100, 200, 300),
            {"angle": 90},
            Polygon(((350.0, 150.0), (350.0, 350.0), (50.0, 350.0), (50.0, 150.0))),
        ),
        (Circle(400, 300, 50), {"left": 150, "top": 100}, Circle(300.0, 200.0, 50)),
        (Circle(400, 300, 50), {"scaleX": 2, "scaleY": 2}, Circle(400.0, 300.0, 100.0)),
        (Circle(400, 300, 50), {"scaleX": 2}, Ellipse(400.0, 300.0, 100.0, 50.0, 0.0)),
        (Ellipse(200, 200, 80, 30, 0.5), {"left": 150}, Ellipse(300.0, 200.0, 80, 30, 0.5)),
        (Point(100, 100), {"left": 60, "top": 70}, Point(120.0, 140.0)),
        (Polyline(((0, 0), (100, 100))), {"left": 35}, Polyline(((20.0, 0.0), (120.0, 100.0)))),
    ],
)
def test_a_moved_shape_keeps_its_kind_where_it_can(shape: Shape, change: dict[str, Any], expected: Shape) -> None:
    before = canvas_object(shape, HALF, "#e69f00", 1)
    now = edited(shape, before, before | change, HALF)
    if isinstance(expected, Ellipse) and isinstance(now, Ellipse):
        # A half turn of an ellipse is the same ellipse.
        now = replace(now, theta=(now.theta + math.pi / 2) % math.pi - math.pi / 2)
        assert now.theta == pytest.approx(expected.theta, abs=1e-6)
        now = replace(now, theta=expected.theta)
    assert now == expected


def test_a_turned_ellipse() -> None:
    ellipse = Ellipse(200, 200, 80, 30, 0.5)
    before = canvas_object(ellipse, HALF, "#e69f00", 1)
    now = edited(ellipse, before, before | {"angle": 20}, HALF)
    assert isinstance(now, Ellipse)
    assert (now.rx, now.ry) == (80.0, 30.0)
    assert now.theta % math.pi == pytest.approx(0.5 + math.radians(20), abs=1e-6)


def test_dragging_one_vertex_leaves_the_numbers_of_the_others() -> None:
    written = Polygon(((100.123456, 100.0), (300.0, 100.0), (300.0, 400.0)))
    before = canvas_object(written, HALF, "#e69f00", 1)
    points = [dict(point) for point in before["points"]]
    points[1] = {"x": 160, "y": 45}
    # The canvas puts the centre where the new bounding box has it: x from 50.06 to 160, y from 45 to 200.
    now = before | {"points": points, "left": (50.061728 + 160) / 2, "top": (45 + 200) / 2}
    assert edited(written, before, now, HALF) == Polygon(((100.123456, 100.0), (320.0, 90.0), (300.0, 400.0)))


def test_a_region_whose_object_is_gone_is_gone_and_the_others_stay() -> None:
    drawing = start(TRIANGLE, Circle(400, 300, 50), RLE((600, 800), "0"))
    after = drawing.after(drawing.objects()[1:], new_region)
    assert after.regions == drawing.base[1:]


def test_a_new_polygon_is_one_region_from_then_on() -> None:
    drawing = start(TRIANGLE)
    item = polygon((10, 10), (60, 10), (60, 60), left=35, top=35)
    once = drawing.after([*drawing.objects(), item], new_region)
    twice = once.after([*drawing.objects(), item, polygon((0, 0), (9, 0), (9, 9), left=4.5, top=4.5)], new_region)
    assert [region.class_name for region in once.regions] == ["cat", "dog"]
    assert twice.regions[:2] == once.regions
    assert len(twice.regions) == 3


def test_a_new_polygon_that_is_moved_keeps_its_id_and_undo_takes_it_back() -> None:
    item = polygon((10, 10), (60, 10), (60, 60), left=35, top=35)
    once = start().after([item], new_region)
    moved = once.after([item | {"left": 45}], new_region)
    assert moved.regions[0].id == once.regions[0].id
    assert moved.regions[0].shape == Polygon(((40.0, 20.0), (140.0, 20.0), (140.0, 120.0)))
    assert moved.after([], new_region).regions == ()


def test_an_edit_keeps_attributes_id_and_class() -> None:
    region = Region(TRIANGLE, "dog", {"quality": {"blurred": True}}, iscrowd=True)
    drawing = Drawing.start((region,), HALF, COLOURS)
    (item,) = drawing.objects()
    (now,) = drawing.after([item | {"left": item["left"] + 10}], new_region).regions
    assert now == replace(region, shape=Polygon(((120.0, 100.0), (320.0, 100.0), (320.0, 400.0))))


def test_what_a_file_said_of_the_old_outline_goes_with_an_edit_and_all_else_stays() -> None:
    pose = Keypoints(((110.0, 120.0, 2), (0.0, 0.0, 0)))
    region = Region(TRIANGLE, "dog", {"note": "kept"}, keypoints=pose, extras={"coco": {"id": 7, "area": 30000}})
    hole = Region(
        MultiPolygon((((*TRIANGLE.points,), ((150, 150), (160, 150), (160, 160))),)), "cat", extras={"coco": {}}
    )
    drawing = Drawing.start((region, hole), HALF, COLOURS)
    (item,) = drawing.objects()
    untouched = drawing.after([item], new_region).regions
    assert untouched[0] is region
    moved, other = drawing.after([item | {"left": item["left"] + 10}], new_region).regions
    assert (moved.keypoints, moved.attributes, moved.id, moved.extras) == (pose, {"note": "kept"}, region.id, {})
    assert other is hole


coordinate = st.floats(-50, 5000, allow_nan=False)


@given(
    st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12),
    st.integers(100, 6000),
    st.integers(100, 6000),
)
def test_seeding_shows_the_vertices_where_they_are(points: list[tuple[float, float]], width: int, height: int) -> None:
    view = View.fit(width, height, 690, 560)
    seen = outline(canvas_object(Polygon(tuple(points)), view, "#e69f00"))
    assert seen is not None
    assert view.to_picture(seen) == pytest.approx(np.array(points), abs=1e-6)


def test_fit_fills_the_box_and_keeps_the_proportions() -> None:
    assert View.fit(2000, 1000, 700, 560) == View(2000, 1000, 700, 350)
    assert View.fit(1000, 2000, 700, 560) == View(1000, 2000, 280, 560)
    assert View.fit(2000, 1000, 700, 560, zoom=2) == View(2000, 1000, 1400, 700)
