"""Snapping, shared borders, border following, brush, cut and simplification in the editor, by real events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely

from maskrcnn.annotations.regions import MultiPolygon, Polygon, Region
from tests.browser.editor_driver import EditorDriver, until

LEFT = Polygon(((300.125, 100.0), (500.333, 120.0), (480.0, 250.777), (510.0, 400.0), (300.0, 400.0)))
RIGHT = Polygon(((500.333, 120.0), (700.0, 100.0), (700.0, 400.0), (510.0, 400.0), (480.0, 250.777)))
ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)
ROUND = Polygon(tuple(zip((150 + 60 * np.cos(ANGLES)).tolist(), (250 + 60 * np.sin(ANGLES)).tolist(), strict=True)))
SEED = (Region(LEFT, "cat", {"note": "kept"}), Region(RIGHT, "dog"), Region(ROUND, "cat"))


@pytest.fixture(scope="module")
def opened(new_editor: Callable[..., EditorDriver]) -> EditorDriver:
    return new_editor(SEED, pictures=20)


@pytest.fixture
def editor(opened: EditorDriver, kept_if_failed: Callable[[Any], None]) -> EditorDriver:
    """The editor on a picture that no other test has changed, with all modes off."""
    kept_if_failed(opened.page.context)
    opened.press("Escape", "Escape")
    opened.open(next(image.file_name for image in opened.project.images() if image.revision == 2))
    opened.press("q", "f")
    opened.wait_until_still()
    return opened


def area(region: Region) -> Any:
    shape = region.shape
    parts = shape.parts if isinstance(shape, MultiPolygon) else ((shape.points,),)  # type: ignore[union-attr]
    return shapely.MultiPolygon([(part[0], part[1:]) for part in parts])


def mode(editor: EditorDriver, key: str, name: str) -> None:
    """Switch a mode on."""
    editor.press(key)
    button = editor.page.locator(f'[data-action="{name}"]')
    until(editor.page, lambda: button.get_attribute("aria-pressed") == "true")


def test_a_shared_vertex_moves_in_both_regions(editor: EditorDriver) -> None:
    mode(editor, "y", "shared_borders")
    editor.click((400.0, 200.0))
    editor.drag((480.0, 250.777), (455.0, 270.0))
    regions = editor.stored(lambda regions: regions[0].shape != LEFT and regions[1].shape != RIGHT)
    left, right = area(regions[0]), area(regions[1])
    assert left.intersection(right).area == 0
    assert left.union(right).area == pytest.approx(area(SEED[0]).union(area(SEED[1])).area, abs=1e-7)
    assert shapely.Point(455, 270).distance(left.boundary) < 0.6
    editor.press("Control+z")  # one step for both
    editor.stored(lambda regions: [region.shape for region in regions] == [region.shape for region in SEED])


def test_a_vertex_is_inserted_and_deleted_in_both_regions(editor: EditorDriver) -> None:
    mode(editor, "y", "shared_borders")
    editor.click((400.0, 200.0))
    middle = ((500.333 + 480) / 2 + 3.05, (120 + 250.777) / 2 - 19.6)
    editor.double_click(middle)
    regions = editor.stored(lambda regions: len(regions[0].shape.points) == 6 and len(regions[1].shape.points) == 6)
    assert area(regions[0]).intersection(area(regions[1])).area == 0
    (new,) = set(regions[0].shape.points) - set(LEFT.points)
    assert new in regions[1].shape.points
    editor.click(new, ["Alt"])
    editor.stored(lambda regions: len(regions[0].shape.points) == len(regions[1].shape.points) == 5)


def test_a_drawn_vertex_snaps_to_a_neighbours_exact_vertex(editor: EditorDriver) -> None:
    mode(editor, "s", "snap")
    editor.press("p")
    px = 1 / editor.camera().scale
    editor.polygon([(700 + 3 * px, 100 - 2 * px), (700 + 3 * px, 300.0), (800.0, 300.0), (800.0, 100.0)])
    drawn = editor.stored(lambda regions: len(regions) == 4)[3]
    assert drawn.shape.points[0] == (700, 100)
    assert drawn.shape.points[1] == (700, pytest.approx(300, abs=0.6))
    assert area(drawn).intersection(area(SEED[1])).area == 0


def test_an_outline_follows_a_neighbours_border(editor: EditorDriver) -> None:
    mode(editor, "s", "snap")
    editor.press("p")
    editor.click((300.125, 100.0))
    editor.page.keyboard.down("Shift")
    editor.click((510.0, 400.0))
    editor.page.keyboard.up("Shift")
    editor.click((250.0, 450.0))
    editor.press("Enter")
    drawn = editor.stored(lambda regions: len(regions) == 4)[3]
    assert drawn.shape.points[:4] == LEFT.points[:4]  # the shorter way
    editor.press("p")
    editor.click((300.125, 100.0))
    editor.page.keyboard.down("Shift")
    editor.move((512.0, 398.0))
    editor.page.keyboard.press("Tab")
    editor.click((510.0, 400.0))
    editor.page.keyboard.up("Shift")
    editor.click((250.0, 450.0))
    editor.press("Enter")
    drawn = editor.stored(lambda regions: len(regions) == 5)[4]
    assert drawn.shape.points[:3] == ((300.125, 100), (300, 400), (510, 400))
    assert area(drawn).intersection(area(SEED[0])).area == 0


def test_a_cut_goes_through_all_regions_that_it_crosses(editor: EditorDriver) -> None:
    editor.press("g")
    editor.drag((260.0, 300.0), (740.0, 320.0))
    regions = editor.stored(lambda regions: len(regions) == 5)
    assert [region.class_name for region in regions] == ["cat", "cat", "dog", "dog", "cat"]
    assert regions[0].attributes == regions[1].attributes == {"note": "kept"}
    for number, whole in enumerate(SEED[:2]):
        pieces = [area(region) for region in regions[2 * number : 2 * number + 2]]
        assert pieces[0].intersection(pieces[1]).area == pytest.approx(0, abs=1e-9)
        assert sum(piece.area for piece in pieces) == pytest.approx(area(whole).area, abs=1e-6)
    editor.press("Control+z")
    editor.stored(lambda regions: [region.shape for region in regions] == [region.shape for region in SEED])


def test_a_long_stroke_that_the_system_ends_stays_and_a_short_one_goes(editor: EditorDriver) -> None:
    editor.press("w")
    editor.touch([[(700.0, 500.0), (800.0, 500.0)]], steps=1, cancelled_after=0)
    editor.touch([[(600.0, 450.0), (800.0, 450.0)]], cancelled_after=0.3)
    painted = area(editor.stored(lambda regions: len(regions) == 4)[3])
    assert painted.distance(shapely.Point(700, 450)) == 0
    assert painted.bounds[3] < 500


def test_a_stroke_of_the_brush_is_a_new_region_and_the_eraser_takes_from_it(editor: EditorDriver) -> None:
    editor.press("w")
    editor.drag((200.0, 500.0), (400.0, 500.0))
    painted = editor.stored(lambda regions: len(regions) == 4)[3]
    radius = (painted_height := shapely.bounds(area(painted))[3] - shapely.bounds(area(painted))[1]) / 2
    assert radius * editor.camera().scale == pytest.approx(12, abs=1)
    editor.page.keyboard.press("}")
    editor.drag((300.0, 500.0), (300.0, 501.0))
    wider = editor.stored(lambda regions: regions[3].shape != painted.shape)[3]
    assert shapely.bounds(area(wider))[3] - shapely.bounds(area(wider))[1] > painted_height
    editor.press("x")
    editor.drag((300.0, 460.0), (300.0, 540.0))
    cut = editor.stored(lambda regions: regions[3].shape != wider.shape)[3]
    assert isinstance(cut.shape, MultiPolygon)
    assert len(cut.shape.parts) == 2


def test_a_stroke_without_a_connection_is_painted_later_and_asks_before_the_page_ends(editor: EditorDriver) -> None:
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    editor.press("w")
    editor.page.context.set_offline(True)
    editor.drag((200.0, 500.0), (400.0, 500.0))
    editor.page.get_by_text("No connection: the stroke is added when there is one again").wait_for()
    editor.page.once("dialog", stay)
    editor.page.evaluate("setTimeout(() => location.reload())")
    until(editor.page, lambda: asked == ["beforeunload"])
    assert len(editor.regions()) == 3
    editor.page.context.set_offline(False)
    editor.stored(lambda regions: len(regions) == 4, seconds=15)


def test_simplifying_shows_the_numbers_and_is_one_step(editor: EditorDriver) -> None:
    editor.click((150.0, 250.0))
    editor.press("Shift+S")
    words = editor.page.locator('[data-simplify="words"]')
    until(editor.page, lambda: "120 → " in (words.text_content() or ""))
    before = words.text_content()
    editor.page.keyboard.press("ArrowRight")
    editor.page.keyboard.press("ArrowRight")
    until(editor.page, lambda: words.text_content() != before)
    said = words.text_content()
    editor.page.keyboard.press("Enter")
    region = editor.stored(lambda regions: regions[2].shape != ROUND)[2]
    vertices = len(region.shape.points)
    one, other = area(region), area(SEED[2])
    iou = one.intersection(other).area / one.union(other).area
    assert f"{vertices} vertices, IoU {iou:.3f}" in said
    editor.press("Control+z")
    editor.stored(lambda regions: regions[2].shape == ROUND)


def test_operations_that_do_not_apply_say_so(editor: EditorDriver) -> None:
    editor.click((150.0, 250.0))
    editor.press("m")
    editor.page.get_by_text("select 2 or more regions").first.wait_for()
    editor.click((600.0, 200.0), ["Shift"])
    editor.press("u")
    editor.page.get_by_text("do not overlap").first.wait_for()
    editor.press("i")
    editor.page.get_by_text("not inside the region").first.wait_for()
    assert [region.shape for region in editor.regions()] == [region.shape for region in SEED]
