"""`python -m maskrcnn.jobs.runner WORKSPACE JOB`: run the trainings of one device, one after the other.

The runner starts the trainer of the job as a child process, writes a heartbeat while the trainer is alive, and records
its outcome. Then it takes the next job of the same device, or exits if there is none. It has a session of its own and
needs neither browser nor server. If the runner is killed, the trainer continues and the next page shows a notice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, processes, run_state, trainer_command, waiting_folder
from maskrcnn.jobs.job_table import Job
from maskrcnn.jobs.queue_recovery import open_table
from maskrcnn.jobs.run_state import JobState, outcome_notice, outcome_of
from maskrcnn.jobs.unknown_trainings import add_unknown_trainings
from maskrcnn.runs import attempts, trainer_process
from maskrcnn.runs.folder import LOG, RunFolder

BEAT = 2.0
"""Seconds between two heartbeats."""

TRIES = 5
"""Maximum number of attempts, `BEAT` seconds apart, to write to a table that is locked or on a full disk."""


def main(workspace: Path, first: int) -> None:
    """Run the job with the id `first`, then the next jobs of its device."""
    runner = (os.getpid(), processes.create_time(os.getpid()))
    table = open_table(workspace)
    with table.writing() as db:
        job = table.adopt(db, first, runner)
    while job is not None:
        _train(workspace, job, runner)
        job = _next(workspace, job, runner)


def _train(workspace: Path, job: Job, runner: tuple[int, float]) -> None:
    """Run the trainer of one job from its start to its end."""
    run, attempt = RunFolder(job.run), job.attempt or attempts.new_attempt()
    started = _start(run, job, attempt)
    if started is not None:
        trainer, argv = started
        known = {"pid": trainer.pid, "create_time": processes.create_time(trainer.pid)}
        with suppress(OSError):  # the disk is full; the trainer will report it
            trainer_process.note_trainer_process(run, trainer.pid, argv, attempt, known["create_time"], job.device)
        _beat(workspace, run, runner, known)
        waiting_folder.end_waiting(run)
        while (status := _wait_one_beat(trainer)) is None:
            _beat(workspace, run, runner, known)
        for worker in processes.session_of(trainer.pid):  # workers that are left from a killed trainer
            with suppress(psutil.Error):
                worker.kill()
        _write_failure(run, status)


def _start(run: RunFolder, job: Job, attempt: str) -> tuple[subprocess.Popen[bytes], list[str]] | None:
    """Start the trainer. Returns its process and its command line; None if it cannot be started, then the run gets a
    result with the error."""
    if not run.path.is_dir() or run.path.is_symlink():
        return None
    try:
        device = job.device or "cpu"
        argv = [*trainer_command.command(run.path, job.options, job.resume), *devices.options(device)]
        environment = {**devices.environment(device), attempts.ATTEMPT: attempt}
        return processes.start_apart(argv, run.path / LOG, environment), argv
    except (OSError, StudioError) as error:
        why = f"{argv[0]}: cannot be started ({error.strerror})" if isinstance(error, OSError) else str(error)
        with suppress(StudioError, OSError):
            run.write_failure(why)
            waiting_folder.end_waiting(run)
        return None


def _wait_one_beat(trainer: subprocess.Popen[bytes]) -> int | None:
    """Wait for the trainer. Returns its exit status, or None if it is still alive after `BEAT` seconds."""
    with suppress(subprocess.TimeoutExpired):
        return trainer.wait(BEAT)
    return None


def _beat(workspace: Path, run: RunFolder, runner: tuple[int, float], trainer: dict[str, float]) -> None:
    """Write the heartbeat into the table. Errors are ignored: the training continues."""
    with suppress(StudioError, OSError):
        state = run_state.state(run)
        table = open_table(workspace)
        with table.writing() as db:
            table.update_active(
                db,
                run.path,
                **trainer,
                state=state if state.active else JobState.RUNNING,
                heartbeat=time.time(),
                runner_pid=runner[0],
                runner_create_time=runner[1],
            )


def _write_failure(run: RunFolder, status: int) -> None:
    """Write the result "failed" for a trainer that exited with an error, was not cancelled, and wrote no result."""
    with suppress(StudioError, OSError):
        if status > 0 and not attempts.has_ended(run) and trainer_process.cancel_asked(run) is None:
            last = run.log_tail(5).strip().rpartition("\n")[2].removeprefix("error: ")
            run.write_failure(last or f"it ended with exit status {status}")


def _next(workspace: Path, job: Job, runner: tuple[int, float]) -> Job | None:
    """Record how a job ended, which frees its device, and claim the next job for the device.

    None if no job waits for the device, another process has claimed it, or the table cannot be written. In the last
    case, the next page that is loaded updates the table.
    """
    run = RunFolder(job.run)
    state, why = outcome_of(run)
    for _ in range(TRIES):
        with suppress(StudioError):
            table = open_table(workspace)
            with table.writing() as db:
                if table.end(db, run.path, state, why) and (line := outcome_notice(run, state, why)):
                    table.add_notice(db, line)
            add_unknown_trainings(table)
            with table.writing() as db:
                claimed = table.claim(db, only=job.device)
                adopted = table.adopt(db, claimed.id, runner) if claimed else None
            if adopted is not None:
                waiting_folder.update(RunFolder(adopted.run), claimed=adopted.started)
            return adopted
        time.sleep(BEAT)
    return None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(Path(sys.argv[1]), int(sys.argv[2]))
