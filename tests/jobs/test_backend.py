"""What every backend offers, and that the one of this machine offers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskrcnn.errors import ArgumentError
from maskrcnn.jobs.backend import Backend, Training
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest
from tests.jobs.fakes import CLEAN, until, write_code


def test_the_words_of_states_are_those_that_older_studios_stored() -> None:
    words = ["queued", "starting", "running", "cancelling", "done", "failed", "cancelled", "lost"]
    assert list(JobState) == words
    assert json.dumps([JobState.QUEUED, JobState("lost")]) == '["queued", "lost"]'
    assert [state for state in words if JobState(state).active] == ["starting", "running", "cancelling"]
    assert [state for state in words if JobState(state).ended] == ["done", "failed", "cancelled", "lost"]


def test_the_local_backend_starts_tells_and_cancels(runs: Path, workspace: Path) -> None:
    write_code(workspace, CLEAN)
    backend: Backend = LocalBackend(workspace)
    first, second = RunFolder(runs / "first"), RunFolder(runs / "second")
    backend.start(Training(first, TrainingRequest(changed={"epochs": 2})))
    backend.start(Training(second))
    assert until(lambda: backend.progress(first).epoch == 1)
    assert (backend.state(first), backend.state(second)) == (JobState.RUNNING, JobState.QUEUED)
    with pytest.raises(ArgumentError, match="exists already"):
        backend.start(Training(first))
    backend.cancel(second)
    assert not second.path.exists()
    (first.path / "let_go").touch()
    backend.cancel(first)
    assert until(lambda: backend.state(first) is JobState.CANCELLED)
