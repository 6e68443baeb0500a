"""One training of this machine: what it is doing, how far it is, and how it is ended.

All that is known about one is in its run folder: `queued.json` while it waits, `process.json` says which process it is,
`metrics.jsonl` how far it came, `result.json` how it ended. The state is worked out from these files and the table of
processes each time somebody asks; nothing is remembered, so a restarted server knows as much as the one before it. It
does not matter who started the training: the queue, or a person at a terminal.

The folder may have been made by anybody: whether the process that it names trains is asked of that process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from maskrcnn import foreign
from maskrcnn.errors import StudioError
from maskrcnn.jobs import processes, reservation
from maskrcnn.jobs.queue_recovery import open_table
from maskrcnn.runs import attempts
from maskrcnn.runs.folder import (
    CONFIG,
    LOG,
    METRICS,
    PROCESS,
    QUEUED,
    STATE,
    Row,
    RunFolder,
    row_of,
)

State = Literal["queued", "starting", "running", "cancelling", "done", "failed", "cancelled", "lost"]

ACTIVE: tuple[State, ...] = ("starting", "running", "cancelling")
"""The states in which a process is alive."""

GRACE = 15.0
"""Seconds that a training has to end by itself, once it was asked to, before it may be killed."""

_QUIET = 120.0
_COMING = 120.0  # seconds in which a run that got its device has a process, or waits again


@dataclass(frozen=True)
class Progress:
    """How far a run is. `fraction` lies in [0, 1]; `elapsed` and `eta` are seconds, None where nobody can know.

    `epoch` counts from 1 and is 0 before the first step; `epochs` is None for a run whose length is set in minutes.
    `row` is the last row of the metrics, None before the first step.
    """

    state: State
    epoch: int
    epochs: int | None
    fraction: float
    elapsed: float | None
    eta: float | None
    row: Row | None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


def state(run: RunFolder) -> State:
    """What a run is doing, from its folder and the table of processes.

    `queued` is one that waits for its device. `lost` is one whose process is gone without having said how it ended: it
    was killed, or the machine was switched off.
    """
    queued = run.read_json(QUEUED)
    if queued is not None and attempts.living_trainer(run) is None:
        return "starting" if abs(time.time() - queued.get("claimed", 0.0)) < _COMING else "queued"
    # In this order: a process that ends between the two questions has then written its result.
    alive = _alive(run)
    result = run.result()
    if result is not None and not (alive and not attempts.has_ended(run)):
        return result["state"] if result.get("state") in ("done", "failed", "cancelled") else "failed"
    asked = cancel_asked(run) is not None
    if alive:
        return "cancelling" if asked else "running" if attempts.has_rows(run) else "starting"
    if asked:
        return "cancelled"
    return "lost" if failure(run) is None else "failed"


def cancel_asked(run: RunFolder) -> float | None:
    """When a run was asked to end, in seconds since 1970; None where nobody has asked since it was started."""
    return (run.read_json(PROCESS) or {}).get("cancel_asked")


def progress(run: RunFolder) -> Progress:
    """How far a run is, at the cost of reading the end of its metrics."""
    now = state(run)
    row = last_row(run)
    epochs = (run.read_json(CONFIG) or {}).get("epochs")
    if row is None:
        started = (run.read_json(PROCESS) or {}).get("started")
        waiting = time.time() - started if started and now in ACTIVE else None
        return Progress(now, 0, epochs, 1.0 if now == "done" else 0.0, waiting, None, None)
    # A validation writes nothing for a while: count on from the last row. The time before a resume does not count.
    counts = now in ACTIVE and attempts.has_rows(run)
    since = max(0.0, time.time() - (run.path / METRICS).stat().st_mtime) if counts else 0.0
    eta, elapsed = row.get("eta"), row.get("elapsed")
    return Progress(
        state=now,
        epoch=row["epoch"],
        epochs=epochs,
        fraction=1.0 if now == "done" else row.get("progress") or 0.0,
        elapsed=(None if elapsed is None else elapsed + since)
        if now in ACTIVE
        else (run.result() or {}).get("seconds", elapsed),
        eta=max(0.0, eta - since) if eta is not None and now in ACTIVE else None,
        row=row,
    )


def last_row(run: RunFolder) -> Row | None:
    """The last complete row of the metrics, None before the first."""
    try:
        with foreign.opened(run.path / METRICS, run.path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    return next((row for line in reversed(lines) if (row := row_of(line)) is not None), None)


def failure(run: RunFolder) -> str | None:
    """Why a run failed: what its result says, or the error that ends its log. None where neither does."""
    result = run.result()
    if result is not None:
        return result.get("error") if result.get("state") == "failed" else None
    last = run.log_tail(10).strip().rpartition("\n")[2]
    return last.removeprefix("error: ") if last.startswith("error: ") else None


def note_failure(run: RunFolder, why: str) -> None:
    """Write the result of a run whose trainer failed and wrote none; the best epoch of the attempt before stays in it."""
    run.write_result({**(run.result() or {}), "state": "failed", "error": why})


def resumable(run: RunFolder) -> bool:
    """Whether a run can go on: it left a state, and neither trains nor waits."""
    return run.has(STATE) and state(run) not in (*ACTIVE, "queued")


def cancel(run: RunFolder, workspace: Path, grace: float = GRACE) -> None:
    """Ask a training to end (SIGTERM); asked again after `grace` seconds, kill it and everything it started.

    Only the trainer itself is asked: it ends its own workers, and would take their death for a failure. A run that
    waits is taken out of the queue of `workspace`. Raises `StudioError` when the run has ended, when it was asked less
    than `grace` seconds ago, and when its process is not known.
    """
    now = state(run)
    if now == "queued" or (now == "starting" and (run.path / QUEUED).is_file()):
        with contextlib.suppress(StudioError):
            take_out(run, workspace)
            return
        now = _started(run)
    if now not in ACTIVE:
        raise StudioError(f"{run.name}: has ended already; there is nothing to cancel")
    process = attempts.living_trainer(run)
    if process is None:
        raise StudioError(f"{run.name}: its process is not known; end it where it was started")
    asked = cancel_asked(run)
    if asked is not None and time.time() - asked < grace:
        wait = round(grace - (time.time() - asked)) + 1
        raise StudioError(f"{run.name}: was asked to end and finishes its step; in {wait} s it can be forced")
    with contextlib.suppress(psutil.NoSuchProcess):
        if asked is None:
            with contextlib.suppress(OSError):  # a full disk must not keep it running
                run.write_json(PROCESS, {**(run.read_json(PROCESS) or {}), "cancel_asked": time.time()})
            process.terminate()
        else:
            processes.kill_tree(process)


def can_be_forced(run: RunFolder, grace: float = GRACE) -> bool:
    """Whether the next `cancel` kills: the training was asked to end, and had `grace` seconds for it."""
    asked = cancel_asked(run)
    return state(run) == "cancelling" and asked is not None and time.time() - asked >= grace


def take_out(run: RunFolder, workspace: Path) -> None:
    """Take a run out of the queue of a workspace. The folder of a new one goes too; one that was to go on stays as it
    was.

    Raises `StudioError` where the run does not wait any more.
    """
    table = open_table(workspace)
    with table.writing() as db:
        # What waits in no queue of this workspace is only a note in a folder, which goes.
        known = table.take_out(db, run.path) or not table.of_run(db, run.path)
        if not known or run.read_json(QUEUED) is None or attempts.living_trainer(run) is not None:
            raise StudioError(f"{run.name}: does not wait any more; it was started, or taken out")
    reservation.withdraw(run)


def delete(run: RunFolder, workspace: Path) -> None:
    """Remove a run folder with everything in it. Raises `StudioError` while it trains or where it is no run folder."""
    if not any((run.path / mark).is_file() for mark in (CONFIG, PROCESS, QUEUED)):
        raise StudioError(f"{run.path}: is not a run folder; nothing was deleted")
    if run.fault() is None:
        if state(run) == "queued":
            take_out(run, workspace)
            if not run.path.exists():
                return
        if state(run) in ACTIVE:
            raise StudioError(f"{run.name}: is still training; cancel it first")
    # Under another name first, so that nobody reads a folder that is half gone.
    leaving = run.path.with_name(f".{run.name}.deleted")
    run.path.rename(leaving)
    if leaving.is_symlink():
        leaving.unlink()
    else:
        shutil.rmtree(leaving)


def _started(run: RunFolder, patience: float = 3.0) -> State:
    """The state of a run that a runner is starting just now, once its process is known."""
    deadline = time.monotonic() + patience
    while attempts.living_trainer(run) is None and (run.path / QUEUED).is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    return state(run)


def _alive(run: RunFolder) -> bool:
    """Whether the run's process lives. Of a run that noted none, whether it wrote something lately."""
    if (run.path / PROCESS).is_file():
        return attempts.living_trainer(run) is not None
    written = [path.stat().st_mtime for name in (CONFIG, LOG, METRICS) if (path := run.path / name).is_file()]
    return bool(written) and time.time() - max(written) < _QUIET
