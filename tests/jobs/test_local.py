"""Trainings as processes of their own. The trainer here is a few lines of Python that write what the real one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.jobs import local
from maskrcnn.training.run_folder import CONFIG, LOG, METRICS, PROCESS, RESULT, RunFolder

ROW = {"event": "step", "epoch": 1, "step": 3, "progress": 0.25, "elapsed": 30.0, "eta": 90.0, "loss": 2.5}

PREAMBLE = f"""
import json, os, signal, subprocess, sys, time
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--out") + 1])
def row(**fields):
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({ROW} | fields) + "\\n")
def result(**fields):
    (out / ".result").write_text(json.dumps(fields))
    (out / ".result").rename(out / "result.json")
def wait_for(name):
    while not (out / name).exists():
        time.sleep(0.02)
"""

CLEAN = """
signal.signal(signal.SIGTERM, lambda *_: (wait_for("let_go"), result(state="cancelled", seconds=1), sys.exit(1)))
row()
wait_for("never")
"""
"""Trains until it is asked to end, and then ends as soon as the test lets it."""


def program(code: str) -> list[str]:
    return [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)]


def until(claim: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.02)
    return False


def pid_of(run: RunFolder) -> int:
    return run.read_json(PROCESS)["pid"]


def by_hand(path: Path, **files: object) -> RunFolder:
    """A run folder with these JSON files (`process` is process.json)."""
    path.mkdir(parents=True)
    (path / CONFIG).write_text(json.dumps({"epochs": 4}))
    for name, document in files.items():
        (path / f"{name}.json").write_text(json.dumps(document))
    return RunFolder(path)


def this_process(**changes: object) -> dict[str, object]:
    me = psutil.Process()
    return {"pid": me.pid, "create_time": me.create_time(), "argv": [], "started": time.time(), **changes}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A project's `runs/`; whatever still runs in it after the test is killed."""
    folder = tmp_path / "project" / "runs"
    yield folder
    for run in local.running_jobs([folder]):
        pid = pid_of(run)
        if pid != os.getpid():
            os.kill(pid, signal.SIGKILL)


def test_a_training_starts_runs_and_ends(runs: Path) -> None:
    run = local.start(
        runs / "a",
        ["--epochs", "2"],
        program=program('print("hello"); wait_for("go"); row(); wait_for("on"); result(state="done")'),
    )
    assert local.state(run) == "starting"
    assert [job.name for job in local.running_jobs([runs])] == ["a"]
    (run.path / "go").touch()
    assert until(lambda: local.state(run) == "running")
    (run.path / "on").touch()
    assert until(lambda: local.state(run) == "done")
    assert run.log_tail() == "hello"
    assert run.read_json(PROCESS)["argv"][-4:] == ["--out", str(run.path), "--epochs", "2"]
    assert until(lambda: not local.running_jobs([runs]))


def test_a_training_leads_a_session_of_its_own(runs: Path) -> None:
    run = local.start(runs / "a", [], program=program(CLEAN))
    assert os.getsid(pid_of(run)) == pid_of(run) != os.getsid(0)


def test_ctrl_c_on_whoever_started_it_leaves_it_running(runs: Path) -> None:
    """The server gets SIGINT with its whole process group, as a terminal sends it."""
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from maskrcnn.jobs import local\n"
            "local.start(Path(sys.argv[1]), [], program=sys.argv[2:]); time.sleep(60)",
            str(runs / "a"),
            *program(CLEAN),
        ],
        cwd=local.ROOT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    run = RunFolder(runs / "a")
    assert until(lambda: run.path.exists() and local.state(run) == "running")
    os.killpg(server.pid, signal.SIGINT)
    server.wait(timeout=10)
    assert local.state(run) == "running"
    local.cancel(run)
    (run.path / "let_go").touch()
    assert until(lambda: local.state(run) == "cancelled")


def test_cancel_asks_and_the_training_ends_by_itself(runs: Path) -> None:
    run = local.start(runs / "a", [], program=program(CLEAN))
    assert until(lambda: local.state(run) == "running")
    local.cancel(run)
    assert local.state(run) == "cancelling"
    with pytest.raises(StudioError, match="finishes its step"):
        local.cancel(run)
    (run.path / "let_go").touch()
    assert until(lambda: local.state(run) == "cancelled")
    assert run.result() == {"state": "cancelled", "seconds": 1}
    with pytest.raises(StudioError, match="has ended already"):
        local.cancel(run)


def test_a_training_that_does_not_listen_is_killed_with_its_workers(runs: Path) -> None:
    run = local.start(
        runs / "a",
        [],
        program=program("""
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            row(worker=worker.pid)
            wait_for("never")
        """),
    )
    assert until(lambda: local.last_row(run) is not None)
    worker = psutil.Process(local.last_row(run)["worker"])  # type: ignore[index]
    local.cancel(run)
    assert local.state(run) == "cancelling"
    local.cancel(run, grace=0)
    assert until(lambda: local.state(run) == "cancelled")
    assert until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    assert run.result() is None


def test_cancelled_before_it_could_listen_counts_as_cancelled(runs: Path) -> None:
    run = local.start(runs / "a", [], program=[sys.executable, "-c", "import time; time.sleep(60)"])
    local.cancel(run)
    assert until(lambda: local.state(run) == "cancelled")


def test_killed_from_outside_is_lost(runs: Path) -> None:
    run = local.start(runs / "a", [], program=program(CLEAN))
    assert until(lambda: local.state(run) == "running")
    os.kill(pid_of(run), signal.SIGKILL)
    assert until(lambda: local.state(run) == "lost")
    assert local.progress(run).eta is None


def test_a_zombie_is_dead(runs: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    process = psutil.Process(child.pid)
    noted = this_process(pid=child.pid, create_time=process.create_time())
    assert until(lambda: process.status() == psutil.STATUS_ZOMBIE)
    assert local.state(by_hand(runs / "a", process=noted)) == "lost"
    child.wait()


def test_a_number_that_another_process_got_later_is_not_our_process(runs: Path) -> None:
    noted = this_process()
    assert local.state(by_hand(runs / "ours", process=noted)) == "starting"
    noted["create_time"] = psutil.Process().create_time() - 3600
    run = by_hand(runs / "reused", process=noted)
    assert local.state(run) == "lost"
    with pytest.raises(StudioError, match="has ended already"):
        local.cancel(run)


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ({"state": "done"}, "done"),
        ({"state": "failed"}, "failed"),
        ({"state": "cancelled"}, "cancelled"),
        ({}, "failed"),
    ],
)
def test_a_result_says_how_it_ended_even_while_the_process_closes(
    runs: Path, result: dict[str, str], state: str
) -> None:
    assert local.state(by_hand(runs / "a", process=this_process(), result=result)) == state


def test_an_error_that_ends_the_log_is_why_it_failed(runs: Path) -> None:
    why = "balloon.json: has no region; draw some" + " and more" * 60
    run = local.start(runs / "a", [], program=program(f'print("error: {why}", file=sys.stderr); sys.exit(2)'))
    assert until(lambda: local.state(run) == "failed")
    assert local.failure(run) == why


def test_one_training_at_a_time(runs: Path) -> None:
    local.start(runs / "first", [], program=program(CLEAN))
    other_project = runs.parent.parent / "other" / "runs"
    with pytest.raises(StudioError, match='"first" is still training'):
        local.start(runs / "second", [], program=program(CLEAN))
    with pytest.raises(StudioError, match='"first" is still training'):
        local.start(other_project / "second", [], beside=[runs], program=program(CLEAN))
    assert [path.name for path in runs.iterdir()] == ["first"]
    assert not other_project.exists()


def test_a_damaged_run_does_not_hide_the_running_one(runs: Path) -> None:
    (by_hand(runs / "damaged", process=this_process()).path / RESULT).write_text("{")
    by_hand(runs / "training", process=this_process())
    assert [run.name for run in local.running_jobs([runs])] == ["training"]


def test_a_taken_name_is_refused_and_what_is_there_stays(runs: Path) -> None:
    run = by_hand(runs / "a", result={"state": "done"})
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    with pytest.raises(ArgumentError, match="exists already"):
        local.start(run.path, [], program=program(CLEAN))
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


def test_a_program_that_cannot_start_leaves_nothing(runs: Path) -> None:
    with pytest.raises(StudioError, match="cannot be started"):
        local.start(runs / "a", [], program=[str(runs / "no-such-python")])
    assert not (runs / "a").exists()


def test_progress_reads_the_last_whole_row(runs: Path) -> None:
    run = by_hand(runs / "a", process=this_process())
    assert (local.progress(run).state, local.progress(run).epoch, local.progress(run).fraction) == ("starting", 0, 0.0)
    (run.path / METRICS).write_text(json.dumps(ROW) + "\n" + json.dumps(ROW)[:40])
    ten_seconds_ago = time.time() - 10
    os.utime(run.path / METRICS, (ten_seconds_ago, ten_seconds_ago))
    now = local.progress(run)
    assert (now.state, now.active, now.epoch, now.epochs, now.fraction) == ("running", True, 1, 4, 0.25)
    assert now.elapsed == pytest.approx(30 + 10, abs=2)
    assert now.eta == pytest.approx(90 - 10, abs=2)
    assert now.row == ROW


def test_progress_of_an_ended_run_stands_still(runs: Path) -> None:
    run = by_hand(runs / "a", process=this_process(), result={"state": "done", "seconds": 47.5})
    (run.path / METRICS).write_text(json.dumps(ROW) + "\n")
    now = local.progress(run)
    assert (now.state, now.fraction, now.elapsed, now.eta) == ("done", 1.0, 47.5, None)


def test_delete_refuses_what_trains_and_what_is_no_run(runs: Path) -> None:
    training = by_hand(runs / "training", process=this_process())
    with pytest.raises(StudioError, match="still training"):
        local.delete(training)
    photos = runs / "photos"
    photos.mkdir()
    (photos / LOG).touch()
    with pytest.raises(StudioError, match="not a run folder"):
        local.delete(RunFolder(photos))
    ended = by_hand(runs / "ended", process=this_process(), result={"state": "done"})
    local.delete(ended)
    assert sorted(path.name for path in runs.iterdir()) == ["photos", "training"]
    assert (training.path / PROCESS).exists()
    assert not (ended.path / RESULT).exists()
