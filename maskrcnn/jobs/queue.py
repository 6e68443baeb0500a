"""The queue of trainings: one at a time on each device, the others wait their turn, and nobody has to stay for that.

There is no scheduler. A job that waits is started by whoever notices that its device is free: `add` itself, each page
that is loaded (`reconcile`), and the runner of the job before it, a small process that outlives the browser and the
server (see `runner`). All of them write to one table (`table`), whose unique index lets one of them win.

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

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, local, processes, reservation
from maskrcnn.jobs.recovery import open_table, take_in
from maskrcnn.jobs.table import Damaged, Job, JobState, Table
from maskrcnn.training.run_folder import PROCESS, RESULT, RunFolder

TRAINER: tuple[str, ...] = (sys.executable, "-m", "maskrcnn", "train")
"""The command that trains; `--out RUN` and the options follow it."""

RUNNER: tuple[str, ...] = (sys.executable, "-m", "maskrcnn.jobs.runner")
"""The command that looks after the jobs of a device; the workspace and the id of the first job follow it."""

RUNNER_LOG = "jobs.log"
"""In the workspace: what runners say, which is nothing unless something is wrong with them."""

ATTEMPTS = 3
"""How often a job is given to a runner that then does not start it."""

SILENT = 15.0
"""Seconds without a heartbeat after which a page says so."""

_COMING = 20.0
_STUCK = 60.0


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
    program: Sequence[str] | None = None,
) -> RunFolder:
    """Train into the new folder `run`, at once where a device is free, else when its turn comes. Returns at once.

    `options` are those of `python -m maskrcnn train` without `--out`, and without `--device`: that is chosen by
    `device`, "any" or one of `devices.available()` or "cpu". With `resume`, `run` is a folder that is there already,
    and goes on from its state; `--resume` is added to the options. `expected_seconds`, how long it is thought to train,
    tells the ones behind it how long they wait. `program` stands in for the trainer.

    Raises `ArgumentError` where the name is taken or the device is none, and `StudioError` where a run cannot be
    resumed, waits or trains already, or nothing can be written.
    """
    folder = RunFolder(run.resolve())
    devices.require(device)
    if resume and not local.resumable(folder):
        raise StudioError(f"{folder.name}: cannot go on; it trains, it waits, or it was stopped before its first state")
    argv = [*(program or TRAINER), "--out", str(folder.path), *["--resume"] * resume, *options]
    about = {"resume": resume, "expected_seconds": expected_seconds, "created": time.time()}
    table = open_table(workspace)
    try:
        with table.writing() as db:
            if resume and table.of_run(db, folder.path):
                raise StudioError(f"{folder.name}: waits or trains already; see Runs")
            reservation.reserve(
                folder, {**about, "argv": argv, "device": device, "priority": 0, "workspace": str(table.workspace)}
            )
            try:
                table.insert(db, folder.path, "queued", argv=json.dumps(argv), wanted=device, **about)
            except BaseException:
                reservation.release(folder)
                raise
    except Damaged as error:
        raise StudioError(f"{table.path}: was damaged while it was written; try again") from error
    with suppress(StudioError, Damaged):  # then it waits, and the next page starts it or says why not
        _bring_up_to_date(table)
    return folder


def reconcile(workspace: Path) -> list[str]:
    """See to it that the table tells what is, and that no device is idle while a job waits for it.

    Returns lines that a person should read, each of them once: what was lost and why, what failed, and what is wrong
    with the table. Raises nothing for these. Cheap enough for each page.
    """
    try:
        table = open_table(workspace)
        _bring_up_to_date(table)
        return _told(table)
    except StudioError as error:
        return [str(error)]
    except Damaged:  # in between; the next page mends it
        return []


def waiting(workspace: Path) -> list[Waiting]:
    """The jobs that wait, in the order in which they will start."""
    table = open_table(workspace)
    with table.reading() as db:
        active, queued = table.active(db), table.waiting(db)
    turns = _turns(active, [(job.run.name, job.wanted, job.expected_seconds) for job in queued])
    return [
        Waiting(job.id, RunFolder(job.run), job.wanted, place, *turn)
        for place, (job, turn) in enumerate(zip(queued, turns, strict=True), start=1)
    ]


def turn(workspace: Path, device: str = devices.ANY) -> tuple[float | None, tuple[str, ...]]:
    """When a job that is added now would start, and what has to end first: seconds (0 at once, None where nobody can
    know) and the names of the runs ahead of it."""
    table = open_table(workspace)
    with table.reading() as db:
        active, queued = table.active(db), table.waiting(db)
    jobs = [(job.run.name, job.wanted, job.expected_seconds) for job in queued]
    return _turns(active, [*jobs, ("", device, None)])[-1]


def _turns(
    active: Sequence[Job], jobs: Sequence[tuple[str, str, float | None]]
) -> list[tuple[float | None, tuple[str, ...]]]:
    """Of each of `jobs` (name, wanted device, expected seconds), in the order in which they will start: when that is,
    and the runs that have to end first."""
    free_in: dict[str, float | None] = {}
    before: dict[str, list[str]] = {}
    for job in active:
        if job.device is not None:
            free_in[job.device] = _seconds_left(job)
            before[job.device] = [job.run.name]
    found = []
    for run, wanted, expected in jobs:
        possible = devices.candidates(wanted)
        ahead = list(dict.fromkeys(name for device in possible for name in before.get(device, [])))
        # Where one device is free at a time that nobody knows, it may be any moment: nobody knows for this job either.
        times = [free_in.get(device, 0.0) for device in possible]
        known = [seconds for seconds in times if seconds is not None]
        seconds = min(known) if known and len(known) == len(times) else None
        found.append((seconds, tuple(ahead)))
        if possible:
            after = None if seconds is None or expected is None else seconds + expected
            free_in[possible[times.index(seconds) if seconds is not None else 0]] = after
        for device in possible:
            before.setdefault(device, []).append(run)
    return found


def running(workspace: Path) -> list[Running]:
    """The jobs that hold a device, by device."""
    table = open_table(workspace)
    with table.reading() as db:
        active = table.active(db)
    now = time.time()
    found = []
    for job in active:
        silent = now - (job.heartbeat or job.started or now)
        watched = _runner(job) is not None or job.trainer is None
        found.append(
            Running(job.id, RunFolder(job.run), job.device or "", None if watched and silent < SILENT else silent)
        )
    return found


def move_first(workspace: Path, run: RunFolder) -> None:
    """Let a run that waits go before all others. `StudioError` where it does not wait any more."""
    table = open_table(workspace)
    with table.writing() as db:
        priority = table.move_first(db, run.path)
    if priority is None:
        raise StudioError(f"{run.name}: does not wait any more; it was started, or taken out")
    reservation.change(run, priority=priority)


def take_out(workspace: Path, run: RunFolder) -> None:
    """Take a run out of the queue. The folder of a new one goes too; one that was to go on stays as it was.

    Raises `StudioError` where it does not wait any more.
    """
    local.take_out(run, workspace)


# How a job gets from one state to the next


def _bring_up_to_date(table: Table) -> None:
    """Note what has ended, and start what can be started now."""
    take_in(table)
    with table.reading() as db:
        active = table.active(db)
    for job in active:
        _settle(table, job)
    while (claimed := _claim(table)) is not None:
        run = RunFolder(claimed.run)
        reservation.change(run, claimed=claimed.started)
        try:
            processes.start_apart([*RUNNER, str(table.workspace), str(claimed.id)], table.workspace / RUNNER_LOG)
        except OSError as error:
            reservation.change(run, claimed=None)
            with table.writing() as db:
                table.give_back(db, claimed)
                table.tell(db, f"{run.name} cannot be started now ({error.strerror}); it waits.")
            return


def _claim(table: Table) -> Job | None:
    """The next job that can start, with its device."""
    with table.reading() as db:  # usually there is none, and nobody has to wait for a page that looks
        if table.next_start(db) is None:
            return None
    with table.writing() as db:
        return table.claim(db)


def _settle(table: Table, job: Job) -> None:
    """Bring the row of an active job to what its run folder and the table of processes say."""
    run = RunFolder(job.run)
    silent = time.time() - (job.heartbeat or job.started or 0.0)
    if _runner(job) and silent < _STUCK:
        return
    trainer = job.trainer or _unnoted_trainer(job)
    if trainer is None:
        if job.runner is None and silent < _COMING:
            return  # its runner is on its way
        _start_again(table, job)
        return
    if processes.living(*trainer, str(run.path)) is None:
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
        run.write_json(RESULT, {"state": "failed", "error": why})
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
    if known.get("started", 0.0) < since:  # that of the time before, of a run that goes on
        process = processes.with_argument(str(run.path), since) if job.runner else None
        if process is None:
            return None
        known = {"pid": process.pid, "create_time": process.create_time()}
        run.write_json(PROCESS, {**known, "argv": list(job.argv), "started": time.time(), "device": job.device})
    reservation.release(run)
    return known["pid"], known["create_time"]


def _runner(job: Job) -> psutil.Process | None:
    """The living runner of a job."""
    return processes.living(*job.runner) if job.runner else None


def _seconds_left(job: Job) -> float | None:
    """How long an active job still trains, as well as anybody knows."""
    try:
        now = local.progress(RunFolder(job.run))
    except (StudioError, OSError):
        return None
    if now.eta is not None:
        return now.eta
    if job.expected_seconds is None or now.row is not None:
        return None
    return max(0.0, job.expected_seconds - (time.time() - (job.started or time.time())))


def _told(table: Table) -> list[str]:
    """The lines that nobody has read yet; they are gone after this."""
    with table.reading() as db:
        if not db.execute("SELECT 1 FROM note LIMIT 1").fetchone():
            return []
    with table.writing() as db:
        return [line for (line,) in db.execute("DELETE FROM note RETURNING line").fetchall()]
