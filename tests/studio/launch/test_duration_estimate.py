"""Measuring in a process of its own, and the words for how long something takes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.jobs import measured_costs, measuring
from maskrcnn.jobs.measured_costs import Known
from maskrcnn.runs.costs import Costs, estimate_of
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.trainer_process import TRAINER
from maskrcnn.studio.launch import doctor_summary, duration_estimate
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
    monkeypatch.setattr(measuring, "MEASURER", (sys.executable, "-c", program, *TRAINER))


def test_what_was_measured_is_kept_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "reading pictures", json.dumps({"costs": asdict(COSTS)}))
    assert measuring.look("k", [], tmp_path) is None
    measuring.start("k", [], tmp_path, "cpu", beside=True)
    wait_until(lambda: measuring.look("k", [], tmp_path) is None)
    [kept] = tmp_path.iterdir()
    assert kept.name == "k.json"
    document = json.loads(kept.read_text())
    assert (Costs.parse(document["costs"]), document["beside"]) == (COSTS, True)


def test_a_measurement_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "reading pictures", "error: there is not enough memory; lower batch_size", status=1)
    measuring.start("k", [], tmp_path, "cpu", beside=False)
    wait_until(lambda: measuring.look("k", [], tmp_path).state == "failed")  # type: ignore[union-attr]
    assert measuring.look("k", [], tmp_path).line == "there is not enough memory; lower batch_size"  # type: ignore[union-attr]
    stand_in(monkeypatch, json.dumps({"costs": asdict(COSTS)}))
    measuring.start("k", [], tmp_path, "cpu", beside=False)
    wait_until(lambda: measuring.look("k", [], tmp_path) is None)


def test_cancelling_ends_the_process_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "timing steps", forever=True)
    measuring.start("k", [], tmp_path, "cpu", beside=False)
    wait_until(lambda: "timing" in measuring.look("k", [], tmp_path).line)  # type: ignore[union-attr]
    pid = json.loads((tmp_path / "measuring-k" / "process.json").read_text())["pid"]
    measuring.start("k", [], tmp_path, "cpu", beside=False)  # another tab: the same one goes on
    assert json.loads((tmp_path / "measuring-k" / "process.json").read_text())["pid"] == pid
    measuring.cancel("k", tmp_path)
    assert measuring.look("k", [], tmp_path) is None
    assert not list(tmp_path.iterdir())
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 5)


def test_a_failure_says_nothing_of_other_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download may fail where the same network from a file does not."""
    stand_in(monkeypatch, "error: no network", status=1)
    measuring.start("k", ["--init", "coco"], tmp_path, "cpu", beside=False)
    wait_until(lambda: measuring.look("k", ["--init", "coco"], tmp_path).state == "failed")  # type: ignore[union-attr]
    assert measuring.look("k", ["--init", "none"], tmp_path) is None


def test_one_measurement_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "timing steps", forever=True)
    measuring.start("k", [], tmp_path, "cpu", beside=False)
    measuring.start("other", [], tmp_path, "cpu", beside=False)
    assert measuring.look("k", [], tmp_path) is None
    assert measuring.look("other", [], tmp_path).state == "running"  # type: ignore[union-attr]
    measuring.cancel("other", tmp_path)


@sweep
def test_the_trainer_measures_what_the_page_asks_for(tmp_path: Path) -> None:
    """The real thing, once: from the choices on the page to the costs in the store, and no trace in the project."""
    project = Project.create(tmp_path / "p")
    project.import_dataset(read(tiny.squares(tmp_path / "labels", 2)), "train")
    changed = {**tiny.CONFIG, "layers": "heads"}
    request = TrainingRequest(data=project.folder, preset="classroom", init="none", changed=changed)
    config, options = request.config({"classes": ("square",), "keypoints": None}), request.to_argv()
    key, store = measured_costs.speed_key(config, project.folder, "cpu"), tmp_path / "store"
    before = sorted(project.folder.rglob("*"))
    measuring.start(key, options, store, "cpu", beside=False)
    wait_until(lambda: getattr(measuring.look(key, options, store), "state", None) != "running")
    assert measuring.look(key, options, store) is None
    found = measured_costs.known(config, project.folder, "cpu", [], store)
    assert found is not None
    assert found.costs.step["heads"] > 0
    assert not project.snapshots()
    assert [path for path in sorted(project.folder.rglob("*")) if "project.db" not in path.name] == [
        path for path in before if "project.db" not in path.name
    ]


def test_the_answer_in_words() -> None:
    config = Config.preset("classroom", layers="all", epochs=20)
    found = estimate_of(COSTS, config, pictures=61, validated=12)
    # 1900 x 2**20 bytes are 1.99 GB
    assert duration_estimate.parts_in_words(found, config) == (
        "0.9 s a step, 16 steps an epoch (once through the pictures), 20 epochs, 3.0 s of validation each, "
        "7.0 s to start, 2.0 GB of memory"
    )
    # 6.1 + 20 x (16 x 0.9 + 3 + 0.5) = 364 s, and 7 to start
    assert (found.seconds_of_training, found.seconds) == (pytest.approx(364.1), pytest.approx(371.1))


@pytest.mark.parametrize(
    ("pictures", "batch", "changes", "said"),
    [
        # 120 s, a twentieth is 6 s or 6 steps of 1 s; a pass of 8 pictures by twos is 4 steps, so 1.5 are rounded to 2
        (8, 2, {"minutes": 2}, "about 8 steps an epoch (2 times through the pictures), about 15 epochs"),
        (61, 4, {"minutes": 2}, "about 16 steps an epoch (once through the pictures), about 8 epochs"),
        (1, 4, {"epochs": 1}, "1 step an epoch (once through the pictures), 1 epoch,"),
        (5, 4, {"epochs": 2}, "2 steps an epoch (1.6 times through the pictures), 2 epochs"),
        (40, 4, {"epochs": 3, "steps_per_epoch": 5}, "5 steps an epoch (0.5 times through the pictures), 3 epochs"),
        (40, 4, {"minutes": 2, "steps_per_epoch": 100}, "s a step, 100 steps an epoch (10 times through the pictures)"),
    ],
)
def test_how_long_an_epoch_is(pictures: int, batch: int, changes: dict[str, float], said: str) -> None:
    config = Config.preset("classroom", layers="all", batch_size=batch, **changes)
    costs = Costs({"all": 1.0}, 0.0, 0.0, 0.0, 7.0, 0.0)
    assert said in duration_estimate.parts_in_words(estimate_of(costs, config, pictures, 0), config)


def test_a_moment_in_words() -> None:
    now = datetime.now().replace(hour=14, minute=5)
    assert duration_estimate.clock_words(now) == "about 14:05"
    assert duration_estimate.clock_words(now + timedelta(days=1)) == "tomorrow about 14:05"
    assert duration_estimate.clock_words(now + timedelta(days=3)).startswith("on ")


def test_where_the_figures_are_from() -> None:
    assert duration_estimate.source_in_words(Known(COSTS, "shapes-3", 0.0)) == "as fast as the run shapes-3"
    assert duration_estimate.source_in_words(Known(COSTS, None, time.time(), beside=True)).endswith("rather less")


def test_the_doctor_in_short(tmp_path: Path) -> None:
    """Errors before warnings, of these the more frequent ones first, hints not at all."""
    from maskrcnn.annotations.doctor import Finding

    def finding(check: str, severity: str) -> Finding:
        return Finding(check, severity, "x", picture=0)  # type: ignore[arg-type]

    found = [
        *[finding("below-anchor", "hint")] * 9,
        *[finding("tiny", "warning")] * 2,
        *[finding("duplicate", "warning")] * 3,
        finding("no-class", "error"),
    ]
    assert doctor_summary.worst(found) == [
        ("error", "Region without a class", 1),
        ("warning", "Region drawn twice", 3),
        ("warning", "Region of fewer than 16 pixels", 2),
    ]
