"""A workspace of projects, empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.workspace import HAD_PROJECTS, Workspace


@pytest.fixture
def space(workspace: Path) -> Workspace:
    """Where the sample does not come by itself."""
    (workspace / HAD_PROJECTS).touch()
    return Workspace(workspace)
