"""The attempts of a run. An attempt is one start of its trainer (the first start or a resume); each has an id.

The program that starts a trainer creates the id (`new_attempt`) and passes it in the environment variable `ATTEMPT`. A
trainer that was started from a terminal creates its own id. Three files of the run folder contain an id:

    process.json    the newest attempt, and its process
    attempt.json    the attempt that wrote the last rows of metrics.jsonl; written with its first row
    result.json     the attempt that this result is from

A resumed run keeps the old result until its new trainer is ready, and keeps the old metrics rows. So a result or row is
of the current attempt only if the ids are equal (`has_ended`, `has_rows`).
"""

from __future__ import annotations

import os
import re
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.runs import trainer_process
from maskrcnn.runs.folder import BEGUN, METRICS, PROCESS, RESULT, RunFolder

ATTEMPT = "MASKRCNN_ATTEMPT"
"""The environment variable that passes the attempt id to a trainer."""

_CLOCK_TICK = 0.05  # seconds: the resolution of modification times on some file systems


def new_attempt() -> str:
    """Return a new unique attempt id: 32 hexadecimal digits.

    >>> len(new_attempt())
    32
    """
    return uuid.uuid4().hex


def begin(run: RunFolder) -> None:
    """Write process.json for this process, at the start of its training.

    Does nothing if the program that started this process has written it already. Does nothing in another program, such
    as a notebook, because Cancel would kill that program.
    """
    process = psutil.Process()
    if not noted_here(run) and trainer_process.is_trainer(process, run.path):
        given = os.environ.get(ATTEMPT, "")
        note_trainer(run, process.pid, sys.argv, given if re.fullmatch(r"[0-9a-f]{32}", given) else new_attempt())


def note_trainer(
    run: RunFolder,
    pid: int,
    argv: Sequence[str],
    attempt: str | None,
    created: float | None = None,
    device: str | None = None,
) -> None:
    """Write process.json for the trainer with this pid, command line and attempt id (None: it has no id).

    `created` is the create time of the process in seconds since 1970; None: ask the system. Raises `OSError` if the
    file cannot be written.
    """
    created = psutil.Process(pid).create_time() if created is None else created
    about = {"pid": pid, "create_time": created, "argv": list(argv), "started": time.time()}
    more = {"attempt": attempt, "device": device}
    run.write_json(PROCESS, {**about, **{name: value for name, value in more.items() if value is not None}})


def noted_here(run: RunFolder) -> bool:
    """Whether process.json contains the pid of the current process."""
    try:
        return (run.read_json(PROCESS) or {}).get("pid") == os.getpid()
    except StudioError:
        return False


def living_trainer(run: RunFolder) -> psutil.Process | None:
    """The process with the pid in process.json, or None if it is dead or no trainer of this run."""
    return trainer_process.living_trainer(run.path, (run.read_json(PROCESS) or {}).get("pid"))


def is_training(run: RunFolder) -> bool:
    """Whether a trainer of the run is alive and has not written a result."""
    return living_trainer(run) is not None and run.result() is None


def has_rows(run: RunFolder, process: dict[str, Any] | None = None) -> bool:
    """Whether the newest attempt has written metrics rows. `process` is the content of process.json, None: read it."""
    return _is_of_newest(run, process, run.read_json(BEGUN), METRICS)


def has_ended(run: RunFolder, process: dict[str, Any] | None = None) -> bool:
    """Whether the newest attempt has written a result. `process` is the content of process.json, None: read it."""
    return _is_of_newest(run, process, run.read_json(RESULT), RESULT)


def _is_of_newest(run: RunFolder, process: dict[str, Any] | None, document: dict[str, Any] | None, file: str) -> bool:
    """Whether `file` was written by the newest attempt: compare the attempt id in `document` with that in process.json.

    If an id is missing (run folders of older versions), compare the modification time of the file with the start.
    """
    process = (run.read_json(PROCESS) or {}) if process is None else process
    attempt = (document or {}).get("attempt")
    if attempt is not None and (newest := process.get("attempt")) is not None:
        return bool(attempt == newest)
    try:
        return (run.path / file).stat().st_mtime >= process.get("started", 0.0) - _CLOCK_TICK
    except FileNotFoundError:
        return False
