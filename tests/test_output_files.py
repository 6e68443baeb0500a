"""Places to write to are seen to before anything is loaded, read or measured."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from maskrcnn.__main__ import main
from maskrcnn.errors import ArgumentError
from maskrcnn.output_files import require_place, write_json


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, a file, and nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    return tmp_path


@pytest.mark.parametrize(
    ("place", "why"), [("folder", "it is a folder"), ("file/out.json", "file is no folder"), ("file/a/b", "no folder")]
)
def test_a_place_where_nothing_can_be_written(here: Path, place: str, why: str) -> None:
    with pytest.raises(ArgumentError, match=rf"^{place}: cannot be written \(.*{why}\); choose another place$"):
        require_place(Path(place))


def test_a_folder_that_may_not_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(ArgumentError, match="folder may not be written to"):
        require_place(Path("folder/new/out.json"))


def test_a_good_place_is_made_and_a_file_replaced(here: Path) -> None:
    for place in (Path("new/deep/out.json"), Path("file")):
        require_place(place)
        write_json(place, {"a": [1]}, indent=None)
        assert place.read_text() == '{"a": [1]}\n'
    assert sorted(path.name for path in here.iterdir()) == ["file", "folder", "new"]


def test_a_disk_that_is_full_leaves_what_was_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ArgumentError, match=r"file: cannot be written \(No space left on device\)"):
        write_json(Path("file"), {})
    assert (here / "file").read_text() == "kept"
    assert sorted(path.name for path in here.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "nothing", "--data", "nothing", "--out", "folder"],
        ["evaluate", "nothing", "--data", "nothing", "--detections", "folder"],
        ["compare", "nothing", "nothing", "--json", "folder"],
        ["predict", "nothing", "file", "--out", "file/x"],
    ],
)
def test_commands_look_before_they_work(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "cannot be written" in capsys.readouterr().err
