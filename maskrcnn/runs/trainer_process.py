"""The process that trains a run: known by its own command line, whatever the run folder says about it.

A run folder comes from anybody and may name any process. So a process is the trainer of a run if it is this user's and
its command line is `-m maskrcnn train --out RUN`. A process id alone does not say which process is meant, because the
system gives it to another one later. A zombie (ended, and its parent has not asked how) counts as dead.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from pathlib import Path

import psutil

TRAINER = ("-m", "maskrcnn", "train")
"""The words of a command line that trains; the options follow them."""


def is_trainer(process: psutil.Process, run: Path) -> bool:
    """Whether a process of this user trains that run, by its command line: `-m maskrcnn train`, with the run folder as
    `--out`.

    Raises `psutil.Error` where the process is gone or cannot be asked.
    """
    if sys.platform != "win32" and process.uids().real != os.getuid():
        return False
    words = process.cmdline()
    while not words and time.time() - process.create_time() < 1:  # just started: it has no command line yet
        time.sleep(0.01)
        words = process.cmdline()
    options = options_of(words)
    if options is None:
        return False
    named = [value for option, value in itertools.pairwise(options) if option == "--out"]
    named += [option.partition("=")[2] for option in options if option.startswith("--out=")]
    if not named:
        return False
    place = named[-1] if os.path.isabs(named[-1]) else os.path.join(process.cwd(), named[-1])
    return os.path.realpath(place) == os.path.realpath(run)


def options_of(words: list[str]) -> list[str] | None:
    """The options of a training in the words of a command line; None where it does not train.

    >>> options_of(["python", "-m", "maskrcnn", "train", "--out", "runs/a"])
    ['--out', 'runs/a']
    >>> options_of(["python", "-m", "maskrcnn", "predict", "toy"]) is None
    True
    """
    length = len(TRAINER)
    for first in reversed(range(len(words) - length + 1)):
        if tuple(words[first : first + length]) == TRAINER:
            return words[first + length :]
    return None


def living_process(pid: int | None) -> psutil.Process | None:
    """The process with that id, None where there is none or it is a zombie. Any number may be given."""
    try:
        process = psutil.Process(pid) if pid is not None else None
        return process if process is not None and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError, OverflowError):
        return None


def living_trainer(run: Path, pid: int | None) -> psutil.Process | None:
    """The living process with that id, if it is a trainer of that run (`is_trainer`).

    The create time that a run folder notes is not compared: it moves when the clock of the system is set anew.
    """
    process = living_process(pid)
    with contextlib.suppress(psutil.Error):
        if process is not None and is_trainer(process, run):
            return process
    return None


def trainer_started_since(run: Path, since: float) -> psutil.Process | None:
    """The first trainer of that run among the processes created after `since`, in seconds since 1970."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.create_time() >= since - 2 and is_trainer(process, run):
                return process
    return None
