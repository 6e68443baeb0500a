"""What a training is doing and how far it is, from its run folder and the table of processes.

`queued.json` is there while the run waits, `process.json` names its process, `metrics.jsonl` grows with its steps and
`result.json` says how it ended. The state is worked out each time somebody asks and is stored nowhere, so a restarted
server knows as much as the one before it. It does not matter who started the training: the queue or a terminal.

The folder may have been made by anybody: whether the process that it names trains is asked of that process.
"""

from __future__ import annotations

import os
import time

from maskrcnn import foreign
from maskrcnn.jobs.backend import JobState, Progress
from maskrcnn.runs import attempts
from maskrcnn.runs.documents import row_of
from maskrcnn.runs.folder import CONFIG, LOG, METRICS, PROCESS, QUEUED, STATE, Row, RunFolder
from maskrcnn.runs.trainer_process import living_trainer

_LONGEST_SILENCE = 120.0
"""Seconds after its last write in which a run that names no process counts as training."""

_LONGEST_START = 120.0
"""Seconds in which a run that was given its device has a process, or waits again."""


def state(run: RunFolder) -> JobState:
    """What a run is doing, from its folder and the table of processes. Raises `StudioError` for a damaged run."""
    queued, process = run.read_json(QUEUED), run.read_json(PROCESS)
    has_trainer = process is not None and living_trainer(run.path, process.get("pid")) is not None
    if queued is not None and not has_trainer:
        claimed = abs(time.time() - queued.get("claimed", 0.0)) < _LONGEST_START
        return JobState.STARTING if claimed else JobState.QUEUED
    alive = has_trainer if process is not None else _wrote_lately(run)
    # Read after that: a process that ended between the two questions has written its result.
    result = run.result()
    if result is not None and not (alive and not attempts.has_ended(run, process)):
        return JobState(result["state"]) if result.get("state") in ("done", "cancelled") else JobState.FAILED
    asked = "cancel_asked" in (process or {})
    if alive:
        if asked:
            return JobState.CANCELLING
        return JobState.RUNNING if attempts.has_rows(run, process) else JobState.STARTING
    if asked:
        return JobState.CANCELLED
    return JobState.LOST if failure(run) is None else JobState.FAILED


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
        waiting = time.time() - started if started and now.active else None
        return Progress(now, 0, epochs, 1.0 if now is JobState.DONE else 0.0, waiting, None, None)
    # A validation writes nothing for a while: count on from the last row. The time before a resume does not count.
    counts = now is JobState.RUNNING or (now is JobState.CANCELLING and attempts.has_rows(run))
    since = max(0.0, time.time() - (run.path / METRICS).stat().st_mtime) if counts else 0.0
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
    """Write the result of a run whose trainer failed without one. The best epoch of the attempt before stays in it."""
    run.write_result({**(run.result() or {}), "state": "failed", "error": why})


def resumable(run: RunFolder) -> bool:
    """Whether a run can go on: it left a state, and neither trains nor waits."""
    return run.has(STATE) and state(run).ended


def _wrote_lately(run: RunFolder) -> bool:
    """Whether a run that names no process wrote something lately, so that it probably trains (in a notebook)."""
    written = [path.stat().st_mtime for name in (CONFIG, LOG, METRICS) if (path := run.path / name).is_file()]
    return bool(written) and time.time() - max(written) < _LONGEST_SILENCE
