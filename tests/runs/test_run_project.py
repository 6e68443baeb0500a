"""Which project a run belongs to: told by the folders that it lies in, links followed."""

from __future__ import annotations

from pathlib import Path

from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import RunFolder


def test_a_run_of_a_project_knows_it(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "cells")
    run = RunFolder.create(project.runs_folder / "first")
    assert run.project == run.project_folder == tmp_path / "cells"


def test_a_run_elsewhere_is_of_no_project(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "out" / "first")
    assert (run.project, run.project_folder) == (None, None)


def test_a_project_that_is_gone_is_still_named(tmp_path: Path) -> None:
    """As the queue says where it should be."""
    run = RunFolder(tmp_path / "cells" / "runs" / "first")
    assert (run.project, run.project_folder) == (None, tmp_path / "cells")


def test_a_link_to_a_run_leads_to_its_project(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "cells")
    RunFolder.create(project.runs_folder / "first")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(project.runs_folder / "first")
    assert RunFolder(tmp_path / "runs" / "link").project == tmp_path / "cells"
