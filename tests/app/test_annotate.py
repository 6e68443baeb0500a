"""The Annotate page without a browser: pictures, classes, attributes, history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.regions import Circle, Point, Polygon, Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio import annotate_state

TRIANGLE = Polygon(((5.0, 5.0), (40.0, 8.0), (20.0, 40.0)))


def png(shade: int = 90) -> bytes:
    return cv2.imencode(".png", np.full((48, 64, 3), shade, np.uint8))[1].tobytes()


@pytest.fixture
def project(workspace: Path) -> Project:
    """Three pictures, the first with a triangle ("cell") and a circle ("leaf")."""
    made = Project.create(workspace / "plants")
    made.add_pictures([("a.png", png(60)), ("b.png", png(90)), ("c.png", png(120))], "train")
    first = made.images()[0]
    made.save(first.id, [Region(TRIANGLE, "cell"), Region(Circle(50, 20, 8), "leaf")], first.revision)
    return made


@pytest.fixture
def app(root: Path, project: Project) -> AppTest:
    started = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
    assert not started.exception
    return started


def address(app: AppTest, name: str) -> str:
    """A part of the page's query; AppTest holds what a script set as it is, and what a test set as a list."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def button(app: AppTest, label: str) -> Any:
    return next(element for element in app.button if label in element.label)


def test_next_and_previous_go_through_the_pictures(app: AppTest) -> None:
    assert address(app, "image") == "a.png"
    assert button(app, "Previous").disabled
    button(app, "Next").click().run()
    button(app, "Next").click().run()
    assert address(app, "image") == "c.png"
    assert button(app, "Next").disabled
    button(app, "Previous").click().run()
    assert address(app, "image") == "b.png"
    assert not app.exception


def test_the_address_names_the_picture(root: Path, project: Project) -> None:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["image"] = "c.png"
    app.run()
    assert app.selectbox(key="annotate_goto").value == project.images()[2].id


def test_done_is_stored_and_counted(app: AppTest, project: Project) -> None:
    app.checkbox[0].check().run()
    assert [image.done for image in project.images()] == [True, False, False]
    assert any("1 of 3 pictures done" in element.value for element in app.sidebar.markdown)


def test_a_class_is_added_and_chosen(app: AppTest, project: Project) -> None:
    app.text_input(key="annotate_new_class").input("stem")
    button(app, "Add class").click().run()
    assert not app.exception
    assert [entry.name for entry in project.classes()] == ["cell", "leaf", "stem"]
    assert app.session_state["annotate_class"] == "stem"


def test_undo_and_redo(app: AppTest, project: Project) -> None:
    image = project.images()[0].id
    labelled, _ = project.regions(image)
    button(app, "Undo").click().run()
    assert project.regions(image)[0] == ()
    button(app, "Redo").click().run()
    assert project.regions(image)[0] == labelled
    assert any("saved" in element.value for element in app.main.markdown)


def test_an_empty_project_offers_the_import(root: Path, workspace: Path) -> None:
    Project.create(workspace / "empty")
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert app.header[0].value == "No pictures yet"
    assert button(app, "Show what is in it").disabled


# What happens to regions

A, B, C, D = (Region(Point(float(x), 0.0), "cell") for x in range(4))


def moved(region: Region, to: float) -> Region:
    return replace(region, shape=Point(to, 0.0))


@pytest.mark.parametrize(
    ("mine", "theirs", "merged"),
    [
        ((A, B, C), (A, B), (A, B, C)),
        ((A, B, C), (A, B, D), (A, B, D, C)),
        ((moved(A, 9), B), (A, moved(B, 8)), (moved(A, 9), moved(B, 8))),
        ((B,), (A, B, D), (B, D)),
        ((A, B, C), (B,), (B, C)),
        # Both changed it: mine. Changed by one, removed by the other: kept.
        ((moved(A, 9), B), (moved(A, 7), B), (moved(A, 9), B)),
        ((moved(A, 9), B), (B,), (B, moved(A, 9))),
        ((B,), (moved(A, 7), B), (moved(A, 7), B)),
    ],
)
def test_two_people_s_changes_of_one_picture(
    mine: tuple[Region, ...], theirs: tuple[Region, ...], merged: tuple[Region, ...]
) -> None:
    assert annotate_state.merge((A, B), mine, theirs) == merged


def test_changes_in_the_table() -> None:
    rectangle = Region(Rect(0, 0, 5, 5), "cell", {"note": "kept"})
    changed = annotate_state.with_changes((A, rectangle, B), {1: {"class": "leaf"}, 2: {"delete": True}})
    assert changed == (A, replace(rectangle, class_name="leaf"))
    assert changed[0] is A
