"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from maskrcnn.atomic_files import replacing, write_atomic


@pytest.mark.parametrize("content", ["é\n", b"\x00\xff"])
@pytest.mark.parametrize("name", ["a.json", "n" * 255])
def test_a_file_holds_what_was_written_and_nothing_lies_beside_it(
    tmp_path: Path, content: str | bytes, name: str
) -> None:
    write_atomic(tmp_path / name, "before")
    write_atomic(tmp_path / name, content)
    assert (tmp_path / name).read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_on_a_full_disk_the_old_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "a.json"
    write_atomic(file, "before")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(file, "after")
    assert file.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_text_that_is_no_unicode_leaves_the_old_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.txt", "before")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(tmp_path / "a.txt", "\ud800")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "before")]


def test_a_folder_that_is_gone_does_not_come_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "gone" / "a.json", "")
    assert os.listdir(tmp_path) == []


def test_the_content_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    for step in ("fsync", "replace"):
        real = getattr(os, step)
        monkeypatch.setattr(os, step, lambda *given, step=step, real=real: (steps.append(step), real(*given)))
    write_atomic(tmp_path / "a", "text")
    write_atomic(tmp_path / "b", "text", durable=False)
    assert steps == ["fsync", "replace", "replace"]


def test_two_writers_of_one_file_have_a_file_each(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with replacing(file) as first, replacing(file) as second:
        first.write_text("first")
        second.write_text("second")
        assert not file.exists()
    assert file.read_text() == "first"  # the inner block ended earlier
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_is_there_with_all_its_files_or_not_at_all(tmp_path: Path) -> None:
    def make(stopped: bool) -> None:
        with replacing(tmp_path / "made") as folder:
            (folder / "sub").mkdir(parents=True)
            (folder / "sub" / "a.txt").write_text("a")
            if stopped:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(stopped=True)
    assert os.listdir(tmp_path) == []
    make(stopped=False)
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == [
        "made",
        "made/sub",
        "made/sub/a.txt",
    ]
