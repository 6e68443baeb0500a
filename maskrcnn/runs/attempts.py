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
import uuid
from typing import Any

import psutil

from maskrcnn.runs.folder import BEGUN, METRICS, PROCESS, RESULT, RunFolder
from maskrcnn.runs.trainer_process import is_trainer, note_trainer_process, noted_here

ATTEMPT = "MASKRCNN_ATTEMPT"
"""The environment variable that passes the attempt id to a trainer."""

_CLOCK_TICK = 0.05  # seconds: the resolution of modification times on some file systems


def new_attempt() -> str:
    """Return a new unique attempt id: 32 hexadecimal digits.

    >>> len(new_attempt())
    32
    """
    return uuid.uuid4().hex


def begin_attempt(run: RunFolder) -> None:
    """Begin an attempt in this process, at the start of its training: write process.json, with the id of the attempt.

    Does nothing if the program that started this process has written it already. Does nothing in another program, such
    as a notebook, because Cancel would kill that program.
    """
    process = psutil.Process()
    if not noted_here(run) and is_trainer(process, run.path):
        given = os.environ.get(ATTEMPT, "")
        attempt = given if re.fullmatch(r"[0-9a-f]{32}", given) else new_attempt()
        note_trainer_process(run, process.pid, sys.argv, attempt)


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
