"""The section "Model card" of the Runs page without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.inference.model_card import model_card
from maskrcnn.runs.folder import DATASET, RunFolder
from maskrcnn.studio.runs import model_card_jobs, model_card_view
from tests.made_runs import begin_run, document, end_run, new_project, noise, rectangle

RUNS = "pages/train/runs.py"
HOSTILE = "<b>[x](http://evil.example)|`"


@pytest.fixture
def project(workspace: Path) -> Project:
    return new_project(workspace / "cells", ["a", "b"], noise())


@pytest.fixture
def run(project: Project) -> RunFolder:
    """Of a cell and an object of a class with a hostile name, the cell is found."""
    objects = [rectangle(1, 1, (5, 5, 20, 20)), rectangle(2, 2, (5, 5, 20, 20))]
    run = begin_run(project, document(["a", "b"], objects, ["cell", HOSTILE]))
    return end_run(run, {1: [rectangle(1, 1, (5, 5, 20, 20), score=0.9)]}, {1: 0.5})


@pytest.fixture(autouse=True)
def cards_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page finds each card finished."""

    class Finished(model_card_jobs.CardJob):
        def __init__(self, files: model_card_jobs.CardFiles) -> None:
            super().__init__(files)
            self.thread.join()

    monkeypatch.setattr(model_card_jobs, "CardJob", Finished)
    model_card_jobs._job.clear()
    yield
    model_card_jobs._job.clear()


def opened(root: Path, is_open: bool = True) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    app = app.switch_page(RUNS)
    app.session_state[model_card_view.CARD] = is_open
    app = app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def download(app: AppTest, label: str) -> Any:
    return next(one for one in app.main.get("download_button") if one.proto.label == label)


def test_the_card_shows_the_numbers_of_the_run(root: Path, run: RunFolder) -> None:
    app = opened(root)
    values = {metric.label: metric.value for metric in app.main.metric}
    assert (values["mask AP"], values["box AP"]) == ("0.500", "0.500")  # one of two classes is found
    assert "On 2 validation pictures with 2 objects, after epoch 1." in words(app)
    assert "1 of 1 object found" not in words(app)  # nothing is wrong in a.png
    assert "0 of 1 object found, 0 wrong, 1 missed" in words(app)
    errors = next(frame.value for frame in app.main.dataframe if "error" in frame.value.columns)
    assert dict(zip(errors["error"], errors["number"], strict=True))["missed objects"] == 1
    counts = next(frame.value for frame in app.main.dataframe if "training" in frame.value.columns)
    assert list(counts["training"]) == ["2", "0", "2", "2 / 0 / 0", "100 × 70 px"]
    assert "python -m maskrcnn train" in " ".join(block.value for block in app.main.code)


def test_names_of_classes_are_escaped(root: Path, run: RunFolder) -> None:
    text = words(opened(root))
    assert "\\<b\\>\\[x\\]" in text
    assert "<b>[x](" not in text


def test_a_folded_card_computes_nothing(root: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_card_view, "card_job", None)
    assert not [metric for metric in opened(root, is_open=False).main.metric if "AP" in metric.label]


def test_what_is_downloaded_is_the_card(root: Path, run: RunFolder) -> None:
    app = opened(root)
    card = model_card(run)
    markdown, document = download(app, "Markdown"), download(app, "JSON")
    assert not markdown.proto.disabled
    assert not document.proto.disabled
    assert card.markdown().startswith("---\n")
    assert json.loads(json.dumps(card.to_json()))["name"] == "first"


def test_a_run_that_cannot_be_described_gives_one_line(root: Path, run: RunFolder) -> None:
    (run.path / DATASET).write_text("{")
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    app = app.switch_page(RUNS)
    app.session_state[model_card_view.CARD] = True
    assert not app.run().exception


def test_a_run_without_validation_says_so(root: Path, run: RunFolder) -> None:
    run.write_json(DATASET, {**run.dataset(), "val": None})
    app = opened(root)
    assert any("Not measured: there were no validation pictures" in info.value for info in app.main.info)
    assert not app.main.metric


def test_a_card_is_made_again_when_a_file_changes(run: RunFolder) -> None:
    files = model_card_jobs.CardFiles.of(run, active=False)
    assert files == model_card_jobs.CardFiles.of(run, active=False)
    run.write_json(DATASET, {**run.dataset(), "val": None})
    assert files != model_card_jobs.CardFiles.of(run, active=False)
