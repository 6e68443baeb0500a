"""The queue of trainings: one at a time on each device; the others wait, and start with no page or server open.

There is no scheduler. A job that waits is started by whoever notices that its device is free: `add` itself, each page
that is loaded (`reconcile`), and the runner of the job before it, a small process that outlives the browser and the
server (see `runner`). All of them write to one table (`queue_database`), whose unique index lets one of them win.

Every function takes the workspace, the folder with the projects, in which the table lies.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, job_outcome, processes, run_state, trainer_command, waiting_folder
from maskrcnn.jobs.backend import JobState
from maskrcnn.jobs.job_outcome import RUNNER_LOG, SILENT, runner_of
from maskrcnn.jobs.queue_database import Job, Snapshot, Table
from maskrcnn.jobs.queue_file import QueueDamaged
from maskrcnn.jobs.queue_recovery import add_unknown_trainings, open_table, with_table
from maskrcnn.runs import attempts
from maskrcnn.runs.folder import QUEUED, RunFolder

RUNNER: tuple[str, ...] = (sys.executable, "-m", "maskrcnn.jobs.runner")
"""The command that looks after the jobs of a device; the workspace and the id of the first job follow it."""


@dataclass(frozen=True)
class Waiting:
    """A job that waits. `place` counts from 1; `seconds` is how long until it starts, None where nobody can know;
    `ahead` names the runs that have to end first."""

    id: int
    run: RunFolder
    device: str
    place: int
    seconds: float | None
    ahead: tuple[str, ...]


@dataclass(frozen=True)
class Running:
    """A job that holds a device. `silent` is how many seconds nobody has looked after it, None where somebody does."""

    id: int
    run: RunFolder
    device: str
    silent: float | None


def add(
    run: Path,
    options: Sequence[str],
    *,
    workspace: Path,
    device: str = devices.ANY,
    resume: bool = False,
    expected_seconds: float | None = None,
) -> RunFolder:
    """Train into the new folder `run`, at once where a device is free, else when its turn comes. Returns at once.

    `options` are those of `python -m maskrcnn train` without `--out`, and without `--device`: that is chosen by
    `device`, "any" or one of `devices.available()` or "cpu". With `resume`, `run` is a folder that is there already,
    and goes on from its state; `--resume` is added to the options. `expected_seconds`, how long it is thought to train,
    tells the ones behind it how long they wait.

    Raises `ArgumentError` where the name is taken, the device is none or an option is no choice of a training (see
    `trainer_command`), and `StudioError` where a run cannot be resumed, waits or trains already, or nothing can be
    written.
    """
    folder = RunFolder(run.resolve())
    devices.require(device)
    chosen = json.dumps(trainer_command.checked(options))
    if resume and (wrong := folder.fault()):
        raise StudioError(wrong)
    if resume and not run_state.resumable(folder):
        raise StudioError(f"{folder.name}: cannot go on; it trains, it waits, or it was stopped before its first state")
    about = {"resume": resume, "expected_seconds": expected_seconds, "created": time.time()}

    def insert(table: Table) -> None:
        if resume:
            _wait_for_exit(table, folder)
        with table.writing() as db:
            if resume and table.of_run(db, folder.path):
                raise StudioError(f"{folder.name}: waits or trains already; see Runs")
            waiting_folder.make(folder, {**about, "device": device, "priority": 0})
            try:
                table.insert(db, folder.path, JobState.QUEUED, options=chosen, wanted=device, **about)
            except BaseException:
                waiting_folder.undo(folder)
                raise

    with_table(workspace, insert)
    with suppress(StudioError):  # then it waits, and the next page starts it or says why not
        _bring_up_to_date(open_table(workspace))
    return folder


def reconcile(workspace: Path) -> list[str]:
    """Note in the table what has started and ended, and start what waits for a device that is free.

    Returns the notices that a person should read, each of them once: what was lost and why, what failed, and what is
    wrong with the table. Raises nothing for these. Cheap enough for each page.
    """
    try:
        return with_table(workspace, lambda table: _bring_up_to_date(table) + _pop_notices(table))
    except QueueDamaged:  # again: the next page mends it
        return []
    except StudioError as error:
        return [str(error)]


def waiting(workspace: Path) -> list[Waiting]:
    """The jobs that wait, in the order in which they will start."""
    jobs = with_table(workspace, Table.snapshot)
    if not jobs.waiting:
        return []
    turns = _turns(jobs, [])
    return [
        Waiting(job.id, RunFolder(job.run), job.wanted, place, *turn)
        for place, (job, turn) in enumerate(zip(jobs.waiting, turns, strict=True), start=1)
    ]


def turn(workspace: Path, device: str = devices.ANY) -> tuple[float | None, tuple[str, ...]]:
    """When a job that is added now would start, and what has to end first: seconds (0 at once, None where nobody can
    know) and the names of the runs ahead of it."""
    return _turns(with_table(workspace, Table.snapshot), [device])[-1]


def _turns(jobs: Snapshot, added: Sequence[str]) -> list[tuple[float | None, tuple[str, ...]]]:
    """For each job that waits, and each that would be `added` for such a device, in the order in which they will start:
    the seconds until then (None where nobody can know), and the names of the runs that have to end first."""
    seconds_until_free: dict[str, float | None] = {}
    before: dict[str, list[str]] = {}
    for job in jobs.active:
        if job.device is not None:
            seconds_until_free[job.device] = _seconds_left(job)
            before[job.device] = [job.run.name]
    found = []
    queued = [(job.run.name, job.wanted, job.expected_seconds) for job in jobs.waiting]
    for run, wanted, expected in [*queued, *(("", device, None) for device in added)]:
        possible = devices.candidates(wanted)
        ahead = list(dict.fromkeys(name for device in possible for name in before.get(device, [])))
        # A device that becomes free at an unknown time may do so at any moment. So the start of this job is unknown
        # too, unless another device is free now.
        times = [seconds_until_free.get(device, 0.0) for device in possible]
        known = [seconds for seconds in times if seconds is not None]
        seconds = min(known) if known and (len(known) == len(times) or min(known) == 0) else None
        found.append((seconds, tuple(ahead)))
        if possible:
            after = None if seconds is None or expected is None else seconds + expected
            seconds_until_free[possible[times.index(seconds) if seconds is not None else 0]] = after
        for device in possible:
            before.setdefault(device, []).append(run)
    return found


def running(workspace: Path) -> list[Running]:
    """The jobs that hold a device, by device."""
    now = time.time()
    found = []
    for job in with_table(workspace, Table.snapshot).active:
        silent = now - (job.heartbeat or job.started or now)
        watched = runner_of(job) is not None or job.trainer is None
        found.append(
            Running(job.id, RunFolder(job.run), job.device or "", None if watched and silent < SILENT else silent)
        )
    return found


def move_first(workspace: Path, run: RunFolder) -> None:
    """Let a run that waits go before all others. `StudioError` where it does not wait any more."""

    def move(table: Table) -> int | None:
        with table.writing() as db:
            return table.move_first(db, run.path)

    priority = with_table(workspace, move)
    if priority is None:
        raise StudioError(f"{run.name}: does not wait any more; it was started, or taken out")
    waiting_folder.update(run, priority=priority)


def take_out(workspace: Path, run: RunFolder) -> None:
    """Take a run out of the queue. The folder of a new run is removed too; one that was to be resumed stays as it was.

    Raises `StudioError` where it does not wait any more.
    """

    def remove(table: Table) -> None:
        with table.writing() as db:
            # A run that waits in no queue of this workspace only has a queued.json, which is removed.
            known = table.take_out(db, run.path) or not table.of_run(db, run.path)
            if not known or run.read_json(QUEUED) is None or attempts.living_trainer(run) is not None:
                raise StudioError(f"{run.name}: does not wait any more; it was started, or taken out")

    with_table(workspace, remove)
    waiting_folder.undo(run)


def _bring_up_to_date(table: Table) -> list[str]:
    """Note what has ended, and start what can be started now; lines on what prevents that."""
    problems = []
    add_unknown_trainings(table)
    for job in table.snapshot().active:
        try:
            job_outcome.bring_up_to_date(table, job)
        except OSError as error:
            problems.append(f"{job.run}: cannot be written ({error.strerror}); free some space or mend its rights")
        except StudioError as error:
            if isinstance(error, QueueDamaged):
                raise
            problems.append(str(error))
    while (claimed := _claim(table)) is not None:
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


def _wait_for_exit(table: Table, run: RunFolder, patience: float = 10.0) -> None:
    """Wait for a trainer that has written its result and takes a moment to exit."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with table.reading() as db:
            job = table.of_run(db, run.path)
        if job is None and attempts.living_trainer(run) is None:
            return
        _bring_up_to_date(table)
        time.sleep(0.05)


def _claim(table: Table) -> Job | None:
    """The next job that can start, with its device."""
    if table.snapshot().next_start() is None:  # usually: a page that looks must not wait for writers
        return None
    with table.writing() as db:
        return table.claim(db)


def _seconds_left(job: Job) -> float | None:
    """How long an active job still trains, as well as anybody knows."""
    try:
        now = run_state.progress(RunFolder(job.run))
    except (StudioError, OSError):
        return None
    if now.eta is not None:
        return now.eta
    if job.expected_seconds is None or now.row is not None:
        return None
    return max(0.0, job.expected_seconds - (time.time() - (job.started or time.time())))


def _pop_notices(table: Table) -> list[str]:
    """The notices that nobody has read yet; they are deleted."""
    if not table.snapshot().has_notices:
        return []
    with table.writing() as db:
        return table.pop_notices(db)
