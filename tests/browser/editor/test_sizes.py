"""The window belongs to the picture: how large it is shown on Annotate, and in full screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.editor_driver import EditorDriver, until
from tests.sweeps import one_in

PHOTO = (1500, 1000)


def shown_size(editor: EditorDriver, picture: tuple[int, int] = PHOTO) -> tuple[float, float, float, float]:
    """Left, top, width and height of the picture in the window, CSS px."""
    camera = editor.camera()
    left, top = camera.to_window((0, 0))
    right, bottom = camera.to_window(picture)
    return left, top, right - left, bottom - top


@pytest.fixture(scope="module")
def window(new_editor: Callable[..., EditorDriver]) -> EditorDriver:
    return new_editor(pictures=2, size=PHOTO)


@pytest.fixture
def wide(window: EditorDriver, kept_if_failed: Callable[[Any], None]) -> EditorDriver:
    """The editor on a photo of 3:2 in a window of 1400 x 900."""
    kept_if_failed(window.page.context)
    window.page.set_viewport_size({"width": 1400, "height": 900})
    window.turn_to("p000.jpg", "PageUp")
    return window


def test_a_photo_is_at_least_950_px_wide_and_wholly_in_the_window(wide: EditorDriver) -> None:
    left, top, width, height = shown_size(wide)
    assert width >= 950
    assert left >= 0
    assert top >= 0
    assert left + width <= 1400
    assert top + height <= 900
    # It keeps its place when it is another picture's turn, and after a reload.
    wide.press("PageDown")
    wide.wait_for_picture("p001.jpg")
    assert shown_size(wide) == pytest.approx((left, top, width, height), abs=1)


def test_in_full_screen_the_picture_fills_the_window(wide: EditorDriver) -> None:
    wide.page.set_viewport_size({"width": 1920, "height": 1080})
    wide.wait_until_still()
    before = shown_size(wide)
    wide.press("Shift+Enter")
    until(wide.page, lambda: shown_size(wide)[3] > before[3] + 20)
    wide.wait_until_still()
    _, _, width, height = shown_size(wide)
    assert height >= 0.97 * 1080 or width >= 0.97 * 1920
    box = wide.view.bounding_box()
    assert (box["x"], box["y"]) == pytest.approx((0, 0), abs=2)
    assert (box["width"], box["height"]) == pytest.approx((1920, 1080), abs=4)
    wide.press("Shift+Enter")
    until(wide.page, lambda: shown_size(wide)[3] == pytest.approx(before[3], abs=2))


@pytest.mark.parametrize(("width", "height"), one_in(2, [(820, 1180), (1366, 768), (390, 844)]))
def test_nothing_is_cut_off_in_other_windows(wide: EditorDriver, width: int, height: int) -> None:
    wide.page.set_viewport_size({"width": width, "height": height})
    wide.page.wait_for_timeout(300)
    wide.wait_until_still()
    left, _, shown, _ = shown_size(wide)
    assert left >= -1
    assert left + shown <= width + 1
    assert shown >= 0.4 * width
    assert wide.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_small_window_as_at_150_percent_leaves_most_of_the_height_to_the_picture(wide: EditorDriver) -> None:
    wide.page.set_viewport_size({"width": 911, "height": 433})
    wide.page.wait_for_timeout(300)
    wide.wait_until_still()
    assert wide.view.bounding_box()["height"] >= 0.5 * 433
    assert wide.page.locator(".panel").is_visible()
