"""One training as a process of its own, by a trainer of a few lines."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import ROOT
from maskrcnn.jobs import queue, run_state
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.jobs.trainer_command import PROGRAM
from maskrcnn.runs.folder import CONFIG, LOG, METRICS, PROCESS, QUEUED, RESULT, STATE, RunFolder
from maskrcnn.runs.project_runs import runs_and_faults_in, runs_in
from tests.jobs.fakes import (
    CLEAN,
    ROW,
    UNTIL_TOLD,
    add,
    by_hand,
    dead,
    pid_of,
    this_process,
    trainer_of,
    until,
    write_code,
)


def running(runs: Path) -> list[str]:
    """The names of the runs whose process is alive."""
    return [run.name for run in runs_in(runs) if run_state.state(run).active]


def test_a_training_starts_runs_and_ends(runs: Path) -> None:
    run = add(
        runs / "a",
        'print("hello"); wait_for("go"); row(); wait_for("on"); result(state="done")',
        ("--epochs", "2"),
    )
    assert run_state.state(run) == "starting"
    pid_of(run)
    assert run_state.state(run) == "starting"
    assert running(runs) == ["a"]
    (run.path / "go").touch()
    assert until(lambda: run_state.state(run) == "running")
    (run.path / "on").touch()
    assert until(lambda: run_state.state(run) == "done")
    assert run.log_tail() == "hello"
    assert run.read_json(PROCESS)["argv"][-4:] == ["--out", str(run.path), "--epochs", "2"]
    assert until(lambda: not running(runs))


def test_a_training_leads_a_session_of_its_own(runs: Path) -> None:
    run = add(runs / "a", CLEAN)
    assert os.getsid(pid_of(run)) == pid_of(run) != os.getsid(0)


def test_ctrl_c_on_whoever_started_it_leaves_it_running(runs: Path, workspace: Path) -> None:
    """The server gets SIGINT with its whole process group, as a terminal sends it."""
    write_code(workspace, CLEAN)
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path\n"
            "from maskrcnn.jobs import queue; from maskrcnn.jobs.backend import Training\n"
            "from maskrcnn.runs.folder import RunFolder\n"
            "run = Path(sys.argv[1])\n"
            "queue.add(run.parents[2], Training(RunFolder(run))); time.sleep(60)",
            str(runs / "a"),
        ],
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    run = RunFolder(runs / "a")
    assert until(lambda: run.path.exists() and run_state.state(run) == "running")
    os.killpg(server.pid, signal.SIGINT)
    server.wait(timeout=10)
    assert run_state.state(run) == "running"
    LocalBackend(workspace).cancel(run)
    (run.path / "let_go").touch()
    assert until(lambda: run_state.state(run) == "cancelled")


def test_cancel_asks_and_the_training_ends_by_itself(runs: Path, workspace: Path) -> None:
    run = add(runs / "a", CLEAN)
    assert until(lambda: run_state.state(run) == "running")
    LocalBackend(workspace).cancel(run)
    assert run_state.state(run) == "cancelling"
    with pytest.raises(StudioError, match="finishes its step"):
        LocalBackend(workspace).cancel(run)
    (run.path / "let_go").touch()
    assert until(lambda: run_state.state(run) == "cancelled")
    assert run.result() == {"state": "cancelled", "seconds": 1}
    with pytest.raises(StudioError, match="has ended already"):
        LocalBackend(workspace).cancel(run)


def test_a_training_that_does_not_listen_is_killed_with_its_workers(runs: Path, workspace: Path) -> None:
    """A worker, the worker of that one, and one whose parent has gone and that hears nothing either."""
    run = add(
        runs / "a",
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleep = "import time; time.sleep(60)"
        grandchild = f"import subprocess as s, sys; print(s.Popen([sys.executable, '-c', {sleep!r}]).pid, flush=True)"
        worker = subprocess.Popen([sys.executable, "-c", grandchild + "; " + sleep], stdout=subprocess.PIPE)
        parent = subprocess.Popen([sys.executable, "-c", grandchild], stdout=subprocess.PIPE)
        below, orphan = (int(process.stdout.readline()) for process in (worker, parent))
        parent.wait()
        row(leader=os.getpid(), worker=worker.pid, below=below, orphan=orphan)
        wait_for("never")
        """,
    )
    assert until(lambda: run.last_row() is not None)
    pids = [run.last_row()[name] for name in ("leader", "worker", "below", "orphan")]  # type: ignore[index]
    LocalBackend(workspace).cancel(run)
    assert run_state.state(run) == "cancelling"
    assert not any(dead(pid) for pid in pids)
    LocalBackend(workspace, grace=0).cancel(run)
    assert [dead(pid) for pid in pids] == [True] * 4
    assert run_state.state(run) == "cancelled"
    assert run.result() is None


def test_cancelled_before_it_could_listen_counts_as_cancelled(runs: Path, workspace: Path) -> None:
    run = add(runs / "a", "time.sleep(60)")
    pid = pid_of(run)
    LocalBackend(workspace).cancel(run)
    assert until(lambda: run_state.state(run) == "cancelled")
    assert dead(pid)


def test_cancelled_before_its_process_is_there_it_never_trains(runs: Path, workspace: Path) -> None:
    """Asked at once after the start, the runner is still on its way or has just started the trainer."""
    run = add(runs / "a", UNTIL_TOLD)
    LocalBackend(workspace).cancel(run)
    assert until(lambda: not run.path.exists() or run_state.state(run) == "cancelled")
    assert until(lambda: not queue.running(runs.parents[1]))


def test_killed_from_outside_is_lost(runs: Path) -> None:
    run = add(runs / "a", CLEAN)
    assert until(lambda: run_state.state(run) == "running")
    os.kill(pid_of(run), signal.SIGKILL)
    assert until(lambda: run_state.state(run) == "lost")
    assert run_state.progress(run).eta is None


def test_a_zombie_is_dead(runs: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    process = psutil.Process(child.pid)
    noted = this_process(pid=child.pid, create_time=process.create_time())
    assert until(lambda: process.status() == psutil.STATUS_ZOMBIE)
    assert run_state.state(by_hand(runs / "a", process=noted)) == "lost"
    child.wait()


def test_a_number_that_another_process_got_later_is_not_our_process(runs: Path, workspace: Path) -> None:
    assert run_state.state(by_hand(runs / "ours", process=trainer_of(runs / "ours"))) == "starting"
    run = by_hand(runs / "reused", process=this_process(create_time=psutil.Process().create_time() - 3600))
    assert run_state.state(run) == "lost"
    with pytest.raises(StudioError, match="has ended already"):
        LocalBackend(workspace).cancel(run)


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
    assert run_state.state(by_hand(runs / "a", process=trainer_of(runs / "a"), result=result)) == state


def test_an_error_that_ends_the_log_is_why_it_failed(runs: Path) -> None:
    why = "balloon.json: has no region; draw some" + " and more" * 60
    run = add(runs / "a", f'print("error: {why}", file=sys.stderr); sys.exit(2)')
    assert until(lambda: run_state.state(run) == "failed")
    assert run_state.failure(run) == why


def test_a_taken_name_is_refused_and_what_is_there_stays(runs: Path) -> None:
    run = by_hand(runs / "a", result={"state": "done"})
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    with pytest.raises(ArgumentError, match="exists already"):
        add(run.path, CLEAN)
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


def test_a_program_that_cannot_start_says_so(runs: Path, monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    monkeypatch.setenv(PROGRAM, f"{runs / 'no-such-python'} -m maskrcnn train")
    run = RunFolder(runs / "a")
    queue.add(workspace, Training(run))
    assert until(lambda: run_state.state(run) == "failed")
    assert "no-such-python: cannot be started" in (run_state.failure(run) or "")


def test_an_end_without_a_word_is_a_failure_with_the_last_line_of_the_log(runs: Path) -> None:
    run = add(runs / "a", 'row(); raise ValueError("no such thing")')
    assert until(lambda: run_state.state(run) == "failed")
    assert run_state.failure(run) == "ValueError: no such thing"


def test_progress_reads_the_last_whole_row(runs: Path) -> None:
    run = by_hand(runs / "a", process=trainer_of(runs / "a"))
    now = run_state.progress(run)
    assert (now.state, now.epoch, now.fraction) == ("starting", 0, 0.0)
    (run.path / METRICS).write_text(json.dumps(ROW) + "\n" + json.dumps(ROW)[:40])
    ten_seconds_ago = time.time() - 10
    os.utime(run.path / METRICS, (ten_seconds_ago, ten_seconds_ago))
    # Rows from before its process are those of the run that it goes on with: the time in between does not count.
    now = run_state.progress(run)
    assert (now.state, now.elapsed, now.eta) == ("starting", 30, 90)
    run.write_json(PROCESS, {**(run.read_json(PROCESS) or {}), "started": ten_seconds_ago - 1})
    now = run_state.progress(run)
    assert (now.state, now.active, now.epoch, now.epochs, now.fraction) == ("running", True, 1, 4, 0.25)
    assert now.elapsed == pytest.approx(30 + 10, abs=2)
    assert now.eta == pytest.approx(90 - 10, abs=2)
    assert now.row == ROW


def test_progress_of_an_ended_run_stands_still(runs: Path) -> None:
    run = by_hand(runs / "a", process=this_process(), result={"state": "done", "seconds": 47.5})
    (run.path / METRICS).write_text(json.dumps(ROW) + "\n")
    now = run_state.progress(run)
    assert (now.state, now.fraction, now.elapsed, now.eta) == ("done", 1.0, 47.5, None)


def test_delete_refuses_what_trains_and_what_is_no_run(runs: Path, workspace: Path) -> None:
    training = by_hand(runs / "training", process=trainer_of(runs / "training"))
    with pytest.raises(StudioError, match="still training"):
        LocalBackend(workspace).delete(training)
    photos = runs / "photos"
    photos.mkdir()
    (photos / LOG).touch()
    with pytest.raises(StudioError, match="not a run folder"):
        LocalBackend(workspace).delete(RunFolder(photos))
    ended = by_hand(runs / "ended", process=this_process(), result={"state": "done"})
    LocalBackend(workspace).delete(ended)
    assert sorted(path.name for path in runs.iterdir()) == ["photos", "training"]
    assert (training.path / PROCESS).exists()
    assert not (ended.path / RESULT).exists()


def test_a_deletion_that_was_interrupted_is_finished_by_the_next_one(runs: Path, workspace: Path) -> None:
    by_hand(runs / ".a.deleted", result={"state": "done"})
    assert runs_in(runs) == []
    LocalBackend(workspace).delete(by_hand(runs / "a", result={"state": "done"}))
    assert list(runs.iterdir()) == []


def test_a_leftover_of_another_run_that_cannot_be_deleted_stops_no_deletion(
    runs: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = by_hand(runs / ".b.deleted", result={"state": "done"}).path
    rmtree = shutil.rmtree

    def rmtree_without_rights(path: Path, *args: Any, **kwargs: Any) -> None:
        if path == stuck:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        rmtree(path, *args, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", rmtree_without_rights)
    LocalBackend(workspace).delete(by_hand(runs / "a", result={"state": "done"}))
    assert list(runs.iterdir()) == [stuck]
    monkeypatch.undo()
    LocalBackend(workspace).delete(by_hand(runs / "a", result={"state": "done"}))
    assert list(runs.iterdir()) == []


def test_a_run_of_its_own_that_cannot_be_deleted_raises(
    runs: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = by_hand(runs / "a", result={"state": "done"})

    def unlink_without_rights(path: Any, **_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink_without_rights)
        with pytest.raises(PermissionError):
            LocalBackend(workspace).delete(run)


def test_two_tabs_may_delete_the_same_files(runs: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tab, which deletes another run, finds the hidden folder of this one and deletes its files first."""
    run = by_hand(runs / "a", result={"state": "done"})
    (run.path / "checkpoints").mkdir()
    (run.path / "checkpoints" / "epoch_0001.safetensors").touch()
    unlink = os.unlink
    unlinked: list[Any] = []

    def unlink_by_both(path: Any, **kwargs: Any) -> None:
        unlinked.append(path)
        unlink(path, **kwargs)
        unlink(path, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink_by_both)
        LocalBackend(workspace).delete(run)
    assert unlinked
    assert list(runs.iterdir()) == []


def test_a_damaged_run_can_be_deleted(runs: Path, workspace: Path) -> None:
    damaged = runs / "damaged"
    damaged.mkdir(parents=True)
    (damaged / CONFIG).symlink_to(runs / "nowhere")
    assert list(runs_and_faults_in(runs)[1]) == ["damaged"]
    LocalBackend(workspace).delete(RunFolder(damaged))
    assert list(runs.iterdir()) == []


def test_a_run_can_go_on_where_it_left_a_state_and_nothing_of_it_lives(runs: Path) -> None:
    stopped = by_hand(runs / "stopped", process=this_process(create_time=1.0), result={"state": "cancelled"})
    assert not run_state.resumable(stopped)
    stopped.state.touch()
    assert run_state.resumable(stopped)
    killed = by_hand(runs / "killed", process=this_process(create_time=1.0))
    killed.state.touch()
    assert run_state.resumable(killed)
    alive = by_hand(runs / "alive", process=trainer_of(runs / "alive"))
    alive.state.touch()
    assert not run_state.resumable(alive)
    waiting = by_hand(runs / "waiting", queued={})
    (waiting.path / STATE).touch()
    assert (run_state.state(waiting), run_state.resumable(waiting)) == ("queued", False)


def test_a_clock_that_was_set_anew_does_not_lose_a_training(runs: Path) -> None:
    """It moves the create times of all processes; then the command line tells."""
    run = add(runs / "a", CLEAN)
    pid_of(run)
    assert until(lambda: run_state.state(run) == "running")
    noted = run.read_json(PROCESS)
    run.write_json(PROCESS, {**noted, "create_time": noted["create_time"] - 3600})
    assert run_state.state(run) == "running"


def test_deleting_a_run_that_waits_takes_it_out_of_the_queue(runs: Path, workspace: Path) -> None:
    add(runs / "first", CLEAN)
    second = add(runs / "second", CLEAN)
    assert (second.path / QUEUED).is_file()
    LocalBackend(workspace).delete(second)
    assert not second.path.exists()
    assert queue.waiting(runs.parents[1]) == []
