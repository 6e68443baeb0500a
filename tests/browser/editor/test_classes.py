"""The list of classes and the form of attributes, when another tab or somebody else's file gives something to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import ProjectClass
from tests.browser.editor_driver import EditorDriver, until

SQUARE = ((400.0, 250.0), (500.0, 250.0), (500.0, 350.0), (400.0, 350.0))


@pytest.fixture(scope="module")
def shared(new_editor: Callable[..., EditorDriver]) -> EditorDriver:
    editor = new_editor([Region(Polygon(SQUARE), "cat", {"note": "old"})], pictures=4)
    editor.project.set_classes([ProjectClass("dog", "#56b4e9", "2"), ProjectClass("cat", "#e69f00", "1")])
    return editor


@pytest.fixture
def editor(shared: EditorDriver, kept_if_failed: Callable[..., None]) -> EditorDriver:
    kept_if_failed(shared.page.context)
    return shared


def names(editor: EditorDriver) -> list[str]:
    return [row.get_attribute("data-class") for row in editor.page.locator(".class-row").all()]


def test_a_class_that_another_tab_renames_is_not_made_again_by_its_old_name(editor: EditorDriver) -> None:
    editor.open("p000.jpg")
    until(editor.page, lambda: names(editor) == ["dog", "cat"])
    editor.press("1")
    editor.project.rename_class("cat", "kitten")
    # The window is always in front for the browser of the tests, so it is told of the focus.
    editor.page.evaluate("window.dispatchEvent(new Event('focus'))")
    until(editor.page, lambda: names(editor) == ["dog", "kitten"])
    editor.tool("b")
    editor.drag((100, 100), (200, 180))
    regions = editor.stored(lambda found: len(found) == 2)
    assert [region.class_name for region in regions] == ["kitten", "kitten"]
    assert [entry.name for entry in editor.project.classes()] == ["dog", "kitten"]


def test_escape_closes_the_question_about_a_similar_class(editor: EditorDriver) -> None:
    editor.open("p001.jpg")
    form = editor.page.locator(".class-form")
    editor.page.get_by_role("button", name="Add class").click()
    editor.page.keyboard.type("Dog")
    editor.press("Enter")
    editor.page.get_by_role("button", name="Use “dog”").wait_for()
    editor.press("Escape")
    form.wait_for(state="hidden")
    assert "Dog" not in [entry.name for entry in editor.project.classes()]


def test_an_attribute_without_a_definition_is_edited_as_text(editor: EditorDriver) -> None:
    editor.open("p002.jpg")
    editor.select((450, 300))
    field = editor.page.get_by_label("note")
    assert field.input_value() == "old"
    field.fill("new, ö")
    editor.press("Enter")
    editor.stored(lambda found: found[0].attributes == {"note": "new, ö"})
