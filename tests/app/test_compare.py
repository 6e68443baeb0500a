"""The Compare page without a browser, on run folders written by hand."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.compare import compare_routes
from maskrcnn.studio.compare.compared_runs import SHIPPED_PAIR
from maskrcnn.studio.components.crops import crop_grid
from maskrcnn.studio.inspect import match_sliders
from tests import made_runs
from tests.made_runs import rectangle

PAGE = "pages/inspect/compare.py"
SHIPPED = [f"{name} (ships with the studio)" for name in SHIPPED_PAIR]


def square(image_id: int, x: int, y: int) -> dict[str, Any]:
    return rectangle(image_id, 1, (x, y, 20, 20))


def found(image_id: int, x: int, y: int, score: float = 0.9) -> dict[str, Any]:
    return square(image_id, x, y) | {"score": score}


OBJECTS = [(1, 10, 10), (1, 60, 10), (2, 10, 40), (3, 30, 30)]
"""(picture, x, y) of squares of 20 pixels: two on a.png, one on b.png and c.png."""

# A finds one object of a.png and that of b.png. B finds both of a.png, and nothing on b.png and c.png.
OF_A = [found(1, 10, 10), found(2, 10, 40)]
OF_B = [found(1, 10, 10), found(1, 60, 10)]


def document(names: str = "abc", objects: Any = OBJECTS, classes: tuple[str, ...] = ("cell",)) -> dict[str, Any]:
    return made_runs.document(names, [square(*place) for place in objects if place[0] <= len(names)], classes)


@pytest.fixture
def project(workspace: Path) -> Project:
    return made_runs.new_project(workspace / "plants", "abc", made_runs.grey())


@pytest.fixture
def new_run(project: Project) -> Callable[..., RunFolder]:
    """`new_run(name, {epoch: detections}, truth, **config)` makes a run; the last one is the newest."""

    def make(
        name: str, epochs: dict[int, list[dict[str, Any]]], truth: dict[str, Any] | None = None, **config: Any
    ) -> RunFolder:
        run = made_runs.begin_run(project, truth or document(), name, **config)
        return made_runs.end_run(run, epochs, {epoch: epoch / 100 for epoch in epochs})

    return make


@pytest.fixture
def shipped(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that ship, which other tests do not see."""
    monkeypatch.setattr(shipped_models, "FOLDER", root / "data" / "weights")


@pytest.fixture
def two_runs(new_run: Callable[..., RunFolder]) -> None:
    new_run("first", {1: [], 2: OF_A})
    new_run("second", {1: [found(3, 30, 30)], 2: OF_B})


def open_page(root: Path, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in {"project": "plants", **query}.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run()
    assert not app.exception
    return app


def sent(app: AppTest) -> dict[str, Any]:
    """The data of the pictures."""
    protos = [element.proto for element in app.get("bidi_component")]
    (data,) = [json.loads(one.json) for one in protos if one.component_name == "studio_compare_pictures"]
    return data


def loaded(app: AppTest) -> dict[str, Any]:
    """Objects and detections of both sides, as the browser loads them."""
    answer = TestClient(Starlette(routes=compare_routes.routes())).get(sent(app)["table"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def tiles(app: AppTest) -> list[dict[str, Any]]:
    """The crops of the objects won, then of those lost, as the browser gets them."""
    protos = [element.proto for element in app.get("bidi_component")]
    return [
        tile for one in protos if one.component_name == "studio_crop_grid" for tile in json.loads(one.json)["tiles"]
    ]


def clicked(monkeypatch: pytest.MonkeyPatch, app: AppTest, name: str, item: str) -> AppTest:
    """Run the page with a click on a crop ("opened") or on its editor button ("edited"), which the browser sends."""
    draw = crop_grid.show

    def show(items: Any, tile_of: Any, key: str, empty: str, opened: Any, **rest: Any) -> object:
        draw(items, tile_of, key, empty, opened, **rest)
        if item in items and name == "opened":
            opened(item)
        return item if item in items and name == "edited" else None

    with monkeypatch.context() as patch:
        patch.setattr(crop_grid, "show", show)
        return app.run()


def text(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def address(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def problems(app: AppTest) -> list[str]:
    return [element.value for element in (*app.error, *app.warning, *app.info)]


def figures(app: AppTest) -> dict[str, list[str]]:
    """The rows of the table of figures: name -> A, B, difference."""
    (table,) = [element.value for element in app.main.markdown if element.value.startswith("| | A |")]
    rows = [line.replace("\N{NO-BREAK SPACE}", " ").strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def test_the_newest_two_runs_are_compared_at_their_best_epochs(root: Path, two_runs: None) -> None:
    """A finds 2 of 4 objects, B 2 of 4, neither anything wrong: AP is 51 of 101 recalls on both sides.

    a.png: A finds 1 of 2 (51 / 101), B both (1). b.png: A 1, B 0. c.png: nothing is found.
    """
    app = open_page(root)
    assert not problems(app)
    assert sent(app)["names"] == {"a": "epoch 2 of first", "b": "epoch 2 of second"}
    assert figures(app)["mask AP"][:2] == ["0.505", "0.505"]
    assert figures(app)["mask AP"][3] == "may be chance"
    assert "A and B cannot be told apart" in text(app)
    table = app.dataframe[0].value
    assert list(table["picture"]) == ["b.png", "a.png", "c.png"]  # one change each, but b.png differs more in AP
    assert list(table["won"]) == [0, 1, 0]
    assert list(table["lost"]) == [1, 0, 0]
    assert list(table["B − A"]) == [pytest.approx(-1), pytest.approx(1 - 51 / 101), 0]
    assert [element.value for element in app.subheader][2:] == [
        "1 object won: B finds and A misses",
        "1 object lost: A finds and B misses",
    ]


def test_the_browser_gets_objects_once_and_the_detections_of_both_sides(root: Path, two_runs: None) -> None:
    app = open_page(root, image="a.png")
    assert sent(app)["file"] == "a.png"
    table = loaded(app)
    assert len(table["objects"]) == 2
    assert [len(table[side]["detections"]) for side in ("a", "b")] == [1, 2]
    assert table["b"]["overlaps"] == [[[0, 1.0]], [[1, 1.0]]]


def test_the_page_opens_at_the_picture_that_changed_most_and_stays_there(root: Path, two_runs: None) -> None:
    app = open_page(root)
    assert address(app, "image") == "a.png"  # the first of the two that changed
    app.select_slider[0].set_value("epoch 1").run()
    assert address(app, "image") == "a.png"


def test_one_slider_moves_both_epochs(root: Path, two_runs: None) -> None:
    app = open_page(root)
    slider = app.select_slider[0]
    assert slider.options == ["epoch 1", "epoch 2"]
    slider.set_value("epoch 1").run()
    assert (address(app, "a_epoch"), address(app, "b_epoch")) == ("1", "1")
    assert sent(app)["names"] == {"a": "epoch 1 of first", "b": "epoch 1 of second"}


def test_unlocked_each_side_has_its_epoch(root: Path, two_runs: None) -> None:
    app = open_page(root)
    app.toggle[0].set_value(False).run()
    assert len(app.select_slider) == 2
    app.select_slider[0].set_value(1).run()
    assert sent(app)["names"] == {"a": "epoch 1 of first", "b": "epoch 2 of second"}
    app.toggle[0].set_value(True).run()
    assert len(app.select_slider) == 1
    assert address(app, "a_epoch") == address(app, "b_epoch")


def test_a_deep_link_opens_runs_epochs_and_picture(root: Path, two_runs: None) -> None:
    app = open_page(root, a="second", a_epoch="1", b="first", b_epoch="2", image="c.png")
    assert sent(app)["names"] == {"a": "epoch 1 of second", "b": "epoch 2 of first"}
    assert sent(app)["file"] == "c.png"
    # epoch 1 of the second run finds the object of c.png
    assert "1 object lost" in " ".join(element.value for element in app.subheader)


def test_swapping_turns_every_difference_around(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("first", {1: [found(1, 10, 10)]})
    new_run("second", {1: OF_B})
    app = open_page(root)
    before = figures(app)["mask AP"]
    app.button("compare_swap").click().run()
    after = figures(app)["mask AP"]
    assert (address(app, "a"), address(app, "b")) == ("second", "first")
    assert after[:2] == before[1::-1]
    assert after[2].replace("*", "")[:6] == before[2].replace("*", "")[:6].replace("+", "-")


def test_two_epochs_of_one_run(root: Path, two_runs: None) -> None:
    app = open_page(root, a="second", b="second")
    assert sent(app)["names"] == {"a": "epoch 1 of second", "b": "epoch 2 of second"}
    assert app.toggle[0].disabled


def test_the_same_epoch_on_both_sides_is_said_to_be_the_same(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("only", {1: OF_A})
    (line,) = problems(open_page(root))
    assert "the same epoch of the same training" in line
    assert "Choose another" in line


def test_fewer_than_two_runs_open_the_pair_that_ships(
    root: Path, new_run: Callable[..., RunFolder], shipped: None
) -> None:
    new_run("only", {1: OF_A})
    app = open_page(root)
    assert sent(app)["names"] == {"a": "epoch 11 of toy-c5-pool", "b": "epoch 12 of toy-c5-align"}
    assert sent(app)["colours"] == {"a": "#e8710a", "b": "#1f6feb"}
    assert {tile["is_editable"] for tile in tiles(app)} == {False}


def test_the_shipped_pair_by_one_click_with_the_figures_of_the_paper(root: Path, two_runs: None, shipped: None) -> None:
    app = open_page(root, image="b.png")
    assert "tables 2c, 2d and 6" not in text(app)
    app.button("compare_shipped").click().run()
    assert [address(app, "a"), address(app, "b")] == SHIPPED
    for figure in ("30.3", "51.2", "31.5", "26.9", "30.9", "21.6", "64.2", "59.8", "1.5 mask AP", "A small set says"):
        assert figure in text(app)
    assert "Small sets: intervals of 12 pictures hold the truth in about" in text(app)
    assert not [button for button in app.button if button.key == "compare_shipped"]


def test_labels_before_and_after_a_fix(root: Path, new_run: Callable[..., RunFolder]) -> None:
    """The newer labels have one object less, which nobody finds: AP is 51 / 101 by the old ones, 1 by the new ones."""
    old = document("a", [(1, 10, 10), (1, 60, 10)])
    new = document("a", [(1, 10, 10)])
    new_run("before", {1: [found(1, 10, 10)]}, old)
    new_run("after", {1: [found(1, 10, 10)]}, new)
    app = open_page(root)
    assert figures(app)["mask AP"][:2] == ["1.000", "1.000"]
    assert "judged by the labels of after" in text(app)
    (labels,) = app.segmented_control
    labels.set_value("a").run()
    assert address(app, "labels") == "a"
    assert figures(app)["mask AP"][:2] == ["0.505", "0.505"]


def test_a_crop_opens_its_picture(root: Path, two_runs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(root, image="a.png")
    won, lost = tiles(app)
    assert [(tile["title"], tile["says"], tile["place"]) for tile in (won, lost)] == [
        ("cell", "IoU 0.00 → 1.00", "a.png"),
        ("cell", "IoU 1.00 → 0.00", "b.png"),
    ]
    clicked(monkeypatch, app, "opened", lost["item"])
    app.run()
    assert sent(app)["file"] == "b.png"
    assert sent(app)["focus"]["box"] == [10, 40, 20, 20]


def test_crops_lead_to_the_editor_at_their_object(root: Path, two_runs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(root, a="first", b="second")
    shown = tiles(app)
    assert [tile["is_editable"] for tile in shown] == [True, True]
    asked: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: asked.append((page, query_params)))
    for tile in shown:
        clicked(monkeypatch, app, "edited", tile["item"])
    wanted = {"a": "first", "b": "second", "a_epoch": "2", "b_epoch": "2", "project": "plants", "back": "compare"}
    assert asked == [  # the second object of a.png, that of b.png
        ("pages/label/annotate.py", wanted | {"image": "a.png", "object": "second:2:truth:2"}),
        ("pages/label/annotate.py", wanted | {"image": "b.png", "object": "second:2:truth:3"}),
    ]


def test_what_cannot_be_compared_gets_one_line(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("a", {1: OF_A})
    new_run("elsewhere", {1: []}, document("xyz"))
    new_run("foxes", {1: []}, document(classes=("fox",)))
    new_run("begun", {})
    for b, says in (
        ("elsewhere", "no picture is in both"),
        ("foxes", "no class is in both"),
        ("begun", "begun keeps no detections yet"),
    ):
        app = open_page(root, a="a", b=b)
        (line,) = problems(app)
        assert says in line
        assert "\n" not in line
        assert "ompare two trainings" in line or "hoose another training" in line


def test_a_deleted_run_is_named_and_another_one_shown(root: Path, two_runs: None) -> None:
    app = open_page(root, a="gone*", b="second")
    (line,) = problems(app)
    assert 'no training "gone\\*" in this project' in line
    assert "Choose another above" in line
    assert sent(app)["names"]["a"] == "epoch 2 of first"


def test_one_picture_has_no_interval(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("first", {1: []}, document("a"))
    new_run("second", {1: OF_B}, document("a"))
    app = open_page(root)
    assert not problems(app)
    assert figures(app)["mask AP"] == ["0.000", "1.000", "+1.000", "says little"]
    assert "One picture says which is better on it, no more" in text(app)


def test_boxes_alone_are_compared_if_one_side_has_no_masks(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("first", {1: OF_A})
    new_run("boxes", {1: [{k: v for k, v in entry.items() if k != "segmentation"} for entry in OF_B]}, tasks=("box",))
    app = open_page(root)
    assert not problems(app)
    assert list(figures(app)) == ["box AP", "box AP50", "box AP75"]
    assert "Not compared: masks; only A finds them." in text(app)
    assert sent(app)["measure"] == "box"
    assert sent(app)["drawable"] == ["boxes", "labels"]


def test_pictures_and_classes_of_one_side_are_told(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("first", {1: OF_A}, document(classes=("cell", "*leaf*")))
    new_run("second", {1: OF_B[:1]}, document("ab"))
    app = open_page(root)
    assert not problems(app)
    assert 'Left out: 1 picture (only A has 1): "c.png".' in text(app)
    assert 'Left out: what is labelled or found as "\\*leaf\\*", which only A knows.' in text(app)


def test_a_picture_that_has_moved_gets_one_line_and_the_numbers_stay(
    root: Path, project: Project, two_runs: None
) -> None:
    (project.images_folder / "a.png").unlink()
    app = open_page(root, image="a.png")
    assert not problems(app)
    assert sent(app)["picture"] is None
    assert "a.png" in sent(app)["message"]
    assert "\n" not in sent(app)["message"]
    assert figures(app)["mask AP"][:2] == ["0.505", "0.505"]
    assert [tile["picture"] is None for tile in tiles(app)] == [True, False]  # of a.png, of b.png


def test_names_that_look_like_markdown_are_shown_as_they_are(root: Path, new_run: Callable[..., RunFolder]) -> None:
    new_run("**bold**", {1: OF_A})
    new_run(":red[x]", {1: OF_B})
    app = open_page(root)
    assert not problems(app)
    assert sent(app)["names"] == {"a": "epoch 1 of **bold**", "b": "epoch 1 of :red[x]"}
    assert "labels of \\:red\\[x\\] (both" in text(app)


def test_rewritten_detections_are_read_again(root: Path, project: Project, two_runs: None) -> None:
    app = open_page(root)
    run = RunFolder(project.runs_folder / "second")
    run.write_detections(2, [])
    os.utime(run.path / "detections" / "epoch_0002.json", (2e9, 2e9))
    app.run()
    assert figures(app)["mask AP"][:2] == ["0.505", "0.000"]


def test_score_and_iou_of_the_browser_decide_what_is_won(root: Path, two_runs: None) -> None:
    app = open_page(root)
    for name in match_sliders.LIMITS:
        app.session_state[match_sliders.state_key(name)] = 0.95
        app.run()
        assert sent(app)[name] == 0.95
    assert not tiles(app)
    assert [element.value for element in app.subheader][-1].startswith("0 objects lost")


def test_a_run_that_goes_while_its_page_is_open_gets_one_line(root: Path, project: Project, two_runs: None) -> None:
    app = open_page(root)
    url = sent(app)["table"]
    shutil.rmtree(project.runs_folder / "second")
    compare_routes._content.cache_clear()
    app.run()
    assert not app.exception
    assert sent(app)["names"]["a"] != "second"
    answer = TestClient(Starlette(routes=compare_routes.routes())).get(url)
    assert answer.status_code in (200, 422)
    assert "Traceback" not in answer.text


def test_few_pictures_are_said_to_say_little(root: Path, two_runs: None) -> None:
    assert "Small sets: intervals of 3 pictures say little" in text(open_page(root))


def test_found_objects_are_outlined_in_green_and_missed_ones_dashed_in_blue(root: Path, two_runs: None) -> None:
    """The outline has colours that the grey picture does not have; a dashed one has gaps, and so fewer pixels."""
    app = open_page(root)
    client = TestClient(Starlette(routes=compare_routes.routes()))
    coloured = []
    for tile, channel in zip(tiles(app), (1, 2), strict=True):  # won: green; lost: blue
        answer = client.get(tile["picture"])
        assert answer.headers["content-type"] == "image/jpeg"
        pixels = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert pixels is not None
        strong = np.ptp(pixels.astype(int), axis=2) > 90
        assert set(pixels[strong].argmax(axis=1).tolist()) == {channel}
        coloured.append(int(strong.sum()))
    assert coloured[0] > 1.2 * coloured[1] > 0
    assert client.get(f"{sent(app)['table']}/crop").status_code == 404  # the key of a picture opens no crop
