"""Folders whose names are not UTF-8, as Linux allows: each page says so in one line, and shows the rest."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.jobs import queue, unknown_trainings
from maskrcnn.runs.folder import CONFIG, PROCESS, RunFolder
from tests.app.test_frame import PAGES, make_project, open_app
from tests.jobs.fakes import this_process
from tests.sweeps import one_in

ODD = os.fsdecode(b"odd\xff")
SHOWS_RUNS = (
    "pages/inspect/try_it.py",
    "pages/inspect/predictions.py",
    "pages/inspect/evaluation.py",
    "pages/train/runs.py",
)


@pytest.fixture
def project(workspace: Path) -> Project:
    return make_project(workspace / "plants")


@pytest.fixture
def odd_run(project: Project) -> RunFolder:
    made = RunFolder.create(project.runs_folder / ODD)
    made.write_json(CONFIG, Config.preset("classroom", class_names=("cell",)).model_dump(mode="json"))
    made.write_json("dataset.json", {"train": {"images": [], "annotations": [], "categories": []}, "val": None})
    return made


def visit(root: Path, page: str, project: str = "") -> AppTest:
    app = open_app(root, project).switch_page(page).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("page", [*SHOWS_RUNS, *one_in(9, [page for page in PAGES if page not in SHOWS_RUNS])])
@pytest.mark.parametrize("alone", one_in(2, [False, True]))
def test_a_run(root: Path, odd_run: RunFolder, page: str, alone: bool) -> None:
    if not alone:
        shutil.copytree(odd_run.path, odd_run.path.with_name("good"))
    app = visit(root, page, "plants")
    if page in SHOWS_RUNS:
        (error,) = app.main.expander[0].error
        assert "not UTF-8, so no address can name the run; rename it" in error.value
        assert alone or app.main.selectbox[0].value == "good"


def test_a_training_from_a_terminal(odd_run: RunFolder, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd_run.write_json(PROCESS, this_process(device="cpu"))
    monkeypatch.setattr(unknown_trainings, "trainer_with_pid", lambda path, pid: psutil.Process())
    assert queue.reconcile(workspace) == []
    assert queue.running(workspace) == []


@pytest.mark.parametrize("page", one_in(3, PAGES))
def test_a_project_behind_a_link(root: Path, workspace: Path, project: Project, page: str) -> None:
    """Its own name is text, that of its folder is not."""
    os.rename(project.folder, workspace / ODD)
    project.folder.symlink_to(workspace / ODD)
    app = visit(root, page, "plants")
    assert "the name of this folder is not UTF-8" in app.error[0].value


@pytest.mark.parametrize("page", one_in(3, PAGES))
def test_the_workspace(
    root: Path, workspace: Path, project: Project, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = workspace.rename(workspace.with_name(f"{workspace.name}{ODD}"))
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(there))
    app = visit(root, page)
    assert "cannot be the workspace (its path is not UTF-8); rename the folder" in app.error[0].value
