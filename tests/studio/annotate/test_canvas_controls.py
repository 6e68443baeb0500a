"""What the keys of the Annotate page do to a project, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Circle, Region
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate import picture_navigation
from maskrcnn.studio.annotate.simple_canvas import canvas_controls, class_picker, editing
from maskrcnn.studio.components.canvas_view import View
from maskrcnn.studio.shell import hotkeys

VIEW = View(64, 48, 64, 48)
Press = Callable[[str], None]


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    held: dict[str, Any] = {}
    monkeypatch.setattr(editing.st, "session_state", held)
    monkeypatch.setattr(editing.st, "query_params", {})
    return held


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three pictures; the first has four regions, numbered by their radius."""
    made = Project.create(tmp_path / "plants")
    data = cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    made.add_pictures([("a.png", data), ("b.png", data), ("c.png", data)], "train")
    first = made.images()[0]
    made.save(first.id, [Region(Circle(20, 20, radius), "cell") for radius in (1, 2, 3, 4)], first.revision)
    return made


@pytest.fixture
def press(state: dict[str, Any], project: Project, monkeypatch: pytest.MonkeyPatch) -> Press:
    """`press(action)` does what the key of the action does on the first picture, which is open."""
    bound: dict[str, Callable[[], None]] = {}
    monkeypatch.setattr(hotkeys, "listen", lambda shortcuts, actions, key: bound.update(actions))
    monkeypatch.setattr(hotkeys, "sheet_button", lambda shortcuts, key: None)

    def do(action: str) -> None:
        image = project.images()[0]
        picture_navigation.go_to(project, image)
        editing.open_editor(project, image, VIEW, "polygon")
        canvas_controls.listen_to_keys(project, project.images(), image)
        bound[action]()

    return do


def radii(project: Project) -> list[float]:
    return [region.shape.r for region in project.regions(project.images()[0].id)[0]]


@pytest.mark.parametrize(
    ("presses", "left"),
    [
        (["region_down", "delete"], [2, 3, 4]),
        (["region_down", "region_down", "delete"], [1, 3, 4]),
        (["region_up", "delete"], [1, 2, 3]),  # from none, the last one
        (["region_up", "region_up", "delete"], [1, 2, 4]),
        (["region_down"] * 9 + ["delete"], [1, 2, 3]),  # the end of the list
        (["region_down", "region_up", "region_up", "delete"], [2, 3, 4]),
        (["region_down", "delete", "delete"], [2, 3, 4]),  # a deleted region is selected no longer
        (["region_down", "delete", "undo"], [1, 2, 3, 4]),
        (["region_down", "delete", "undo", "redo"], [2, 3, 4]),
        (["undo", "undo", "redo", "redo", "redo"], [1, 2, 3, 4]),  # to the empty start and back; no further
        (["delete"], [1, 2, 3, 4]),
    ],
)
def test_a_region_is_selected_and_deleted(
    presses: Sequence[str], left: list[float], press: Press, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    toasts: list[str] = []
    monkeypatch.setattr(canvas_controls.st, "toast", lambda words, icon: toasts.append(words))
    for action in presses:
        press(action)
    assert radii(project) == left
    unselected = presses in (["delete"], ["region_down", "delete", "delete"])
    assert [words.startswith("No region is selected") for words in toasts] == [True] * unselected


@pytest.mark.parametrize(
    ("presses", "zoom"),
    [
        (["zoom_in"], 1.5),
        (["zoom_in", "zoom_in"], 2.0),
        (["zoom_in"] * 9, 4.0),
        (["zoom_out"], 1.0),
        (["zoom_in", "zoom_in", "zoom_out"], 1.5),
    ],
)
def test_zoom_goes_from_step_to_step(presses: Sequence[str], zoom: float, press: Press, state: dict[str, Any]) -> None:
    for action in presses:
        press(action)
    assert state[canvas_controls.ZOOM] == zoom


@pytest.mark.parametrize("tool", ["polygon", "box", "edit"])
def test_a_tool_has_a_key(tool: str, press: Press, state: dict[str, Any]) -> None:
    press(tool)
    assert state[canvas_controls.TOOL] == tool


def test_done_is_switched(press: Press, project: Project) -> None:
    for done in (True, False):
        press("done")
        assert project.images()[0].done is done


@pytest.mark.parametrize(("action", "shown"), [("next", "b.png"), ("previous", "a.png")])
def test_arrows_open_a_neighbour_and_stop_at_the_end(
    action: str, shown: str, press: Press, state: dict[str, Any], project: Project
) -> None:
    press(action)
    assert state["annotate_image"][str(project.folder)] == shown


def test_a_class_is_chosen_by_its_key(press: Press, project: Project) -> None:
    press(class_picker.class_action("cell"))
    assert class_picker.chosen_class(project) == "cell"


def test_a_region_of_a_picture_that_is_not_open_is_not_deleted(
    press: Press, project: Project, state: dict[str, Any]
) -> None:
    press("region_down")
    second: StoredImage = project.images()[1]
    with pytest.raises(StudioError, match="not open yet"):
        canvas_controls._delete_selected_region(project, second)
    assert radii(project) == [1, 2, 3, 4]
