"""Where the studio is installed, and where projects are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.install_folders import DATA, ROOT, WORKSPACE, workspace_folder


def test_the_installation_holds_the_app_and_what_ships() -> None:
    assert (ROOT / "app.py").is_file()
    assert (ROOT / "maskrcnn" / "install_folders.py").is_file()
    assert (DATA / "shapes" / "train").is_dir()


def test_projects_lie_beside_the_app_or_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(WORKSPACE, raising=False)
    assert workspace_folder() == ROOT / "workspace"
    monkeypatch.setenv(WORKSPACE, str(tmp_path / "mine"))
    assert workspace_folder() == tmp_path / "mine"
    assert not workspace_folder().exists()  # only asked for, not made
    monkeypatch.setenv(WORKSPACE, "~/mine")
    assert workspace_folder() == Path.home() / "mine"
