"""The keyboard alone labels pictures; what has the focus is visible; each control has a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import ProjectClass
from tests.browser.editor_driver import EditorDriver, until

SQUARE = ((400.0, 250.0), (500.0, 250.0), (500.0, 350.0), (400.0, 350.0))


@pytest.fixture(scope="module")
def window(new_editor: Callable[..., EditorDriver]) -> EditorDriver:
    driver = new_editor([Region(Polygon(SQUARE), "cat")], pictures=3)
    driver.project.set_classes([ProjectClass("cat", "#e69f00", "1"), ProjectClass("dog", "#56b4e9", "2")])
    driver.open("p000.jpg")
    return driver


@pytest.fixture
def editor(window: EditorDriver, kept_if_failed: Callable[[Any], None]) -> EditorDriver:
    kept_if_failed(window.page.context)
    return window


def test_a_picture_is_labelled_by_keys_alone(editor: EditorDriver) -> None:
    """Tab reaches the picture; arrows move a cross over it, Enter sets a vertex there."""
    reach_the_picture(editor)
    editor.press("2", "p")
    for keys in (["Shift+ArrowLeft"] * 3, ["Shift+ArrowRight"] * 4, ["Shift+ArrowDown"] * 4):
        editor.press(*keys, "Space")
    editor.press("Enter")
    drawn = editor.stored(lambda regions: len(regions) == 2)[1]
    assert drawn.class_name == "dog"
    assert isinstance(drawn.shape, Polygon)
    assert len(drawn.shape.points) == 3
    (x0, y0), (x1, y1), (x2, y2) = drawn.shape.points
    assert x1 > x0
    assert y1 == pytest.approx(y0, abs=0.5)
    assert x2 == pytest.approx(x1, abs=0.5)
    assert y2 > y1
    # Select, move, give another class, delete, undo, next picture, done.
    editor.press("q", "Escape", "Control+a", "ArrowRight")
    editor.stored(lambda regions: regions[0].shape.points[0][0] == pytest.approx(401, abs=0.01))
    editor.press("1")
    editor.stored(lambda regions: [region.class_name for region in regions] == ["cat", "cat"])
    editor.press("Delete")
    editor.stored(lambda regions: regions == ())
    editor.press("Control+z")
    editor.stored(lambda regions: len(regions) == 2)
    editor.press("Escape", "d")
    until(editor.page, lambda: editor.image("p000.jpg").done)
    editor.press("PageDown")
    until(editor.page, lambda: editor.shown == "p001.jpg")


def reach_the_picture(editor: EditorDriver) -> None:
    for _ in range(60):
        editor.press("Tab")
        if editor.view.evaluate("(element) => element.getRootNode().activeElement === element"):
            return
    raise AssertionError("Tab does not reach the picture")


CONTROLS = """(view) => {
  const root = view.getRootNode();
  const all = [...root.querySelectorAll('button, input, select, textarea, [role], [tabindex]')];
  const controls = all.filter((element) => element.checkVisibility() && element.tabIndex >= 0);
  const seen = (element) => {  // without icons, whose text is the name of a symbol
    const copy = element.cloneNode(true);
    copy.querySelectorAll('[aria-hidden=true]').forEach((part) => part.remove());
    return copy.textContent;
  };
  const words = (element) => [
    element.getAttribute('aria-label'),
    ...(element.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => root.getElementById?.(id)?.textContent),
    ...[...(element.labels ?? [])].map((label) => label.textContent),
    seen(element),
    element.title,
  ].filter(Boolean).join('').trim();
  return controls.map((element) => ({ html: element.outerHTML.slice(0, 120), words: words(element) }));
}"""


def test_each_control_has_a_name(editor: EditorDriver) -> None:
    controls = editor.view.evaluate(CONTROLS)
    assert len(controls) >= 10
    assert [control["html"] for control in controls if not control["words"]] == []
    assert editor.view.get_attribute("aria-label")


def test_what_has_the_focus_is_visible(editor: EditorDriver) -> None:
    """Each control that Tab reaches looks different with the focus."""
    look = """(view) => {
      const element = view.getRootNode().activeElement;
      if (!element) return null;
      const style = getComputedStyle(element);
      const html = element.outerHTML.slice(0, 100);
      return { html, outline: style.outlineStyle, width: parseFloat(style.outlineWidth),
               shadow: style.boxShadow };
    }"""
    seen: dict[str, bool] = {}
    for _ in range(40):
        editor.press("Tab")
        found = editor.view.evaluate(look)
        if found:
            ring = found["outline"] != "none" and found["width"] >= 1
            seen[found["html"]] = ring or found["shadow"] != "none"
    assert len(seen) >= 5
    assert [html for html, visible in seen.items() if not visible] == []


def test_the_sheet_lists_all_keys_and_streamlits_own_are_not_bound(editor: EditorDriver) -> None:
    before = editor.regions()
    editor.press("?")
    sheet = editor.page.get_by_role("dialog")
    sheet.wait_for()
    words = sheet.inner_text().lower()
    for verb in ("polygon", "box", "undo", "next", "delete", "full screen"):
        assert verb in words
    editor.press("Escape")
    sheet.wait_for(state="detached")
    editor.press("Shift+R", "Shift+C")
    assert editor.regions() == before
