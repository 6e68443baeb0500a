"""The sample project's finished run, and models that ship on the pages that look into networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.jobs import run_state
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.runs import run_actions, run_tables
from maskrcnn.workspace import Workspace
from maskrcnn.workspace.new_projects import SAMPLE
from tests.shipping import ship

RUNS, PREDICTIONS = "pages/train/runs.py", "pages/inspect/predictions.py"
VAL = tuple(path.name for path in sorted((SAMPLE / "val").glob("*.jpg"))[:2])


@pytest.fixture
def shipped_toy(weights_folder: Path) -> RunFolder:
    return RunFolder(ship(weights_folder, pictures=VAL))


def open_page(root: Path, page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    for key in (run_tables.EPOCHS, run_tables.RUNS):  # what is folded at first
        app.session_state[key] = True
    app = app.switch_page(page).run()
    assert not app.exception
    assert not app.error
    return app


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def select(app: AppTest, label: str) -> Any:
    return next(element for element in app.selectbox if element.label == label)


def empty_project(folder: Path) -> Project:
    made = Project.create(folder)
    made.add_pictures([("a.png", cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())], "train")
    return made


def test_the_sample_opens_with_a_finished_run(root: Path, workspace: Path, shipped_toy: RunFolder) -> None:
    app = open_page(root, RUNS)
    run = RunFolder(workspace / "shapes" / "runs" / "toy")
    assert run_state.state(run) == "done"
    assert all(path.is_relative_to(workspace / "shapes" / "images") for path in pictures(run))
    assert all(path.is_file() for path in pictures(run))
    said = words(app)
    assert ":green-badge[:material/check: done]" in said
    assert "ships with the studio" in said
    assert "10,000 pictures of the toy world shapes, seed 1000  ·  mask AP 0.700" in said
    assert "epoch 3/3  ·  took 1:08:20" in app.main.get("progress")[0].proto.text
    assert list(app.main.dataframe[0].value["segm_ap"]) == [0.25, 0.5, 0.75]
    assert not [button for button in app.button if button.label in ("Resume",) or "more epochs" in button.label]


def pictures(run: RunFolder) -> list[Path]:
    return [run.picture_path(image) for image in run.dataset()["val"]["images"]]


def test_it_cannot_be_trained_on_and_is_deleted_for_good(root: Path, workspace: Path, shipped_toy: RunFolder) -> None:
    app = open_page(root, RUNS)
    run = RunFolder(workspace / "shapes" / "runs" / "toy")
    state = run_state.state(run)
    assert not run_actions.offers_resume(run, state)
    assert not run_actions.offers_more_epochs(run, state)
    next(button for button in app.button if button.label == "Delete this run").click().run()
    assert "Nothing was trained in **shapes** yet" in words(app)
    open_page(root, RUNS)
    assert runs_in(workspace / "shapes" / "runs") == []
    assert shipped_toy.best.is_file()


def test_a_sample_that_is_there_is_left_alone(root: Path, workspace: Path, weights_folder: Path) -> None:
    open_page(root, RUNS)
    ship(weights_folder, pictures=VAL)
    assert "Nothing was trained in **shapes** yet" in words(open_page(root, RUNS))


def test_its_predictions_are_there_before_anyone_trains(root: Path, workspace: Path, shipped_toy: RunFolder) -> None:
    app = open_page(root, PREDICTIONS)
    assert select(app, "Run").options == ["toy"]
    assert select(app, "Epoch").options == ["1", "2", "3 (best mask AP)"]
    assert "ships with the studio" in words(app)
    assert next(element for element in app.metric if element.label == "AP of this picture").value == "1.000"
    select(app, "Epoch").set_value(1).run()
    assert next(element for element in app.metric if element.label == "AP of this picture").value == "0.000"


def test_a_project_without_a_training_can_look_at_what_ships(root: Path, workspace: Path, weights_folder: Path) -> None:
    run = ship(weights_folder, pictures=("a.png",))
    project = empty_project(workspace / "cells")
    (weights_folder.parent / "shapes" / "val").mkdir(parents=True)
    (weights_folder.parent / "shapes" / "val" / "a.png").write_bytes(
        project.picture(project.images()[0].id).read_bytes()
    )
    app = open_page(root, PREDICTIONS)
    assert "This project has no training yet; here is a network that ships with the studio" in words(app)
    assert select(app, "Run").options == ["toy (ships with the studio)"]
    assert not list((project.folder / "runs").iterdir())
    assert (run / "detections").is_dir()


def test_the_sample_is_made_without_torch(root: Path, workspace: Path, shipped_toy: RunFolder) -> None:
    program = f"""
import sys
from pathlib import Path
from maskrcnn.runs import shipped_models as shipped
shipped.FOLDER = Path({str(shipped_toy.path.parent)!r})
from maskrcnn.studio.shell import session
assert [path.name for path in session.this_workspace().projects()] == ["shapes"]
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (workspace / "shapes" / "runs" / "toy" / "card.json").is_file()


@pytest.mark.parametrize("how", ["renamed", "duplicated", "deleted and brought back"])
def test_the_runs_of_a_project_go_where_it_goes(root: Path, workspace: Path, shipped_toy: RunFolder, how: str) -> None:
    space = Workspace(workspace)
    (sample,) = space.projects()
    if how == "duplicated":
        folder = space.duplicate(sample, "toys").folder
        space.destroy(space.delete(sample).id)
    else:
        folder = space.rename(sample, "toys")
    if how == "deleted and brought back":
        folder = space.restore(space.delete(folder).id)
    for page in (RUNS, PREDICTIONS):
        app = open_page(root, page)
        assert "toys" in app.query_params["project"]
    assert "no detections" not in words(app)
    (run,) = runs_in(folder / "runs")
    assert run_state.state(run) == "done"
    assert all(path.is_file() and path.is_relative_to(folder / "images") for path in pictures(run))
