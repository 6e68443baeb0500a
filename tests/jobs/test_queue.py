"""The queue: who waits, who starts, in which order, and how long it takes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import ROOT
from maskrcnn.jobs import devices, processes, queue, queue_backup, run_state
from maskrcnn.jobs.job_table import JobTable
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.jobs.queue_database import DATABASE, QueueDamaged
from maskrcnn.jobs.trainer_command import command
from maskrcnn.runs.folder import PROCESS, QUEUED, RESULT, RunFolder
from maskrcnn.runs.project_runs import runs_in
from tests.jobs.fakes import (
    BRIEF,
    CLEAN,
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
from tests.sweeps import sweep
from tests.work import calls


def order(workspace: Path) -> list[str]:
    return [job.run.name for job in queue.waiting(workspace)]


def all_done(runs: Path) -> bool:
    return all(run_state.state(run) == "done" for run in runs_in(runs))


@sweep
def test_ten_jobs_from_five_processes_take_turns(runs: Path, workspace: Path) -> None:
    """Each of five servers adds two at the same moment; one device."""
    adding = (
        "import sys, time; from pathlib import Path\n"
        "from maskrcnn.jobs import queue; from maskrcnn.jobs.backend import Training\n"
        "from maskrcnn.runs.folder import RunFolder\n"
        "workspace, server, at = sys.argv[1:]\n"
        "time.sleep(max(0, float(at) - time.time()))\n"
        "for number in (1, 2):\n"
        "    run = Path(workspace) / 'project' / 'runs' / f'{server}-{number}'\n"
        "    queue.add(Path(workspace), Training(RunFolder(run)))\n"
    )
    write_code(workspace, BRIEF)
    at = str(time.time() + 1.0)
    servers = [
        subprocess.Popen([sys.executable, "-c", adding, str(workspace), str(server), at], cwd=ROOT)
        for server in range(5)
    ]
    assert [server.wait(30) for server in servers] == [0] * 5
    assert until(lambda: all_done(runs))
    jobs = runs_in(runs)
    assert len(jobs) == 10

    times = sorted(tuple(float((run.path / name).read_text()) for name in ("began", "ended")) for run in jobs)
    assert all(ended <= began for (_, ended), (began, _) in pairwise(times)), "two ran at once"
    with sqlite3.connect(workspace / DATABASE) as db:
        added = [workspace / run for (run,) in db.execute("SELECT run FROM job ORDER BY id")]
    began = sorted(jobs, key=lambda run: float((run.path / "began").read_text()))
    assert [run.path for run in began] == added
    assert until(lambda: not queue.running(workspace))
    assert queue.reconcile(workspace) == []


def test_two_on_one_device_are_impossible(workspace: Path) -> None:
    table = JobTable(workspace)
    with table.writing() as db:
        table.insert(db, workspace / "a", "running", options="[]", wanted="any", device="cpu")
        for state in ("starting", "running", "cancelling"):
            with pytest.raises(sqlite3.IntegrityError):
                table.insert(db, workspace / "b", state, options="[]", wanted="any", device="cpu")
        table.insert(db, workspace / "b", "running", options="[]", wanted="any", device="cuda:0")


def test_a_job_is_added_once_if_damage_is_found_at_the_commit(
    runs: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is repaired and the job added once more, so the first attempt must have left no folder."""
    writing, damaged = JobTable.writing, []

    @contextmanager
    def damaged_once(table: JobTable) -> Iterator[sqlite3.Connection]:
        with writing(table) as db:
            yield db
            if not damaged:
                damaged.append(table)
                raise QueueDamaged

    monkeypatch.setattr(JobTable, "writing", damaged_once)
    run = add(runs / "first", CLEAN)
    assert damaged
    assert (run.path / "queued.json").is_file() or (run.path / "process.json").is_file()
    with sqlite3.connect(workspace / DATABASE) as db:
        assert db.execute("SELECT count(*) FROM job").fetchone() == (1,)


def test_a_job_that_waits_has_its_folder_and_is_listed(runs: Path, workspace: Path) -> None:
    add(runs / "first", CLEAN)
    second = add(runs / "second", CLEAN)
    assert run_state.state(second) == "queued"
    assert not run_state.progress(second).active
    assert {run.name for run in runs_in(runs)} == {"first", "second"}
    with pytest.raises(ArgumentError, match="exists already"):
        add(runs / "second", CLEAN)
    assert order(workspace) == ["second"]


def test_the_queue_goes_on_by_itself(runs: Path, workspace: Path) -> None:
    """Nobody looks: no page, no server."""
    for name in "abc":
        add(runs / name, BRIEF)
    assert until(lambda: all((runs / name / RESULT).is_file() for name in "abc"))


def test_first_come_first_served_unless_a_person_says_otherwise(runs: Path, workspace: Path) -> None:
    first = add(runs / "first", UNTIL_TOLD)
    for name in "abcd":
        add(runs / name, BRIEF)
    assert order(workspace) == ["a", "b", "c", "d"]
    queue.move_first(workspace, RunFolder(runs / "c"))
    assert order(workspace) == ["c", "a", "b", "d"]
    queue.move_first(workspace, RunFolder(runs / "b"))
    assert order(workspace) == ["b", "c", "a", "d"]
    queue.take_out(workspace, RunFolder(runs / "a"))
    assert order(workspace) == ["b", "c", "d"]
    assert not (runs / "a").exists()
    assert until((first.path / "metrics.jsonl").is_file)
    (first.path / "end").touch()
    assert until(lambda: all_done(runs))
    began = {name: float((runs / name / "began").read_text()) for name in "bcd"}
    assert sorted(began, key=began.__getitem__) == ["b", "c", "d"]
    for change in (queue.move_first, queue.take_out):
        with pytest.raises(StudioError, match="does not wait any more"):
            change(workspace, RunFolder(runs / "b"))


def test_how_long_each_waits(runs: Path, workspace: Path) -> None:
    """The running one says 90 s more; the next two are thought to take 100 s, and nobody knows about the third."""
    first = add(runs / "first", 'wait_for("go");' + UNTIL_TOLD, expected_seconds=1000)
    add(runs / "a", BRIEF, expected_seconds=100)
    add(runs / "b", BRIEF, expected_seconds=100)
    add(runs / "c", BRIEF)
    add(runs / "d", BRIEF)
    assert queue.waiting(workspace)[0].seconds == pytest.approx(1000, abs=60)  # before its first step
    (first.path / "go").touch()
    assert until(lambda: first.last_row() is not None)
    waiting = queue.waiting(workspace)
    assert [job.place for job in waiting] == [1, 2, 3, 4]
    assert [job.seconds for job in waiting[:3]] == pytest.approx([90, 190, 290], abs=40)
    assert waiting[3].seconds is None
    assert waiting[2].ahead == ("first", "a", "b")


@pytest.fixture
def two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An `nvidia-smi` that knows two cards."""
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    smi.write_text("#!/bin/sh\necho '0, GPU-aaaa'\necho '1, GPU-bbbb'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{smi.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _forget_devices()
    yield
    _forget_devices()


def _forget_devices() -> None:
    devices.available.cache_clear()
    devices._cards.cache_clear()


@pytest.mark.usefixtures("two_cards")
def test_each_card_has_its_own_training_and_sees_no_other(runs: Path, workspace: Path) -> None:
    code = '(out / "card").write_text(os.environ["CUDA_VISIBLE_DEVICES"])\n' + UNTIL_TOLD
    assert devices.available() == ("cuda:0", "cuda:1")
    one, two = add(runs / "one", code), add(runs / "two", code)
    only_first = add(runs / "only-first", code, device="cuda:0")
    either = add(runs / "either", code)
    assert [job.device for job in queue.running(workspace)] == ["cuda:0", "cuda:1"]
    assert order(workspace) == ["only-first", "either"]
    assert until(lambda: all(run_state.state(run) == "running" for run in (one, two)))  # after that file is written
    assert [(run.path / "card").read_text() for run in (one, two)] == ["GPU-aaaa", "GPU-bbbb"]
    (two.path / "end").touch()
    assert until(lambda: run_state.state(either) == "running")  # the one before it waits for the other card
    assert (either.path / "card").read_text() == "GPU-bbbb"
    assert run_state.state(only_first) == "queued"
    (one.path / "end").touch()
    assert until(lambda: run_state.state(only_first) == "running")


@pytest.mark.usefixtures("two_cards")
def test_only_the_cards_that_the_studio_may_see_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for visible, expected in (("1", ("cuda:1",)), ("GPU-aa", ("cuda:0",)), ("", ("cpu",))):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        _forget_devices()
        assert devices.available() == expected


def test_a_device_that_is_not_there_is_refused(runs: Path) -> None:
    with pytest.raises(ArgumentError, match='device "cuda:7": this machine has none; choose one of any'):
        add(runs / "a", BRIEF, device="cuda:7")
    assert not (runs / "a").exists()


def stopped_run(runs: Path) -> RunFolder:
    """A run that was cancelled an hour ago."""
    hour_ago = time.time() - 3600
    told = {"state": "cancelled", "seconds": 5}
    run = by_hand(runs / "stopped", process=this_process(create_time=1.0, started=hour_ago), result=told)
    os.utime(run.path / RESULT, (hour_ago, hour_ago))
    return run


def test_a_run_goes_on_in_its_own_folder(runs: Path, workspace: Path) -> None:
    run = stopped_run(runs)
    with pytest.raises(StudioError, match="cannot go on"):
        add(run.path, UNTIL_TOLD, resume=True)
    run.state.touch()
    add(run.path, UNTIL_TOLD, ("--epochs", "2"), resume=True)
    assert until(lambda: run_state.state(run) == "running")  # although what it said the last time is still there
    assert run.result() == {"state": "cancelled", "seconds": 5}
    assert run.read_json(PROCESS)["argv"][-5:] == ["--out", str(run.path), "--resume", "--epochs", "2"]
    with pytest.raises(StudioError, match="cannot go on"):
        add(run.path, UNTIL_TOLD, resume=True)
    (run.path / "end").touch()
    assert until(lambda: run_state.state(run) == "done")


def test_a_run_can_go_on_as_soon_as_it_says_that_it_has_ended(runs: Path) -> None:
    """Its process takes a moment longer: Python and its packages close."""
    run = add(runs / "a", '(out / "state_last.pt").touch(); result(state="cancelled"); time.sleep(0.5)')
    assert until(lambda: run.result() is not None)
    assert run_state.resumable(run)
    add(run.path, UNTIL_TOLD, resume=True)
    assert until(lambda: run_state.state(run) == "running")


def test_a_run_that_goes_on_and_breaks_at_once_has_failed(runs: Path) -> None:
    run = stopped_run(runs)
    run.state.touch()
    add(run.path, "raise OSError('no such card')", resume=True)
    assert until(lambda: run_state.state(run) == "failed")
    assert run.result() == {"state": "failed", "error": "OSError: no such card", "seconds": 5}


def test_a_run_that_was_to_go_on_is_as_before_when_it_is_taken_out(runs: Path, workspace: Path) -> None:
    add(runs / "first", CLEAN)
    run = by_hand(runs / "stopped", process=this_process(create_time=1.0), result={"state": "cancelled"})
    run.state.touch()
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    add(run.path, UNTIL_TOLD, resume=True)
    assert run_state.state(run) == "queued"
    LocalBackend(workspace).cancel(run)
    assert run_state.state(run) == "cancelled"
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


def test_a_training_from_a_terminal_holds_its_device_too(runs: Path, workspace: Path) -> None:
    """It stands in no table, and in another project."""
    other = workspace / "other" / "runs" / "by-hand"
    write_code(workspace, "row(); wait_for('end')", other.name)
    training = processes.start_apart(command(other, [], resume=False))
    terminal = by_hand(other, process=this_process(pid=training.pid, create_time=processes.create_time(training.pid)))
    run = add(runs / "a", BRIEF)
    assert run_state.state(run) == "queued"
    assert [job.run.name for job in queue.running(workspace)] == ["by-hand"]
    assert queue.waiting(workspace)[0].ahead == ("by-hand",)
    (other / "end").touch()
    terminal.write_json(RESULT, {"state": "done"})
    training.wait()
    assert queue.reconcile(workspace) == []
    assert until(lambda: run_state.state(run) == "done")


def test_a_project_that_is_open_in_two_workspaces_is_trained_in_one(
    runs: Path, workspace: Path, tmp_path: Path
) -> None:
    pid_of(add(runs / "first", CLEAN))
    add(runs / "second", CLEAN)
    (tmp_path / "opened_projects.txt").write_text(f"{workspace / 'project'}\n")
    queue.reconcile(tmp_path)
    assert [job.run.name for job in queue.running(tmp_path)] == ["first"]  # its device is taken there as well
    assert order(tmp_path) == []


def test_cancel_frees_the_device_for_the_next(runs: Path, workspace: Path) -> None:
    first, second = add(runs / "first", CLEAN), add(runs / "second", UNTIL_TOLD)
    assert until(lambda: run_state.state(first) == "running")
    (first.path / "let_go").touch()
    LocalBackend(workspace).cancel(first)
    assert until(lambda: run_state.state(second) == "running")
    assert dead(pid_of(first))
    assert run_state.state(first) == "cancelled"


def test_a_forced_end_leaves_no_process_of_it(runs: Path, workspace: Path) -> None:
    run = add(runs / "a", "signal.signal(signal.SIGTERM, signal.SIG_IGN); row(); wait_for('never')")
    assert until(lambda: run_state.state(run) == "running")
    LocalBackend(workspace).cancel(run)
    LocalBackend(workspace, grace=0).cancel(run)
    assert until(lambda: not queue.running(workspace))

    def left() -> list[str]:
        """Trainers and runners; the runner names the workspace only."""
        return [line for line in map(_command_line, psutil.process_iter()) if str(workspace) in line]

    assert until(lambda: not left())


def _command_line(process: psutil.Process) -> str:
    try:
        return "" if process.pid == os.getpid() else " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_a_runner_beats_while_its_trainer_lives(runs: Path, workspace: Path) -> None:
    run = add(runs / "a", CLEAN)
    pid_of(run)
    table = JobTable(workspace)

    def job() -> object:
        with table.reading() as db:
            return table.active(db)[0]

    assert until(lambda: job().trainer is not None)
    now = job()
    assert now.trainer[0] == pid_of(run)
    assert os.getsid(now.runner[0]) == now.runner[0] != os.getsid(0)
    assert psutil.Process(now.trainer[0]).ppid() == now.runner[0]
    assert time.time() - now.heartbeat < 60
    assert until(lambda: job().heartbeat > now.heartbeat)
    assert queue.running(workspace)[0].silent is None


def test_a_page_is_not_held_up_by_a_hundred_jobs(runs: Path, workspace: Path) -> None:
    table = JobTable(workspace)
    by_hand(runs / "training", process=trainer_of(runs / "training"))
    work = []
    for count in (10, 90):
        with table.writing() as db:
            for number in range(count):
                run = by_hand(runs / f"r{count}-{number}", queued={"device": "any", "created": 0.0})
                table.insert(db, run.path, "queued", options="[]", wanted="any")
        assert queue.reconcile(workspace) == []
        work.append(calls(lambda: queue.reconcile(workspace)))
    assert len(queue.waiting(workspace)) == 100
    assert work[1] < 10 * work[0]  # ten times as many wait
    assert work[1] < 30_000  # some hundredths of a second


def test_looking_leaves_no_trace(workspace: Path) -> None:
    assert queue.reconcile(workspace) == []
    assert queue.waiting(workspace) == queue.running(workspace) == []
    assert queue.turn(workspace) == (0.0, ())
    assert list(workspace.iterdir()) == []


def test_a_run_that_waits_says_so_in_its_folder_but_not_what_will_be_started(runs: Path) -> None:
    add(runs / "first", CLEAN)
    run = add(runs / "second", CLEAN, ("--epochs", "3"), expected_seconds=60.0)
    noted = json.loads((run.path / QUEUED).read_text())
    assert (noted["device"], noted["expected_seconds"], noted["resume"]) == ("any", 60.0, False)
    assert "--epochs" not in (run.path / QUEUED).read_text()


def test_what_waits_is_also_kept_beside_the_table(runs: Path, workspace: Path) -> None:
    add(runs / "first", CLEAN)
    add(runs / "second", CLEAN, ("--epochs", "3"), expected_seconds=60.0)
    [kept] = queue_backup.read(workspace)
    assert (kept["run"], kept["options"]) == ("project/runs/second", ["--epochs", "3"])
    assert (kept["wanted"], kept["expected_seconds"], kept["resume"], kept["priority"]) == ("any", 60.0, 0, 0)
    queue.take_out(workspace, RunFolder(runs / "second"))
    assert queue_backup.read(workspace) == []


def test_ctrl_c_does_not_reach_a_runner(runs: Path, workspace: Path) -> None:
    run = add(runs / "a", UNTIL_TOLD)
    pid_of(run)
    runner = psutil.Process(pid_of(run)).ppid()
    os.kill(runner, signal.SIGINT)
    (run.path / "end").touch()
    assert until(lambda: not queue.running(workspace))
    assert queue.reconcile(workspace) == []


def test_a_table_of_an_older_studio_keeps_its_queue_and_no_command(runs: Path, workspace: Path) -> None:
    """Version 1 kept the whole command of each job."""
    table = JobTable(workspace)
    command_then = ["/old/python", "-m", "maskrcnn", "train", "--out", str(runs / "a"), "--resume", "--epochs", "3"]
    by_hand(runs / "a", queued={"device": "any", "created": 1.0})
    with table.writing() as db:
        table.insert(db, runs / "a", "queued", options="[]", wanted="any", resume=1)
    with sqlite3.connect(workspace / DATABASE) as db:
        db.execute("ALTER TABLE job DROP COLUMN attempt")
        db.execute("ALTER TABLE job RENAME COLUMN options TO argv")
        db.execute("UPDATE job SET argv = ?", (json.dumps(command_then),))
        db.execute("PRAGMA user_version = 1")
    db.close()
    with table.reading() as db:
        [job] = table.waiting(db)
    assert (job.options, job.resume) == (("--epochs", "3"), True)
    assert command(job.run, job.options, job.resume)[-5:] == [*command_then[4:6], "--resume", "--epochs", "3"]
    with sqlite3.connect(workspace / DATABASE) as db:
        assert "/old/python" not in str(db.execute("SELECT * FROM job").fetchall())
    db.close()
