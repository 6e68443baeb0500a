"""The queue of trainings: one training at a time on each device. Waiting jobs start even if no page or server is open.

There is no scheduler process. A waiting job is started when its device is free, by `add`, by `reconcile` (each time a
page is loaded), or by the runner of the job before it. A runner is a small process that is independent of the browser
and the server (see `runner`). All of them use one table (`job_table`); its unique index ensures that a job is
started only once.

Every function takes the workspace: the folder with the projects and the table.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, processes, queue_recovery, run_state, trainer_command, waiting_folder
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.job_table import Job, JobTable, JobTableSnapshot
from maskrcnn.jobs.queue_database import QueueDamaged
from maskrcnn.jobs.queue_recovery import RUNNER_LOG, SILENT, is_runner_alive, open_table, with_table
from maskrcnn.jobs.run_state import JobState
from maskrcnn.jobs.unknown_trainings import add_unknown_trainings
from maskrcnn.runs import trainer_process
from maskrcnn.runs.folder import QUEUED, RunFolder

RUNNER: tuple[str, ...] = (sys.executable, "-m", "maskrcnn.jobs.runner")
"""The start of the command for a runner; the workspace and the id of the first job are appended to it."""


@dataclass(frozen=True)
class WaitingJob:
    """A waiting job. `place` counts from 1. `seconds` is the estimated time until its start, None if unknown.
    `ahead` contains the names of the runs that must end first."""

    id: int
    run: RunFolder
    device: str
    place: int
    seconds: float | None
    ahead: tuple[str, ...]


@dataclass(frozen=True)
class RunningJob:
    """A job that holds a device. `silent` is the time in seconds since the last heartbeat of its runner, None if the
    runner works normally."""

    id: int
    run: RunFolder
    device: str
    silent: float | None


def add(workspace: Path, training: Training) -> None:
    """Add a training to the queue; it starts now if a device is free. Returns without waiting.

    `training.device` is "any", "cpu" or one of `devices.available()`. From `training.expected_seconds`, the waiting
    times of later jobs are computed.

    Raises `ArgumentError` if the name is taken, the device does not exist or an option is invalid (see
    `trainer_command`). Raises `StudioError` if the run cannot be resumed, waits or trains already, or files cannot be
    written.
    """
    folder, device, resume = RunFolder(training.run.path.resolve()), training.device, training.resume
    devices.require(device)
    options = json.dumps(trainer_command.checked(training.request.to_argv()))
    if resume and (wrong := folder.fault()):
        raise StudioError(wrong)
    if resume and not run_state.resumable(folder):
        raise StudioError(f"{folder.name}: cannot go on; it trains, it waits, or it was stopped before its first state")
    about = {"resume": resume, "expected_seconds": training.expected_seconds, "created": time.time()}

    def insert(table: JobTable) -> None:
        if resume:
            _wait_for_trainer_exit(table, folder)
        made = False
        try:
            with table.writing() as db:
                if resume and table.of_run(db, folder.path):
                    raise StudioError(f"{folder.name}: waits or trains already; see Runs")
                waiting_folder.make(folder, {**about, "device": device, "priority": 0})
                made = True
                table.insert(db, folder.path, JobState.QUEUED, options=options, wanted=device, **about)
        except BaseException:
            # Also if the commit at the end of `writing` fails: `with_table` may then call `insert` a second time, and
            # `make` would find the folder.
            if made:
                waiting_folder.undo(folder)
            raise

    with_table(workspace, insert)
    with suppress(StudioError):  # the job waits; the next page that is loaded starts it, or shows the error
        _bring_up_to_date(open_table(workspace))


def reconcile(workspace: Path) -> list[str]:
    """Update the queue: record which of its jobs have ended, and start waiting jobs on free devices.

    Returns notices for the user, each only once: which trainings were lost or failed, and problems with the table.
    Errors are returned as notices, not raised. It is fast enough to be called on every page.
    """
    try:
        return with_table(workspace, lambda table: _bring_up_to_date(table) + _pop_notices(table))
    except QueueDamaged:  # damaged twice: the next page that is loaded repairs the table
        return []
    except StudioError as error:
        return [str(error)]


def waiting(workspace: Path) -> list[WaitingJob]:
    """The waiting jobs, in the order in which they will start."""
    jobs = with_table(workspace, JobTable.snapshot)
    if not jobs.waiting:
        return []
    turns = _estimated_turns(jobs)
    return [
        WaitingJob(job.id, RunFolder(job.run), job.wanted, place, *turn)
        for place, (job, turn) in enumerate(zip(jobs.waiting, turns, strict=True), start=1)
    ]


def turn(workspace: Path, device: str = devices.ANY) -> tuple[float | None, tuple[str, ...]]:
    """The waiting time of a job that would be added now: seconds until its start (0: now, None: unknown), and the names
    of the runs that must end first."""
    return _estimated_turns(with_table(workspace, JobTable.snapshot), new_device=device)[-1]


def _estimated_turns(
    jobs: JobTableSnapshot, new_device: str | None = None
) -> list[tuple[float | None, tuple[str, ...]]]:
    """For each waiting job: the estimated seconds until its start (None: unknown), and the runs that must end first.

    The jobs are in the order of the queue. With `new_device`, the last element is for a job that is not in the queue
    yet, but would be added now for this device.
    """
    seconds_until_free: dict[str, float | None] = {}
    runs_before: dict[str, list[str]] = {}
    for job in jobs.active:
        if job.device is not None:
            seconds_until_free[job.device] = _seconds_until_job_ends(job)
            runs_before[job.device] = [job.run.name]
    found = []
    starting: list[tuple[str, str, float | None]] = [
        (job.run.name, job.wanted, job.expected_seconds) for job in jobs.waiting
    ]
    if new_device is not None:
        starting.append(("", new_device, None))
    for run, wanted, expected in starting:
        possible = devices.candidates(wanted)
        ahead = dict.fromkeys(name for device in possible for name in runs_before.get(device, []))
        seconds = None
        if possible:
            device, seconds = _first_free_device(possible, seconds_until_free)
            seconds_until_free[device] = None if seconds is None or expected is None else seconds + expected
        found.append((seconds, tuple(ahead)))
        for device in possible:
            runs_before.setdefault(device, []).append(run)
    return found


def _first_free_device(
    possible: Sequence[str], seconds_until_free: Mapping[str, float | None]
) -> tuple[str, float | None]:
    """The device that the next job of the queue will get, and the seconds until it is free (None: unknown).

    If no possible device is free now and one of them becomes free at an unknown time, the result is the first possible
    device and None.
    """
    known = {device: seconds for device in possible if (seconds := seconds_until_free.get(device, 0.0)) is not None}
    if known:
        first = min(known, key=known.__getitem__)
        if len(known) == len(possible) or known[first] == 0:
            return first, known[first]
    return possible[0], None


def running(workspace: Path) -> list[RunningJob]:
    """The jobs that hold a device, sorted by device."""
    now = time.time()
    found = []
    for job in with_table(workspace, JobTable.snapshot).active:
        silent = now - (job.heartbeat or job.started or now)
        is_starting = job.trainer is None  # its runner may not be known yet
        works_normally = (is_runner_alive(job) or is_starting) and silent < SILENT
        found.append(RunningJob(job.id, RunFolder(job.run), job.device or "", None if works_normally else silent))
    return found


def move_first(workspace: Path, run: RunFolder) -> None:
    """Move a waiting run to the front of the queue. Raises `StudioError` if the run does not wait any more."""

    def move(table: JobTable) -> int | None:
        with table.writing() as db:
            return table.move_first(db, run.path)

    priority = with_table(workspace, move)
    if priority is None:
        raise StudioError(f"{run.name}: does not wait any more; it was started, or taken out")
    waiting_folder.update(run, priority=priority)


def take_out(workspace: Path, run: RunFolder) -> None:
    """Remove a waiting run from the queue. The folder of a new run is deleted; that of a run to be resumed is kept.

    Raises `StudioError` if the run does not wait any more.
    """

    def remove(table: JobTable) -> None:
        with table.writing() as db:
            is_taken_out = table.take_out(db, run.path)
            # A job that is still in the table has started. A run without a job has only a queued.json, deleted below.
            has_started = not is_taken_out and table.of_run(db, run.path) is not None
            if has_started or run.read_json(QUEUED) is None or trainer_process.living_trainer(run) is not None:
                raise StudioError(f"{run.name}: does not wait any more; it was started, or taken out")

    with_table(workspace, remove)
    waiting_folder.undo(run)


def _bring_up_to_date(table: JobTable) -> list[str]:
    """Record the jobs that have ended, and start a runner for each job that can start now. Returns error messages."""
    problems = []
    add_unknown_trainings(table)
    for job in table.snapshot().active:
        try:
            queue_recovery.update_active_job(table, job)
        except OSError as error:
            problems.append(f"{job.run}: cannot be written ({error.strerror}); free some space or mend its rights")
        except StudioError as error:
            if isinstance(error, QueueDamaged):
                raise
            problems.append(str(error))
    while (claimed := _claim_next_job(table)) is not None:
        run = RunFolder(claimed.run)
        waiting_folder.update(run, claimed=claimed.started)
        try:
            processes.start_apart([*RUNNER, str(table.workspace), str(claimed.id)], table.workspace / RUNNER_LOG)
        except OSError as error:
            waiting_folder.update(run, claimed=None)
            with table.writing() as db:
                table.requeue(db, claimed)
                table.add_notice(db, f"{run.name} cannot be started now ({error.strerror}); it waits.")
            break
    return problems


def _wait_for_trainer_exit(table: JobTable, run: RunFolder, patience: float = 10.0) -> None:
    """Before a run is resumed: wait up to `patience` seconds until its trainer has exited and its job has ended."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with table.reading() as db:
            job = table.of_run(db, run.path)
        if job is None and trainer_process.living_trainer(run) is None:
            return
        _bring_up_to_date(table)
        time.sleep(0.05)


def _claim_next_job(table: JobTable) -> Job | None:
    """Assign a free device to the next waiting job of the queue, and return the job; None if no job can start."""
    if table.snapshot().next_start() is None:  # the usual case: do not wait for the write lock
        return None
    with table.writing() as db:
        return table.claim(db)


def _seconds_until_job_ends(job: Job) -> float | None:
    """The estimated seconds until a running job frees its device for the waiting jobs; None if unknown."""
    try:
        now = run_state.progress(RunFolder(job.run))
    except (StudioError, OSError):
        return None
    if now.eta is not None:
        return now.eta
    if job.expected_seconds is None or now.row is not None:
        return None
    return max(0.0, job.expected_seconds - (time.time() - (job.started or time.time())))


def _pop_notices(table: JobTable) -> list[str]:
    """Return the unread notices and delete them."""
    if not table.snapshot().has_notices:
        return []
    with table.writing() as db:
        return table.pop_notices(db)
