"""Find out how a job ended if its runner did not record this, and write the notice for the user.

Usually the runner of a job records the end. This module handles the other cases: the runner or the trainer was killed,
or the machine was switched off.
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
"""The file in the workspace for the output of runners. Runners print nothing except errors."""

ATTEMPTS = 3
"""Maximum number of runners that are started for one job; after that many failures, the job fails."""

SILENT = 15.0
"""Seconds without a heartbeat after which a page shows a warning."""

_RUNNER_START = 20.0
"""Maximum time, in seconds, from the start of a runner until it adopts its job."""

_STUCK = 60.0
"""Seconds without a heartbeat after which a living runner is regarded as stuck."""


def bring_up_to_date(table: Table, job: Job) -> None:
    """Update the row of an active job from its run folder and the operating system's list of processes."""
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
    """Record the outcome of a job whose trainer has ended, if its runner has not recorded it."""
    run = RunFolder(job.run)
    waiting_folder.end_waiting(run)
    state, why = outcome_of(run)
    if state is JobState.LOST and job.started is not None and job.started < psutil.boot_time() - 1:
        why = "the computer was switched off or started anew"
    with table.writing() as db:
        if table.end(db, run.path, state, why) and (line := outcome_notice(run, state, why)):
            table.add_notice(db, line)


def _start_again(table: Table, job: Job) -> None:
    """Requeue a job whose runner did not start, or died before it started the trainer. Fail it after `ATTEMPTS`."""
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
        run.write_failure(why)
        waiting_folder.end_waiting(run)


def outcome_of(run: RunFolder) -> tuple[JobState, str | None]:
    """The final state of a run whose trainer has ended, and the reason if it failed, read from the run folder."""
    try:
        if not run.path.is_dir():
            return JobState.LOST, "its folder is gone"
        state = run_state.state(run)
        return (state, run_state.failure(run)) if state.ended else (JobState.LOST, None)
    except StudioError as error:
        return JobState.FAILED, str(error)


def outcome_notice(run: RunFolder, state: JobState, why: str | None) -> str | None:
    """The notice for the user about a failed or lost training; None for a training that was done or cancelled."""
    if state is JobState.FAILED:
        return f"{run.name} failed: {why or 'its log may say why'}"
    if state is not JobState.LOST:
        return None
    advice = "Resume it under Runs." if run_state.resumable(run) else "Start it again from Launch."
    return f"{run.name} was lost: {why or 'its process was killed and left no word; memory may have run out'}. {advice}"


def _unnoted_trainer(job: Job) -> tuple[int, float] | None:
    """The pid and create time of a trainer that is not in the job's row, because its runner died before it wrote them.

    None if the job has no trainer.
    """
    run, since = RunFolder(job.run), job.started or 0.0
    known = run.read_json(PROCESS) or {}
    # If this is false, process.json belongs to the attempt before (the run was resumed).
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
    """The process of the job's runner, or None if it is dead or unknown."""
    return processes.living(*job.runner) if job.runner else None
