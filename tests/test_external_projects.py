"""The file that notes projects elsewhere: whatever lies in its place, pages are not stopped by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskrcnn import external_projects
from maskrcnn.errors import StudioError
from maskrcnn.external_projects import FILE, MOST, add_external_project, read_external_projects
from tests.work import calls


def test_what_is_added_is_read_once_and_in_order(tmp_path: Path) -> None:
    assert read_external_projects(tmp_path) == []
    for name in ("b", "a", "b"):
        add_external_project(tmp_path, Path("/far") / name)
    assert read_external_projects(tmp_path) == [Path("/far/b"), Path("/far/a")]
    assert (tmp_path / FILE).read_bytes() == b"/far/b\n/far/a\n"


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe/far/cells",
        b"/far/\xe9t\xe9",
        b"/far/\x00cells",
        b"relative/cells",
        b"../cells",
        b"~/cells",
        b"",
        b"/" + b"x" * 5000,
        "/far/cel\N{REPLACEMENT CHARACTER}ls".encode(),
    ],
)
def test_a_line_that_is_no_path_is_passed_over(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / FILE).write_bytes(b"/far/one\n" + bad + b"\n/far/two\r\n")
    assert read_external_projects(tmp_path) == [Path("/far/one"), Path("/far/two")]


def test_of_a_million_lines_the_last_ones_are_read_and_kept(tmp_path: Path) -> None:
    lines = "".join(f"/nowhere/{number}\n" for number in range(1_000_000))
    (tmp_path / FILE).write_text(f"{lines}/far/one\n")
    found = read_external_projects(tmp_path)
    assert calls(lambda: read_external_projects(tmp_path)) < 200  # kept: every page asks, and the queue does
    assert len(found) == MOST
    assert found[-1] == Path("/far/one")


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    add_external_project(tmp_path, Path("/far/one"))
    assert len(read_external_projects(tmp_path)) == 1
    (tmp_path / FILE).write_text("/far/three\n/far/four\n")
    assert read_external_projects(tmp_path) == [Path("/far/three"), Path("/far/four")]


def test_a_torn_last_line_does_not_swallow_what_is_added(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("/far/one")
    add_external_project(tmp_path, Path("/far/two"))
    assert read_external_projects(tmp_path) == [Path("/far/one"), Path("/far/two")]


def test_what_is_no_file_is_no_list_and_is_not_written_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("/far/one\n")
    (tmp_path / "workspace").mkdir()
    place = tmp_path / "workspace" / FILE
    for make in (lambda: place.mkdir(), lambda: os.mkfifo(place), lambda: place.symlink_to(outside)):
        make()
        assert read_external_projects(place.parent) == []
        with pytest.raises(StudioError, match=r"opened_projects\.txt"):
            add_external_project(place.parent, Path("/far/two"))
        place.rmdir() if place.is_dir() else place.unlink()
    assert outside.read_text() == "/far/one\n"


@pytest.mark.parametrize("name", ["two\nlines", "not utf-8 \udcff", "a\x00b"])
def test_a_path_that_a_line_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StudioError, match="rename the folder"):
        add_external_project(tmp_path, Path("/far") / name)
    assert read_external_projects(tmp_path) == []


def test_it_needs_no_streamlit() -> None:
    assert "streamlit" not in Path(external_projects.__file__).read_text()
