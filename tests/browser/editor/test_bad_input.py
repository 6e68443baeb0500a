"""Pictures and labels at the limits: what is wrong is told in one line beside the picture, and the editor goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Circle, Polygon, Rect, Region
from tests.browser.editor_driver import VIEW, EditorDriver, until
from tests.sweeps import sweep

SQUARE = ((400.0, 250.0), (500.0, 250.0), (500.0, 350.0), (400.0, 350.0))
CENTRE = (450.0, 300.0)


@pytest.fixture
def editor(new_editor: Callable[..., EditorDriver], kept_if_failed: Callable[[Any], None]) -> EditorDriver:
    driver = new_editor([Region(Polygon(SQUARE), "cat")], pictures=3)
    kept_if_failed(driver.page.context)
    return driver


def words_beside(editor: EditorDriver) -> str:
    """All words of the editor."""
    return str(editor.view.evaluate("(view) => view.closest('.editor').innerText"))


def answers(editor: EditorDriver, seconds: float = 2) -> None:
    """The window does not hang."""
    start = time.monotonic()
    editor.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert time.monotonic() - start < seconds


def test_a_picture_that_vanished_is_told_and_its_labels_stay(editor: EditorDriver) -> None:
    before = editor.regions("p001.jpg")
    editor.project.picture(editor.image("p001.jpg").id).unlink()
    editor.page.reload()
    editor.wait_for_picture("p000.jpg")
    editor.press("PageDown")
    until(editor.page, lambda: "p001.jpg" in words_beside(editor) and "image=p001.jpg" in editor.page.url)
    assert editor.regions("p001.jpg") == before
    editor.press("PageDown")
    editor.wait_for_picture("p002.jpg")


def test_a_picture_that_another_tab_removed_is_told(editor: EditorDriver) -> None:
    editor.press("PageDown")
    editor.wait_for_picture("p001.jpg")
    editor.press("PageUp")
    editor.wait_for_picture("p000.jpg")
    until(editor.page, lambda: "image=p000.jpg" in editor.page.url)
    editor.project.set_removed(editor.image("p001.jpg").id, True)
    editor.press("PageDown")  # it is still open here, so it is shown at once
    until(editor.page, lambda: "/ 2" in words_beside(editor))
    assert editor.shown != "p001.jpg"
    until(editor.page, lambda: "p001.jpg was removed from the project" in words_beside(editor))


def test_edits_of_a_picture_that_another_tab_removed_are_kept_and_told(editor: EditorDriver) -> None:
    image = editor.image()
    editor.project.set_removed(image.id, True)
    editor.press("p")
    editor.polygon([(100.0, 100.0), (200.0, 100.0), (200.0, 200.0)])
    told = "p000.jpg was removed from the project, and can be restored under Dataset > Pictures"
    until(editor.page, lambda: told in words_beside(editor) and "in a removed picture" in words_beside(editor))
    assert len(editor.project.regions(image.id)[0]) == 2
    editor.project.set_removed(image.id, False)
    editor.page.evaluate("window.dispatchEvent(new Event('focus'))")  # as after restoring it in another tab
    until(editor.page, lambda: "p000.jpg is in the project again" in words_beside(editor))
    assert "removed" not in words_beside(editor)


def test_a_stroke_in_the_middle_of_which_the_connection_is_lost(editor: EditorDriver) -> None:
    editor.page.mouse.move(*editor.at(CENTRE))
    editor.page.mouse.down()
    editor.page.mouse.move(*editor.at((460.0, 300.0)), steps=3)
    editor.page.context.set_offline(True)
    editor.page.mouse.move(*editor.at((480.0, 310.0)), steps=3)
    editor.page.mouse.up()
    until(editor.page, lambda: editor.status in ("unsaved", "saving"))
    editor.press("p")
    editor.polygon([(100.0, 100.0), (200.0, 100.0), (200.0, 200.0)])
    editor.page.wait_for_timeout(500)
    assert len(editor.regions()) == 1
    editor.page.context.set_offline(False)
    regions = editor.stored(lambda regions: len(regions) == 2, seconds=20)
    assert np.abs(np.array(regions[0].shape.points) - np.array(SQUARE) - (30, 10)).max() < 0.5
    editor.wait_until_saved()


def test_a_picture_that_was_left_unsaved_is_told_beside_the_next_one(editor: EditorDriver) -> None:
    editor.page.route("**/pictures/*/edit", lambda route: route.abort())
    editor.press("p")
    editor.polygon([(100.0, 100.0), (200.0, 100.0), (200.0, 200.0)])
    until(editor.page, lambda: editor.status == "unsaved")
    editor.press("Escape")
    editor.turn_to("p001.jpg")
    until(editor.page, lambda: "1 other picture not saved yet" in words_beside(editor))
    editor.page.unroute("**/pictures/*/edit")
    until(editor.page, lambda: "1 other picture" not in words_beside(editor), 20)
    assert len(editor.regions("p000.jpg")) == 2


@sweep
def test_a_picture_of_one_pixel_and_a_region_outside(editor: EditorDriver) -> None:
    editor.project.add_pictures([("q1.png", cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes())], "train")
    image = editor.image("q1.png")
    far = Region(Rect(-500, -400, 100, 50), "cat")
    editor.project.save(image.id, [far], image.revision)
    editor.open("q1.png")
    editor.press("b")
    editor.drag((0.2, 0.2), (0.8, 0.7))
    found = editor.stored(lambda regions: len(regions) == 2)
    assert found[0] == far
    assert isinstance(found[1].shape, Rect)
    assert (found[1].shape.x, found[1].shape.y) == pytest.approx((0.2, 0.2), abs=0.02)
    editor.press("q", "Control+a", "Delete")
    editor.stored(lambda regions: regions == ())


@sweep
def test_five_thousand_vertices_are_edited(editor: EditorDriver) -> None:
    angles = np.linspace(0, 2 * math.pi, 5000, endpoint=False)
    ring = tuple((450 + 250 * math.cos(a), 300 + 250 * math.sin(a)) for a in angles)
    image = editor.image("p001.jpg")
    editor.project.save(image.id, [Region(Polygon(ring), "cat")], image.revision)
    editor.open("p001.jpg")
    answers(editor)
    editor.click((600.0, 300.0))
    start = editor.at(ring[0])
    editor.page.mouse.move(*start)
    editor.page.mouse.down()
    editor.page.mouse.move(start[0] + 30, start[1], steps=10)
    answers(editor)
    editor.page.mouse.up()
    (moved,) = editor.stored(lambda regions: regions[0].shape.points != ring)
    assert len(moved.shape.points) == 5000
    assert moved.shape.points[0][0] > ring[0][0] + 15


@sweep
def test_two_thousand_regions_are_selected_moved_and_undone(editor: EditorDriver) -> None:
    circles = [Region(Circle(9 + 14 * (n % 63), 9 + 18 * (n // 63), 5), "cat") for n in range(2000)]
    image = editor.image("p001.jpg")
    editor.project.save(image.id, circles, image.revision)
    editor.open("p001.jpg")
    answers(editor)
    editor.click((9.0, 9.0))
    editor.press("Delete")
    editor.stored(lambda regions: len(regions) == 1999)
    editor.press("Control+z")
    editor.stored(lambda regions: list(regions) == circles)
    editor.press("Control+a", "Shift+ArrowRight")
    moved = editor.stored(lambda regions: regions[0].shape != circles[0].shape, seconds=20)
    assert all(after.shape.cx == pytest.approx(b.shape.cx + 10) for after, b in zip(moved, circles, strict=True))
    answers(editor)


@sweep
def test_a_panorama_of_a_hundred_megapixels_is_shown_and_sharp(editor: EditorDriver) -> None:
    row = np.linspace(0, 255, 20_000, dtype=np.uint8)
    content = cv2.imencode(".jpg", np.broadcast_to(row, (5_000, 20_000)))[1].tobytes()
    editor.project.add_pictures([("r1.jpg", content)], "train")
    editor.page.set_default_timeout(60_000)
    editor.open("r1.jpg")
    answers(editor)
    editor.zoom_to((15_000, 2_500), 4)
    editor.page.locator(f'{VIEW}[data-sharp="true"]').wait_for()
    answers(editor)
    editor.press("p")
    corners = [(14_990.0, 2_490.0), (15_010.0, 2_490.0), (15_010.0, 2_510.0)]
    editor.polygon(corners)
    (drawn,) = editor.stored(lambda regions: len(regions) == 1)
    assert np.abs(np.array(drawn.shape.points) - np.array(corners)).max() < 0.5


@sweep
def test_a_stale_tab_loses_nothing(editor: EditorDriver) -> None:
    """Another person has saved the same picture: both versions are kept, and the choice is shown."""
    image = editor.image()
    other = Region(Rect(10, 10, 30, 30), "cat")
    editor.project.save(image.id, [*editor.regions(), other], image.revision)
    editor.drag(CENTRE, (480.0, 310.0))
    until(editor.page, lambda: editor.status in ("saved", "conflict"), 15)
    if editor.status == "saved":  # the two edits do not touch each other
        regions = editor.stored(lambda regions: len(regions) == 2)
        assert other in regions
