"""A workspace for the queue, and an end to whatever a test left running in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maskrcnn.jobs.trainer_command import PROGRAM
from tests.jobs.fakes import STAND_IN, end_all


@pytest.fixture
def runs(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project's `runs/`, in which the trainers of `fakes` train; what still looks after it or trains in it after the
    test is killed."""
    monkeypatch.setenv(PROGRAM, STAND_IN)
    (workspace / "project").mkdir()
    yield workspace / "project" / "runs"
    end_all(workspace)
