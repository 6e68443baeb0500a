"""Which picture the page and the editor show: steps of the person, links, and messages that come late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import canvas_choice, editor, picture_navigation


class Component:
    """Stands for the editor in the browser: keeps what it was given, and tells of pictures that it shows."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __call__(self, *, key: str, data: dict[str, Any], on_shown_change: Callable[[], None], **_: Any) -> None:
        self.key, self.data, self.report = key, data, on_shown_change

    def tell(self, name: str, serial: str) -> None:
        self.state[self.key] = {"shown": {"name": name, "serial": serial}}
        self.report()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "plants")
    data = cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    made.add_pictures([(f"{name}.png", data) for name in "abc"], "train")
    return made


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    held: dict[str, Any] = {}
    monkeypatch.setattr(editor.st, "session_state", held)
    return held


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    query: dict[str, str] = {}
    monkeypatch.setattr(editor.st, "query_params", query)
    return query


@pytest.fixture
def component(state: dict[str, Any], url: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Component:
    made = Component(state)
    monkeypatch.setattr(editor, "_editor", made)
    return made


def run_page(project: Project) -> None:
    """A script run of the page."""
    editor.show(project, project.images())


def test_the_picture_that_the_editor_shows_is_in_the_url(
    component: Component, project: Project, url: dict[str, str]
) -> None:
    run_page(project)
    assert (component.data["image"], component.data["serial"], url) == ("a.png", None, {"image": "a.png"})
    component.tell("c.png", "1")
    assert url == {"image": "c.png"}
    run_page(project)
    assert (component.data["image"], component.data["serial"]) == ("c.png", "1")


def test_a_link_moves_the_editor_and_keeps_the_serial(
    component: Component, project: Project, url: dict[str, str]
) -> None:
    run_page(project)
    component.tell("c.png", "1")
    run_page(project)
    url["image"] = "b.png"
    run_page(project)
    assert (component.data["image"], component.data["serial"]) == ("b.png", "1")


def test_a_state_that_is_sent_again_is_no_step(component: Component, project: Project, url: dict[str, str]) -> None:
    run_page(project)
    component.tell("c.png", "1")
    url["image"] = "b.png"
    run_page(project)
    component.report()
    run_page(project)
    assert component.data["image"] == "b.png"


def test_the_url_of_a_step_back_is_left_until_the_editor_tells_of_it(
    component: Component, project: Project, url: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit runs the page for the back button by itself, maybe long before it has the message of the editor."""
    monkeypatch.setattr(picture_navigation, "_STALE", 0.0)
    run_page(project)
    component.tell("b.png", "1")
    run_page(project)
    url["image"] = "a.png"
    run_page(project)
    assert (component.data["image"], url) == ("b.png", {"image": "a.png"})
    component.tell("a.png", "2")
    run_page(project)
    assert (component.data["image"], component.data["serial"], url) == ("a.png", "2", {"image": "a.png"})


def test_the_url_before_a_step_is_old_in_a_new_session_too(
    component: Component, project: Project, url: dict[str, str], state: dict[str, Any]
) -> None:
    """After a lost connection the first thing that a session hears may be a step, with the URL from before it."""
    run_page(project)
    state.clear()
    component.tell("b.png", "1")
    run_page(project)
    url["image"] = "a.png"  # a message that was sent before the URL of the step had come
    run_page(project)
    assert (component.data["image"], component.data["serial"]) == ("b.png", "1")


@pytest.mark.parametrize("shown", [None, 3, {}, {"name": "gone.png", "serial": "2"}, {"name": ["a"], "serial": "3"}])
def test_a_message_that_names_no_picture_changes_nothing(
    shown: Any, component: Component, project: Project, state: dict[str, Any]
) -> None:
    run_page(project)
    state[component.key] = {"shown": shown}
    component.report()
    run_page(project)
    assert component.data["image"] == "a.png"


def test_the_simple_canvas_is_remembered_until_the_editor_is_chosen(state: dict[str, Any], url: dict[str, str]) -> None:
    assert not canvas_choice.is_simple()
    url["canvas"] = "simple"
    assert canvas_choice.is_simple()
    url.clear()
    assert canvas_choice.is_simple()
    assert url == {"canvas": "simple"}
    url["canvas"] = "editor"
    assert not canvas_choice.is_simple()
    assert url == {}
    assert not canvas_choice.is_simple()
