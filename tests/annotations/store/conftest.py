"""A project to work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.annotations.store import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "pets", "Pets")


@pytest.fixture
def image_id(project: Project, picture) -> int:
    """A picture without regions in the project."""
    return project.add_pictures([picture("a.jpg")], "train").image_ids[0]
