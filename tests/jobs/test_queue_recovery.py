"""What is told, and what goes on, after something died: the server, a trainer, a runner, the machine, the table."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from maskrcnn.install_folders import ROOT
from maskrcnn.jobs import processes, queue, queue_database, queue_recovery, run_state
from maskrcnn.jobs.job_table import Job, JobTable
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.jobs.queue_database import DATABASE
from maskrcnn.jobs.trainer_command import command
from maskrcnn.runs.folder import PROCESS, QUEUED, RESULT, STATE, RunFolder
from tests.jobs.fakes import BRIEF, CLEAN, UNTIL_TOLD, add, by_hand, dead, pid_of, this_process, until, write_code
from tests.sweeps import one_in


def running_job(workspace: Path) -> Job:
    """The job that holds the device, once its trainer is known to the table."""
    known = JobTable(workspace)

    def found() -> Job | None:
        with known.reading() as db:
            return next((job for job in known.active(db) if job.trainer), None)

    assert until(found)
    job = found()
    assert job is not None
    return job


def kill_runner(workspace: Path) -> None:
    runner = running_job(workspace).runner
    assert runner is not None
    os.kill(runner[0], signal.SIGKILL)
    assert until(lambda: dead(runner[0]))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a runner or a heartbeat that may still come."""
    monkeypatch.setattr(queue, "SILENT", 0.0)
    monkeypatch.setattr(queue_recovery, "SILENT", 0.0)
    monkeypatch.setattr(queue_recovery, "_RUNNER_START", 0.0)


def test_a_killed_server_takes_nothing_with_it(runs: Path, workspace: Path) -> None:
    """The training goes on, and the one that waits has its turn, before any new server is there."""
    adding = (
        "import sys, time; from pathlib import Path\n"
        "from maskrcnn.jobs import queue; from maskrcnn.jobs.backend import Training\n"
        "from maskrcnn.runs.folder import RunFolder\n"
        "for name in ('a', 'b'):\n"
        "    run = Path(sys.argv[1]) / 'project' / 'runs' / name\n"
        "    queue.add(Path(sys.argv[1]), Training(RunFolder(run)))\n"
        "print('added', flush=True); time.sleep(60)"
    )
    write_code(workspace, UNTIL_TOLD)
    server = subprocess.Popen(
        [sys.executable, "-c", adding, str(workspace)],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    server.stdout.readline()
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    first, second = RunFolder(runs / "a"), RunFolder(runs / "b")
    assert until(lambda: run_state.state(first) == "running")
    assert queue.reconcile(workspace) == []
    (first.path / "end").touch()
    assert until(lambda: run_state.state(second) == "running")
    assert run_state.state(first) == "done"
    assert queue.reconcile(workspace) == []


def test_a_killed_trainer_is_lost_and_the_next_one_starts(runs: Path, workspace: Path) -> None:
    """Its worker, which did not notice, is ended too."""
    first = add(
        runs / "first",
        """
        worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (out / "state_last.pt").touch()
        row(worker=worker.pid)
        wait_for("never")
        """,
    )
    second = add(runs / "second", UNTIL_TOLD)
    assert until(lambda: first.last_row() is not None)
    worker = first.last_row()["worker"]  # type: ignore[index]
    os.kill(pid_of(first), signal.SIGKILL)
    assert until(lambda: run_state.state(second) == "running")
    assert run_state.state(first) == "lost"
    assert dead(worker)
    assert queue.reconcile(workspace) == [
        "first was lost: its process was killed and left no word; memory may have run out. Resume it under Runs."
    ]
    assert queue.reconcile(workspace) == []


@pytest.mark.usefixtures("soon")
def test_a_killed_runner_leaves_its_trainer_in_peace(runs: Path, workspace: Path) -> None:
    first, second = add(runs / "first", UNTIL_TOLD), add(runs / "second", UNTIL_TOLD)
    assert until(lambda: run_state.state(first) == "running")
    kill_runner(workspace)
    [line] = queue.reconcile(workspace)
    assert line.startswith("first trains on, but the process that looked after it is gone")
    assert queue.reconcile(workspace) == []
    assert run_state.state(first) == "running"
    assert not dead(pid_of(first))
    assert queue.running(workspace)[0].silent is not None
    assert run_state.state(second) == "queued"
    # It ends, and the next page that is loaded goes on.
    (first.path / "end").touch()
    assert until(lambda: dead(pid_of(first)))
    assert queue.reconcile(workspace) == []
    assert run_state.state(first) == "done"
    assert until(lambda: run_state.state(second) == "running")


def test_a_killed_runner_and_trainer_are_one_loss(runs: Path, workspace: Path) -> None:
    first, second = add(runs / "first", CLEAN), add(runs / "second", UNTIL_TOLD)
    assert until(lambda: run_state.state(first) == "running")
    kill_runner(workspace)
    os.kill(pid_of(first), signal.SIGKILL)
    assert until(lambda: dead(pid_of(first)))
    [line] = queue.reconcile(workspace)
    assert line.startswith("first was lost")
    assert line.endswith("Start it again from Launch.")
    assert run_state.state(first) == "lost"
    assert until(lambda: run_state.state(second) == "running")


def claimed(run: Path, code: str, runner: tuple[int, float] | None) -> Job:
    """A job as it stands between two steps: it has its device, and `runner` has not started its trainer yet."""
    workspace = run.parents[2]
    known = JobTable(workspace)
    write_code(workspace, code, run.name)
    by_hand(run, queued={"device": "any", "created": 1.0, "claimed": time.time()})
    (run / "config.json").unlink()
    with known.writing() as db:
        known.insert(db, run, "queued", options="[]", wanted="any")
        job = known.claim(db)
        assert job is not None
        if runner:
            known.adopt(db, job.id, runner)
    return job


DEAD = (os.getpid(), 1.0)
"""A process that lived long ago, under the number that this one has now."""


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("runner", [None, DEAD], ids=["never-came", "died-before-it-started-the-trainer"])
def test_a_job_that_no_runner_started_is_started_again(
    runs: Path, workspace: Path, runner: tuple[int, float] | None
) -> None:
    claimed(runs / "a", UNTIL_TOLD, runner)
    run = RunFolder(runs / "a")
    assert run_state.state(run) == "starting"
    assert queue.reconcile(workspace) == []
    assert until(lambda: run_state.state(run) == "running")


@pytest.mark.usefixtures("soon")
def test_a_trainer_whose_runner_died_before_it_wrote_it_down_is_found(runs: Path, workspace: Path) -> None:
    job = claimed(runs / "a", CLEAN, DEAD)
    trainer = processes.start_apart(command(job.run, job.options, job.resume), runs / "a" / "log.txt")
    run = RunFolder(runs / "a")
    queue.reconcile(workspace)
    assert pid_of(run) == trainer.pid
    assert until(lambda: run_state.state(run) == "running")
    queue.reconcile(workspace)
    assert [pid_of(job.run) for job in queue.running(workspace)] == [trainer.pid]
    (run.path / "let_go").touch()
    LocalBackend(workspace).cancel(run)
    assert until(lambda: run_state.state(run) == "cancelled")


@pytest.mark.usefixtures("soon")
def test_a_job_that_never_starts_is_given_up_and_the_line_says_so(
    runs: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "RUNNER", (sys.executable, "-c", ""))
    run = add(runs / "a", BRIEF)
    lines: list[str] = []
    assert until(lambda: lines.extend(queue.reconcile(workspace)) or lines)
    assert ["a was taken out of the queue: its runner did not start it" in line for line in lines] == [True]
    assert run_state.state(run) == "failed"
    assert queue.running(workspace) == []


@pytest.mark.parametrize(
    ("ago", "why"),
    [(0.0, "its process was killed and left no word"), (10.0, "the computer was switched off or started anew")],
    ids=["killed", "reboot"],
)
def test_a_number_that_another_process_has_now_is_a_loss_and_that_one_is_left_alone(
    runs: Path, workspace: Path, ago: float, why: str
) -> None:
    """`ago`: seconds before the start of the computer at which the job started; 0 for one after it."""
    started = psutil.boot_time() - ago if ago else time.time()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        born = processes.create_time(stranger.pid) - 3600
        run = by_hand(runs / "a", process=this_process(pid=stranger.pid, create_time=born, started=started))
        known = JobTable(workspace)
        with known.writing() as db:
            known.insert(
                db,
                run.path,
                "running",
                options="[]",
                wanted="any",
                device="cpu",
                started=started,
                pid=stranger.pid,
                create_time=born,
                runner_pid=stranger.pid,
                runner_create_time=born,
            )
        [line] = queue.reconcile(workspace)
        assert line.startswith(f"a was lost: {why}")
        assert run_state.state(run) == "lost"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def letter(path: Path) -> None:
    path.write_text("Dear jobs,\n")


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipe (name TEXT)")
    db.close()


def without_its_table(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE job")
    db.close()


@pytest.mark.parametrize("damage", one_in(2, [torn, letter, foreign, without_its_table]))
def test_a_damaged_table_is_rebuilt_from_what_the_workspace_kept(
    runs: Path, workspace: Path, damage: Callable[[Path], None]
) -> None:
    training = add(runs / "training", UNTIL_TOLD)
    for name in "abc":
        add(runs / name, BRIEF, expected_seconds=30.0)
    queue.move_first(workspace, RunFolder(runs / "c"))
    running_job(workspace)
    assert until(lambda: run_state.state(training) == "running")
    path = workspace / DATABASE
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    damage(path)

    [line] = queue.reconcile(workspace)
    assert line.startswith("The queue's file jobs.db was damaged. It was made anew (4 runs waiting")
    [kept] = [entry.name for entry in workspace.iterdir() if ".damaged-" in entry.name and entry.name[-1].isdigit()]
    assert line.endswith(f"the old one is kept as {kept}.")
    assert queue.reconcile(workspace) == []
    assert [job.run.name for job in queue.running(workspace)] == ["training"]
    assert [job.run.name for job in queue.waiting(workspace)] == ["c", "a", "b"]
    assert queue.waiting(workspace)[2].seconds == pytest.approx(90 + 60, abs=5)
    # The runner has noticed nothing: it goes on with the queue.
    (training.path / "end").touch()
    assert until(lambda: all((runs / name / RESULT).is_file() for name in "abc"))


def test_an_empty_file_is_a_new_table(runs: Path, workspace: Path) -> None:
    (workspace / DATABASE).touch()
    assert queue.reconcile(workspace) == []
    assert until(lambda: run_state.state(add(runs / "a", BRIEF)) is not None)


def test_servers_that_find_the_same_damage_make_one_new_table(runs: Path, workspace: Path) -> None:
    letter(workspace / DATABASE)
    looking = (
        "import sys, time; from pathlib import Path; from maskrcnn.jobs import queue\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "print(len(queue.reconcile(Path(sys.argv[1]))))\n"
    )
    argv = [sys.executable, "-c", looking, str(workspace), str(time.time() + 1.0)]
    servers = [subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sorted(server.communicate(timeout=30)[0] for server in servers) == ["0\n", "0\n", "0\n", "1\n"]
    assert len([entry for entry in workspace.iterdir() if ".damaged-" in entry.name]) == 1


def test_a_table_that_another_program_holds_is_told_and_nothing_else_breaks(
    runs: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add(runs / "a", CLEAN)
    running_job(workspace)
    monkeypatch.setattr(queue_database, "_PATIENCE", 0.1)
    other = sqlite3.connect(workspace / DATABASE, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    assert until(lambda: _taken(other))
    [line] = queue.reconcile(workspace)
    assert "jobs.db: another program holds it" in line
    assert until(lambda: run_state.state(run) == "running")
    (run.path / "let_go").touch()
    LocalBackend(workspace).cancel(run)
    assert until(lambda: run_state.state(run) == "cancelled")
    other.close()
    assert until(lambda: not queue.running(workspace))
    assert queue.reconcile(workspace) == []
    assert not [entry for entry in workspace.iterdir() if ".damaged-" in entry.name]


def _taken(db: sqlite3.Connection) -> bool:
    try:
        db.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return False
    return True


def test_a_full_disk_is_one_line(runs: Path, workspace: Path) -> None:
    """No file may grow by a byte, as the limit of a process says it."""
    full = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from maskrcnn.errors import StudioError\n"
        "from maskrcnn.jobs import queue; from maskrcnn.jobs.backend import Training\n"
        "from maskrcnn.runs.folder import RunFolder\n"
        "workspace = Path(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "print(*queue.reconcile(workspace))\n"
        "try: queue.add(workspace, Training(RunFolder(workspace / 'project' / 'runs' / 'a')))\n"
        "except StudioError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", full, str(workspace)], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""
    looked, added = done.stdout.splitlines()
    assert looked == ""
    assert added.startswith(f"{workspace / DATABASE}: ")
    assert added.endswith("the queue waits until then")
    assert not runs.exists()


def test_a_folder_that_was_removed_by_hand_leaves_the_queue(runs: Path, workspace: Path) -> None:
    first = add(runs / "first", UNTIL_TOLD)
    add(runs / "gone", BRIEF)
    last = add(runs / "last", BRIEF)
    assert until(lambda: run_state.state(first) == "running")
    shutil.rmtree(runs / "gone")
    (first.path / "end").touch()
    assert until(lambda: run_state.state(last) == "done")
    assert not (runs / "gone").exists()
    assert queue.reconcile(workspace) == ["gone was lost: its folder is gone. Start it again from Launch."]


def test_a_workspace_that_was_moved_keeps_its_queue(runs: Path, workspace: Path, tmp_path: Path) -> None:
    known = JobTable(workspace)
    run = by_hand(runs / "a", queued={"device": "any", "created": 1.0})
    with known.writing() as db:
        known.insert(db, run.path, "queued", options="[]", wanted="any")
    moved = tmp_path / "elsewhere"
    workspace.rename(moved)
    [job] = queue.waiting(moved)
    assert job.run.path == moved / "project" / "runs" / "a"
    LocalBackend(moved).cancel(job.run)
    assert queue.waiting(moved) == []


def test_a_run_folder_that_cannot_be_read_does_not_stop_the_queue(runs: Path, workspace: Path) -> None:
    (by_hand(runs / "damaged", process=this_process()).path / PROCESS).write_text("{")
    (by_hand(runs / "also", process=this_process(create_time=1.0)).path / QUEUED).write_text("[]")
    run = add(runs / "a", BRIEF)
    assert until(lambda: run_state.state(run) == "done")


@pytest.mark.usefixtures("soon")
def test_a_damaged_note_of_the_job_that_holds_the_device_is_one_line(runs: Path, workspace: Path) -> None:
    claimed(runs / "a", BRIEF, DEAD)
    (runs / "a" / PROCESS).write_text("{")
    [line] = queue.reconcile(workspace)
    assert line.startswith(f"{runs / 'a' / PROCESS}: is not readable JSON")


def test_a_state_is_no_reason_to_resume_a_run_whose_trainer_lives(runs: Path, workspace: Path) -> None:
    run = add(runs / "a", CLEAN)
    assert until(lambda: run_state.state(run) == "running")
    (run.path / STATE).touch()
    assert not run_state.resumable(run)
