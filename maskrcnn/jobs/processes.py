"""Start processes in a session of their own, find them again later, and kill them with all their children.

A process that this program started is identified by its pid and its create time, because the system reuses pids. A
trainer is identified by its command line instead (`runs.trainer_process`).
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
    """Start a process as the leader of a new session, so that Ctrl-C or closing the terminal does not stop it.

    Its output is appended to the file `output`, or discarded. Raises `OSError` if the process cannot be started.
    """
    new_session: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        new_session = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    _reap()
    with open(output or os.devnull, "ab") as file:
        child = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            **new_session,
        )
    _children.append(child)
    return child


def create_time(pid: int) -> float:
    """The create time of the process `pid`, in seconds since 1970; the current time if the process has ended."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return time.time()


def living(pid: int | None, created: float | None) -> psutil.Process | None:
    """The process with this pid and create time, or None if it is dead. Use it only for values recorded by this
    program."""
    _reap()
    process = living_process(pid)
    if process is None or created is None:
        return None
    with contextlib.suppress(psutil.Error):
        if abs(process.create_time() - created) <= 2:
            return process
    return None


def _reap() -> None:
    """Read the exit status of child processes that have ended; until then they remain as zombies."""
    for child in list(_children):
        if child.poll() is not None:
            with contextlib.suppress(ValueError):
                _children.remove(child)


def session_of(leader: int) -> Iterator[psutil.Process]:
    """The living processes of the session whose leader is or was the process with the pid `leader`.

    The system does not reuse the leader's pid while its session has members. Empty on Windows.
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
    """Kill a process, its descendants and all processes of its session. Return when all are dead or after `patience` s.

    The session includes descendants whose parent has ended already.
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
