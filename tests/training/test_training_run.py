"""A training from Python, as a notebook does it: no argparse, rows by a callback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs.folder import PROCESS, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.training.training_run import train
from tests import tiny

CHANGED = {**tiny.CONFIG, "epochs": 2, "warmup_steps": 1, "loader_threads": 0, "precision": "float32"}


def test_rows_come_by_a_callback_and_the_result_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tiny.squares(tmp_path / "data", pictures=2)
    request = TrainingRequest(data=labels, val=labels, init="none", changed=CHANGED)
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    result = train(request, tmp_path / "run", device="cpu", report=rows.append, say=lines.append)
    run = RunFolder.open(tmp_path / "run")
    assert rows == run.metrics()
    assert [row["event"] for row in rows] == ["step", "epoch"] * 2
    assert (result["state"], result["epochs"]) == ("done", 2)
    assert result == run.result()
    assert lines == run.log_tail().splitlines()
    assert lines[0].startswith("run: 2 pictures to learn from, 2 to validate on, resnet18_fpn with align")
    assert capsys.readouterr().out == ""
    assert not (run.path / PROCESS).exists()  # nobody may end the notebook for it

    longer = train(TrainingRequest(changed={"epochs": 1}), tmp_path / "run", device="cpu", resume=True)
    assert longer["epochs"] == 3
    assert [row["epoch"] for row in run.epochs()] == [1, 2, 3]


def test_it_can_be_stopped_and_gone_on_with(tmp_path: Path) -> None:
    labels = tiny.squares(tmp_path / "data", pictures=2)
    request = TrainingRequest(data=labels, init="none", changed=CHANGED)
    stopped = train(request, tmp_path / "run", device="cpu", cancelled=lambda: True)
    assert (stopped["state"], len(RunFolder(tmp_path / "run").metrics())) == ("cancelled", 1)
    assert train(TrainingRequest(), tmp_path / "run", device="cpu", resume=True)["state"] == "done"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (TrainingRequest(), "--data is missing"),
        (TrainingRequest(data="nothing here"), "nothing here"),
        (TrainingRequest(data="data", init="coco", changed={"backbone": "resnet18_fpn"}), "no COCO weights with the"),
        (TrainingRequest(data="data", changed={"epochs": 0}), "epochs = 0"),
    ],
)
def test_what_cannot_be_leaves_nothing(
    request_: TrainingRequest, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudioError, match=said):
        train(request_, "run", device="cpu")
    assert not Path("run").exists()
    with pytest.raises(ArgumentError, match="is not a run folder"):
        train(TrainingRequest(), "run", device="cpu", resume=True)
