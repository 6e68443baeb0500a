"""Each way to draw a region, by real events: what is stored has the places that were clicked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from shapely.geometry import LineString
from shapely.geometry import Polygon as Outline

from maskrcnn.annotations.regions import (
    Circle,
    Ellipse,
    Keypoints,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Skeleton,
)
from maskrcnn.annotations.store import ProjectClass
from tests.browser.editor_driver import EditorDriver, until
from tests.browser.editor_zooms import FIT, SHARP, precise
from tests.sweeps import one_in, sweep

CENTRE = (450.0, 300.0)
TRIANGLE = [(410.0, 270.0), (485.5, 282.25), (452.75, 331.0)]
"""Shown as a whole at 8 times the size too."""

GROUNDS = {"white": (255, 255, 255), "yellow": (0, 159, 230), "zblack": (0, 0, 0)}
"""Pictures of one colour (BGR); yellow is the colour of the class."""

Drivers = Callable[[int], EditorDriver]


@pytest.fixture(scope="module")
def drivers(new_editor: Callable[..., EditorDriver]) -> Drivers:
    """The window of this module with so many device pixels per CSS pixel; opened when it is asked for."""
    opened: dict[int, EditorDriver] = {}

    def driver(ratio: int) -> EditorDriver:
        if ratio not in opened:
            opened[ratio] = new_editor(pictures=60, device_scale_factor=ratio)
            project = opened[ratio].project
            face = Skeleton(("nose", "left_eye", "right_eye"), ((0, 1), (0, 2)))
            project.set_classes([ProjectClass("cat", "#e69f00", "1"), ProjectClass("face", "#56b4e9", "2", face)])
            project.add_pictures([(f"{name}.png", one_colour(colour)) for name, colour in GROUNDS.items()], "train")
            opened[ratio].open(project.images()[0].file_name)
        return opened[ratio]

    return driver


@pytest.fixture
def editor(drivers: Drivers, kept_if_failed: Callable[[Any], None], request: pytest.FixtureRequest) -> EditorDriver:
    """The editor on a picture without regions that no other test has."""
    driver = drivers(getattr(request, "param", 1))
    kept_if_failed(driver.page.context)
    next_empty_picture(driver)
    return driver


def one_colour(colour: tuple[int, int, int]) -> bytes:
    return cv2.imencode(".png", np.full((600, 900, 3), colour, np.uint8))[1].tobytes()


def next_empty_picture(driver: EditorDriver) -> None:
    empty = next(image.file_name for image in driver.project.images() if image.status == "new")
    driver.press("Escape", "Escape")
    if driver.shown != empty:
        driver.open(empty) if driver.shown > empty else driver.turn_to(empty)
    driver.press("1", "p", "f")
    driver.wait_until_still()


def zoom_in(editor: EditorDriver, zoom: float | None) -> None:
    if zoom:
        assert editor.zoom_to(CENTRE, zoom).scale >= zoom


def assert_at(found: Any, places: Any, within: float = 0.5) -> None:
    found, places = np.array(found, float), np.array(places, float)
    assert found.shape == places.shape
    assert np.abs(found - places).max() <= within, f"{found.tolist()} is not at {places.tolist()}"


def only(regions: tuple[Region, ...], kind: type) -> Any:
    (region,) = regions
    assert isinstance(region.shape, kind), region
    return region.shape


def drawn(editor: EditorDriver, kind: type) -> Any:
    """The shape of the only region, once it is stored."""
    return only(editor.stored(lambda regions: len(regions) == 1), kind)


@precise(FIT)
def test_a_polygon_has_the_clicked_vertices(editor: EditorDriver, zoom: float | None) -> None:
    zoom_in(editor, zoom)
    editor.polygon(TRIANGLE)
    assert_at(drawn(editor, Polygon).points, TRIANGLE)
    assert [region.class_name for region in editor.regions()] == ["cat"]
    editor.wait_until_saved()


@pytest.mark.parametrize("close", ["double", "first"])
def test_a_double_click_and_a_click_on_the_first_vertex_close(editor: EditorDriver, close: str) -> None:
    square = [(200.0, 150.0), (500.0, 160.0), (520.0, 400.0), (210.0, 420.0)]
    editor.polygon(square, close)
    assert_at(drawn(editor, Polygon).points, square)


@pytest.mark.parametrize(("back", "again"), [("Backspace", "Control+y"), ("Control+z", "Control+Shift+z")])
def test_the_last_vertices_are_taken_back_and_given_back(editor: EditorDriver, back: str, again: str) -> None:
    square = [(200.0, 150.0), (500.0, 160.0), (520.0, 400.0), (210.0, 420.0)]
    editor.polygon([*square, (300.0, 300.0), (310.0, 310.0)], close="")
    editor.press(back, back, back, again)
    editor.press("Enter")
    assert_at(drawn(editor, Polygon).points, square)


def test_escape_cancels_an_outline_and_undo_brings_it_back(editor: EditorDriver) -> None:
    editor.polygon(TRIANGLE, close="")
    editor.press("Escape")
    editor.press("Enter")
    square = [(100.0, 100.0), (180.0, 100.0), (180.0, 180.0), (100.0, 180.0)]
    editor.polygon(square)
    assert_at(drawn(editor, Polygon).points, square)
    editor.polygon(TRIANGLE, close="")
    editor.press("Escape", "Control+z", "Enter")
    regions = editor.stored(lambda regions: len(regions) == 2)
    assert_at(regions[1].shape.points, TRIANGLE)


def test_dragging_draws_freehand(editor: EditorDriver) -> None:
    circle = [(450 + 120 * math.cos(angle), 300 + 120 * math.sin(angle)) for angle in np.linspace(0, 1.9 * math.pi, 60)]
    editor.drag(*circle, steps=1)
    editor.press("Enter")
    outline = drawn(editor, Polygon).points
    assert len(outline) >= 12
    stroke = LineString(circle)
    assert max(stroke.distance(LineString([point, point])) for point in outline) <= 2
    assert Outline(outline).area == pytest.approx(Outline(circle).area, rel=0.03)


@precise(FIT)
def test_a_box(editor: EditorDriver, zoom: float | None) -> None:
    zoom_in(editor, zoom)
    editor.press("b")
    editor.drag((485.5, 331.0), (420.25, 280.0))
    box = drawn(editor, Rect)
    assert_at((box.x, box.y, box.width, box.height), (420.25, 280.0, 65.25, 51.0))


@precise(SHARP)
def test_a_circle(editor: EditorDriver, zoom: float | None) -> None:
    zoom_in(editor, zoom)
    editor.press("o")
    editor.drag((450.0, 300.0), (474.0, 307.0))
    circle = drawn(editor, Circle)
    assert_at((circle.cx, circle.cy, circle.r), (450, 300, 25))


@precise(FIT)
def test_an_ellipse(editor: EditorDriver, zoom: float | None) -> None:
    zoom_in(editor, zoom)
    editor.press("e")
    editor.drag((420.0, 285.0), (480.0, 325.0))
    ellipse = drawn(editor, Ellipse)
    assert_at((ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry), (450, 305, 30, 20))
    assert ellipse.theta == pytest.approx(0)


@precise(FIT)
def test_a_line_and_a_point(editor: EditorDriver, zoom: float | None) -> None:
    zoom_in(editor, zoom)
    editor.press("l")
    editor.polygon(TRIANGLE)
    assert_at(drawn(editor, Polyline).points, TRIANGLE)
    editor.press("t")
    editor.click((440.5, 290.25))
    point = editor.stored(lambda regions: len(regions) == 2)[1].shape
    assert isinstance(point, Point)
    assert_at((point.cx, point.cy), (440.5, 290.25))


def test_keypoints_of_a_skeleton(editor: EditorDriver) -> None:
    editor.press("2", "k")
    places = [(450.0, 250.0), (400.0, 220.0), (500.0, 222.0)]
    for place in places:
        editor.click(place)
    regions = editor.stored(lambda regions: regions and regions[0].any_keypoints)
    (region,) = regions
    found = region.any_keypoints
    assert isinstance(found, Keypoints)
    assert_at([point[:2] for point in found.points], places)
    assert [visibility for _, _, visibility in found.points] == [2, 2, 2]
    assert region.class_name == "face"


@pytest.mark.parametrize("device", ["pen", "touch"])
def test_a_polygon_by_pen_and_by_finger(editor: EditorDriver, device: str) -> None:
    square = [(200.0, 150.0), (500.0, 160.0), (520.0, 400.0), (210.0, 420.0)]
    for place in square:
        editor.pen_click(place) if device == "pen" else editor.tap(place)
    editor.press("Enter")
    assert_at(drawn(editor, Polygon).points, square)


def test_a_pen_draws_freehand_and_a_second_finger_moves_the_picture(editor: EditorDriver) -> None:
    stroke = [(300.0, 200.0), (500.0, 210.0), (480.0, 400.0), (310.0, 390.0)]
    editor.pen_drag(*stroke, steps=10)
    editor.press("Enter")
    outline = drawn(editor, Polygon).points
    line = LineString(stroke)
    assert max(line.distance(LineString([point, point])) for point in outline) <= 1

    before = editor.camera()
    editor.touch([[(300.0, 300.0), (250.0, 300.0)], [(600.0, 300.0), (700.0, 300.0)]])
    editor.wait_until_still()
    assert editor.camera().scale == pytest.approx(before.scale * 450 / 300, rel=0.02)
    editor.page.wait_for_timeout(300)
    assert len(editor.regions()) == 1


def test_the_wheel_zooms_about_the_cursor_and_space_moves_the_picture(editor: EditorDriver) -> None:
    x, y = map(round, editor.at((300.0, 200.0)))  # the browser tells whole pixels of the wheel's place
    where, place = (x, y), editor.camera().to_picture((x, y))
    editor.zoom_to(place, 4)
    assert_at(editor.at(place), where, within=0.5)
    editor.page.keyboard.down("Space")
    editor.page.mouse.move(x, y)
    editor.page.mouse.down()
    editor.page.mouse.move(x + 60, y + 40, steps=4)
    editor.page.mouse.up()
    editor.page.keyboard.up("Space")
    editor.wait_until_still()
    assert_at(editor.at(place), (x + 60, y + 40), within=1)
    editor.press("f")
    editor.wait_until_still()
    assert_at(editor.at(place), where, within=1)
    assert editor.regions() == ()


def test_an_unfinished_outline_is_kept_over_zoom_other_pictures_and_reload(editor: EditorDriver) -> None:
    here = editor.shown
    editor.polygon([(300.0, 200.0), (500.0, 210.0)], close="")
    editor.zoom_to((400.0, 300.0), 2)
    editor.click((480.0, 400.0))
    editor.press("PageDown")
    until(editor.page, lambda: editor.shown != here)
    editor.turn_to(here, "PageUp")
    editor.press("f")
    editor.wait_until_still()
    editor.click((400.0, 450.0))
    editor.page.wait_for_timeout(100)
    editor.page.reload()
    editor.wait_for_picture(here)
    editor.click((310.0, 390.0))
    editor.press("Enter")
    places = [(300.0, 200.0), (500.0, 210.0), (480.0, 400.0), (400.0, 450.0), (310.0, 390.0)]
    assert_at(drawn(editor, Polygon).points, places, within=0.6)


HALF_WAY = {
    "box": ("b", [(300.0, 200.0)], [(500.0, 350.0)]),
    "circle": ("o", [(400.0, 300.0)], [(430.0, 300.0)]),
    "ellipse": ("e", [(300.0, 200.0)], [(500.0, 350.0)]),
    "line": ("l", [(300.0, 200.0), (500.0, 210.0)], [(480.0, 400.0), "Enter"]),
    "keypoints": ("k", [(450.0, 250.0), (400.0, 220.0)], ["Backspace", "Tab", (500.0, 222.0)]),
}
"""Key of a tool; what is done with it before the picture is left, and afterwards: clicks and keys."""


@pytest.mark.parametrize("figure", one_in(4, HALF_WAY))
def test_what_is_half_way_is_kept_over_another_picture_and_a_reload(editor: EditorDriver, figure: str) -> None:
    key, before, after = HALF_WAY[figure]
    here = editor.shown
    editor.press("2" if figure == "keypoints" else "1", key)
    do(editor, before)
    editor.press("PageDown")
    until(editor.page, lambda: editor.shown != here)
    editor.turn_to(here, "PageUp")
    editor.press("+", "f")
    editor.page.wait_for_timeout(100)
    editor.page.reload()
    editor.wait_for_picture(here)
    do(editor, after)
    (region,) = editor.stored(lambda regions: len(regions) == 1)
    expected = {
        "box": Rect(300, 200, 200, 150),
        "circle": Circle(400, 300, 30),
        "ellipse": Ellipse(400, 275, 100, 75),
        "line": Polyline(((300, 200), (500, 210), (480, 400))),
        "keypoints": Keypoints(((450, 250, 2), (0, 0, 0), (500, 222, 2))),
    }[figure]
    assert_at(numbers(region.shape), numbers(expected), within=0.6)


def do(editor: EditorDriver, steps: list[Any]) -> None:
    for step in steps:
        editor.press(step) if isinstance(step, str) else editor.click(step)


def numbers(shape: Any) -> list[float]:
    """All coordinates of a shape, in the order of its fields."""
    return np.concatenate([np.ravel(value) for value in vars(shape).values()]).tolist()


def test_a_cut_line_is_kept_with_what_it_cuts_and_beside_an_unfinished_outline(editor: EditorDriver) -> None:
    here = editor.shown
    editor.polygon([(200.0, 150.0), (300.0, 150.0), (300.0, 250.0), (200.0, 250.0)])
    editor.polygon([(200.0, 300.0), (300.0, 300.0), (300.0, 400.0), (200.0, 400.0)])
    editor.polygon([(500.0, 300.0), (600.0, 300.0)], close="")
    editor.press("g")
    editor.click((250.0, 120.0))
    editor.press("PageDown")
    until(editor.page, lambda: editor.shown != here)
    editor.turn_to(here, "PageUp")
    editor.page.reload()
    editor.wait_for_picture(here)
    editor.click((250.0, 430.0))
    editor.press("Enter")
    editor.stored(lambda regions: len(regions) == 3)  # only the selected one of the two that it crosses
    editor.press("p")
    editor.click((600.0, 400.0))
    editor.press("Enter")
    regions = editor.stored(lambda regions: len(regions) == 4)
    assert_at(regions[3].shape.points, [(500.0, 300.0), (600.0, 300.0), (600.0, 400.0)], within=0.6)


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_line_that_is_drawn_is_visible_on_every_ground(editor: EditorDriver, ground: str) -> None:
    editor.open(f"{ground}.png")
    editor.press("p")
    editor.polygon([(300.0, 200.0), (600.0, 200.0), (600.0, 400.0)], close="")
    editor.page.wait_for_timeout(150)
    x, y = editor.at((450.0, 200.0))
    shot = editor.page.screenshot(clip={"x": x - 20, "y": y - 12, "width": 40, "height": 24})
    pixels = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR).astype(int)
    contrast = np.abs(pixels - pixels[0, 0]).sum(2).max(0)
    assert contrast.min() > 200, "somewhere the line has the colour of the picture"
    editor.press("Escape")


SQUARE = [(200.0, 150.0), (500.0, 160.0), (520.0, 400.0), (210.0, 420.0)]


def test_it_is_visible_where_a_click_closes(editor: EditorDriver) -> None:
    """A hand over the first vertex; for a finger, which does not hover, a ring around it."""
    editor.open("white.png")
    editor.press("p")
    cursors = []
    for place in SQUARE[:3]:
        editor.click(place)
        editor.move(SQUARE[0])
        cursors.append(editor.view.evaluate("(element) => element.style.cursor"))
    assert cursors == ["crosshair", "crosshair", "pointer"]
    editor.press("Escape")

    editor.tap(SQUARE[0])
    editor.tap(SQUARE[1])
    before = ring(editor, SQUARE[0], radius=8)
    editor.tap(SQUARE[2])
    assert (ring(editor, SQUARE[0], radius=8) != before).mean() > 0.5
    editor.press("Escape")


def ring(editor: EditorDriver, place: tuple[float, float], radius: int) -> np.ndarray:
    """The pixels around a place, left of it and above: no edge of the outline is there."""
    editor.page.wait_for_timeout(100)
    x, y = editor.at(place)
    shot = editor.page.screenshot(clip={"x": round(x) - 20, "y": round(y) - 20, "width": 40, "height": 40})
    pixels = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    angles = np.linspace(1.1 * np.pi, 1.4 * np.pi, 12)
    columns, rows = (20 + radius * np.array([np.cos(angles), np.sin(angles)])).round().astype(int)
    return pixels[rows, columns].sum(1)


def test_a_palm_a_second_finger_and_another_button_leave_an_outline_alone(editor: EditorDriver) -> None:
    for place in SQUARE:
        editor.pen_click(place)
    # The first of two fingers is on the first vertex, which closes the outline only when it is lifted.
    editor.touch([[SQUARE[0], (230.0, 160.0)], [(600.0, 300.0), (620.0, 320.0)]])
    editor.press("f")
    editor.wait_until_still()
    x, y = editor.at((300.0, 300.0))
    editor.page.mouse.click(x, y, button="right")
    assert editor.regions() == ()
    # A palm lies on the picture while the pen draws.
    stroke = [(210.0, 380.0), (205.0, 340.0), (200.0, 300.0)]
    editor.pen("mousePressed", stroke[0])
    editor.pen("mouseMoved", stroke[1], buttons=1)
    editor.tap((700.0, 500.0))
    editor.pen("mouseMoved", stroke[2], buttons=1)
    editor.pen("mouseReleased", stroke[2])
    editor.press("Enter")
    assert_at(drawn(editor, Polygon).points, [*SQUARE, *stroke], within=0.6)


@sweep
def test_keys_in_the_middle_of_a_drag(editor: EditorDriver) -> None:
    problems: list[str] = []
    editor.page.on("pageerror", lambda error: problems.append(str(error)))
    editor.press("b")
    editor.move((300.0, 200.0))
    editor.page.mouse.down()
    editor.move((400.0, 300.0), steps=4)
    editor.press("Enter")
    editor.move((450.0, 350.0), steps=4)
    editor.page.mouse.up()
    box = drawn(editor, Rect)
    assert_at((box.x, box.y, box.width, box.height), (300, 200, 100, 100))
    editor.press("Escape", "p")
    editor.move((500.0, 200.0))
    editor.page.mouse.down()
    editor.move((600.0, 250.0), steps=4)
    editor.press("b", "p")
    editor.page.mouse.up()
    editor.click((550.0, 300.0))
    editor.press("Enter")
    outline = editor.stored(lambda regions: len(regions) == 2)[1].shape.points
    assert_at([outline[0], outline[-1]], [(500, 200), (550, 300)], within=0.6)
    assert problems == []


def test_another_button_in_the_middle_of_a_drag_does_not_end_it(editor: EditorDriver) -> None:
    mouse = editor.page.mouse
    for number, last in enumerate(("right", "left")):
        editor.press("b")
        editor.move((300.0, 200.0 + 150 * number))
        mouse.down()
        editor.move((350.0, 220.0 + 150 * number), steps=3)
        mouse.down(button="right")
        editor.move((400.0, 240.0 + 150 * number), steps=3)
        mouse.up(button=last)
        editor.move((450.0, 260.0 + 150 * number), steps=3)
        mouse.up(button="left" if last == "right" else "right")
        editor.press("Escape")
    first, second = (region.shape for region in editor.stored(lambda regions: len(regions) == 2))
    assert_at((first.x, first.y, first.width, first.height), (300, 200, 150, 60))
    assert_at((second.x, second.y, second.width, second.height), (300, 350, 100, 40))


def test_keypoints_of_a_class_are_not_mixed_with_those_of_another(editor: EditorDriver) -> None:
    editor.press("2", "k")
    editor.click((450.0, 250.0))
    editor.press("1", "Control+z")  # the other class gives the figure up
    editor.click((400.0, 220.0))
    editor.click((500.0, 222.0))
    (region,) = editor.stored(lambda regions: len(regions) == 1)
    assert region.class_name == "face"
    assert_at([point[:2] for point in region.shape.points], [(450.0, 250.0), (400.0, 220.0), (500.0, 222.0)])


@sweep
def test_one_click_draws_no_region(editor: EditorDriver) -> None:
    for key in "boe":
        editor.press(key)
        editor.click((300.0, 200.0))
    editor.page.wait_for_timeout(300)
    assert editor.regions() == ()
