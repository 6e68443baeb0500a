"""Trainers of a few lines of Python that write what the real one does, and what tests of the queue share."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from maskrcnn.jobs import processes, queue
from maskrcnn.jobs.backend import Training
from maskrcnn.runs.attempts import ATTEMPT
from maskrcnn.runs.folder import CONFIG, PROCESS, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.trainer_process import TRAINER

ROW = {"event": "step", "epoch": 1, "step": 3, "progress": 0.25, "elapsed": 30.0, "eta": 90.0, "loss": 2.5}

PREAMBLE = f"""
import json, os, signal, subprocess, sys, time
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--out") + 1])
attempt = os.environ.get("{ATTEMPT}")
def write(name, **fields):
    (out / ".new").write_text(json.dumps(fields | ({{"attempt": attempt}} if attempt else {{}})))
    (out / ".new").rename(out / name)
def row(**fields):
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({ROW} | fields) + "\\n")
    write("attempt.json")
def result(**fields):
    write("result.json", **fields)
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


STAND_IN = shlex.join([sys.executable, str(Path(__file__).with_name("fake_trainer.py")), *TRAINER])
"""What MASKRCNN_TRAINER must say for these trainers; the fixture `runs` sets it."""


def write_code(workspace: Path, code: str, name: str = "any") -> None:
    """What the run of that name does when it is trained; `any` is for those that have no code of their own."""
    codes = workspace.parent / f"{workspace.name}-code"
    codes.mkdir(exist_ok=True)
    (codes / f"{name}.py").write_text(PREAMBLE + textwrap.dedent(code), encoding="utf-8")


def add(run: Path, code: str, options: tuple[str, ...] = (), **arguments: Any) -> RunFolder:
    """Put a training of that code into the queue of the workspace `run` lies in."""
    write_code(run.parents[2], code, run.name)
    training = Training(RunFolder(run), TrainingRequest.from_argv(options), **arguments)
    queue.add(run.parents[2], training)
    return RunFolder(run.resolve())


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


def trainer_of(run: Path, **changes: object) -> dict[str, object]:
    """Start a process that is a trainer of that run by its command line and does nothing, and note it. The fixture
    `runs` ends it."""
    argv = [sys.executable, "-c", "import time; time.sleep(120)", *TRAINER, "--out", str(run)]
    process = psutil.Popen(argv, stdin=subprocess.DEVNULL)
    noted = {"pid": process.pid, "create_time": process.create_time(), "argv": argv, "started": time.time()}
    return {**noted, **changes}


def end_all(workspace: Path) -> None:
    """Kill whatever looks after a workspace, or trains in it."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(str(workspace) in word for word in process.cmdline()):
                processes.kill_tree(process)


def this_process(**changes: object) -> dict[str, object]:
    """A note of the process that runs the tests, which trains nothing."""
    me = psutil.Process()
    return {"pid": me.pid, "create_time": me.create_time(), "argv": [], "started": time.time(), **changes}


def dead(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
