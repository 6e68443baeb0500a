"""Processes of this machine: started apart from whoever starts them, known again later, and ended with all they began.

A number alone does not say which process is meant, because the system gives it to another one later. So a process that
this program noted itself is known by its number and the time it was created, and a trainer by its number and its own
command line, which names the run. A zombie has ended and only waits to be asked how: it counts as dead.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from maskrcnn.runs.folder import trains

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds app.py and `maskrcnn/`; every process starts there."""

_children: list[subprocess.Popen[bytes]] = []


def start_apart(
    argv: Sequence[str], output: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that leads a session of its own, so that neither Ctrl-C nor a closed terminal reaches it.

    What it prints is added to the file `output`, or goes nowhere. Raises `OSError` where it cannot be started.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    with open(output or os.devnull, "ab") as file:
        child = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            **apart,
        )
    _children.append(child)
    return child


def create_time(pid: int) -> float:
    """When the process of that number was created, in seconds since 1970; now where it has gone already."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return time.time()


def living(pid: int | None, created: float | None) -> psutil.Process | None:
    """The process of that number and create time, None where it is dead. Only for what this program itself noted."""
    process = _of_number(pid)
    if process is None or created is None:
        return None
    with contextlib.suppress(psutil.Error):
        if abs(process.create_time() - created) <= 2:
            return process
    return None


def trainer(run: Path, pid: int | None) -> psutil.Process | None:
    """The living process of that number, if it is a trainer of that run by its own command line (see `trains`).

    A run folder comes from anybody and may name any process. The command line also tells more than a create time, which
    moves when the clock of the system is set anew.
    """
    process = _of_number(pid)
    with contextlib.suppress(psutil.Error):
        if process is not None and trains(process, run):
            return process
    return None


def trainer_since(run: Path, since: float) -> psutil.Process | None:
    """The first trainer of that run among the processes that were created after `since`, seconds since 1970."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.create_time() >= since - 2 and trains(process, run):
                return process
    return None


def _of_number(pid: int | None) -> psutil.Process | None:
    """The living process of that number."""
    for child in list(_children):
        # Asking an ended child takes it out of the table of processes, where it stays as a zombie otherwise.
        if child.poll() is not None:
            with contextlib.suppress(ValueError):
                _children.remove(child)
    try:
        process = psutil.Process(pid) if pid is not None else None
        return process if process is not None and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError, OverflowError):
        return None


def session_of(leader: int) -> Iterator[psutil.Process]:
    """The living members of the session that this process leads or led.

    The number of a leader is not given away while its session has members.
    """
    if sys.platform == "win32":
        return
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(pid) == leader:
                member = psutil.Process(pid)
                if member.status() != psutil.STATUS_ZOMBIE:
                    yield member


def kill_tree(process: psutil.Process, patience: float = 5.0) -> None:
    """Kill a process with everything it started; return when all of it is dead, or after `patience` seconds.

    That is its children, theirs, and its session, which those stay in whose parent has gone.
    """
    members = {process}
    with contextlib.suppress(psutil.NoSuchProcess):
        members.update(process.children(recursive=True))
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        members.update(session_of(process.pid))
        members = {member for member in members if living(member.pid, member.create_time())}
        if not members:
            return
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        time.sleep(0.02)
