"""Trainings on this machine: each is a process of its own that outlives the browser tab and the server.

A training is started by its command line and never imported, so this module stays free of torch. What is known about
one is in its run folder: `process.json` says which process it is, `metrics.jsonl` how far it came, `result.json` how it
ended. The state is worked out from these files and the table of processes each time somebody asks; nothing is
remembered, so a restarted server knows as much as the one before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.training.run_folder import CONFIG, LOG, METRICS, PROCESS, Row, RunFolder, runs_in

State = Literal["starting", "running", "cancelling", "done", "failed", "cancelled", "lost"]

ACTIVE: tuple[State, ...] = ("starting", "running", "cancelling")
"""The states in which a process is alive."""

TRAINER: tuple[str, ...] = (sys.executable, "-m", "maskrcnn", "train")
"""The command that trains; `--out RUN` and the options follow it."""

GRACE = 15.0
"""Seconds that a training has to end by itself, once it was asked to, before it may be killed."""

ROOT = Path(__file__).resolve().parents[2]
_QUIET = 120.0
_starting = threading.Lock()
_children: list[subprocess.Popen[bytes]] = []


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


def start(
    run: Path, options: Sequence[str], beside: Iterable[Path] = (), program: Sequence[str] = TRAINER
) -> RunFolder:
    """Start a training into the new folder `run` and return at once.

    The process gets a session of its own, so that neither Ctrl-C on the server nor a closed terminal reaches it, and
    writes what it prints to the folder's log. One training runs at a time: raises `StudioError` naming the one that
    does, in the folder that holds `run` or in one of the `runs/` folders `beside`, and `ArgumentError` where `run`
    exists already.
    """
    run = run.resolve()
    argv = [*program, "--out", str(run), *options]
    with _starting:
        for other in running_jobs([run.parent, *beside]):
            raise StudioError(f'{run.name}: "{other.name}" is still training; wait for it to end, or cancel it')
        try:
            run.mkdir(parents=True)
        except FileExistsError:
            raise ArgumentError(f"{run} exists already; choose another name for the run") from None
        try:
            process = _detached(argv, run / LOG)
        except OSError as error:
            shutil.rmtree(run)
            raise StudioError(f"{argv[0]}: cannot be started ({error.strerror}); install the studio again") from None
        _children.append(process)
        RunFolder(run).write_json(
            PROCESS,
            {"pid": process.pid, "create_time": _create_time(process.pid), "argv": argv, "started": time.time()},
        )
    return RunFolder(run)


def state(run: RunFolder) -> State:
    """What a run is doing, from its folder and the table of processes.

    `lost` is a run whose process is gone without having said how it ended: it was killed, or the machine was switched
    off.
    """
    # In this order: a process that ends between the two questions has then written its result.
    alive = _alive(run)
    result = run.result()
    if result is not None:
        return result["state"] if result.get("state") in ("done", "failed", "cancelled") else "failed"
    asked = _cancel_asked(run) is not None
    if alive:
        return "cancelling" if asked else "running" if (run.path / METRICS).exists() else "starting"
    if asked:
        return "cancelled"
    return "lost" if failure(run) is None else "failed"


def progress(run: RunFolder) -> Progress:
    """How far a run is, at the cost of reading the end of its metrics."""
    now = state(run)
    row = last_row(run)
    epochs = (run.read_json(CONFIG) or {}).get("epochs")
    if row is None:
        started = (run.read_json(PROCESS) or {}).get("started")
        waiting = time.time() - started if started and now in ACTIVE else None
        return Progress(now, 0, epochs, 1.0 if now == "done" else 0.0, waiting, None, None)
    # A validation writes nothing for a while: count on from the last row.
    since = max(0.0, time.time() - (run.path / METRICS).stat().st_mtime) if now in ACTIVE else 0.0
    eta = row.get("eta")
    return Progress(
        state=now,
        epoch=row["epoch"],
        epochs=epochs,
        fraction=1.0 if now == "done" else min(1.0, row["progress"]),
        elapsed=row["elapsed"] + since if now in ACTIVE else (run.result() or {}).get("seconds", row["elapsed"]),
        eta=max(0.0, eta - since) if eta is not None and now in ACTIVE else None,
        row=row,
    )


def last_row(run: RunFolder) -> Row | None:
    """The last complete row of the metrics, None before the first."""
    try:
        with (run.path / METRICS).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        with contextlib.suppress(json.JSONDecodeError):
            row = json.loads(line)
            if isinstance(row, dict):
                return row
    return None


def failure(run: RunFolder) -> str | None:
    """Why a run failed: what its result says, or the error that ends its log. None where neither does."""
    result = run.result()
    if result is not None:
        return result.get("error") if result.get("state") == "failed" else None
    last = run.log_tail(10).strip().rpartition("\n")[2]
    return last.removeprefix("error: ") if last.startswith("error: ") else None


def running_jobs(runs_folders: Iterable[Path]) -> list[RunFolder]:
    """The runs below these `runs/` folders whose process is alive. Damaged ones are passed over."""
    found = []
    for run in [run for folder in dict.fromkeys(runs_folders) for run in runs_in(folder)]:
        with contextlib.suppress(StudioError):
            if state(run) in ACTIVE:
                found.append(run)
    return found


def cancel(run: RunFolder, grace: float = GRACE) -> None:
    """Ask a training to end (SIGTERM); asked again after `grace` seconds, kill it and the processes it started.

    Only the trainer itself is asked: it ends its own workers, and would take their death for a failure. Raises
    `StudioError` when the run has ended, when it was asked less than `grace` seconds ago, and when the folder does not
    say which process it is.
    """
    if state(run) not in ACTIVE:
        raise StudioError(f"{run.name}: has ended already; there is nothing to cancel")
    process = _process(run)
    if process is None:
        raise StudioError(f"{run.name}: its process is not known; end it where it was started")
    asked = _cancel_asked(run)
    if asked is not None and time.time() - asked < grace:
        wait = round(grace - (time.time() - asked)) + 1
        raise StudioError(f"{run.name}: was asked to end and finishes its step; in {wait} s it can be forced")
    with contextlib.suppress(psutil.NoSuchProcess):
        if asked is None:
            run.write_json(PROCESS, {**(run.read_json(PROCESS) or {}), "cancel_asked": time.time()})
            process.terminate()
        else:
            for member in [*process.children(recursive=True), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()


def delete(run: RunFolder) -> None:
    """Remove a run folder with everything in it. Raises `StudioError` while it trains or where it is no run folder."""
    if not ((run.path / CONFIG).is_file() or (run.path / PROCESS).is_file()):
        raise StudioError(f"{run.path}: is not a run folder; nothing was deleted")
    if state(run) in ACTIVE:
        raise StudioError(f"{run.name}: is still training; cancel it first")
    # Under another name first, so that nobody reads a folder that is half gone.
    leaving = run.path.with_name(f".{run.name}.deleted")
    run.path.rename(leaving)
    shutil.rmtree(leaving)


def _detached(argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **apart,
        )


def _create_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()


def _process(run: RunFolder) -> psutil.Process | None:
    """The living process of a run. A number alone is not enough: the system gives it to another process later."""
    for child in list(_children):
        # Asking an ended child takes it out of the table of processes, where it stays as a zombie otherwise.
        if child.poll() is not None:
            with contextlib.suppress(ValueError):
                _children.remove(child)
    noted = run.read_json(PROCESS)
    if not noted:
        return None
    try:
        process = psutil.Process(noted["pid"])
        if abs(process.create_time() - noted["create_time"]) > 2 or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def _alive(run: RunFolder) -> bool:
    """Whether the run's process lives. Of a run that noted none, whether it wrote something lately."""
    if (run.path / PROCESS).is_file():
        return _process(run) is not None
    written = [path.stat().st_mtime for name in (CONFIG, LOG, METRICS) if (path := run.path / name).is_file()]
    return bool(written) and time.time() - max(written) < _QUIET


def _cancel_asked(run: RunFolder) -> float | None:
    return (run.read_json(PROCESS) or {}).get("cancel_asked")
