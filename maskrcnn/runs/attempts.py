"""The attempts of a run: each start of a trainer, the first one and every resume, has an id.

Whoever starts a trainer makes the id (`new_attempt`) and hands it over in the environment variable `ATTEMPT`; a trainer
that was started from a terminal makes its own. Three files of the run folder name the attempt that wrote them:

    process.json    the newest attempt, and the process that makes it
    attempt.json    the attempt that wrote the last rows of metrics.jsonl; written with its first row
    result.json     the attempt that ended so

A run that is resumed keeps the result of its last attempt until its trainer is ready, and its rows for good. So what a
file says holds for the training of now only where the ids are equal (`has_ended`, `has_rows`).
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
"""The environment variable with the id of the attempt that a trainer is to make."""

_CLOCK_TICK = 0.05  # seconds; modification times are that coarse on some systems


def new_attempt() -> str:
    """An id that no other attempt has: 32 hexadecimal digits.

    >>> len(new_attempt())
    32
    """
    return uuid.uuid4().hex


def begin(run: RunFolder) -> None:
    """Note in process.json that this process trains the run.

    Whoever started it may have done so already; then that stays. A training inside another program (a notebook) notes
    nothing: Cancel would end that program.
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
    """Write process.json: the process that makes that attempt (None for one that was started without an id). `created`:
    its create time, in seconds since 1970, where it is known. Raises `OSError` where it cannot be written."""
    created = psutil.Process(pid).create_time() if created is None else created
    about = {"pid": pid, "create_time": created, "argv": list(argv), "started": time.time()}
    more = {"attempt": attempt, "device": device}
    run.write_json(PROCESS, {**about, **{name: value for name, value in more.items() if value is not None}})


def noted_here(run: RunFolder) -> bool:
    """Whether process.json names the process that asks."""
    try:
        return (run.read_json(PROCESS) or {}).get("pid") == os.getpid()
    except StudioError:
        return False


def attempt_of(run: RunFolder) -> str | None:
    """The id of the newest attempt; None for a run of a studio that gave no ids, or before the first attempt."""
    return (run.read_json(PROCESS) or {}).get("attempt")


def living_trainer(run: RunFolder) -> psutil.Process | None:
    """The process that process.json names, if it lives and is a trainer of this run."""
    return trainer_process.living_trainer(run.path, (run.read_json(PROCESS) or {}).get("pid"))


def is_training(run: RunFolder) -> bool:
    """Whether a trainer of the run lives and has not written a result."""
    return living_trainer(run) is not None and run.result() is None


def has_rows(run: RunFolder, process: dict[str, Any] | None = None) -> bool:
    """Whether the newest attempt has written rows of metrics; those that were there before do not count. `process`:
    process.json, where it was read already."""
    return _is_of_newest(run, process, run.read_json(BEGUN), METRICS)


def has_ended(run: RunFolder, process: dict[str, Any] | None = None) -> bool:
    """Whether the newest attempt has written a result; that of the attempt before it does not count."""
    return _is_of_newest(run, process, run.read_json(RESULT), RESULT)


def _is_of_newest(run: RunFolder, process: dict[str, Any] | None, document: dict[str, Any] | None, file: str) -> bool:
    """Whether `file` is of the newest attempt; `document` names the attempt that wrote it. Where an id is missing, as
    in run folders of older studios, the modification time of the file tells."""
    process = (run.read_json(PROCESS) or {}) if process is None else process
    attempt = (document or {}).get("attempt")
    if attempt is not None and (newest := process.get("attempt")) is not None:
        return bool(attempt == newest)
    try:
        return (run.path / file).stat().st_mtime >= process.get("started", 0.0) - _CLOCK_TICK
    except FileNotFoundError:
        return False
