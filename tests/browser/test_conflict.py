"""Two tabs of a real browser on one picture: the second to save is told, sees both versions, and loses neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Circle, Region, Shape
from maskrcnn.annotations.store import Project
from maskrcnn.studio.shell import session
from tests.browser.test_annotate import wait_for_canvas, wait_until
from tests.sweeps import sweep

WIDTH, HEIGHT = 640, 480
THERE = Circle(500, 380, 60)
FIRST = ((100, 80), (300, 90), (200, 220))
"""What the first tab draws, in picture pixels."""
SECOND = ((60, 260), (240, 280), (150, 440))

Settled = Callable[[Any], None]
Tab = Any


@pytest.fixture
def project(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A picture with a circle."""
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(server.workspace))
    session.this_workspace().projects()
    made = Project.create(server.workspace / f"tabs{len(list(server.workspace.glob('tabs*')))}")
    cv2.imwrite(str(tmp_path / "0.png"), np.full((HEIGHT, WIDTH, 3), 110, np.uint8))
    made.add_pictures([tmp_path / "0.png"], "train")
    made.save(1, [Region(THERE, "cat")], made.images()[0].revision)
    return made


@pytest.fixture
def tabs(page: Any, server: Any, project: Project, settled: Settled) -> Iterator[tuple[Tab, Tab]]:
    """Two tabs of one browser window on the picture."""
    other = page.context.new_page()
    other.set_default_timeout(20_000)
    for tab in (page, other):
        tab.goto(f"{server.url}/?project={project.folder.name}&image=0.png&canvas=simple")
    for tab in (page, other):
        wait_for_canvas(tab, settled)
    yield page, other
    other.close()


@sweep  # the editor has its own view of conflicts, in editor/test_panels.py
@pytest.mark.parametrize(
    ("way", "left"),
    [
        ("Keep both changes", [THERE, FIRST, SECOND]),
        ("Keep mine", [THERE, SECOND]),
        ("Keep the other", [THERE, FIRST]),
    ],
)
def test_the_second_tab_sees_both_versions_and_loses_neither(
    tabs: tuple[Tab, Tab], project: Project, settled: Settled, way: str, left: list[Any]
) -> None:
    first, second = tabs
    draw(first, settled, FIRST)
    wait_until(first, lambda: len(shapes(project)) == 2)
    draw(second, settled, SECOND)

    dialog = second.get_by_role("dialog")
    dialog.get_by_text("This picture was saved elsewhere").wait_for()
    settled(second)
    for title in ("Yours", "Saved elsewhere"):
        assert dialog.get_by_text(f"{title}: 1 new").count() == 1
        picture = dialog.get_by_alt_text(f"{title}: 1 new")
        picture.wait_for()
        assert picture.bounding_box()["width"] > 300
    # Whatever becomes of this tab, the first one's work is what is stored.
    assert_are(shapes(project), [THERE, FIRST])

    dialog.get_by_role("button", name=way).click()
    dialog.wait_for(state="detached")
    wait_for_canvas(second, settled)
    assert_are(shapes(project), left)

    # What was not chosen is a step or two back.
    seen = [shapes(project)]
    undo = second.get_by_role("button", name="Undo").first
    for _ in range(2):
        before = revision(project)
        undo.click()
        wait_until(second, lambda before=before: revision(project) > before)
        settled(second)
        seen.append(shapes(project))
    for version in ([THERE, FIRST], [THERE, SECOND]):
        assert any(are(state, version) for state in seen), seen
    assert second.locator('[data-testid="stException"]').count() == 0


@sweep
def test_a_tab_that_is_closed_before_its_person_chose_loses_nothing(
    tabs: tuple[Tab, Tab], project: Project, settled: Settled
) -> None:
    first, second = tabs
    draw(first, settled, FIRST)
    wait_until(first, lambda: len(shapes(project)) == 2)
    draw(second, settled, SECOND)
    second.get_by_role("dialog").wait_for()
    second.close()

    # The first tab goes on as if nothing had been: its own version is stored, and no conflict is made of that.
    third = ((340, 60), (480, 60), (420, 200))
    draw(first, settled, third)
    wait_until(first, lambda: len(shapes(project)) == 3)
    assert first.get_by_role("dialog").count() == 0
    assert_are(shapes(project), [THERE, FIRST, third])

    for _ in range(2):
        before = revision(project)
        first.get_by_role("button", name="Undo").first.click()
        wait_until(first, lambda before=before: revision(project) > before)
        settled(first)
    assert_are(shapes(project), [THERE, SECOND])


@sweep
def test_undo_does_not_take_back_what_was_never_seen(tabs: tuple[Tab, Tab], project: Project, settled: Settled) -> None:
    first, second = tabs
    draw(first, settled, FIRST)
    wait_until(first, lambda: len(shapes(project)) == 2)

    second.get_by_role("button", name="Undo").first.click()
    second.get_by_text("saved elsewhere meanwhile").wait_for()
    assert_are(shapes(project), [THERE, FIRST])
    wait_for_canvas(second, settled)
    second.get_by_role("button", name="Undo").first.click()
    wait_until(second, lambda: len(shapes(project)) == 1)


def shapes(project: Project) -> list[Shape]:
    return [region.shape for region in project.regions(project.images()[0].id)[0]]


def revision(project: Project) -> int:
    return project.images()[0].revision


def are(found: list[Any], wanted: list[Any]) -> bool:
    """Whether these are the shapes, in any order; an outline as the mouse drew it, to 1.5 px."""
    if len(found) != len(wanted):
        return False
    return all(any(is_one(shape, one) for shape in found) for one in wanted)


def is_one(shape: Any, wanted: Any) -> bool:
    if isinstance(wanted, Circle):
        return bool(shape == wanted)
    points = np.array(getattr(shape, "points", ()))
    return points.shape == np.shape(wanted) and bool(np.abs(points - wanted).max() <= 1.5)


def assert_are(found: list[Any], wanted: list[Any]) -> None:
    assert are(found, wanted), found


def draw(page: Any, settled: Settled, points: tuple[tuple[float, float], ...]) -> None:
    """Click around an outline with the mouse, and on its first point again."""
    page.bring_to_front()
    box = page.locator("canvas.upper-canvas").bounding_box()
    for x, y in (*points, points[0]):
        page.mouse.click(box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT)
        page.wait_for_timeout(60)
    settled(page)
