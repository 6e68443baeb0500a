"""Recovery of the queue: rebuild a damaged database, and find out how jobs ended whose runner died.

A damaged database is rebuilt from the backup of the waiting jobs and from the running trainers; run folders are read
only to find these trainers. Usually the runner of a job records its end. If the runner or the trainer was killed, or
the machine was switched off, `update_active_job` does it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import processes, queue_backup, waiting_folder
from maskrcnn.jobs.job_table import Job, JobTable
from maskrcnn.jobs.queue_database import QueueDamaged
from maskrcnn.jobs.run_state import JobState, outcome_notice, outcome_of
from maskrcnn.jobs.unknown_trainings import add_unknown_trainings
from maskrcnn.runs import trainer_process
from maskrcnn.runs.folder import PROCESS, QUEUED, RunFolder
from maskrcnn.runs.trainer_process import trainer_started_since, trainer_with_pid

T = TypeVar("T")

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


def with_table(workspace: Path, work: Callable[[JobTable], T]) -> T:
    """Call `work` with the table of a workspace and return its result.

    If SQLite reports damage during `work`, the table is opened again, which rebuilds it, and `work` is called a second
    time. So `work` must be safe to repeat. Raises `StudioError` like `open_table` and `work`.
    """
    try:
        return work(open_table(workspace))
    except QueueDamaged:
        return work(open_table(workspace))


def open_table(workspace: Path) -> JobTable:
    """The table of a workspace. It is rebuilt if the file is damaged or is no table of jobs.

    The damaged file is kept under a name with the date, and a notice for the user is added. Raises `StudioError` if the
    file cannot be read or written.
    """
    table = JobTable(workspace)
    try:
        table.check()
    except QueueDamaged:
        _rebuild_table(table)
    return table


def _requeue_backed_up_jobs(table: JobTable) -> int:
    """Add the jobs of the backup whose runs still wait. Returns their number."""
    count = 0
    with table.writing() as db:
        for job in queue_backup.read(table.workspace):
            run = RunFolder(table.workspace / job["run"])
            with suppress(StudioError, OSError, sqlite3.IntegrityError):
                if run.read_json(QUEUED) is not None:
                    columns = {**job, "options": json.dumps(job["options"])}
                    del columns["run"]
                    table.insert(db, run.path, JobState.QUEUED, **columns)
                    count += 1
    return count


def _rebuild_table(table: JobTable) -> None:
    """Rename the damaged file, create a new table with the waiting and running jobs, and add a notice."""
    with table.file.alone():
        with suppress(QueueDamaged):
            table.check()
            return  # another process has rebuilt it meanwhile
        aside = table.path.with_name(f"{table.path.name}.damaged-{time.strftime('%Y-%m-%d-%H%M%S')}")
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(f"{table.path}{ending}", f"{aside}{ending}")
        count = _requeue_backed_up_jobs(table)
    count += add_unknown_trainings(table)
    with table.writing() as db:
        runs = "1 run" if count == 1 else f"{count} runs"
        table.add_notice(
            db,
            f"The queue's file {table.path.name} was damaged. It was made anew ({runs} waiting or training); the old "
            f"one is kept as {aside.name}.",
        )


def update_active_job(table: JobTable, job: Job) -> None:
    """Update the row of an active job whose runner may be dead, from its run folder and the list of processes.

    Nothing changes if its runner is alive and not stuck, or is just starting. A job without a trainer is requeued; if
    its trainer has ended, the outcome is recorded; if it trains without a runner, a notice is added.
    """
    run = RunFolder(job.run)
    seconds_silent = time.time() - (job.heartbeat or job.started or 0.0)
    if is_runner_alive(job) and seconds_silent < _STUCK:
        return
    trainer = job.trainer or _trainer_missing_in_row(job)
    if trainer is None:
        if job.runner is None and seconds_silent < _RUNNER_START:
            return  # its runner is starting
        _requeue_unstarted_job(table, job)
        return
    if trainer_with_pid(run.path, trainer[0]) is None:
        _recover_job_end(table, job)
    elif job.runner is not None and seconds_silent > SILENT:
        # Remove the runner from the row with the notice, so that the notice is added only once.
        with table.writing() as db:
            table.update_active(
                db, run.path, runner_pid=None, runner_create_time=None, pid=trainer[0], create_time=trainer[1]
            )
            table.add_notice(
                db,
                f"{run.name} trains on, but the process that looked after it is gone: while it trains nothing is lost, "
                "and the queue goes on when it has ended and a page of the studio is open.",
            )


def is_runner_alive(job: Job) -> bool:
    """Whether the runner of a job is alive, so that the job needs no recovery. False if the runner is unknown."""
    return job.runner is not None and processes.living(*job.runner) is not None


def _recover_job_end(table: JobTable, job: Job) -> None:
    """Recover the outcome of a job whose trainer has ended and whose dead runner did not record it."""
    run = RunFolder(job.run)
    waiting_folder.end_waiting(run)
    state, why = outcome_of(run)
    if state is JobState.LOST and job.started is not None and job.started < psutil.boot_time() - 1:
        why = "the computer was switched off or started anew"
    with table.writing() as db:
        if table.end(db, run.path, state, why) and (line := outcome_notice(run, state, why)):
            table.add_notice(db, line)


def _requeue_unstarted_job(table: JobTable, job: Job) -> None:
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


def _trainer_missing_in_row(job: Job) -> tuple[int, float] | None:
    """The pid and create time of a job's trainer if its runner died before it wrote them into the job's row.

    They are read from process.json, or found in the list of processes and then written into process.json. None if the
    job has no trainer. If it has one, queued.json is deleted, because the run does not wait any more.
    """
    run, since = RunFolder(job.run), job.started or 0.0
    known = run.read_json(PROCESS) or {}
    # The process.json of a resumed run may still be that of the attempt before.
    # If the row has no attempt id, compare the start times.
    is_of_this_attempt = known.get("attempt") == job.attempt if job.attempt else known.get("started", 0.0) >= since
    if is_of_this_attempt:
        waiting_folder.end_waiting(run)
        return known.get("pid", 0), known.get("create_time", 0.0)
    process = trainer_started_since(run.path, since) if job.runner else None
    if process is None:
        return None
    created = process.create_time()
    trainer_process.note_trainer_process(run, process.pid, process.cmdline(), job.attempt, created, job.device)
    waiting_folder.end_waiting(run)
    return process.pid, created
