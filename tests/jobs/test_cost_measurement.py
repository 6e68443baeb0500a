"""Measuring the costs of a training in a process of its own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.store import Project
from maskrcnn.jobs import cost_measurement, known_costs
from maskrcnn.runs.cost_estimate import Costs
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.trainer_process import TRAINER
from tests import tiny
from tests.sweeps import sweep

COSTS = Costs(step={"all": 0.9}, first_read=0.1, validation=0.25, epoch=0.5, start=7.0, memory_mb=1945.6)


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def stand_in(monkeypatch: pytest.MonkeyPatch, *lines: str, status: int = 0, forever: bool = False) -> None:
    """Let a program measure that prints these lines."""
    program = (
        f"import sys, time; print({chr(10).join(lines)!r}, flush=True); time.sleep({60 * forever}); sys.exit({status})"
    )
    monkeypatch.setattr(cost_measurement, "MEASURER", (sys.executable, "-c", program, *TRAINER))


def test_what_was_measured_is_kept_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "reading pictures", json.dumps({"costs": asdict(COSTS)}))
    assert cost_measurement.poll("k", [], tmp_path) is None
    cost_measurement.start("k", [], tmp_path, "cpu", beside_training=True)
    wait_until(lambda: cost_measurement.poll("k", [], tmp_path) is None)
    [kept] = tmp_path.iterdir()
    assert kept.name == "k.json"
    document = json.loads(kept.read_text())
    assert (Costs.parse(document["costs"]), document["beside"]) == (COSTS, True)


def test_a_measurement_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "reading pictures", "error: there is not enough memory; lower batch_size", status=1)
    cost_measurement.start("k", [], tmp_path, "cpu", beside_training=False)
    wait_until(lambda: cost_measurement.poll("k", [], tmp_path).state == "failed")  # type: ignore[union-attr]
    assert cost_measurement.poll("k", [], tmp_path).line == "there is not enough memory; lower batch_size"  # type: ignore[union-attr]
    stand_in(monkeypatch, json.dumps({"costs": asdict(COSTS)}))
    cost_measurement.start("k", [], tmp_path, "cpu", beside_training=False)
    wait_until(lambda: cost_measurement.poll("k", [], tmp_path) is None)


def test_cancelling_ends_the_process_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "timing steps", forever=True)
    cost_measurement.start("k", [], tmp_path, "cpu", beside_training=False)
    wait_until(lambda: cost_measurement.poll("k", [], tmp_path).line == "timing steps")  # type: ignore[union-attr]
    pid = json.loads((tmp_path / "measuring-k" / "process.json").read_text())["pid"]
    cost_measurement.start("k", [], tmp_path, "cpu", beside_training=False)  # another tab: the same one goes on
    assert json.loads((tmp_path / "measuring-k" / "process.json").read_text())["pid"] == pid
    cost_measurement.cancel("k", tmp_path)
    assert cost_measurement.poll("k", [], tmp_path) is None
    assert not list(tmp_path.iterdir())
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5)


def test_a_failure_says_nothing_of_other_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download may fail where the same network from a file does not."""
    stand_in(monkeypatch, "error: no network", status=1)
    cost_measurement.start("k", ["--init", "coco"], tmp_path, "cpu", beside_training=False)
    wait_until(lambda: cost_measurement.poll("k", ["--init", "coco"], tmp_path).state == "failed")  # type: ignore[union-attr]
    assert cost_measurement.poll("k", ["--init", "none"], tmp_path) is None


def test_one_measurement_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "timing steps", forever=True)
    cost_measurement.start("k", [], tmp_path, "cpu", beside_training=False)
    cost_measurement.start("other", [], tmp_path, "cpu", beside_training=False)
    assert cost_measurement.poll("k", [], tmp_path) is None
    assert cost_measurement.poll("other", [], tmp_path).state == "running"  # type: ignore[union-attr]
    cost_measurement.cancel("other", tmp_path)


@sweep
def test_the_trainer_measures_what_the_page_asks_for(tmp_path: Path) -> None:
    """The real thing, once: from the choices on the page to the costs in the store, and no trace in the project."""
    project = Project.create(tmp_path / "p")
    project.import_dataset(read(tiny.squares(tmp_path / "labels", 2)), "train")
    changed = {**tiny.CONFIG, "layers": "heads"}
    request = TrainingRequest(data=project.folder, preset="classroom", init="none", changed=changed)
    config, options = request.config({"classes": ("square",), "keypoints": None}), request.to_argv()
    key, store = known_costs.timing_key(config, project.folder, "cpu"), tmp_path / "store"
    before = sorted(project.folder.rglob("*"))
    cost_measurement.start(key, options, store, "cpu", beside_training=False)
    wait_until(lambda: getattr(cost_measurement.poll(key, options, store), "state", None) != "running")
    assert cost_measurement.poll(key, options, store) is None
    found = known_costs.newest_known_costs(config, project.folder, "cpu", [], store)
    assert found is not None
    assert found.costs.step["heads"] > 0
    assert not project.snapshots()
    assert [path for path in sorted(project.folder.rglob("*")) if "project.db" not in path.name] == [
        path for path in before if "project.db" not in path.name
    ]
