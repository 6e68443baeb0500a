"""A training that is killed or cancelled, gone on with, and made longer: as if nothing had happened."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.kill_resume import MEASURED, compare
from maskrcnn.__main__ import main
from maskrcnn.runs.folder import RunFolder
from maskrcnn.training import loop
from tests import tiny
from tests.forked import in_child, struck
from tests.jobs.fakes import end_all, trainer_of
from tests.sweeps import one_in, sweep

SETTINGS = (
    *("ema=0.9", "crop=0.5", "copy_paste=0.5", "loader_threads=1", "warmup_steps=2", "norm=group"),
    *("precision=float32", "checkpoints_kept=2", "picture_cache_mb=0"),
)
EPOCHS = 4


def words_of(labels: Path, run: Path, *more: str) -> list[str]:
    words = ["train", "--data", str(labels), "--val", str(labels), "--out", str(run), "--device", "cpu"]
    words += ["--backbone", "mobilenet_v3_small_fpn", "--layers", "heads,all", "--epochs", str(EPOCHS), *tiny.SETTINGS]
    return [*words, *(word for setting in SETTINGS for word in ("--set", setting)), *more]


def resumed(run: Path, *more: str) -> list[str]:
    return ["train", "--resume", "--out", str(run), "--device", "cpu", *more]


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.squares(tmp_path_factory.mktemp("squares"), pictures=4)


@pytest.fixture(scope="module")
def whole(labels: Path) -> RunFolder:
    """The run that nobody disturbed: 4 epochs of 2 steps."""
    assert in_child(lambda: main(words_of(labels, labels.parent / "whole"))) == 0
    return RunFolder(labels.parent / "whole")


def same(one: RunFolder, other: RunFolder) -> bool:
    assert list(compare(one, other)) == []
    assert other.result()["state"] == "done"
    assert not [path for path in other.path.rglob(".*") if path.is_file()]  # nothing half-written is left
    return True


def killed_until_done(start: list[str], run: Path, kill_after: Callable[[int], int]) -> list[str]:
    """Start, kill, resume, kill ... until it comes to its end; what there was at each kill."""
    seen: list[str] = []
    while True:
        words = resumed(run) if (run / "state_last.pt").exists() else start
        after = kill_after(len(seen))

        def work(words: list[str] = words, after: int = after) -> int:
            with struck(after):
                return main(words)

        status = in_child(work)
        if status != -signal.SIGKILL:
            assert status == 0
            return seen
        seen.append(f"after {after} moments, {len(RunFolder(run).metrics())} rows")
        if not (run / "state_last.pt").exists():
            shutil.rmtree(run)


@sweep
def test_killed_at_random_moments(whole: RunFolder, labels: Path, tmp_path: Path) -> None:
    """Between any two things that are written, in the middle of a row, before and after a step."""
    moments = random.Random(5)
    seen = killed_until_done(
        words_of(labels, tmp_path / "run"), tmp_path / "run", lambda kills: moments.randint(20, 60) if kills < 8 else -1
    )
    assert len(seen) >= 3
    assert same(whole, RunFolder(tmp_path / "run"))


def test_killed_in_the_middle_of_epochs(
    whole: RunFolder, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of a long epoch is saved in the middle of it: here after every step."""
    monkeypatch.setattr(loop, "STATE_EVERY", 0.0)
    moments = random.Random(6)
    seen = killed_until_done(
        words_of(labels, tmp_path / "run"), tmp_path / "run", lambda kills: moments.randint(14, 40) if kills < 4 else -1
    )
    assert len(seen) == 4
    assert same(whole, RunFolder(tmp_path / "run"))


@pytest.mark.parametrize(
    ("moment", "after", "epochs", "steps"),
    one_in(
        2,
        [
            ("before a step", 3, 1, 3),  # the first of the second epoch
            ("after a step", 4, 1, 4),  # the last of it: it is validated when the run goes on
            ("before a picture", 7, 1, 4),  # the third of the second validation
            ("after a file", 6, 1, 3),  # while the first epoch is being written
        ],
    ),
)
def test_cancelled_it_goes_on_where_it_was(
    moment: str, after: int, epochs: int, steps: int, whole: RunFolder, labels: Path, tmp_path: Path
) -> None:
    """SIGTERM in a step or in a validation ends it within that step; nothing that was learned is lost."""
    run = RunFolder(tmp_path / "run")

    def work() -> int:
        with struck(after, signal.SIGTERM, moment):
            return main(words_of(labels, run.path))

    assert in_child(work) == 1
    assert run.result()["state"] == "cancelled"
    assert run.result()["epochs"] == epochs == len(run.epochs())
    assert run.metrics()[-1]["step"] == steps
    assert run.state.is_file()
    assert in_child(lambda: main(resumed(run.path))) == 0
    assert same(whole, run)


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        time.sleep(0.02)


@sweep
def test_the_real_command_killed_and_terminated(whole: RunFolder, labels: Path, tmp_path: Path, root: Path) -> None:
    """kill -9 after the first rows, then SIGTERM to what went on, then to the end."""
    run = RunFolder(tmp_path / "run")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(words: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "maskrcnn", *words], cwd=root, env=environment, stdout=subprocess.DEVNULL
        )

    process = start(words_of(labels, run.path))
    wait_for(lambda: len(run.metrics()) >= 2)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert run.result() is None
    process = start(resumed(run.path))
    wait_for(lambda: (run.read_json("process.json") or {}).get("pid") == process.pid)
    rows = len(run.metrics())
    wait_for(lambda: len(run.metrics()) > rows)
    steps = run.metrics()[-1]["step"]
    process.terminate()
    assert process.wait(30) in (0, 1)  # 0 where it had just come to its end
    if run.result()["state"] == "cancelled":
        assert run.metrics()[-1]["step"] <= steps + 2  # one that it was in, one that began before it was told
        assert in_child(lambda: main(resumed(run.path))) == 0
    assert same(whole, run)


# More of it


@pytest.fixture
def run(whole: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the run that is done."""
    return RunFolder(shutil.copytree(whole.path, tmp_path / "run"))


def test_more_epochs(run: RunFolder, whole: RunFolder, labels: Path) -> None:
    before = run.metrics()
    run.write_json("result.json", run.result() | {"machine": "an abacus"})
    assert in_child(lambda: main(resumed(run.path, "--epochs", "2"))) == 0
    assert run.result()["machine"] == "an abacus, then " + whole.result()["machine"]
    assert run.config().epochs == EPOCHS + 2
    assert run.metrics()[: len(before)] == before
    assert [row["epoch"] for row in run.epochs()] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in run.metrics()][-3:] == [11, 12, 12]
    assert {row["layers"] for row in run.metrics()[len(before) :]} == {"all"}
    assert run.result()["epochs"] == 6
    assert "goes on after step 8, epoch 4; its length is 6 epochs now, not 4 epochs\n" in run.log_tail()
    elapsed = [row["elapsed"] for row in run.metrics()]
    assert elapsed == sorted(elapsed)

    # Killed before it has learned anything more, it is still the longer run.
    shutil.copy(whole.path / "state_last.pt", run.state)
    (run.path / "result.json").unlink()
    assert in_child(lambda: main(resumed(run.path))) == 0
    assert [row["epoch"] for row in run.epochs()] == [1, 2, 3, 4, 5, 6]
    assert run.log_tail().count("its length is") == 1


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    status = main(words)
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    return status, said


def test_a_run_that_is_done_says_so(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    status, said = refusal(resumed(run.path), capsys)
    assert status == 2
    assert "has come to its end; --epochs N" in said
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--data", "labels.json"], "--data: a run is resumed with the choices that it has"),
        (["--layers", "all"], "--layers: a run is resumed with"),
        (["--seed", "0"], "--seed: a run is resumed with"),
        (["--set", "ema=0.5"], "--set, --init and --backbone-weights: a run is resumed with"),
        (["--init", "coco"], "--set, --init and --backbone-weights: a run is resumed with"),
        (["--minutes", "2"], "the length of this run is set in epochs; give --epochs"),
        (["--epochs", "0"], "--epochs 0: give how many more, 1 at least"),
        (["--epochs", "-3"], "--epochs -3: give how many more"),
    ],
)
def test_options_that_would_make_another_training_of_it(
    more: list[str], says: str, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.path / "result.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    status, said = refusal(resumed(run.path, *more), capsys)
    assert status == 2
    assert says in said
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_a_run_that_is_still_training(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path / "result.json").unlink()
    run.write_json("process.json", trainer_of(run.path))
    status, said = refusal(resumed(run.path), capsys)
    end_all(run.path)
    assert (status, "is still training; cancel it first, or wait" in said) == (2, True)
    # The number of a process that is gone may belong to another one now, and a stranger may name any.
    run.write_json("process.json", {"pid": os.getppid(), "create_time": psutil.Process(os.getppid()).create_time()})
    assert main(resumed(run.path, "--epochs", "1")) == 0


class Runs:
    """What a pickle can do to whoever reads it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


@pytest.mark.filterwarnings("ignore:Detected pickle")
@pytest.mark.parametrize("kind", ["truncated", "empty", "text", "code", "another", "none"])
@pytest.mark.parametrize("learned", [True, False])
def test_a_state_that_is_no_state(
    kind: str, learned: bool, run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.path / "result.json").unlink()
    mark = tmp_path / "it ran"
    if kind == "none":
        run.state.unlink()
    else:
        whole = run.state.read_bytes()
        other = pickle.dumps({"format": "something else"})
        contents = {"truncated": whole[:-5000], "empty": b"", "text": b"hello", "another": other}
        run.state.write_bytes(contents.get(kind) or (pickle.dumps(Runs(mark)) if kind == "code" else b""))
    if not learned:
        run.best.unlink()
        for path in run.checkpoints().values():
            path.unlink()
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    status, said = refusal(resumed(run.path), capsys)
    assert status == 1
    assert "state_last.pt" in said
    assert (f"--init {run.path}" if learned else "train into another --out folder") in said
    assert not mark.exists()
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_no_run_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = refusal(resumed(tmp_path / "nowhere"), capsys)
    assert (status, "is not a run folder" in said) == (2, True)
    assert not (tmp_path / "nowhere").exists()


def test_what_is_not_compared_is_what_was_measured(whole: RunFolder) -> None:
    """Everything else of a row follows from the seed."""
    row = whole.metrics()[0]
    assert MEASURED - {"gpu_percent", "validation_seconds"} <= set(row)
    kept = set(row) - MEASURED
    assert {"loss", "learning_rate", "gradient_norm", "layers", "progress", "rpn_positives", "roi_negatives"} <= kept
    assert json.loads(json.dumps(row)) == row
