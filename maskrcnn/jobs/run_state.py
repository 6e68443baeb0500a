"""The state and the progress of a training, from its run folder and the operating system's list of processes.

`queued.json` exists while the run waits, `process.json` contains the pid, `metrics.jsonl` gets a row per step, and
`result.json` says how the run ended. The state is computed on each call and never stored, so it is correct after a
restart of the server, and also for trainings from a terminal.

The folder may come from another person. So the pid in it is trusted only if that process is a trainer of this run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum

from maskrcnn.errors import StudioError
from maskrcnn.runs import attempts
from maskrcnn.runs.folder import CONFIG, LOG, METRICS, PROCESS, QUEUED, STATE, Row, RunFolder
from maskrcnn.runs.trainer_process import trainer_with_pid


class JobState(StrEnum):
    """The state of a training. The values are stored in jobs.db and in result.json.

    >>> JobState("running").active, JobState("queued").ended
    (True, False)
    """

    QUEUED = "queued"
    """The training waits for a device, or in the queue of a cluster."""
    STARTING = "starting"
    """The training has a device, but has not finished its first step."""
    RUNNING = "running"
    CANCELLING = "cancelling"
    """The training was cancelled and is finishing its current step."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """The process ended without writing a result: it was killed, or the machine was switched off."""

    @property
    def active(self) -> bool:
        """Whether the training has a device: its process is starting, running or finishing."""
        return self in (JobState.STARTING, JobState.RUNNING, JobState.CANCELLING)

    @property
    def ended(self) -> bool:
        """Whether the training has ended: it neither runs nor waits."""
        return not self.active and self is not JobState.QUEUED


@dataclass(frozen=True)
class Progress:
    """The progress of a training. `fraction` is in [0, 1]; `elapsed` and `eta` are seconds, None if unknown.

    `epoch` counts from 1; it is 0 before the first step. `epochs` is None for a run whose length is set in minutes.
    `row` is the last row of the metrics, None before the first step.
    """

    state: JobState
    epoch: int
    epochs: int | None
    fraction: float
    elapsed: float | None
    eta: float | None
    row: Row | None

    @property
    def active(self) -> bool:
        """Whether the state of the run is an active one: it is starting, running or finishing."""
        return self.state.active


_LONGEST_SILENCE = 120.0
"""Seconds since the last write during which a run without process.json is regarded as training."""

_LONGEST_START = 120.0
"""Seconds from the assignment of a device until the run must have a process; later it is regarded as waiting."""


def state(run: RunFolder) -> JobState:
    """The state of a run, from its folder and the list of processes. Raises `StudioError` for a damaged run folder."""
    queued, process = run.read_json(QUEUED), run.read_json(PROCESS)
    has_trainer = process is not None and trainer_with_pid(run.path, process.get("pid")) is not None
    if queued is not None and not has_trainer:
        claimed = abs(time.time() - queued.get("claimed", 0.0)) < _LONGEST_START
        return JobState.STARTING if claimed else JobState.QUEUED
    # A training in a notebook has no process.json.
    alive = has_trainer if process is not None else _wrote_lately(run)
    # Read the result after checking the process: a process that has just ended has written its result.
    result = run.result()
    # While a resumed training is alive, the result may still be that of the attempt before.
    if result is not None and (not alive or attempts.has_ended(run, process)):
        return JobState(result["state"]) if result.get("state") in ("done", "cancelled") else JobState.FAILED
    asked = "cancel_asked" in (process or {})
    if alive:
        if asked:
            return JobState.CANCELLING
        return JobState.RUNNING if attempts.has_rows(run, process) else JobState.STARTING
    if asked:
        return JobState.CANCELLED
    return JobState.LOST if failure(run) is None else JobState.FAILED


def progress(run: RunFolder) -> Progress:
    """The progress of a run. Reads only the end of its metrics."""
    now = state(run)
    row = run.last_row()
    epochs = (run.read_json(CONFIG) or {}).get("epochs")
    if row is None:
        started = (run.read_json(PROCESS) or {}).get("started")
        waiting = time.time() - started if started and now.active else None
        return Progress(now, 0, epochs, 1.0 if now is JobState.DONE else 0.0, waiting, None, None)
    # A validation writes no rows, so the time since the last row is added while the training is alive. It is not added
    # if the process that is alive has not written a row yet (a run that was just resumed): nothing ran in between.
    is_last_row_by_this_process = now is JobState.RUNNING or (now is JobState.CANCELLING and attempts.has_rows(run))
    since = max(0.0, time.time() - (run.path / METRICS).stat().st_mtime) if is_last_row_by_this_process else 0.0
    eta, elapsed = row.get("eta"), row.get("elapsed")
    return Progress(
        state=now,
        epoch=row["epoch"],
        epochs=epochs,
        fraction=1.0 if now is JobState.DONE else row.get("progress") or 0.0,
        elapsed=(None if elapsed is None else elapsed + since)
        if now.active
        else (run.result() or {}).get("seconds", elapsed),
        eta=max(0.0, eta - since) if eta is not None and now.active else None,
        row=row,
    )


def failure(run: RunFolder) -> str | None:
    """The reason why a run failed, from its result or from the error at the end of its log. None if there is none."""
    result = run.result()
    if result is not None:
        return result.get("error") if result.get("state") == "failed" else None
    last = run.log_tail(10).strip().rpartition("\n")[2]
    return last.removeprefix("error: ") if last.startswith("error: ") else None


def resumable(run: RunFolder) -> bool:
    """Whether a run can be resumed: it has a saved state, and neither trains nor waits."""
    return run.has(STATE) and state(run).ended


def outcome_of(run: RunFolder) -> tuple[JobState, str | None]:
    """The final state of a run whose trainer has ended, and the reason if it failed, read from the run folder."""
    try:
        if not run.path.is_dir():
            return JobState.LOST, "its folder is gone"
        now = state(run)
        return (now, failure(run)) if now.ended else (JobState.LOST, None)
    except StudioError as error:
        return JobState.FAILED, str(error)


def outcome_notice(run: RunFolder, state: JobState, why: str | None) -> str | None:
    """The notice for the user about a failed or lost training; None for a training that was done or cancelled."""
    if state is JobState.FAILED:
        return f"{run.name} failed: {why or 'its log may say why'}"
    if state is not JobState.LOST:
        return None
    advice = "Resume it under Runs." if resumable(run) else "Start it again from Launch."
    return f"{run.name} was lost: {why or 'its process was killed and left no word; memory may have run out'}. {advice}"


def _wrote_lately(run: RunFolder) -> bool:
    """Whether a run without process.json has written a file recently, so it probably trains (in a notebook)."""
    written = [path.stat().st_mtime for name in (CONFIG, LOG, METRICS) if (path := run.path / name).is_file()]
    return bool(written) and time.time() - max(written) < _LONGEST_SILENCE
