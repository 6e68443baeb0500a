"""The outcome of jobs that hold a device: whether they still train, how they ended, and the notice about it.

The runner of a job notes its end. This is for the cases in which it could not: the runner or the trainer was killed, or
the machine was switched off.
"""

from __future__ import annotations

import time

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import processes, run_state, waiting_folder
from maskrcnn.jobs.backend import JobState
from maskrcnn.jobs.queue_database import Job, Table
from maskrcnn.runs import attempts
from maskrcnn.runs.folder import PROCESS, RunFolder
from maskrcnn.runs.trainer_process import living_trainer, trainer_started_since

RUNNER_LOG = "jobs.log"
"""The file of the workspace with what runners print, which is nothing unless something is wrong with them."""

ATTEMPTS = 3
"""How many runners may fail to start a job before it is given up."""

SILENT = 15.0
"""Seconds without a heartbeat after which a page says so."""

_RUNNER_START = 20.0
"""Seconds that a runner has to take over its job."""

_STUCK = 60.0
"""Seconds without a heartbeat after which a runner that still lives counts as stuck."""


def bring_up_to_date(table: Table, job: Job) -> None:
    """Bring the row of an active job to what its run folder and the table of processes say."""
    run = RunFolder(job.run)
    silent = time.time() - (job.heartbeat or job.started or 0.0)
    if runner_of(job) and silent < _STUCK:
        return
    trainer = job.trainer or _unnoted_trainer(job)
    if trainer is None:
        if job.runner is None and silent < _RUNNER_START:
            return  # its runner is starting
        _start_again(table, job)
        return
    if living_trainer(run.path, trainer[0]) is None:
        _note_end(table, job)
    elif job.runner is not None and silent > SILENT:
        with table.writing() as db:
            table.update_active(
                db, run.path, runner_pid=None, runner_create_time=None, pid=trainer[0], create_time=trainer[1]
            )
            table.add_notice(
                db,
                f"{run.name} trains on, but the process that looked after it is gone: while it trains nothing is lost, "
                "and the queue goes on when it has ended and a page of the studio is open.",
            )


def _note_end(table: Table, job: Job) -> None:
    """Note the outcome of a job whose trainer is dead and whose runner did not note it."""
    run = RunFolder(job.run)
    waiting_folder.end_waiting(run)
    state, why = outcome_of(run)
    if state is JobState.LOST and job.started is not None and job.started < psutil.boot_time() - 1:
        why = "the computer was switched off or started anew"
    with table.writing() as db:
        if table.end(db, run.path, state, why) and (line := outcome_notice(run, state, why)):
            table.add_notice(db, line)


def _start_again(table: Table, job: Job) -> None:
    """Queue a job again that was claimed and whose runner never came, or died before it had started the trainer."""
    run = RunFolder(job.run)
    gone = not run.path.is_dir()
    if not gone and job.attempts + 1 < ATTEMPTS:
        with table.writing() as db:
            table.requeue(db, job)
        waiting_folder.update(run, claimed=None)
        return
    why = "its folder is gone" if gone else f"its runner did not start it; {table.workspace / RUNNER_LOG} may say why"
    with table.writing() as db:
        if table.end(db, run.path, JobState.FAILED, why):
            table.add_notice(db, f"{run.name} was taken out of the queue: {why}.")
    if not gone:
        run_state.note_failure(run, why)
        waiting_folder.end_waiting(run)


def outcome_of(run: RunFolder) -> tuple[JobState, str | None]:
    """How a run whose trainer is dead has ended, by its folder, and why if it failed."""
    try:
        if not run.path.is_dir():
            return JobState.LOST, "its folder is gone"
        state = run_state.state(run)
        return (state, run_state.failure(run)) if state.ended else (JobState.LOST, None)
    except StudioError as error:
        return JobState.FAILED, str(error)


def outcome_notice(run: RunFolder, state: JobState, why: str | None) -> str | None:
    """The notice about a training that ended while no page may have been open; None where all went well."""
    if state is JobState.FAILED:
        return f"{run.name} failed: {why or 'its log may say why'}"
    if state is not JobState.LOST:
        return None
    onward = "Resume it under Runs." if run_state.resumable(run) else "Start it again from Launch."
    return f"{run.name} was lost: {why or 'its process was killed and left no word; memory may have run out'}. {onward}"


def _unnoted_trainer(job: Job) -> tuple[int, float] | None:
    """The trainer of a job whose runner died before it could write down which process that is."""
    run, since = RunFolder(job.run), job.started or 0.0
    known = run.read_json(PROCESS) or {}
    # Else process.json is of the attempt before, of a run that is resumed.
    if known.get("attempt") == job.attempt if job.attempt else known.get("started", 0.0) >= since:
        waiting_folder.end_waiting(run)
        return known.get("pid", 0), known.get("create_time", 0.0)
    process = trainer_started_since(run.path, since) if job.runner else None
    if process is None:
        return None
    created = process.create_time()
    attempts.note_trainer(run, process.pid, process.cmdline(), job.attempt, created, job.device)
    waiting_folder.end_waiting(run)
    return process.pid, created


def runner_of(job: Job) -> psutil.Process | None:
    """The living runner of a job."""
    return processes.living(*job.runner) if job.runner else None
