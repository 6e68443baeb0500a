"""The page Label next without a browser: what it says before, while and after a network has looked at the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import KeptLook, Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.annotate.hints import networks
from maskrcnn.studio.label_next import look_queue, network_order, ranking
from tests import tiny
from tests.shipping import ship

PAGE = "pages/label/label_next.py"
NAMES = ("a.png", "b.png", "c.png", "d.png")


@pytest.fixture
def project(workspace: Path) -> Project:
    """Four pictures; the first has a label."""
    made = Project.create(workspace / "cells")
    random = np.random.default_rng(0)
    for name in NAMES:
        content = cv2.imencode(".png", random.integers(0, 255, (64, 96, 3), dtype=np.uint8))[1].tobytes()
        made.add_pictures([(name, content)], "train")
    first = made.images()[0]
    made.save(first.id, [Region(Rect(5, 5, 20, 20), "cell")], first.revision)
    return made


@pytest.fixture(autouse=True)
def _stopped(project: Project) -> Iterator[None]:
    """No thread is left."""
    yield
    work = look_queue.work_of(project)
    if work is not None:
        work.job.stop()
        work.job.wait(60)


def run_of(project: Project, name: str, ap: float = 0.5, seed: int = 0) -> None:
    """A run of the project: a network with random weights that finds something everywhere."""
    import torch

    from maskrcnn.model import build
    from maskrcnn.model.weights import save

    torch.manual_seed(seed)
    fields = tiny.CONFIG | {"num_classes": 2, "class_names": ("cell",), "detection_min_confidence": 0.0}
    config = Config.preset("classroom", **fields)
    run = RunFolder.create(project.runs_folder / name)
    run.write_json("config.json", config.model_dump(mode="json"))
    run.append_metrics({"event": "epoch", "epoch": 1, "step": 1, "segm_ap": ap})
    save(build(config), run.best, 1)


def open_page(root: Path, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in {"project": "cells", **query}.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.main.markdown, app.main.info, app.main.success, app.main.warning, app.main.error)
    return " ".join(element.value for kind in kinds for element in kind)


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.main.get("page_link")]


def press(app: AppTest, words: str) -> AppTest:
    next(button for button in app.main.button if words in button.label).click()
    return app.run()


def looked(app: AppTest, project: Project) -> AppTest:
    """The page after the network has looked at the pictures."""
    app = press(app, "Look at")
    work = look_queue.work_of(project)
    assert work is not None
    work.job.wait(60)
    assert work.job.state == "done", work.problem
    return app.run()


def test_without_a_network_it_leads_to_launch_and_offers_models_that_ship(
    root: Path, project: Project, weights_folder: Path
) -> None:
    app = open_page(root)
    assert "needs a network that has learned from this project" in said(app)
    assert links(app) == ["Start a training"]
    assert not app.main.button

    ship(weights_folder)
    app = open_page(root)
    assert app.main.selectbox[0].value == ""  # none of them by itself
    app.main.selectbox[0].set_value("shipped/toy").run()
    assert [button.label for button in app.main.button] == ["Look at 4 pictures"]


def test_a_project_without_pictures_or_with_labels_everywhere_says_what_comes_next(
    root: Path, workspace: Path, project: Project
) -> None:
    Project.create(workspace / "empty")
    app = open_page(root, project="empty")
    assert "has no pictures yet" in said(app)
    assert links(app) == ["Import pictures"]
    for image in project.images()[1:]:
        project.set_done(image.id, True)  # nothing is in them, and that is a label
    app = open_page(root)
    assert "All 4 pictures have labels" in said(app)
    assert links(app) == ["Bring more pictures", "Train"]


def test_the_pictures_are_looked_at_ranked_and_opened_in_the_editor(root: Path, project: Project) -> None:
    run_of(project, "good", ap=0.6)
    run_of(project, "newer", ap=0.4, seed=1)
    app = open_page(root)
    assert app.main.selectbox[0].value == "run/good"
    assert "1 picture has labels, 3 have none." in said(app)
    app = looked(app, project)
    assert "The network has looked at 3 of these." in said(app)

    # What was worked out is in the project: features of all pictures, suggestions of those without labels.
    good = networks.network(project, "run/good")
    assert len(project.kept_looks(good.key, good.state)) == 4
    assert [project.kept_suggestions(image.id) is not None for image in project.images()] == [False, True, True, True]
    order = ranking.ranked(project, good, project.images())
    assert sorted(entry.image.file_name for entry in order) == ["b.png", "c.png", "d.png"]
    assert all("the network" in entry.reason for entry in order)

    app = press(app, "Label these 3 pictures")
    assert [entry.image_id for entry in project.next_pictures()] == [entry.image.id for entry in order]
    assert [entry.reason for entry in project.next_pictures()] == [entry.reason for entry in order]
    assert app.query_params["queue"] in ("next", ["next"])
    assert app.query_params["image"] in (order[0].image.file_name, [order[0].image.file_name])

    # A picture that is labelled leaves the list; nothing is looked at again.
    first = order[0].image
    project.save(first.id, [Region(Rect(1, 1, 9, 9), "cell")], first.revision)
    app = open_page(root)
    assert "2 pictures have labels, 2 have none. The network has looked at 2 of these." in said(app)
    assert [button.label for button in app.main.button] == ["Label these 2 pictures"]


def test_nothing_is_computed_twice_and_a_new_checkpoint_is(root: Path, project: Project) -> None:
    run_of(project, "good")
    looked(open_page(root), project)
    look_queue._works.clear()  # as after a restart
    app = open_page(root)
    assert not [button for button in app.main.button if "Look at" in button.label]
    project.add_pictures([("e.png", (project.images_folder / "a.png").read_bytes() + b"e")], "train")
    app = open_page(root)
    assert next(button.label for button in app.main.button) == "Look at 1 picture"
    work = look_queue.start(project, networks.network(project, "run/good"))
    work.job.wait(60)
    assert (work.total, work.done) == (1, 1)

    file = networks.network(project, "run/good").file
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    assert "Look at 5 pictures" in [button.label for button in open_page(root).main.button]


def test_a_picture_that_cannot_be_read_is_told_and_the_rest_goes_on(root: Path, project: Project) -> None:
    run_of(project, "good")
    (project.images_folder / "c.png").write_bytes(b"no picture")
    app = looked(open_page(root), project)
    assert "c.png" in said(app)
    assert "The network has looked at 2 of these." in said(app)
    assert str(project.folder) not in said(app)


def test_without_any_label_the_most_typical_picture_comes_first(root: Path, project: Project) -> None:
    run_of(project, "good")
    first = project.images()[0]
    project.save(first.id, [], first.revision)
    good = networks.network(project, "run/good")
    # Three pictures that are alike, of which the network is not sure, the third one between the others, and one that
    # is not like them: it comes second.
    for image, (x, score) in zip(project.images(), ((0, 0.5), (1, 0.5), (0.5, 0.5), (9, 0.99)), strict=True):
        look = KeptLook(np.array([x, 0], "f4"), np.array([score], "f4"))
        project.keep_look(image.id, good.key, good.state, look, [])
    app = open_page(root)
    assert "0 pictures have labels, 4 have none." in said(app)
    assert "No picture has labels yet" in said(app)
    order = [entry.image.file_name for entry in ranking.ranked(project, good, project.images())]
    assert order[:2] == ["c.png", "d.png"]


def test_work_is_stopped_and_another_network_takes_its_place(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    import maskrcnn.inference.next_pictures as engine

    run_of(project, "good")
    run_of(project, "other", ap=0.1)
    good, other = network_order.offered(project)[:2]
    assert (good.name, other.name) == ("good", "other")
    begun, goes_on, look = threading.Event(), threading.Event(), engine.look

    def slow(*args: object) -> object:
        begun.set()
        goes_on.wait(60)
        return look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "look", slow)
    first = look_queue.start(project, good)
    assert begun.wait(60)
    assert look_queue.start(project, good) is first  # it goes on already
    look_queue.stop(project)
    goes_on.set()
    first.job.wait(60)
    assert first.job.state == "stopped"
    assert len(project.kept_looks(good.key, good.state)) <= 1  # the present one may be finished, no other
    second = look_queue.start(project, other)
    second.job.wait(60)
    assert (second.job.state, second.done, second.seconds_left) == ("done", 4, 0)
