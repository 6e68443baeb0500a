"""A real mouse on the simple canvas: what is drawn is in the project, once, at the right pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.regions import Circle, Polygon, Rect, Region
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.studio.shell import session
from tests.sweeps import sweep

WIDTH, HEIGHT = 640, 480
TRIANGLE = ((100, 80), (420, 120), (260, 400))
"""Picture pixels; far enough apart for the canvas's handles."""

Settled = Callable[[Any], None]


def picture_file(folder: Path, name: str, shade: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    picture = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
    cv2.imwrite(str(folder / name), picture)
    return folder / name


@pytest.fixture
def project(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two pictures; the first has a circle of class "cat" with an attribute that the canvas knows nothing of."""
    # The studio makes its sample project only where there is none; other tests of this server want it.
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(server.workspace))
    session.this_workspace().projects()
    made = Project.create(server.workspace / f"labels{len(list(server.workspace.glob('labels*')))}")
    made.add_pictures([picture_file(tmp_path, "first.png", 90), picture_file(tmp_path, "second.png", 160)], "train")
    first = made.images()[0]
    made.save(first.id, [Region(Circle(500, 380, 60), "cat", {"note": "kept"})], first.revision)
    made.set_classes([*made.classes(), ProjectClass("dog", "#56b4e9")])
    return made


@pytest.fixture
def opened(page: Any, server: Any, project: Project, settled: Settled) -> Any:
    """The Annotate page on the first picture."""
    page.goto(f"{server.url}/?project={project.folder.name}&image=first.png&canvas=simple")
    wait_for_canvas(page, settled)
    return page


def wait_for_canvas(page: Any, settled: Settled) -> None:
    canvas = page.locator("canvas.upper-canvas")
    canvas.first.wait_for()
    # The first answer of the browser about its size may give the canvas another width, and a new mount.
    page.wait_for_timeout(1000)
    settled(page)
    wait_until(page, lambda: canvas.count() == 1)
    page.wait_for_timeout(300)


def click_picture(page: Any, x: float, y: float) -> None:
    """Click at picture pixels, wherever the canvas lies and however large it is shown."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    page.mouse.click(box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT)


def draw_polygon(page: Any, settled: Settled, points: tuple[tuple[float, float], ...] = TRIANGLE) -> None:
    for x, y in (*points, points[0]):
        click_picture(page, x, y)
        page.wait_for_timeout(60)
    settled(page)
    page.wait_for_timeout(500)


def regions(project: Project, number: int = 0) -> tuple[Region, ...]:
    return project.regions(project.images()[number].id)[0]


def polygons(project: Project, number: int = 0) -> list[Polygon]:
    return [region.shape for region in regions(project, number) if isinstance(region.shape, Polygon)]


def press(page: Any, settled: Settled, name: str) -> None:
    page.get_by_role("button", name=name).first.click()
    settled(page)


def assert_at(shape: Polygon, points: tuple[tuple[float, float], ...]) -> None:
    assert np.array(shape.points) == pytest.approx(np.array(points), abs=1.5)


def test_a_drawn_polygon_is_saved_and_is_there_once_after_coming_back(
    opened: Any, project: Project, settled: Settled
) -> None:
    before = regions(project)

    draw_polygon(opened, settled)
    (drawn,) = polygons(project)
    assert_at(drawn, TRIANGLE)

    press(opened, settled, "Next")
    wait_for_canvas(opened, settled)
    assert "image=second.png" in opened.url
    press(opened, settled, "Previous")
    wait_for_canvas(opened, settled)

    # The canvas was mounted again, with three vertices on it: a further polygon must not bring it twice, or lose it.
    second = ((450, 60), (600, 60), (560, 200))
    draw_polygon(opened, settled, second)
    assert [region.id for region in regions(project)[:1]] == [before[0].id]
    assert regions(project)[0] == before[0]
    assert len(regions(project)) == 3
    assert polygons(project)[0] == drawn
    assert_at(polygons(project)[1], second)
    assert regions(project, 1) == ()


@sweep
def test_leaving_the_page_and_coming_back_loses_nothing(opened: Any, project: Project, settled: Settled) -> None:
    """The trap: a canvas that is mounted again from what it was first given overwrites what was drawn since."""
    draw_polygon(opened, settled)
    opened.get_by_role("link", name="Runs").click()
    settled(opened)
    opened.locator("canvas.upper-canvas").wait_for(state="detached")
    opened.get_by_role("link", name="Annotate").click()
    wait_for_canvas(opened, settled)

    draw_polygon(opened, settled, ((450, 60), (600, 60), (560, 200)))

    assert len(polygons(project)) == 2
    assert len(regions(project)) == 3
    assert_at(polygons(project)[0], TRIANGLE)


@sweep
def test_several_polygons_in_a_row_on_one_canvas(opened: Any, project: Project, settled: Settled) -> None:
    draw_polygon(opened, settled)
    draw_polygon(opened, settled, ((450, 60), (600, 60), (560, 200)))
    draw_polygon(opened, settled, ((60, 300), (160, 300), (110, 440)))
    assert len(polygons(project)) == 3
    assert len({region.id for region in regions(project)}) == 4
    assert [region.class_name for region in regions(project)] == ["cat"] * 4


@sweep
def test_the_key_of_a_class_chooses_it(opened: Any, project: Project, settled: Settled) -> None:
    cat, dog = project.classes()
    project.set_classes([cat, replace(dog, hotkey="n")])
    opened.reload()
    wait_for_canvas(opened, settled)
    opened.keyboard.press("n")
    opened.locator('.st-key-annotate_class_2 button[kind="primary"]').wait_for()
    settled(opened)
    draw_polygon(opened, settled)
    assert [region.class_name for region in regions(project)] == ["cat", "dog"]


@sweep
def test_rename_delete_and_undo_in_the_table(opened: Any, project: Project, settled: Settled) -> None:
    draw_polygon(opened, settled)
    table = opened.locator('[data-testid="stDataFrame"]').first
    box = table.bounding_box()

    # Second row, column of the class: Enter opens the list, which is filtered by typing.
    opened.mouse.click(box["x"] + 90, box["y"] + 36 + 35 * 1.5)
    opened.wait_for_timeout(500)
    opened.keyboard.press("Enter")
    opened.wait_for_timeout(700)
    opened.keyboard.type("dog")
    opened.wait_for_timeout(300)
    opened.keyboard.press("Enter")
    wait_until(opened, lambda: [region.class_name for region in regions(project)] == ["cat", "dog"])
    settled(opened)
    opened.wait_for_timeout(700)

    renamed = regions(project)
    tick_delete(opened, row=0)
    wait_until(opened, lambda: regions(project) == renamed[1:])
    settled(opened)

    opened.wait_for_timeout(500)
    press(opened, settled, "Undo")
    wait_until(opened, lambda: regions(project) == renamed)
    opened.wait_for_timeout(500)
    press(opened, settled, "Redo")
    wait_until(opened, lambda: regions(project) == renamed[1:])


@sweep
def test_a_box_and_moving_it(opened: Any, project: Project, settled: Settled) -> None:
    opened.get_by_role("radio", name="Box").or_(opened.get_by_role("button", name="Box", exact=True)).first.click()
    wait_for_canvas(opened, settled)
    drag(opened, (100, 100), (300, 250))
    wait_until(opened, lambda: len(regions(project)) == 2)
    shape = regions(project)[1].shape
    assert isinstance(shape, Rect)
    assert (shape.x, shape.y, shape.width, shape.height) == pytest.approx((100, 100, 200, 150), abs=1.5)
    identity = regions(project)[1].id

    opened.locator("canvas.upper-canvas").hover()
    opened.get_by_label("Edit", exact=True).last.click()
    drag(opened, (200, 175), (250, 225))
    wait_until(opened, lambda: regions(project)[1].shape != shape)
    moved = regions(project)[1].shape
    assert isinstance(moved, Rect)
    assert (moved.x, moved.y, moved.width, moved.height) == pytest.approx((150, 150, 200, 150), abs=1.5)
    assert regions(project)[1].id == identity
    assert regions(project)[0].shape == Circle(500, 380, 60)


@sweep
def test_at_zoom_the_polygon_is_at_the_same_pixels(opened: Any, project: Project, settled: Settled) -> None:
    opened.get_by_role("combobox", name="Zoom").click()
    opened.get_by_role("option", name="200%").click()
    wait_for_canvas(opened, settled)
    small = ((30, 40), (60, 40), (45, 80))
    draw_polygon(opened, settled, small)
    (shape,) = polygons(project)
    assert_at(shape, small)


def tick_delete(page: Any, row: int) -> None:
    """The boxes are painted, so they are found by place: in the middle of the last column, which is 76 px wide."""
    table = page.locator('[data-testid="stDataFrame"]').first
    box = table.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 38, box["y"] + 36 + 35 * (row + 0.5))


def drag(page: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = page.locator("canvas.upper-canvas").bounding_box()
    across, down = box["width"] / WIDTH, box["height"] / HEIGHT
    page.mouse.move(box["x"] + start[0] * across, box["y"] + start[1] * down)
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * across, box["y"] + end[1] * down, steps=8)
    page.mouse.up()


def wait_until(page: Any, condition: Callable[[], bool], seconds: float = 10) -> None:
    for _ in range(int(seconds * 10)):
        if condition():
            return
        page.wait_for_timeout(100)
    assert condition()
