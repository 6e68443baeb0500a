"""What became of the jobs that hold a device: who looks after them, which have ended and how, and the words for it.

A job's runner notes its end by itself. This is for all the times when it did not come to that: the runner was killed,
or the trainer, or the machine was switched off between two steps.
"""

from __future__ import annotations

import time

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import local, processes, reservation
from maskrcnn.jobs.queue_database import Job, JobState, Table
from maskrcnn.runs.folder import PROCESS, RunFolder
from maskrcnn.runs.trainer_process import living_trainer, trainer_started_since

RUNNER_LOG = "jobs.log"
"""In the workspace: what runners say, which is nothing unless something is wrong with them."""

ATTEMPTS = 3
"""How often a job is given to a runner that then does not start it."""

SILENT = 15.0
"""Seconds without a heartbeat after which a page says so."""

_COMING = 20.0
_STUCK = 60.0


def settle(table: Table, job: Job) -> None:
    """Bring the row of an active job to what its run folder and the table of processes say."""
    run = RunFolder(job.run)
    silent = time.time() - (job.heartbeat or job.started or 0.0)
    if runner_of(job) and silent < _STUCK:
        return
    trainer = job.trainer or _unnoted_trainer(job)
    if trainer is None:
        if job.runner is None and silent < _COMING:
            return  # its runner is on its way
        _start_again(table, job)
        return
    if living_trainer(run.path, trainer[0]) is None:
        _note_end(table, job)
    elif job.runner is not None and silent > SILENT:
        with table.writing() as db:
            table.note(db, run.path, runner_pid=None, runner_create_time=None, pid=trainer[0], create_time=trainer[1])
            table.tell(
                db,
                f"{run.name} trains on, but the process that looked after it is gone: while it trains nothing is lost, "
                "and the queue goes on when it has ended and a page of the studio is open.",
            )


def _note_end(table: Table, job: Job) -> None:
    """The trainer of a job is dead and no runner is there to say so."""
    run = RunFolder(job.run)
    reservation.release(run)
    state, why = ended_as(run)
    if state == "lost" and job.started is not None and job.started < psutil.boot_time() - 1:
        why = "the computer was switched off or started anew"
    with table.writing() as db:
        if table.end(db, run.path, state, why) and (line := words_of_end(run, state, why)):
            table.tell(db, line)


def _start_again(table: Table, job: Job) -> None:
    """A job that was claimed, and whose runner never came or died before it had started the trainer."""
    run = RunFolder(job.run)
    gone = not run.path.is_dir()
    if not gone and job.attempts + 1 < ATTEMPTS:
        with table.writing() as db:
            table.give_back(db, job)
        reservation.change(run, claimed=None)
        return
    why = "its folder is gone" if gone else f"its runner did not start it; {table.workspace / RUNNER_LOG} may say why"
    with table.writing() as db:
        if table.end(db, run.path, "failed", why):
            table.tell(db, f"{run.name} was taken out of the queue: {why}.")
    if not gone:
        local.note_failure(run, why)
        reservation.release(run)


def ended_as(run: RunFolder) -> tuple[JobState, str | None]:
    """How a run whose trainer is dead has ended, by its folder, and why if it failed."""
    try:
        if not run.path.is_dir():
            return "lost", "its folder is gone"
        state = local.state(run)
        return (state, local.failure(run)) if state not in (*local.ACTIVE, "queued") else ("lost", None)
    except StudioError as error:
        return "failed", str(error)


def words_of_end(run: RunFolder, state: JobState, why: str | None) -> str | None:
    """The line for a person about a training that ended while nobody may have looked; None where all went well."""
    if state == "failed":
        return f"{run.name} failed: {why or 'its log may say why'}"
    if state != "lost":
        return None
    onward = "Resume it under Runs." if local.resumable(run) else "Start it again from Launch."
    return f"{run.name} was lost: {why or 'its process was killed and left no word; memory may have run out'}. {onward}"


def _unnoted_trainer(job: Job) -> tuple[int, float] | None:
    """The trainer of a job whose runner died before it could write down which process that is."""
    run, since = RunFolder(job.run), job.started or 0.0
    known = run.read_json(PROCESS) or {}
    if known.get("started", 0.0) >= since:  # else that of the time before, of a run that goes on
        reservation.release(run)
        return known.get("pid", 0), known.get("create_time", 0.0)
    process = trainer_started_since(run.path, since) if job.runner else None
    if process is None:
        return None
    about = {"pid": process.pid, "create_time": process.create_time()}
    noted = {"argv": process.cmdline(), "started": time.time(), "device": job.device}
    run.write_json(PROCESS, {**about, **noted})
    reservation.release(run)
    return about["pid"], about["create_time"]


def runner_of(job: Job) -> psutil.Process | None:
    """The living runner of a job."""
    return processes.living(*job.runner) if job.runner else None
