"""Where the studio is installed, and where projects are kept."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import maskrcnn
from maskrcnn.install_folders import DATA, ROOT, VERSION, WORKSPACE, workspace_folder


def test_the_program_and_its_description_have_one_version() -> None:
    described = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert maskrcnn.__version__ == VERSION == described


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
