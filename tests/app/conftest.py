"""What page tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.local_backend import LocalBackend


@pytest.fixture
def started(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> list[Training]:
    """The trainings that a page starts in the workspace of the test; none of them runs."""
    trainings: list[Training] = []

    def start(backend: LocalBackend, training: Training) -> None:
        assert backend.workspace == workspace
        trainings.append(training)

    monkeypatch.setattr(LocalBackend, "start", start)
    return trainings
