"""The rows of a run as events, read back by TensorBoard's own reader."""

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder
from maskrcnn.training import tensorboard
from maskrcnn.training.tensorboard import TensorboardEvents, require_tensorboard

CONFIG = Config.preset("classroom", tensorboard=True)


def row(event: str, step: int, **values: Any) -> dict[str, Any]:
    return {"event": event, "epoch": 1, "step": step, "progress": 0.1, "elapsed": 1.0, "layers": "all", **values}


def written(run: RunFolder) -> EventAccumulator:
    events = EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    return events


def test_numbers_of_steps_and_epochs_become_scalars(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    events = TensorboardEvents.of(run, CONFIG)
    assert events is not None
    events.add(row("step", 1, loss=2.5))
    events.add(row("step", 2, loss=2.0))
    events.add(row("epoch", 2, loss=2.25, segm_ap=0.5, bbox_ap=None))
    events.close()
    read = written(run)
    assert read.Tags()["scalars"] == ["step/loss", "epoch/loss", "epoch/segm_ap"]
    assert [(scalar.step, scalar.value) for scalar in read.Scalars("step/loss")] == [(1, 2.5), (2, 2.0)]
    assert read.Scalars("epoch/segm_ap")[0].value == 0.5


def test_a_resumed_run_replaces_what_it_does_again(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    first = TensorboardEvents.of(run, CONFIG)
    assert first is not None
    for step in (1, 2, 3):
        run.append_metrics(row("step", step, loss=1.0))
        first.add(row("step", step, loss=1.0))
    first.close()
    run.cut_metrics(1, 0)  # it goes on after step 1
    again = TensorboardEvents.of(run, CONFIG)
    assert again is not None
    again.add(row("step", 2, loss=0.5))
    again.close()
    assert [(scalar.step, scalar.value) for scalar in written(run).Scalars("step/loss")] == [(1, 1.0), (2, 0.5)]


def test_nothing_is_written_where_nobody_asks(tmp_path: Path) -> None:
    assert TensorboardEvents.of(RunFolder(tmp_path), Config.preset("classroom")) is None
    assert not list(tmp_path.iterdir())


def test_where_it_is_not_installed_that_is_said_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    require_tensorboard(Config.preset("classroom"))
    with pytest.raises(StudioError, match="tensorboard is not installed; pip install tensorboard"):
        require_tensorboard(CONFIG)
