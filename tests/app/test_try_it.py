"""The Try it page without a browser, with a model that ships on small pictures."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.model.candidates import Selection
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.try_it import figures_view
from maskrcnn.studio.try_it.opened_set import OpenedSet
from maskrcnn.studio.try_it.sets import figures, finding, tried_set, works
from maskrcnn.studio.try_it.sets.set_folders import PICTURES
from tests.app.test_frame import address
from tests.made_runs import new_project
from tests.studio.try_it.test_sets import FOUND, made, png

PAGE = "pages/inspect/try_it.py"


@pytest.fixture
def project(workspace: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with three pictures, of which one is for validation, and the models that ship."""
    monkeypatch.setattr(shipped_models, "FOLDER", root / "data" / "weights")
    made = new_project(workspace / "plants", "abc", np.full((48, 64, 3), 90, np.uint8))
    made.set_splits({image.id: "train" for image in made.images()[:2]})
    return made


def open_page(root: Path, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run()
    assert not app.exception
    return app


def wait_for(app: AppTest, there: Callable[[AppTest], bool]) -> AppTest:
    """Run the page until a state is there; its fragments run again by themselves in a browser only."""
    ends = time.monotonic() + 120
    while not there(app):
        assert time.monotonic() < ends, [element.value for element in app.main.markdown]
        assert not app.exception
        time.sleep(0.2)
        app.run()
    return app


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def test_without_a_network_the_page_leads_to_one(root: Path, workspace: Path) -> None:
    new_project(workspace / "plants", "a", np.full((48, 64, 3), 90, np.uint8))
    app = open_page(root, project="plants")
    assert "This project has no training yet" in app.info[0].value
    assert [button.label for button in app.main.button] == ["Start a training"]


def test_pictures_of_the_project_are_looked_at_shown_and_taken_away(root: Path, project: Project) -> None:
    app = open_page(root, project="plants", run="toy (ships with the studio)", **{"from": "project"})
    assert app.selectbox(key="try_it_run").value == "toy (ships with the studio)"
    options = app.main.button_group[1].options
    assert list(options) == [
        *("without labels (3)", "all pictures (3)", "training (2)", "validation (1)"),
    ]
    app.button(key="try_it_project").click().run()
    identity = address(app, "set")
    workspace = project.folder.parent
    app = wait_for(app, lambda app: "c.png" in str(app.selectbox) and not works_run(workspace, identity))
    assert "**without labels of plants** · toy (ships with the studio), epoch 21 · 3 pictures" in words(app)
    assert app.selectbox(key="try_it_image").options == ["1 / 3   a.png", "2 / 3   b.png", "3 / 3   c.png"]
    app.button(key="try_it_next").click().run()
    assert address(app, "image") == "b.png"
    # The page is left, and found again by the list of the last sets.
    app.button(key="try_it_new").click().run()
    assert "set" not in app.query_params
    app.button(key=f"try_it_open_{identity}").click().run()
    assert address(app, "set") == identity
    app.button(key="try_it_taking").click().run()
    app = wait_for(app, lambda app: not works_run(workspace, identity))
    assert any(button.label.startswith("Download the zip") for button in app.get("download_button"))
    app.button(key="try_it_suggesting").click().run()
    app = wait_for(app, lambda app: bool(app.success))
    assert "0 pictures added, 3 were there already" in app.success[0].value
    assert len(project.images()) == 3
    app.button(key=f"try_it_delete_{identity}").click().run()
    assert "set" not in app.query_params
    assert not tried_set.folder_of(workspace, identity).exists()


def works_run(workspace: Path, identity: str) -> bool:
    """Whether the studio is at work for a set."""
    return any(
        work is not None and work.is_running
        for kind in ("finding", "taking", "suggesting")
        for work in [works.work_of(kind, workspace, identity)]  # type: ignore[arg-type]
    )


def test_a_set_that_was_not_finished_says_so_and_a_network_that_is_gone(root: Path, project: Project) -> None:
    workspace = project.folder.parent
    tried = made(workspace, {0: FOUND[0]}, time.time(), "plants")  # of a run that is not there
    app = open_page(root, project="plants", set=tried.id)
    assert "1 of 3 pictures, not finished: the studio was restarted meanwhile" in words(app)
    assert "first, epoch 2" in words(app)
    assert app.expander[0].label == "1 remark about the files"
    app.button(key="try_it_go_on").click().run()
    app = wait_for(app, lambda app: "is not there any more; give the pictures to another network" in words(app))
    assert app.selectbox(key="try_it_image").options == ["1 / 1   a.png"]


def test_stopped_work_goes_on_where_it_was_and_a_broken_picture_is_told(
    root: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, looked_at = project.folder.parent, list[str]()

    def find_in(work: works.Work, network: object, picture: np.ndarray, target: Path, thumbnail: Path) -> None:
        looked_at.append(target.name)
        FOUND[0].save(target)
        thumbnail.write_bytes(png())
        if len(looked_at) == 1:
            work.job.stop()

    monkeypatch.setattr(finding, "_find_in", find_in)
    tried = made(workspace, {}, time.time(), "plants", shipped=True)
    (tried_set.folder_of(workspace, tried.id) / PICTURES / "b.png").write_bytes(png()[:60])
    finding.start(workspace, project, tried)
    app = wait_for(open_page(root, project="plants", set=tried.id), lambda app: not works_run(workspace, tried.id))
    app.run()
    assert "1 of 3 pictures, stopped" in words(app)
    app.button(key="try_it_go_on").click().run()
    app = wait_for(app, lambda app: not works_run(workspace, tried.id)).run()
    assert looked_at == ["000000.npz", "000002.npz"]
    assert "go_on" not in str(app.button)
    assert app.expander[0].label == "2 remarks about the files"
    assert "b.png: the picture cannot be decoded" in app.expander[0].markdown[0].value
    assert app.selectbox(key="try_it_image").options == ["1 / 2   a.png", "2 / 2   c.png"]


def test_figures_follow_what_was_chosen_and_reach_the_csv(root: Path, project: Project) -> None:
    workspace = project.folder.parent
    tried = made(workspace, FOUND, time.time(), "plants")
    chosen = {"min_score": 0.5, "nms_iou": 0.5, "mask_threshold": 0.5, "proposals": 200, "most": 100, "classes": None}
    length = {"line": [0, 0, 10, 0], "value": 5.0, "unit": "mm", "shared": True}
    tried_set.keep_chosen(workspace, tried.id, selection=chosen, lengths={"0": length})
    app = open_page(root, project="plants", set=tried.id)
    app = wait_for(app, lambda app: bool(app.dataframe))
    # By hand in test_sets: a nut of 40 px, bolts of 8 and 32 px; a pixel is 0.5 mm wide, so 0.25 mm² large.
    frame = app.dataframe[0].value
    assert frame["class"].tolist() == ["bolt", "nut"]
    assert frame["objects"].tolist() == [2, 1]
    assert frame["mean area, mm²"].tolist() == [5.0, 10.0]
    assert "3 objects in 2 of 2 pictures" in words(app)
    opened = OpenedSet(workspace, project, project, tried, (0, 2), None, False)
    found = figures.measure(workspace, tried, [0, 2], Selection(**(tried_set.selection_fields(chosen) or {})))
    rows = list(csv.reader(io.StringIO(figures_view.objects_csv(opened, found, (0.5, "mm")).decode())))
    assert rows[1] == ["a.png", "1", "nut", "0.9", "0.0", "0.0", "10.0", "8.0", "40", "5.0", "4.0", "10.0"]
    assert len(rows) == 4


def test_sets_of_other_projects_are_not_listed_but_those_of_gone_ones(root: Path, project: Project) -> None:
    workspace = project.folder.parent
    new_project(workspace / "animals", "a", np.full((48, 64, 3), 90, np.uint8))
    sets = {name: made(workspace, {}, time.time(), name).id for name in ("plants", "animals", "long gone")}
    app = open_page(root, project="plants")
    listed = {name for name, identity in sets.items() if any(b.key == f"try_it_open_{identity}" for b in app.button)}
    assert listed == {"plants", "long gone"}


@pytest.mark.parametrize("identity", ["nothing", "0" * 12, "../../etc"])
def test_a_set_that_is_gone_is_said_once(root: Path, project: Project, identity: str) -> None:
    app = open_page(root, project="plants", set=identity)
    assert "this set of pictures is not there any more" in app.error[0].value
    assert "set" not in app.query_params
    assert not app.run().error


def test_a_run_without_a_checkpoint_says_so(root: Path, project: Project) -> None:
    run = RunFolder.create(project.runs_folder / "young")
    run.write_json(CONFIG, Config.preset("classroom", class_names=("cell",)).model_dump(mode="json"))
    run.write_json(DATASET, {"train": {"images": [], "annotations": [], "categories": []}, "val": None})
    app = open_page(root, project="plants", run="young")
    assert "young has no checkpoint yet; one is written after its first epoch" in app.info[0].value
    assert not app.get("file_uploader")


def test_a_damaged_picture_and_a_deleted_one_are_one_line_each(root: Path, project: Project) -> None:
    workspace = project.folder.parent
    tried = made(workspace, FOUND, time.time(), "plants")
    (tried_set.folder_of(workspace, tried.id) / PICTURES / "a.png").unlink()
    app = open_page(root, project="plants", set=tried.id)
    assert "a.png: is not there any more; give the picture again" in app.error[0].value
    tried_set.candidates_path(workspace, tried.id, 0).write_bytes(b"damaged")
    app = open_page(root, project="plants", set=tried.id, image="c.png", sort="count")
    assert not app.error


def test_hostile_names_are_shown_as_they_are(root: Path, project: Project) -> None:
    wicked = "<b>:red[x]</b> $a$ [l](http://x.y).png"
    workspace = project.folder.parent
    tried = made(workspace, FOUND, time.time(), "plants")
    place = tried_set.folder_of(workspace, tried.id) / tried_set.SET
    document = json.loads(place.read_text())
    document |= {"title": wicked, "unreadable": [wicked]}
    document["pictures"][0]["name"] = document["network"]["name"] = wicked
    document["fields"]["class_names"] = [wicked, "bolt"]
    place.write_text(json.dumps(document))
    app = wait_for(open_page(root, project="plants", set=tried.id), lambda app: bool(app.dataframe))
    assert not app.error
    assert f"**{plain(wicked)}** · {plain(wicked)}, epoch 2" in words(app)
    assert app.expander[0].markdown[0].value == f"- {plain(wicked)}"
    assert app.selectbox(key="try_it_image").options[0] == f"1 / 2   {wicked}"
    assert wicked in app.dataframe[0].value["class"].tolist()


def test_a_set_that_cannot_be_stored_leaves_nothing(
    root: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tried_set, "write_atomic", full)
    app = open_page(root, project="plants")
    app.button(key="try_it_sample").click().run()
    assert "No space left on device" in app.error[0].value
    assert not app.exception
    assert list((project.folder.parent / tried_set.FOLDER).iterdir()) == []
