"""The trainer process of a run: note it in process.json, and find it again by its command line.

A run folder may come from another person, so the pid in it is not trusted. A process is the trainer of a run if it
belongs to this user and its command line is `-m maskrcnn train --out RUN`. The pid alone is not enough, because the
system reuses pids. A zombie (an ended process whose exit status was not read) is treated as dead.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import PROCESS, RunFolder

TRAINER = ("-m", "maskrcnn", "train")
"""The words in the command line of a trainer, before its options."""


def is_trainer(process: psutil.Process, run: Path) -> bool:
    """Whether `process` is a trainer of `run`: it belongs to this user, and its command line is `-m maskrcnn train`
    with the run folder as `--out`.

    Raises `psutil.Error` if the process has ended or cannot be inspected.
    """
    if sys.platform != "win32" and process.uids().real != os.getuid():
        return False
    words = process.cmdline()
    while not words and time.time() - process.create_time() < 1:  # it has just started and has no command line yet
        time.sleep(0.01)
        words = process.cmdline()
    options = options_of_trainer_process(words)
    if options is None:
        return False
    named = run_folder_in_options(options)
    if named is None:
        return False
    place = named if os.path.isabs(named) else os.path.join(process.cwd(), named)
    return os.path.realpath(place) == os.path.realpath(run)


def options_of_trainer_process(words: list[str]) -> list[str] | None:
    """The options of a trainer process, from the words of its command line; None if it is no trainer process.

    >>> options_of_trainer_process(["python", "-m", "maskrcnn", "train", "--out", "runs/a"])
    ['--out', 'runs/a']
    >>> options_of_trainer_process(["python", "-m", "maskrcnn", "predict", "toy"]) is None
    True
    """
    length = len(TRAINER)
    for first in reversed(range(len(words) - length + 1)):
        if tuple(words[first : first + length]) == TRAINER:
            return words[first + length :]
    return None


def run_folder_in_options(options: list[str]) -> str | None:
    """The run folder in the options of a trainer process, as it is written there; None if they name none.

    >>> run_folder_in_options(["--out", "runs/a"]), run_folder_in_options(["--out=runs/a"])
    ('runs/a', 'runs/a')
    """
    named = [value for option, value in itertools.pairwise(options) if option == "--out"]
    named += [option.partition("=")[2] for option in options if option.startswith("--out=")]
    return named[-1] if named else None


def living_process(pid: int | None) -> psutil.Process | None:
    """The process with this pid, for example of a trainer; None if it does not exist or is a zombie.

    The pid may be any number, because it may come from a file.
    """
    try:
        process = psutil.Process(pid) if pid is not None else None
        return process if process is not None and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError, OverflowError):
        return None


def trainer_with_pid(run: Path, pid: int | None) -> psutil.Process | None:
    """The process with this pid, if it is alive and a trainer of `run` (`is_trainer`); otherwise None.

    The create time in the run folder is not compared, because it changes when the system clock is set.
    """
    process = living_process(pid)
    with contextlib.suppress(psutil.Error):
        if process is not None and is_trainer(process, run):
            return process
    return None


def trainer_started_since(run: Path, since: float) -> psutil.Process | None:
    """A trainer of `run` among the processes created after `since` (seconds since 1970); None if there is none."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.create_time() >= since - 2 and is_trainer(process, run):
                return process
    return None


def note_trainer_process(
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
    """Whether process.json of the run contains the pid of the current process."""
    try:
        return (run.read_json(PROCESS) or {}).get("pid") == os.getpid()
    except StudioError:
        return False


def living_trainer(run: RunFolder) -> psutil.Process | None:
    """The trainer process of a run, by the pid in its process.json; None if it is dead or no trainer of this run."""
    return trainer_with_pid(run.path, (run.read_json(PROCESS) or {}).get("pid"))


def is_training(run: RunFolder) -> bool:
    """Whether a trainer of the run is alive and has not written a result."""
    return living_trainer(run) is not None and run.result() is None


def cancel_asked(run: RunFolder) -> float | None:
    """The time at which the trainer process of a run was asked to end (Cancel), in seconds since 1970; None: never."""
    return (run.read_json(PROCESS) or {}).get("cancel_asked")
