"""Help from the machine in the editor, by real events: boxes become outlines, lines follow edges, suggestions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Circle, Polygon, Rect, Region, Shape
from tests.browser.editor_driver import EditorDriver
from tests.sweeps import sweep

HEIGHT, WIDTH = 240, 320
LEFT, RIGHT = Circle(90, 120, 50), Circle(230, 120, 50)
LEFT_BOX = ((40.0, 70.0), (140.0, 170.0))


def discs() -> bytes:
    """A picture with a red and a blue disc."""
    pixels = np.full((HEIGHT, WIDTH, 3), (90, 120, 90), np.uint8)
    pixels[raster.mask(LEFT, HEIGHT, WIDTH)] = (60, 60, 220)
    pixels[raster.mask(RIGHT, HEIGHT, WIDTH)] = (220, 60, 60)
    noise = np.random.default_rng(0).normal(0, 4, pixels.shape)
    return cv2.imencode(".png", np.clip(pixels + noise, 0, 255).astype(np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def driver(new_editor: Callable[..., EditorDriver]) -> EditorDriver:
    made = new_editor(pictures=1)
    names = [f"disc{number:02}.png" for number in range(20)]
    made.project.add_pictures([(name, discs()) for name in names], "train")
    return made


@pytest.fixture
def editor(driver: EditorDriver, kept_if_failed: Callable[[Any], None]) -> EditorDriver:
    """The editor on a picture of discs that no other test has."""
    kept_if_failed(driver.page.context)
    empty = (image.file_name for image in driver.project.images() if image.status == "new")
    driver.open(next(name for name in empty if name.startswith("disc")))
    return driver


def hint(editor: EditorDriver, name: str) -> Any:
    return editor.page.locator(f'[data-hint="{name}"]')


def outlined(editor: EditorDriver) -> None:
    """Wait until an outline is offered."""
    hint(editor, "accept").wait_for(state="visible")


def iou(shape: Shape, truth: Shape) -> float:
    found, inside = (raster.mask(each, HEIGHT, WIDTH) for each in (shape, truth))
    return float((found & inside).sum() / (found | inside).sum())


def stored(editor: EditorDriver, count: int = 1) -> tuple[Region, ...]:
    return editor.stored(lambda regions: len(regions) == count)


def test_a_box_becomes_an_outline(editor: EditorDriver) -> None:
    editor.press("Shift+B")
    editor.drag(*LEFT_BOX)
    outlined(editor)
    assert not editor.regions()
    editor.press("Enter")
    (region,) = stored(editor)
    assert isinstance(region.shape, Polygon)
    assert iou(region.shape, LEFT) > 0.93
    assert len(region.shape.points) <= 40


def test_enter_before_the_answer_accepts_it_when_it_comes(editor: EditorDriver) -> None:
    editor.press("Shift+B")
    editor.drag(*LEFT_BOX)
    editor.press("Enter")
    assert iou(stored(editor)[0].shape, LEFT) > 0.93


def test_a_box_that_was_drawn_becomes_an_outline_and_stays_the_same_region(editor: EditorDriver) -> None:
    editor.press("b")
    editor.drag(*LEFT_BOX)
    (before,) = stored(editor)
    assert isinstance(before.shape, Rect)
    editor.press("Shift+O")
    outlined(editor)
    editor.press("Enter")
    (after,) = editor.stored(lambda regions: isinstance(regions[0].shape, Polygon))
    assert (after.id, after.class_name) == (before.id, before.class_name)
    assert iou(after.shape, LEFT) > 0.93


def test_clicks_add_and_take_away(editor: EditorDriver) -> None:
    editor.press("Shift+B")
    editor.drag((38.0, 68.0), (282.0, 172.0))
    outlined(editor)
    editor.drag((200.0, 120.0), (260.0, 120.0), modifiers=["Alt"])
    editor.drag((60.0, 120.0), (120.0, 120.0))
    editor.press("Enter")
    assert iou(stored(editor)[0].shape, LEFT) > 0.85


def test_escape_drops_the_outline(editor: EditorDriver) -> None:
    editor.press("Shift+B")
    editor.drag(*LEFT_BOX)
    outlined(editor)
    editor.press("Escape")
    hint(editor, "accept").wait_for(state="hidden")
    assert not editor.regions()


def test_the_slider_shows_vertices_and_iou(editor: EditorDriver) -> None:
    editor.press("Shift+B")
    editor.drag(*LEFT_BOX)
    outlined(editor)
    hint(editor, "simplify").fill("60")
    editor.page.wait_for_function(
        """() => [...document.querySelectorAll("*")].some((node) =>
             /vertices, IoU 0/.test((node.shadowRoot ?? node).querySelector("[data-hint=words]")?.textContent ?? ""))"""
    )
    hint(editor, "accept").click()
    (region,) = stored(editor)
    assert isinstance(region.shape, Polygon)
    assert len(region.shape.points) < 20


def test_a_box_that_is_not_accepted_comes_back_after_a_reload(editor: EditorDriver) -> None:
    editor.press("Shift+B")
    editor.drag(*LEFT_BOX)
    outlined(editor)
    editor.open(editor.shown)
    outlined(editor)
    editor.press("Enter")
    assert iou(stored(editor)[0].shape, LEFT) > 0.93


def test_lines_follow_edges_and_no_click_waits_for_them(editor: EditorDriver) -> None:
    editor.press("Shift+E", "p")
    places = [(90.0, 70.0), (140.0, 120.0), (90.0, 170.0), (40.0, 120.0), (70.0, 74.0)]
    for place in places:
        editor.click(place)
    editor.page.wait_for_timeout(1500)
    editor.press("Enter", "Shift+E")
    (region,) = stored(editor)
    assert isinstance(region.shape, Polygon)
    assert len(region.shape.points) > len(places) + 6
    for x, y in places:
        assert min(np.hypot(px - x, py - y) for px, py in region.shape.points) < 0.5
    assert iou(region.shape, LEFT) > 0.93


QUARTERS = [(90.0, 70.0), (140.0, 120.0), (90.0, 170.0), (40.0, 120.0)]
"""Places on the edge of the left disc."""


@pytest.mark.parametrize("close", ["Enter", pytest.param("double", marks=sweep), pytest.param("first", marks=sweep)])
def test_the_last_edge_follows_the_picture_too(editor: EditorDriver, close: str) -> None:
    editor.press("Shift+E", "p")
    editor.polygon(QUARTERS, close)
    (region,) = editor.stored(lambda regions: regions and iou(regions[0].shape, LEFT) > 0.97)
    traced = len(region.shape.points)
    editor.press("Control+z")  # the traced edges first, then the outline
    editor.stored(lambda regions: regions and len(regions[0].shape.points) < traced)
    editor.press("Control+y")
    editor.stored(lambda regions: len(regions[0].shape.points) == traced)
    editor.press("Shift+E")


@pytest.mark.parametrize("answer", ["no", pytest.param("late", marks=sweep)])
def test_an_outline_whose_last_edge_is_not_traced_ends_straight_without_a_word(
    editor: EditorDriver, answer: str
) -> None:
    def path(route: Any) -> None:
        if answer == "late":
            editor.page.wait_for_timeout(2500)
            route.continue_()
        else:
            route.fulfill(status=500, body="")

    editor.press("Shift+E", "p")
    editor.polygon(QUARTERS, close="")
    editor.page.wait_for_timeout(1000)
    editor.page.route("**/hints/path", path)
    editor.press("Enter")
    (before,) = stored(editor)
    editor.page.wait_for_timeout(3000 if answer == "late" else 300)
    assert editor.regions() == (before,)
    assert before.shape.points[-1] == pytest.approx(QUARTERS[-1], abs=0.5)
    assert editor.page.get_by_text("Edges:").count() == 0
    editor.page.unroute("**/hints/path")
    editor.press("Shift+E")


def test_suggestions_are_accepted_thrown_away_and_corrected(editor: EditorDriver) -> None:
    hint(editor, "network").select_option("shipped/toy")
    count = hint(editor, "count")
    count.filter(has_text="2 suggested").wait_for(timeout=60_000)
    assert not editor.regions()
    editor.move((90.0, 120.0))
    editor.press("a")
    (region,) = stored(editor)
    assert region.source == "model"
    assert region.score is not None
    assert iou(region.shape, LEFT) > 0.85
    count.filter(has_text="1 suggested").wait_for()
    editor.press("Shift+X")
    count.filter(has_text="0 suggested").wait_for()
    editor.press("Shift+ArrowRight")  # a person moves it: it is a person's now
    (moved,) = editor.stored(lambda regions: regions[0].source == "human")
    assert moved.score is None
    hint(editor, "again").click()
    count.filter(has_text="1 suggested").wait_for()
    hint(editor, "network").select_option("")


def test_the_choice_of_an_optional_package_says_how_to_get_it(editor: EditorDriver) -> None:
    hint(editor, "way").select_option("how")
    editor.page.get_by_text("pip install osam").wait_for()
    assert hint(editor, "way").input_value() == "colours"
