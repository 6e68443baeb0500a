"""Processes of this machine: started in a session of their own, found again later, and killed with all their children.

A process that this program noted itself is found again by its id and its create time, because the system gives an id to
another process later. A trainer is found by its command line instead (`runs.trainer_process`).
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

from maskrcnn.install_folders import ROOT
from maskrcnn.runs.trainer_process import living_process

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
    _reap()
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
    """When the process of that id was created, in seconds since 1970; now where it has gone already."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return time.time()


def living(pid: int | None, created: float | None) -> psutil.Process | None:
    """The process of that id and create time, None where it is dead. Only for what this program itself noted."""
    _reap()
    process = living_process(pid)
    if process is None or created is None:
        return None
    with contextlib.suppress(psutil.Error):
        if abs(process.create_time() - created) <= 2:
            return process
    return None


def _reap() -> None:
    """Ask our children that have ended how: until then they stay in the table of processes, as zombies."""
    for child in list(_children):
        if child.poll() is not None:
            with contextlib.suppress(ValueError):
                _children.remove(child)


def session_of(leader: int) -> Iterator[psutil.Process]:
    """The living members of the session that this process leads or led.

    The id of a leader is not given to another process while its session has members.
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
