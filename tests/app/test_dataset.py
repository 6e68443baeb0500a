"""The Dataset page without a browser: its views, their filters and actions, and what a bad address does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations import duplicate_pictures
from maskrcnn.annotations.regions import Polygon, Polyline, Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import editor
from maskrcnn.studio.components import gallery
from maskrcnn.studio.dataset import doctor_view, pictures_view, project_cache, split_view

PAGE = "pages/label/dataset.py"
VIEWS = ("pictures", "statistics", "doctor", "split", "import", "export", "classes")
BOW_TIE = Polygon(((10.0, 10.0), (60.0, 60.0), (60.0, 10.0), (10.0, 60.0)))


def png(seed: int) -> bytes:
    """96 x 72 px of coarse noise: no two seeds look alike."""
    cells = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return cv2.imencode(".png", cv2.resize(cells, (96, 72), interpolation=cv2.INTER_NEAREST))[1].tobytes()


@pytest.fixture
def project(workspace: Path) -> Project:
    """Ten training pictures: six with one cell, two of those with a leaf, one with a bow tie, one done, three new."""
    made = Project.create(workspace / "plants")
    made.add_pictures([(f"p{number}.png", png(number)) for number in range(10)], "train")
    images = made.images()
    for image in images[:6]:
        made.save(image.id, [Region(Rect(5, 5, 40, 40), "cell")], image.revision)
    for image in made.images()[:2]:
        made.save(image.id, [*made.regions(image.id)[0], Region(Rect(50, 20, 40, 45), "leaf")], image.revision)
    made.save(images[6].id, [Region(BOW_TIE, "cell")], images[6].revision)
    made.set_done(images[0].id, True)
    return made


@pytest.fixture
def open_page(root: Path, project: Project) -> Callable[..., AppTest]:
    """`open_page(view="doctor", ...)` opens the page at this address."""

    def start(**query: str) -> AppTest:
        app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(PAGE).run()
        assert not app.exception, app.exception
        return app

    return start


@pytest.fixture
def grid(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stands in for the browser's grid of thumbnails: remembers the tiles, and ticks or opens what a test says."""

    class Grid:
        def __init__(self) -> None:
            self.names: list[str] = []
            self.tick: tuple[str, ...] = ()
            self.click: str | None = None

        def show(self, tiles: Any, key: str, all_words: str) -> int | None:
            self.names = [tile.name for tile in tiles]
            self.tiles = {tile.name: tile for tile in tiles}
            return next((tile.id for tile in tiles if tile.name == self.click), None)

        def ticked(self, key: str) -> list[int]:
            return [number for number in range(1, 100) if f"p{number - 1}.png" in self.tick]

    stand_in = Grid()
    monkeypatch.setattr(gallery, "show", stand_in.show)
    monkeypatch.setattr(gallery, "ticked", stand_in.ticked)
    return stand_in


def button(app: AppTest, label: str) -> Any:
    return next(element for element in app.main.button if label in element.label)


def words(app: AppTest) -> str:
    kinds = (app.main.markdown, app.main.info, app.main.success, app.main.warning, app.main.error, app.main.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.main.metric}


def shown_view(app: AppTest) -> str:
    return app.segmented_control(key="dataset_view").value


# The views


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_has_an_address(open_page: Callable[..., AppTest], view: str) -> None:
    app = open_page(view=view)
    assert shown_view(app) == view
    assert not app.error


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_opens_on_an_empty_project(root: Path, workspace: Path, view: str) -> None:
    Project.create(workspace / "empty")
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["view"] = view
    app.switch_page(PAGE).run()
    assert not app.exception
    assert not app.error
    if view not in ("import", "classes"):  # which are of use without pictures
        assert button(app, "Import pictures")


def test_an_empty_project_leads_to_the_import(root: Path, workspace: Path) -> None:
    Project.create(workspace / "empty")
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60).switch_page(PAGE).run()
    assert "no pictures yet" in app.main.info[0].value
    button(app, "Import pictures").click().run()
    assert shown_view(app) == "import"


@pytest.mark.parametrize(
    "query",
    [
        {"view": "nonsense"},
        {"view": "<script>alert(1)</script>"},
        {"status": "nonsense", "split": "test", "class": "no such", "page": "x"},
        {"page": "-3"},
        {"page": "99999999999999999999"},
        {"page": "²"},
    ],
)
def test_an_address_that_means_nothing_shows_all_pictures(
    open_page: Callable[..., AppTest], grid: Any, query: dict[str, str]
) -> None:
    app = open_page(**query)
    assert shown_view(app) == "pictures"
    assert grid.names == [f"p{number}.png" for number in range(10)]


def test_an_unknown_check_in_the_address_shows_the_first(open_page: Callable[..., AppTest]) -> None:
    app = open_page(view="doctor", check="no-such-check")
    assert app.radio(key="dataset_check").value == "self-crossing"


# Pictures


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "new"}, [7, 8, 9]),
        ({"status": "done"}, [0]),
        ({"status": "in progress", "class": "class leaf"}, [1]),
        ({"class": "class leaf"}, [0, 1]),
        ({"split": "train"}, list(range(10))),
    ],
)
def test_the_filters(open_page: Callable[..., AppTest], grid: Any, query: dict[str, str], expected: list[int]) -> None:
    open_page(**query)
    assert grid.names == [f"p{number}.png" for number in expected]


def test_the_filters_say_how_many_there_are(open_page: Callable[..., AppTest], grid: Any) -> None:
    app = open_page()
    options = app.segmented_control(key="dataset_status").options
    assert [str(getattr(option, "content", option)) for option in options] == [
        "all (10)",
        "○ new (3)",
        "◐ in progress (6)",
        "✓ done (1)",
    ]
    assert app.selectbox(key="dataset_class").options == ["any class", "cell (7)", "leaf (2)"]  # pictures


def test_a_filter_that_nothing_passes_says_so_and_offers_the_way_back(
    open_page: Callable[..., AppTest], grid: Any
) -> None:
    app = open_page(split="val")
    assert "No picture is like that" in words(app)
    button(app, "Show all pictures").click().run()
    assert len(grid.names) == 10


def test_pages_of_pictures(open_page: Callable[..., AppTest], grid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_view, "PER_PAGE", 4)
    app = open_page(page="3")
    assert grid.names == ["p8.png", "p9.png"]
    # Another filter begins with its first page.
    app.selectbox(key="dataset_class").select("class cell").run()
    assert grid.names == ["p0.png", "p1.png", "p2.png", "p3.png"]


def test_a_tile_says_status_and_regions(open_page: Callable[..., AppTest], grid: Any) -> None:
    open_page()
    assert grid.tiles["p0.png"].says == "✓ done · 2 regions"
    assert grid.tiles["p9.png"].says == "○ new · 0 regions"
    assert grid.tiles["p9.png"].picture[:2] == b"\xff\xd8"


def test_a_click_opens_the_picture_in_annotate(
    open_page: Callable[..., AppTest], grid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(editor, "show", lambda project, images: opened.append(st.query_params["image"]))
    grid.click = "p4.png"
    open_page()
    assert opened[-1] == "p4.png"


def test_ticked_pictures_are_marked_moved_and_removed(
    open_page: Callable[..., AppTest], grid: Any, project: Project
) -> None:
    grid.tick = ("p2.png", "p3.png")
    app = open_page()
    button(app, "Mark done").click().run()
    assert [image.done for image in project.images()][:4] == [True, False, True, True]
    button(app, "Not done").click().run()
    assert [image.done for image in project.images()][:4] == [True, False, False, False]
    button(app, "To validation").click().run()
    assert [image.split for image in project.images()][1:5] == ["train", "val", "val", "train"]
    button(app, "Remove").click().run()
    assert [image.file_name for image in project.removed()] == ["p2.png", "p3.png"]
    assert "p2.png" not in grid.names
    assert "2 pictures removed" in app.toast[0].value


def test_removed_pictures_are_put_back(open_page: Callable[..., AppTest], grid: Any, project: Project) -> None:
    project.set_removed(project.images()[2].id, True)
    grid.tick, grid.click = ("p2.png",), "p2.png"
    app = open_page(status="removed")
    assert grid.names == ["p2.png"]
    assert "was removed" in app.toast[0].value
    button(app, "Put back").click().run()
    assert len(project.images()) == 10
    assert project.regions(project.images()[2].id)[0]


def test_nothing_ticked_nothing_to_press(open_page: Callable[..., AppTest], grid: Any) -> None:
    app = open_page()
    assert all(button(app, label).disabled for label in ("Mark done", "To training", "Remove"))


def test_a_picture_that_cannot_be_read_is_a_tile_without_one(
    open_page: Callable[..., AppTest], grid: Any, project: Project
) -> None:
    (project.images_folder / "p5.png").write_bytes(b"no picture")
    open_page()
    assert grid.tiles["p5.png"].picture is None
    assert len(grid.names) == 10


# Statistics


def test_the_figures_of_the_project(open_page: Callable[..., AppTest]) -> None:
    found = metrics(open_page(view="statistics"))
    # 7 cells and 2 leaves on 10 pictures, 3 of them empty.
    assert (found["pictures"], found["objects"], found["objects per picture"]) == ("10", "9", "0.9")
    assert found["pictures without objects"] == "3"


def test_the_table_of_classes(open_page: Callable[..., AppTest]) -> None:
    frame = open_page(view="statistics").main.dataframe[0].value
    assert frame["class"].tolist() == ["cell", "leaf"]
    assert frame["objects"].tolist() == [7, 2]
    assert frame["medium"].tolist() == [7, 2]  # 40 x 40 and 40 x 45 px


def test_a_split_without_pictures_leads_to_the_split_view(open_page: Callable[..., AppTest]) -> None:
    app = open_page(view="statistics", split="val")
    assert "no pictures in this split" in words(app)
    button(app, "Choose a split").click().run()
    assert shown_view(app) == "split"


def test_statistics_follow_what_is_drawn(open_page: Callable[..., AppTest], project: Project) -> None:
    app = open_page(view="statistics")
    last = project.images()[-1]
    project.save(last.id, [Region(Rect(1, 1, 9, 9), "leaf")], last.revision)
    assert metrics(app.run())["objects"] == "10"


# Doctor


def test_findings_are_fixed_and_the_fixes_undone(open_page: Callable[..., AppTest], project: Project) -> None:
    app = open_page(view="doctor", check="self-crossing")
    crossing = project.images()[6].id
    assert "Outline crosses itself" in words(app)
    assert len(app.main.image) == 2  # as it is, and after the fix
    button(app, "Fix all of this kind").click().run()
    assert not app.exception
    assert "self-crossing" not in app.radio(key="dataset_check").options
    assert project.regions(crossing)[0][0].shape != BOW_TIE
    button(app, "Undo these fixes").click().run()
    assert project.regions(crossing)[0][0].shape == BOW_TIE
    assert "Undo these fixes" not in [element.label for element in app.main.button]


def test_labels_drawn_since_a_fix_are_not_taken_back_with_it(
    open_page: Callable[..., AppTest], project: Project
) -> None:
    app = open_page(view="doctor", check="self-crossing")
    button(app, "Fix all of this kind").click().run()
    other = project.images()[7]
    project.save(other.id, [Region(Rect(1, 1, 30, 30), "cell")], other.revision)
    app.run()
    assert "Undo these fixes" not in [element.label for element in app.main.button]
    assert "Labels changed since" in words(app)
    (kept,) = project.snapshots()
    before = project.dataset(snapshot=kept.id).images[6]
    assert before.regions[0].shape == BOW_TIE


def test_only_what_is_ticked_is_fixed(open_page: Callable[..., AppTest], project: Project) -> None:
    other = project.images()[7]
    project.save(other.id, [Region(BOW_TIE, "cell")], other.revision)
    app = open_page(view="doctor", check="self-crossing")
    assert button(app, "Fix selected").disabled
    ticks = [box for box in app.main.checkbox if "p7.png" in box.label]
    ticks[0].check().run()
    button(app, "Fix selected (1)").click().run()
    assert project.regions(project.images()[6].id)[0][0].shape == BOW_TIE
    assert project.regions(other.id)[0][0].shape != BOW_TIE


def test_what_can_be_meant_is_fixed_only_by_a_choice(open_page: Callable[..., AppTest], project: Project) -> None:
    image = project.images()[7]
    line, crowd = Polyline(((10, 10), (60, 10), (60, 50))), Region(Rect(5, 5, 30, 30), "leaf", iscrowd=True)
    project.save(image.id, [Region(line, "cell"), crowd], image.revision)
    app = open_page(view="doctor", check="line-or-point")
    assert "Learned from: 9 objects on 8 pictures" in words(app)
    assert "1 region marks a crowd and is not learned" in words(app)
    button(app, "Fix all that is surely wrong (1)").click().run()  # the bow tie
    assert [type(region.shape) for region in project.regions(image.id)[0]] == [Polyline, Rect]
    button(app, "Close the line").click().run()
    assert not app.exception
    assert [type(region.shape) for region in project.regions(image.id)[0]] == [Polygon, Rect]
    app = open_page(view="doctor", check="crowd")
    next(button for button in app.main.button if button.label == "Make it an object").click().run()  # on its card
    assert not any(region.iscrowd for region in project.regions(image.id)[0])
    button(app, "Undo these fixes").click().run()
    assert project.regions(image.id)[0][1].iscrowd


def test_a_change_behind_the_back_is_told_and_nothing_is_fixed(
    open_page: Callable[..., AppTest], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(view="doctor", check="self-crossing")
    real = Project.apply

    def late(self: Project, *args: Any) -> Any:
        image = project.images()[6]
        project.save(image.id, [Region(BOW_TIE, "leaf")], image.revision)
        return real(self, *args)

    monkeypatch.setattr(Project, "apply", late)
    button(app, "Fix all of this kind").click().run()
    assert not app.exception
    assert "p6.png" in app.error[0].value
    assert project.regions(project.images()[6].id)[0][0].shape == BOW_TIE


def test_a_healthy_project(root: Path, workspace: Path) -> None:
    made = Project.create(workspace / "well")
    made.add_pictures([("a.png", png(1))], "train")
    made.save(made.images()[0].id, [Region(Rect(5, 5, 60, 60), "cell")], made.images()[0].revision)
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["view"] = "doctor"
    app.switch_page(PAGE).run()
    assert "Nothing found" in words(app)


def test_a_large_project_is_examined_on_request(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_view, "EXAMINED_AT_ONCE", 3)
    app = open_page(view="doctor")
    assert not app.main.radio
    button(app, "Examine 10 pictures").click().run()
    assert app.radio(key="dataset_check").options


def test_many_findings_of_a_kind_are_shown_in_portions(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_view, "PER_KIND", 2)
    app = open_page(view="doctor", check="no-regions")  # p7, p8 and p9
    assert len(app.main.image) == 2
    button(app, "Show more (1 is left)").click().run()
    assert len(app.main.image) == 3


# Split


def test_a_split_is_shown_applied_and_undone(open_page: Callable[..., AppTest], project: Project) -> None:
    app = open_page(view="split")
    both = app.main.dataframe[0].value.set_index("")
    assert both.loc["pictures"].tolist() == ["10", "0", "8", "2"]
    assert both.loc["of them unlabelled"].tolist()[:2] == ["3", "0"]
    assert both.loc["objects"].tolist()[:2] == ["9", "0"]
    assert both.loc["classes lacking"].tolist() == ["0", "2", "0", "0"]
    frame = app.main.dataframe[1].value
    assert (frame["train now"].tolist(), frame["val now"].tolist()) == ([7, 2], [0, 0])
    assert (frame["train after"] + frame["val after"]).tolist() == [7, 2]
    assert frame["val after"].tolist()[1] == 1  # one leaf on each side
    button(app, "Move 2 pictures").click().run()
    assert not app.exception
    assert sum(image.split == "val" for image in project.images()) == 2
    assert button(app, "Nothing to move").disabled
    button(app, "Undo this split").click().run()
    assert {image.split for image in project.images()} == {"train"}


def test_undoing_a_split_keeps_the_labels_drawn_since(open_page: Callable[..., AppTest], project: Project) -> None:
    app = open_page(view="split")
    button(app, "Move 2 pictures").click().run()
    image = project.images()[7]
    drawn = project.save(image.id, [Region(Rect(1, 1, 30, 30), "cell")], image.revision)
    app.run()
    button(app, "Undo this split").click().run()
    assert {image.split for image in project.images()} == {"train"}
    assert project.regions(image.id)[1] == drawn


def test_the_share_and_the_seed(open_page: Callable[..., AppTest]) -> None:
    app = open_page(view="split")
    app.slider(key="dataset_share").set_value(50).run()
    assert app.main.dataframe[0].value.set_index("").loc["pictures"].tolist() == ["10", "0", "5", "5"]
    app.number_input(key="dataset_seed").set_value(7).run()
    assert not app.exception


def test_copies_on_both_sides_are_told_and_kept_together(open_page: Callable[..., AppTest], project: Project) -> None:
    project.add_pictures([("copy of p0.png", png(0) + b" ")], "val")
    app = open_page(view="split")
    assert "1 lies on both sides now, and 0 after the change" in words(app)
    button(app, "Move").click().run()
    splits = {image.file_name: image.split for image in project.images()}
    assert splits["p0.png"] == splits["copy of p0.png"]
    assert "each lies on one side" in words(app)


def test_no_copies(open_page: Callable[..., AppTest]) -> None:
    assert "nothing can leak" in words(open_page(view="split"))


def test_a_large_project_is_looked_through_for_copies_on_request(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    real = duplicate_pictures.groups
    monkeypatch.setattr(duplicate_pictures, "groups", lambda *args: looked.append(1) or real(*args))
    monkeypatch.setattr(split_view, "CHECKED_AT_ONCE", 3)
    app = open_page(view="split")
    assert not looked
    button(app, "Look for copies").click().run()
    assert looked == [1]


# Waiting


def test_the_bar_says_how_far_and_goes_when_the_work_is_done(
    open_page: Callable[..., AppTest], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    real = project_cache.st.progress
    monkeypatch.setattr(project_cache, "_AT_ONCE", -1.0)
    monkeypatch.setattr(project_cache, "_EVERY", -1.0)
    monkeypatch.setattr(project_cache.st, "progress", lambda value, text: said.append(text) or real(value, text))
    app = open_page(view="statistics")
    assert len(said) == 10
    assert said[3].startswith("Measuring the objects: 4 of 10  ·  0:0")
    assert not app.main.get("progress")
    app.run()
    assert len(said) == 10  # remembered


# Classes that look alike


def test_a_class_that_looks_like_another_is_asked_about_when_it_is_made(
    open_page: Callable[..., AppTest], project: Project
) -> None:
    app = open_page(view="classes")
    app.text_input(key="dataset_new_class_name").set_value("Leaf")
    button(app, "Add class").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    assert "“Leaf” looks like “leaf”" in app.warning[0].value
    button(app, "Use “leaf”").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    assert not app.warning
    app.text_input(key="dataset_new_class_name").set_value("Leaf")
    button(app, "Add class").click().run()
    button(app, "Add “Leaf” all the same").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf", "Leaf"]


def test_a_class_that_is_renamed_to_look_like_another_can_be_merged(
    open_page: Callable[..., AppTest], project: Project
) -> None:
    app = open_page(view="classes")
    app.selectbox(key="dataset_classes_chosen").set_value("leaf").run()
    next(box for box in app.text_input if box.label == "Name").set_value("Cell")
    button(app, "Save").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    button(app, "Merge into “cell”").click().run()
    assert not app.exception
    assert [entry.name for entry in project.classes()] == ["cell"]
    assert project.counts().classes == {"cell": 9}
