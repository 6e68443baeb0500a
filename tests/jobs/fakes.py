"""Trainers of a few lines of Python that write what the real one does, and what tests of the queue share."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from maskrcnn.jobs import queue
from maskrcnn.training.run_folder import CONFIG, PROCESS, RunFolder

ROW = {"event": "step", "epoch": 1, "step": 3, "progress": 0.25, "elapsed": 30.0, "eta": 90.0, "loss": 2.5}

PREAMBLE = f"""
import json, os, signal, subprocess, sys, time
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--out") + 1])
def row(**fields):
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({ROW} | fields) + "\\n")
def result(**fields):
    (out / ".result").write_text(json.dumps(fields))
    (out / ".result").rename(out / "result.json")
def wait_for(name):
    while not (out / name).exists():
        time.sleep(0.02)
"""

CLEAN = """
signal.signal(signal.SIGTERM, lambda *_: (wait_for("let_go"), result(state="cancelled", seconds=1), sys.exit(1)))
row()
wait_for("never")
"""
"""Trains until it is asked to end, and then ends as soon as the test lets it."""

UNTIL_TOLD = 'row(); wait_for("end"); result(state="done", seconds=1)'
"""Trains until the test puts a file `end` into its folder."""

BRIEF = """
(out / "began").write_text(repr(time.time()))
row()
time.sleep(0.1)
(out / "ended").write_text(repr(time.time()))
result(state="done", seconds=0.1)
"""
"""Trains for a tenth of a second and writes down when."""


def program(code: str) -> list[str]:
    return [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)]


def add(run: Path, code: str, options: tuple[str, ...] = (), **arguments: Any) -> RunFolder:
    """Put a training of that code into the queue of the workspace `run` lies in."""
    return queue.add(run, options, workspace=run.parents[2], program=program(code), **arguments)


def until(claim: Callable[[], Any], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.02)
    return False


def pid_of(run: RunFolder) -> int:
    """The number of the trainer of a run, as soon as it is known."""
    assert until(lambda: (run.read_json(PROCESS) or {}).get("pid"))
    return run.read_json(PROCESS)["pid"]


def by_hand(path: Path, **files: object) -> RunFolder:
    """A run folder with these JSON files (`process` is process.json)."""
    path.mkdir(parents=True)
    (path / CONFIG).write_text(json.dumps({"epochs": 4}))
    for name, document in files.items():
        (path / f"{name}.json").write_text(json.dumps(document))
    return RunFolder(path)


def this_process(**changes: object) -> dict[str, object]:
    me = psutil.Process()
    return {"pid": me.pid, "create_time": me.create_time(), "argv": [], "started": time.time(), **changes}


def dead(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
