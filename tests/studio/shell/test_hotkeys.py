"""Shortcuts: one table, from which the listener and the sheet are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from maskrcnn.annotations.store import ProjectClass
from maskrcnn.studio.annotate.simple_canvas import class_picker
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.hotkeys import Shortcut

TABLES = {"annotate": hotkeys.ANNOTATE, "predictions": hotkeys.PREDICTIONS, "compare": hotkeys.COMPARE}


class Component:
    """Stands for the component in the browser: keeps what it was given, and presses keys."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __call__(self, *, key: str, data: dict[str, Any], on_pressed_change: Callable[[], None], **_: Any) -> None:
        self.key, self.data, self.report = key, data, on_pressed_change

    def press(self, name: str, serial: str) -> None:
        self.state[self.key] = {"pressed": {"serial": serial, "action": self.data["bindings"][name]}}
        self.report()


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> Component:
    state: dict[str, Any] = {}
    made = Component(state)
    monkeypatch.setattr(hotkeys.st, "session_state", state)
    monkeypatch.setattr(hotkeys, "_listener", made)
    return made


def actions(shortcuts: tuple[Shortcut, ...], done: list[str]) -> dict[str, Callable[[], None]]:
    return {
        entry.action: (lambda action=entry.action: done.append(action))  # type: ignore[misc]
        for entry in shortcuts
        if entry is not hotkeys.SHEET
    }


@pytest.mark.parametrize("page", TABLES)
def test_what_is_heard_is_what_the_sheet_tells(page: str, component: Component) -> None:
    classes = (
        ProjectClass("cat", "#e69f00", "1"),
        ProjectClass("a|b", "#56b4e9", "q"),
        ProjectClass("no key", "#009e73"),
    )
    shortcuts = (*TABLES[page], *class_picker.class_shortcuts(classes))
    hotkeys.listen(shortcuts, actions(shortcuts, []), "keys")
    told = "\n".join(keys + words for keys, words in hotkeys.rows(shortcuts))
    for name, action in component.data["bindings"].items():
        words = next(entry.words for entry in shortcuts if entry.action == action)
        assert words.replace("|", "\\|") in told
        assert name in hotkeys._HIDDEN_KEYS or f":gray-badge[{hotkeys.key_label(name)}]" in told
    assert len(hotkeys.rows(shortcuts)) == len(shortcuts) == len(set(component.data["bindings"].values()))


@pytest.mark.parametrize("page", TABLES)
def test_each_key_does_its_action_once(page: str, component: Component) -> None:
    done: list[str] = []
    shortcuts = TABLES[page]
    hotkeys.listen(shortcuts, actions(shortcuts, done), "keys")
    wanted = []
    for number, (name, action) in enumerate(component.data["bindings"].items()):
        for _ in range(2):  # a state of a component is sent with every message of its page
            component.press(name, f"serial {number}")
        wanted += [] if action == "sheet" else [action]
    assert done == wanted
    assert component.state["hotkeys_sheet"] is True


def test_the_browser_is_told_which_press_was_carried_out(component: Component) -> None:
    for serial in (None, "first", "second"):
        hotkeys.listen(hotkeys.PREDICTIONS, actions(hotkeys.PREDICTIONS, []), "keys")
        assert component.data["done"] == serial
        component.press("ArrowRight", "first" if serial is None else "second")


def test_only_moves_are_repeated_while_a_key_is_held(component: Component) -> None:
    hotkeys.listen(hotkeys.ANNOTATE, actions(hotkeys.ANNOTATE, []), "keys")
    assert set(component.data["held"]) == {"previous", "next", "region_up", "region_down"}


@pytest.mark.parametrize(
    "given",
    [
        lambda: (hotkeys.ANNOTATE, {}),
        lambda: (hotkeys.PREDICTIONS, {**actions(hotkeys.PREDICTIONS, []), "jump": print}),
        lambda: ((*hotkeys.PICTURES, hotkeys.SHEET, Shortcut("again", ("ArrowLeft",), "Again")), {"again": print}),
    ],
)
def test_a_table_that_does_not_fit_is_refused(given: Callable[[], Any], component: Component) -> None:
    shortcuts, made = given()
    with pytest.raises(ValueError, match="differ"):
        hotkeys.listen(shortcuts, made, "keys")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ArrowLeft", "←"),
        ("d", "D"),
        ("ctrl+z", "Ctrl + Z"),
        ("ctrl+shift+z", "Ctrl + Shift + Z"),
        ("+", "+"),
        ("-", "−"),
        ("?", "?"),
        ("Delete", "Delete"),
    ],
)
def test_a_key_is_told_as_it_stands_on_the_keyboard(name: str, words: str) -> None:
    assert hotkeys.key_label(name) == words


@pytest.mark.parametrize("key", ["1", "9", "0", "a", "z"])
def test_a_class_has_the_key_that_it_was_given(key: str) -> None:
    (shortcut,) = class_picker.class_shortcuts([ProjectClass("cat", "#e69f00", key)])
    assert (shortcut.keys, shortcut.action) == ((key,), class_picker.class_action("cat"))


@pytest.mark.parametrize("key", ["d", "p", "b", "e", "c", "r", None])
def test_a_class_has_no_key_of_the_page_or_of_streamlit(key: str | None) -> None:
    assert class_picker.class_shortcuts([ProjectClass("cat", "#e69f00", key)]) == ()
