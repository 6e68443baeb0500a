"""The Annotate page without a browser: pictures, classes, attributes, history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import RLE, Circle, Keypoints, MultiPolygon, Point, Polygon, Rect, Region, Skeleton
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import picture_navigation, three_way_merge
from maskrcnn.studio.annotate.simple_canvas import canvas_area, conflict_view, editing, region_table
from maskrcnn.studio.components import canvas
from maskrcnn.studio.components.canvas_objects import canvas_object
from maskrcnn.studio.components.canvas_view import View

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


def simple_canvas(root: Path) -> AppTest:
    """The page with the simple canvas, not drawn yet."""
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["canvas"] = "simple"
    return app


@pytest.fixture
def app(root: Path, project: Project) -> AppTest:
    started = simple_canvas(root).run()
    assert not started.exception
    return started


def test_a_picture_whose_file_is_gone_is_one_red_box_and_the_others_go_on(app: AppTest, project: Project) -> None:
    (project.images_folder / "a.png").unlink()
    app.run()
    assert not app.exception
    (error,) = app.error
    assert error.value.endswith("a.png: there is no such picture; put it there, or remove it on Dataset")
    button(app, "Next").click().run()
    assert not app.error
    assert address(app, "image") == "b.png"


def test_a_button_opens_the_other_canvas_and_keeps_the_picture(root: Path, project: Project) -> None:
    """It was a page link, which Streamlit draws as chosen on its own page."""
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["image"] = "b.png"
    app.run()
    assert not [link for link in app.main.get("page_link") if "canvas=" in link.proto.query_string]
    button(app, "Simple canvas").click().run()
    assert (address(app, "canvas"), address(app, "image")) == ("simple", "b.png")
    assert button(app, "Next")
    button(app, "Editor").click().run()
    assert ("canvas" in app.query_params, address(app, "image")) == (False, "b.png")
    assert button(app, "Simple canvas")
    assert not app.exception


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
    app = simple_canvas(root)
    app.query_params["image"] = "c.png"
    app.run()
    assert next(box.value for box in app.selectbox if box.label == "Picture") == project.images()[2].id


@pytest.mark.parametrize("query", [{"canvas": "simple"}, {}], ids=["simple canvas", "editor"])
def test_a_link_of_another_page_leads_to_a_picture_that_was_just_left(
    root: Path, project: Project, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    """Also where the click cut the other page's script off: Streamlit has then not forgotten the widgets."""
    monkeypatch.setattr(SessionState, "_remove_stale_widgets", lambda *_: None)
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)

    def visit(page: str, **address: str) -> str:
        """The picture that the Annotate page shows, or showed last."""
        app.switch_page(page)
        for name, value in (query | address).items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        shown: str = app.session_state["annotate_image"][str(project.folder)]
        return shown

    annotate = "pages/label/annotate.py"
    assert [visit(annotate, image=name) for name in ("a.png", "b.png")] == ["a.png", "b.png"]
    assert visit(annotate, image="a.png") == "b.png"  # in the same visit the URL is that of a picture that was left
    visit("pages/label/dataset.py")
    assert visit(annotate, image="a.png") == "a.png"


@pytest.mark.parametrize(("stale", "shown"), [(60.0, "b.png"), (0.0, "a.png")])
def test_an_address_that_was_left_a_moment_ago_takes_no_step_back(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, stale: float, shown: str
) -> None:
    """The canvas sends a message when it is mounted, which may carry the address from before the step."""
    monkeypatch.setattr(picture_navigation, "_STALE", stale)
    button(app, "Next").click().run()
    app.query_params["image"] = "a.png"
    app.run()
    assert address(app, "image") == shown
    app.query_params["image"] = "c.png"  # a link: that picture was not left
    app.run()
    assert address(app, "image") == "c.png"


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


def test_a_class_that_looks_like_another_is_asked_about(app: AppTest, project: Project) -> None:
    app.text_input(key="annotate_new_class").input("Leaf")
    button(app, "Add class").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    button(app, "Use “leaf”").click().run()
    assert not app.exception
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    assert app.session_state["annotate_class"] == "leaf"


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
    assert three_way_merge.merged((A, B), mine, theirs) == merged


def test_changes_in_the_table() -> None:
    rectangle = Region(Rect(0, 0, 5, 5), "cell", {"note": "kept"})
    changed = region_table.with_edited_rows((A, rectangle, B), {1: {"class": "leaf"}, 2: {"delete": True}})
    assert changed == (A, replace(rectangle, class_name="leaf"))
    assert changed[0] is A


# Two versions, and what each did


def test_what_a_version_did_to_the_other() -> None:
    changed = replace(B, class_name="leaf")
    found = three_way_merge.differences((A, B, C), (A, changed, D))
    assert found == {B.id: "changed", C.id: "removed", D.id: "new"}
    assert conflict_view.differences_in_words(found) == "1 new, 1 changed, 1 removed"
    assert conflict_view.differences_in_words({}) == "nothing changed"


def test_differences_are_drawn_in_the_colour_of_their_class_and_the_rest_in_grey(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(0))
    kept, gone, new = (Region(Rect(x, 10, 12, 12), "cell") for x in (4, 24, 44))
    picture = conflict_view.draw_version(
        tmp_path / "a.png", (kept, gone), (kept, new), {None: "#a0a0a0", "cell": "#00ff00"}
    )
    scale = picture.shape[1] / 64

    def colour(x: float, y: float) -> list[int]:
        return picture[round(y * scale), round(x * scale)].astype(int).tolist()

    # In the middle of each: a grey, and two greens on black.
    grey = colour(10, 16)
    assert grey[0] == grey[1] == grey[2] > 20
    for x in (30, 50):
        red, green, blue = colour(x, 16)
        assert green > 40
        assert red == blue == 0
    assert colour(60, 40) == [0, 0, 0]


def test_what_the_canvas_sends_again_in_a_conflict_is_no_further_change(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canvas sends its objects again when it is taken off the page; that made a second conflict of a solved one."""
    monkeypatch.setattr(editing.st, "session_state", {})
    image = project.images()[0]
    editor = editing.open_editor(project, image, View(64, 48, 64, 48), "polygon")
    before = editor.regions
    drawn = canvas_object(Polygon(((30.0, 30.0), (60.0, 30.0), (45.0, 44.0))), editor.drawing.view, "#ffffff")
    monkeypatch.setattr(canvas, "objects_of", lambda key: [*editor.drawing.objects(), drawn])
    project.save(image.id, before[:1], image.revision)

    editing.take_drawing(editor.key)
    conflict, revision = editor.conflict, project.images()[0].revision
    assert conflict is not None
    assert (conflict.base, conflict.theirs) == (before, before[:1])
    assert len(conflict.mine) == 3
    editing.take_drawing(editor.key)
    assert editor.conflict is conflict
    assert project.images()[0].revision == revision

    editing.resolve(editor.key, "mine")
    editing.take_drawing(editor.key)
    assert project.images()[0].revision == revision + 1
    assert project.regions(image.id)[0] == conflict.mine
    project.undo(image.id)
    assert project.regions(image.id)[0] == before[:1]
    project.undo(image.id)
    assert project.regions(image.id)[0] == conflict.mine


# What lies under the canvas


def test_keypoints_holes_and_masks_are_painted(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(0))
    ring = MultiPolygon(((((4, 4), (28, 4), (28, 28), (4, 28)), ((10, 10), (22, 10), (22, 22), (10, 22))),))
    mask = np.zeros((48, 64), bool)
    mask[30:40, 40:60] = True
    pose = Keypoints(((50.0, 5.0, 2), (50.0, 20.0, 1), (0.0, 0.0, 0)))
    regions = [
        Region(ring, "cell"),
        Region(raster.from_mask(mask), "cell"),
        Region(pose, "cell"),
        Region(RLE((48, 64), "0")),
    ]
    content = canvas_area.canvas_background(
        tmp_path / "a.png",
        regions,
        {region.id for region in regions},
        {None: "#a0a0a0", "cell": "#00ff00"},
        skeletons={"cell": Skeleton(("head", "foot", "hand"), ((0, 1), (1, 2)))},
    )
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    scale = picture.shape[1] / 64

    def green(x: float, y: float) -> int:
        return int(picture[round(y * scale), round(x * scale), 1])

    assert green(7, 20) > 50  # between the outer ring and the hole
    assert green(16, 16) < 10  # in the hole
    assert green(50, 35) > 50  # in the mask
    assert green(50, 12) > 100  # on the bone
    assert green(25, 40) < 10  # no bone to the keypoint that nobody labelled, at 0, 0
    assert green(2, 2) < 10


# Attributes of a region

DEFINED = {
    "kind": {"type": "dropdown", "options": {"cell": "Cell", "leaf": "Leaf"}, "default_options": {}},
    "note": {"type": "text", "description": "What **you** see"},
    "light": {"type": "radio", "options": {"day": "By day", "night": "By night"}},
    "flaws": {"type": "checkbox", "options": {"blurred": "Blurred", "cut": "Cut off"}},
}


@pytest.fixture
def described(workspace: Path, tmp_path: Path) -> Project:
    """A picture with one region that has attributes of every kind, and one that no definition names."""
    (tmp_path / "a.png").write_bytes(png())
    attributes = {"note": "kept", "light": "day", "flaws": {"cut": True}, "size": 3}
    record = ImageRecord("a.png", (Region(TRIANGLE, "cell", attributes),), tmp_path / "a.png")
    made = Project.create(workspace / "described")
    extras = {"flavour": "via-project", "via_attributes": {"region": DEFINED, "file": {}}}
    made.import_dataset(Dataset((record,), ("cell", "leaf"), "kind", extras=extras), "train")
    return made


def test_attributes_are_shown_and_changed_as_their_definition_says(root: Path, described: Project) -> None:
    app = simple_canvas(root).run()
    assert not app.exception
    image = described.images()[0].id

    def attributes() -> dict[str, Any]:
        return dict(described.regions(image)[0][0].attributes)

    def find(group: Any, label: str) -> Any:
        return next(entry for entry in group if entry.label == label)

    assert not [box for box in app.selectbox if box.label == "kind"]  # the class has its own column
    assert "size: 3" in [element.value for element in app.main.markdown]
    find(app.text_input, "note").input("new").run()
    find(app.selectbox, "light").set_value("night").run()
    find(app.multiselect, "flaws").set_value(["blurred", "cut"]).run()
    assert not app.exception
    assert attributes() == {"note": "new", "light": "night", "flaws": {"blurred": True, "cut": True}, "size": 3}
    find(app.multiselect, "flaws").set_value([]).run()
    assert attributes()["flaws"] == {}
    button(app, "Undo").click().run()
    assert attributes()["flaws"] == {"blurred": True, "cut": True}
    ((region,), _) = described.regions(image)
    assert (region.shape, region.class_name) == (TRIANGLE, "cell")


def test_the_key_of_a_class_is_the_one_that_was_given(app: AppTest, project: Project) -> None:
    cell, leaf = project.classes()
    project.set_classes([replace(cell, hotkey="n"), replace(leaf, hotkey="c")])
    app.run()
    assert not app.exception
    labels = [element.label for element in app.button if "⬤" in element.label]
    # C belongs to Streamlit, which clears its cache with it.
    assert [label.split("} ")[1] for label in labels] == ["cell :gray-badge[N]", "leaf"]


def test_a_table_that_sends_its_change_twice_saves_it_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing.st, "session_state", {})
    image = project.images()[0]
    editor = editing.open_editor(project, image, View(64, 48, 64, 48), "polygon")
    before = editor.regions
    for _ in range(2):
        editing.save_regions(editor.key, before[:1])
    assert (project.regions(image.id)[0], editor.conflict) == (before[:1], None)
    editing.undo_or_redo(editor.key, "undo")
    assert project.regions(image.id)[0] == before
