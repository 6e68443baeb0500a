"""A workspace for the queue, and an end to whatever a test left running in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from maskrcnn.jobs import processes
from maskrcnn.jobs.command import PROGRAM
from tests.jobs.fakes import STAND_IN


@pytest.fixture
def runs(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project's `runs/`, in which the trainers of `fakes` train; what still looks after it or trains in it after the
    test is killed."""
    monkeypatch.setenv(PROGRAM, STAND_IN)
    yield workspace / "project" / "runs"
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(str(workspace) in word for word in process.cmdline()):
                processes.kill_tree(process)
