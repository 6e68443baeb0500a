"""The Runs page: a model is taken away as a bundle or as ONNX, and a bundle that somebody sent becomes a run."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.inference.export import onnx_file
from maskrcnn.inference.export.bundle import write_bundle
from maskrcnn.inference.export.source import Step, export_source
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.opened_bundle import open_bundle
from maskrcnn.studio.runs import export_jobs

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "data" / "weights" / "toy-c5-align"
FIRST = ROOT / "data" / "shapes" / "val" / "toy2-001.jpg"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target = tmp_path_factory.mktemp("bundle") / "cells.zip"
    return write_bundle(export_source(SHIPPED), target).file.read_bytes()


@pytest.fixture
def project(workspace: Path) -> Project:
    """A project with one of the pictures of the bundle's labels."""
    made = Project.create(workspace / "cells")
    made.add_pictures([(FIRST.name, FIRST.read_bytes())], "train")
    return made


def open_runs(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app = app.switch_page("pages/train/runs.py")
    for name, value in {"project": "cells", **query}.items():
        app.query_params[name] = value
    app = app.run()
    assert not app.exception
    return app


def drop(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader[0].set_value([(name, content, "application/zip")]).run()
    assert not app.exception
    return app


def test_a_bundle_that_is_dropped_becomes_a_run(project: Project, bundle: bytes) -> None:
    app = drop(open_runs(), "from ada.zip", bundle)
    assert app.query_params["run"] == "toy-c5-align"
    (said,) = [element.value for element in app.success]
    assert "**toy-c5-align** is a run of this project now" in said
    assert "Of its 12 labelled pictures one is in this project" in said
    run = RunFolder.open(project.runs_folder / "toy-c5-align")
    assert run.picture_path(run.shown()["images"][0]) == project.images_folder / FIRST.name

    # Once more: it gets a name of its own, and the drop area is there with runs too.
    app = drop(app, "again.zip", bundle)
    assert app.query_params["run"] == "toy-c5-align-2"


def test_what_is_no_bundle_is_one_line_and_no_run(project: Project, bundle: bytes) -> None:
    content = io.BytesIO(bundle)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("<b>setup</b>.py", "import os")
    app = open_runs()
    for upload, words in ((content.getvalue(), "holds code or a pickle"), (bundle[:1000], "the zip is damaged")):
        app = drop(app, "<b>cells.zip", upload)
        (said,) = [element.value for element in app.error]
        assert words in said
        assert "\\<b\\>cells" in said, "markup of a stranger"
        assert not app.success
    assert list(project.runs_folder.iterdir()) == []


@pytest.fixture
def run(project: Project, bundle: bytes) -> RunFolder:
    export_jobs._jobs.clear()
    return open_bundle(io.BytesIO(bundle), project.runs_folder)


def opened_menu(run: RunFolder) -> AppTest:
    app = AppTest.from_function(menu, kwargs={"path": str(run.path)}, default_timeout=60).run()
    assert not app.exception
    return app


def menu(path: str) -> None:
    """What the Download menu of a run shows when it is opened."""
    from maskrcnn.runs.folder import RunFolder
    from maskrcnn.studio.runs import model_files

    model_files.show_exports(RunFolder(path))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button] + [button.label for button in app.get("download_button")]


def test_a_bundle_is_made_in_a_thread_and_then_offered(run: RunFolder) -> None:
    app = opened_menu(run)
    assert labels(app) == ["Model bundle", "ONNX"]
    app.button[0].click().run()
    job = export_jobs.export_job("bundle", run)
    assert job is not None
    wait_for_end(job)
    app.run()
    assert [button.label for button in app.button] == ["ONNX"]
    with job.open() as file, zipfile.ZipFile(file) as archive:
        assert "best.safetensors" in archive.namelist()
    assert export_jobs.start_export("bundle", run) is job, "it is not made again"
    job.discard()
    with pytest.raises(StudioError, match="is gone; make it again"):
        job.open()
    assert labels(app.run()) == ["Model bundle", "ONNX"]


def test_progress_is_shown_while_it_works_and_a_failure_is_one_line(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow(_source: object, _target: Path, step: Step) -> None:
        step(0.25, "comparing *all*")
        reached.set()
        go_on.wait(30)
        raise StudioError("a box differs")

    monkeypatch.setattr(onnx_file, "export_onnx", slow)
    app = opened_menu(run)
    app.button[1].click().run()
    assert reached.wait(30)
    app.run()
    (bar,) = app.get("progress")
    assert (bar.proto.value, bar.proto.text) == (25, "ONNX: comparing \\*all\\*")
    go_on.set()
    job = export_jobs.export_job("onnx", run)
    assert job is not None
    wait_for_end(job)
    app.run()
    assert [element.value for element in app.error] == ["a box differs"]
    assert labels(app) == ["Model bundle", "ONNX"]


def wait_for_end(job: export_jobs.ExportJob) -> None:
    job.thread.join(60)
    assert not job.is_running
