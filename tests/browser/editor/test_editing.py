"""Each way to edit a region, by real events: what is stored is what a person sees, and the other regions stay."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely.geometry import Polygon as Outline

from maskrcnn.annotations.regions import Circle, Ellipse, MultiPolygon, Polygon, Rect, Region
from maskrcnn.annotations.store import ProjectClass
from maskrcnn.studio.annotate import editor_routes
from maskrcnn.studio.serving import browser_code
from tests.browser.editor_driver import EditorDriver, Place, until
from tests.browser.editor_zooms import FIT, SHARP, precise
from tests.sweeps import sweep

SQUARE = ((400.0, 250.0), (500.0, 250.0), (500.0, 350.0), (400.0, 350.0))
LOW = ((650.0, 300.0), (800.0, 310.0), (790.0, 500.0), (660.0, 490.0))
SEED = (
    Region(Polygon(SQUARE), "cat", {"note": "kept"}),
    Region(Polygon(LOW), "dog"),
    Region(Ellipse(180.0, 150.0, 100.0, 60.0, 0.0), "cat"),
)
FRAME_MARGIN, TURN_DISTANCE = 14, 26
"""CSS px from a selected region to the box around it, and from there up to the handle that turns."""

CAT, DOG, ELLIPSE = (450.0, 300.0), (720.0, 400.0), (180.0, 150.0)
"""Places inside them."""

Drivers = Callable[[int], EditorDriver]


@pytest.fixture(scope="module")
def drivers(new_editor: Callable[..., EditorDriver]) -> Drivers:
    """The window of this module with so many device pixels per CSS pixel; opened when it is asked for."""
    opened: dict[int, EditorDriver] = {}

    def driver(ratio: int) -> EditorDriver:
        if ratio not in opened:
            opened[ratio] = new_editor(SEED, pictures=60, device_scale_factor=ratio)
            opened[ratio].project.set_classes(
                [ProjectClass("cat", "#e69f00", "1"), ProjectClass("dog", "#56b4e9", "2")]
            )
        return opened[ratio]

    return driver


@pytest.fixture
def editor(drivers: Drivers, kept_if_failed: Callable[[Any], None], request: pytest.FixtureRequest) -> EditorDriver:
    """The editor on a picture with the regions of `SEED` that no other test has changed."""
    driver = drivers(getattr(request, "param", 1))
    kept_if_failed(driver.page.context)
    unchanged = next(image.file_name for image in driver.project.images() if image.revision == 2)
    driver.press("Escape", "Escape")
    driver.open(unchanged) if driver.shown > unchanged else driver.turn_to(unchanged)
    driver.press("q", "f")
    driver.wait_until_still()
    return driver


def zoom_in(editor: EditorDriver, place: Place, zoom: float | None) -> None:
    if zoom:
        assert editor.zoom_to(place, zoom).scale >= zoom


def shape(editor: EditorDriver, number: int, changed: bool = True) -> Any:
    """The shape of a region of `SEED`, by default after it was changed; the others are as they were."""
    regions = editor.stored(lambda regions: len(regions) > number and regions[number].shape != SEED[number].shape)
    assert len(regions) == len(SEED)
    for place, (found, seed) in enumerate(zip(regions, SEED, strict=True)):
        assert (found.class_name, found.attributes) == (seed.class_name, seed.attributes)
        assert place == number or found.shape == seed.shape
    return regions[number].shape


def points(editor: EditorDriver, number: int = 0) -> np.ndarray:
    found = shape(editor, number)
    assert isinstance(found, Polygon)
    return np.array(found.points)


def assert_at(found: Any, places: Any, within: float = 0.5) -> None:
    found, places = np.array(found, float), np.array(places, float)
    assert found.shape == places.shape, f"{found.tolist()} is not {places.tolist()}"
    assert np.abs(found - places).max() <= within, f"{found.tolist()} is not at {places.tolist()}"


def moved(places: Any, x: float, y: float) -> np.ndarray:
    return np.array(places) + np.array((x, y))


@precise(SHARP)
def test_a_vertex_is_dragged(editor: EditorDriver, zoom: float | None) -> None:
    editor.click(CAT)
    zoom_in(editor, SQUARE[1], zoom)
    editor.drag(SQUARE[1], (512.5, 243.25))
    assert_at(points(editor), [SQUARE[0], (512.5, 243.25), *SQUARE[2:]])


@precise(FIT)
def test_a_region_is_dragged(editor: EditorDriver, zoom: float | None) -> None:
    zoom_in(editor, CAT, zoom)
    editor.drag(CAT, (462.5, 293.25))
    assert_at(points(editor), moved(SQUARE, 12.5, -6.75))


def test_an_edge_is_dragged(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.drag((475.0, 250.0), (475.0, 230.0))
    assert_at(points(editor), [(400, 230), (500, 230), *SQUARE[2:]])


@precise(FIT)
def test_a_vertex_is_inserted_by_dragging_the_middle_of_an_edge(editor: EditorDriver, zoom: float | None) -> None:
    editor.click(CAT)
    zoom_in(editor, (450.0, 250.0), zoom)
    editor.drag((450.0, 250.0), (455.0, 243.5))
    assert_at(points(editor), [SQUARE[0], (455, 243.5), *SQUARE[1:]])


@pytest.mark.parametrize("way", ["alt", "double"])
def test_a_vertex_is_inserted_on_an_edge(editor: EditorDriver, way: str) -> None:
    editor.click(CAT)
    editor.click((475.0, 250.0), ["Alt"]) if way == "alt" else editor.double_click((475.0, 250.0))
    assert_at(points(editor), [SQUARE[0], (475, 250), *SQUARE[1:]])


@pytest.mark.parametrize("way", ["alt", "delete"])
def test_a_vertex_is_deleted_and_a_triangle_keeps_three(editor: EditorDriver, way: str) -> None:
    def delete(place: Place) -> None:
        if way == "alt":
            editor.click(place, ["Alt"])
        else:
            editor.click(place)
            editor.press("Delete")

    editor.click(CAT)
    delete(SQUARE[1])
    assert_at(points(editor), [SQUARE[0], *SQUARE[2:]])
    if way == "alt":
        delete(SQUARE[2])
        editor.page.wait_for_timeout(300)
        assert_at(points(editor), [SQUARE[0], *SQUARE[2:]])


def test_arrows_move_the_selected_regions_by_pixels(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("ArrowRight", "ArrowRight", "Shift+ArrowUp")
    until(editor.page, lambda: abs(points(editor)[0][1] - 240) < 0.01)
    assert_at(points(editor), moved(SQUARE, 2, -10), within=0.01)


def test_a_region_is_scaled_by_a_corner_of_its_box(editor: EditorDriver) -> None:
    editor.click(CAT)
    x, y = in_margin(editor, SQUARE[2], FRAME_MARGIN, FRAME_MARGIN)
    editor.drag((x, y), (x + 50, y + 25))
    assert_at(points(editor), [(400, 250), (550, 250), (550, 375), (400, 375)])


def test_a_region_is_turned_by_the_handle_above_its_box(editor: EditorDriver) -> None:
    editor.click(CAT)
    x, y = in_margin(editor, (450.0, 250.0), 0, -FRAME_MARGIN - TURN_DISTANCE)
    radius = CAT[1] - y
    arc = [(CAT[0] + radius * math.sin(a), CAT[1] - radius * math.cos(a)) for a in np.linspace(0, math.pi / 6, 6)]
    editor.drag((x, y), *arc[1:], steps=2)
    cos, sin = math.cos(math.pi / 6), math.sin(math.pi / 6)
    offsets = np.array(SQUARE) - CAT
    assert_at(points(editor), offsets @ np.array(((cos, sin), (-sin, cos))) + CAT, within=0.6)


def in_margin(editor: EditorDriver, place: Place, dx: float, dy: float) -> Place:
    """The place that is so many CSS px beside another one in the window, in picture px."""
    camera = editor.camera()
    x, y = camera.to_window(place)
    return camera.to_picture((x + dx, y + dy))


def test_several_regions_are_selected_moved_and_deleted_together(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.click(DOG, ["Shift"])
    editor.drag(CAT, (CAT[0] - 20, CAT[1] + 30))
    regions = editor.stored(lambda regions: regions[0].shape != SEED[0].shape)
    assert_at(regions[0].shape.points, moved(SQUARE, -20, 30))
    assert_at(regions[1].shape.points, moved(LOW, -20, 30))
    assert regions[2].shape == SEED[2].shape
    editor.press("Delete")
    left = editor.stored(lambda regions: len(regions) == 1)
    assert left[0] == regions[2]
    editor.press("Control+z")
    assert editor.stored(lambda found: len(found) == 3) == regions


def test_a_frame_selects_what_lies_in_it_and_all_are_selected_by_a_key(editor: EditorDriver) -> None:
    editor.drag((360.0, 220.0), (850.0, 540.0))
    editor.press("Delete")
    assert [region.shape for region in editor.stored(lambda regions: len(regions) == 1)] == [SEED[2].shape]
    editor.press("Control+z")
    editor.stored(lambda regions: len(regions) == 3)
    editor.press("Control+a", "Shift+ArrowLeft")
    regions = editor.stored(lambda regions: all(a.shape != b.shape for a, b in zip(regions, SEED, strict=True)))
    assert_at(regions[0].shape.points, moved(SQUARE, -10, 0), within=0.01)


def test_copies_are_pasted_and_duplicated_here_and_on_another_picture(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("Control+d")
    regions = editor.stored(lambda regions: len(regions) == 4)
    copy = regions[-1]
    assert (copy.class_name, copy.attributes) == ("cat", {"note": "kept"})
    assert copy.id != regions[0].id
    assert Outline(copy.shape.points).area == pytest.approx(Outline(SQUARE).area)
    editor.press("Escape")
    editor.click(DOG)
    editor.press("Control+c")
    here = editor.shown
    editor.press("PageDown")
    until(editor.page, lambda: editor.shown != here)
    editor.wait_for_picture(editor.shown)
    editor.press("Control+v")
    pasted = editor.stored(lambda regions: len(regions) == 4)[-1]
    assert pasted.class_name == "dog"
    assert_at(pasted.shape.points, LOW, within=20)
    assert len(editor.regions(here)) == 4


def test_the_key_of_a_class_gives_it_to_the_selected_region(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("2")
    regions = editor.stored(lambda regions: regions[0].class_name == "dog")
    assert [region.class_name for region in regions] == ["dog", "dog", "cat"]
    assert [region.shape for region in regions] == [region.shape for region in SEED]
    editor.press("Escape", "1")


def test_order_of_front_and_back(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("]")
    shapes = [region.shape for region in SEED]
    editor.stored(lambda regions: [region.shape for region in regions].index(shapes[0]) > 0)
    editor.press("[")
    editor.stored(lambda regions: [region.shape for region in regions] == shapes)


def test_shift_m_mirrors_the_selected_regions_about_their_common_middle(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.page.keyboard.down("Shift")
    editor.click(DOG)
    editor.page.keyboard.up("Shift")
    editor.press("Shift+M")
    regions = editor.stored(lambda regions: regions[0].shape != SEED[0].shape)
    middle = (400 + 800) / 2
    for region, points in zip(regions, (SQUARE, LOW), strict=False):
        assert region.shape == Polygon(tuple((2 * middle - x, y) for x, y in points))
    assert regions[2].shape == SEED[2].shape
    editor.press("Control+z")
    editor.stored(lambda regions: [region.shape for region in regions] == [region.shape for region in SEED])


def test_mirrored_keypoints_change_sides(editor: EditorDriver) -> None:
    module = Path(editor_routes.__file__).parent / "editor" / "selection_actions.js"
    points = editor.page.evaluate(
        """async (address) => {
          const { mirror } = await import(address);
          const points = [[10, 5, 2], [4, 9, 1], [30, 8, 2]];
          const face = { id: "a", class_name: "face", shape: { kind: "keypoints", points } };
          const doc = {
            regions: [face], selection: new Set(["a"]), locked: new Set(), hidden: new Set(),
            change({ put }) { this.changed = put; },
          };
          const skeleton = { names: ["nose", "left_eye", "right_eye"], edges: [] };
          mirror({ doc, classes: [{ name: "face", skeleton }] });
          return doc.changed[0].shape.points;
        }""",
        browser_code.module_url(module),
    )
    assert points == [[24, 5, 2], [4, 8, 2], [30, 9, 1]]


def test_undo_and_redo_without_limit_survive_a_reload_and_belong_to_the_picture(editor: EditorDriver) -> None:
    here = editor.shown
    for number in range(12):
        editor.drag((CAT[0] + 5 * number, CAT[1]), (CAT[0] + 5 * number + 5, CAT[1]))
    after = editor.stored(lambda regions: abs(regions[0].shape.points[0][0] - 460) < 0.6)
    editor.wait_until_saved()
    editor.page.reload()
    editor.wait_for_picture(here)
    editor.press("q")
    for _ in range(12):
        editor.press("Control+z")
    editor.stored(lambda regions: [region.shape for region in regions] == [region.shape for region in SEED])
    editor.press("PageDown")
    until(editor.page, lambda: editor.shown != here)
    there = editor.shown
    editor.wait_for_picture(there)
    before = editor.regions(there)
    editor.press("Control+y")
    editor.page.wait_for_timeout(300)
    assert editor.regions(there) == before
    editor.turn_to(here, "PageUp")
    for _ in range(12):
        editor.press("Control+y")
    editor.stored(lambda regions: regions == after)


def test_hidden_and_locked_regions_are_left_alone(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("h")
    editor.drag(CAT, (430.0, 280.0))
    editor.press("Delete")
    editor.page.wait_for_timeout(300)
    assert [region.shape for region in editor.regions()] == [region.shape for region in SEED]
    editor.press("Escape", "Shift+H")
    editor.click(CAT)
    editor.press("Shift+L", "Delete")
    editor.drag(CAT, (430.0, 280.0))
    editor.page.wait_for_timeout(300)
    assert [region.shape for region in editor.regions()] == [region.shape for region in SEED]
    editor.press("Escape", "Shift+L")
    editor.drag(CAT, (CAT[0] + 10, CAT[1]))
    assert_at(points(editor), moved(SQUARE, 10, 0))


def test_a_drawing_tool_edits_the_selected_region_without_a_mode(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("p")
    editor.drag(SQUARE[0], (380.0, 240.0))
    assert_at(points(editor), [(380, 240), *SQUARE[1:]])
    inside = [(430.0, 280.0), (470.0, 280.0), (450.0, 320.0)]
    editor.polygon(inside)
    regions = editor.stored(lambda regions: len(regions) == 4)
    assert_at(regions[-1].shape.points, inside)


def test_an_ellipse_is_moved_and_turned(editor: EditorDriver) -> None:
    editor.drag(ELLIPSE, (200.0, 170.0))
    found = shape(editor, 2)
    assert isinstance(found, Ellipse)
    assert_at((found.cx, found.cy, found.rx, found.ry, found.theta), (200, 170, 100, 60, 0))


def test_the_brush_and_the_eraser_change_the_area(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("w")
    editor.drag((500.0, 300.0), (560.0, 300.0))
    grown = editor.stored(lambda regions: regions[0].shape != SEED[0].shape)[0]
    assert area(grown) > area(SEED[0]) + 300
    assert outline(grown).buffer(0.01).covers(outline(SEED[0]))
    editor.press("x")
    editor.drag((380.0, 300.0), (520.0, 300.0))
    cut = editor.stored(lambda regions: regions[0].shape != grown.shape)
    assert area(cut[0]) < area(grown) - 500
    assert outline(grown).buffer(0.01).covers(outline(cut[0]))
    editor.press("Control+z", "Control+z", "q")
    editor.stored(lambda regions: [region.shape for region in regions] == [region.shape for region in SEED])


def outline(region: Region) -> Any:
    """The shape as shapely's."""
    if isinstance(region.shape, Polygon):
        return Outline(region.shape.points)
    assert isinstance(region.shape, MultiPolygon)
    from shapely import unary_union

    return unary_union([Outline(part[0], part[1:]) for part in region.shape.parts])


def area(region: Region) -> float:
    return float(outline(region).area)


def test_cutting_along_a_line(editor: EditorDriver) -> None:
    editor.click(CAT)
    editor.press("g")
    for place in ((380.0, 280.0), (520.0, 330.0)):
        editor.click(place)
    editor.press("Enter")
    regions = editor.stored(lambda regions: len(regions) == 4)
    halves = [region for region in regions if region.class_name == "cat" and not isinstance(region.shape, Ellipse)]
    assert len(halves) == 2
    assert sum(map(area, halves)) == pytest.approx(area(SEED[0]), rel=1e-4)
    editor.press("q")


@pytest.mark.parametrize("key", ["m", "u", "i"])
def test_merging_subtracting_and_making_a_hole(editor: EditorDriver, key: str) -> None:
    inner = [(430.0, 280.0), (470.0, 280.0), (470.0, 380.0)] if key != "i" else [(430, 280), (470, 280), (450, 320)]
    editor.press("p")
    editor.polygon(inner)
    editor.stored(lambda regions: len(regions) == 4)
    editor.press("q", "Escape")
    editor.click((410.0, 340.0))
    editor.click((460.0, 285.0), ["Shift"])
    editor.press(key)
    both = Outline(SQUARE)
    second = Outline(inner)
    expected = both.union(second) if key == "m" else both.difference(second)
    regions = editor.stored(lambda regions: regions[0].shape != SEED[0].shape)
    assert outline(regions[0]).symmetric_difference(expected).area < 60


def test_a_box_and_a_circle_are_resized(editor: EditorDriver) -> None:
    editor.press("b")
    editor.drag((100.0, 400.0), (200.0, 500.0))
    editor.stored(lambda regions: len(regions) == 4)
    editor.press("q")
    editor.click((150.0, 450.0))
    editor.drag((200.0, 500.0), (240.0, 520.0))
    box = editor.stored(lambda regions: isinstance(regions[-1].shape, Rect) and regions[-1].shape.width > 120)[-1]
    assert_at((box.shape.x, box.shape.y, box.shape.width, box.shape.height), (100, 400, 140, 120))
    editor.press("o")
    editor.press("Escape")
    editor.press("o")
    editor.drag((350.0, 450.0), (380.0, 450.0))
    circle = editor.stored(lambda regions: len(regions) == 5)[-1].shape
    assert isinstance(circle, Circle)
    assert_at((circle.cx, circle.cy, circle.r), (350, 450, 30))
    editor.press("q")


@sweep
def test_done_and_next_unlabelled(editor: EditorDriver) -> None:
    here = editor.shown
    editor.press("d")
    until(editor.page, lambda: editor.image(here).done)
    editor.press("d")
    until(editor.page, lambda: not editor.image(here).done)
