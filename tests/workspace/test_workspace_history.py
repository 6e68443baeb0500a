"""Which project was opened last, and a file of that which is damaged, or anybody's."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from maskrcnn import external_projects
from maskrcnn.workspace import ProjectGone, Workspace, workspace_history
from maskrcnn.workspace.workspace_history import FILE
from tests.workspace.made import make


def test_the_one_that_was_opened_last_is_the_first_and_then_the_one_before(space: Workspace, tmp_path: Path) -> None:
    a, b, far = make(space.root / "a", 0), make(space.root / "b", 0), make(tmp_path / "far", 0)
    assert space.first() == a
    external_projects.add_external_project(space.root, far)
    for path in (a, far, b):
        space.note_opened(path)
    assert Workspace(space.root).first() == b
    space.delete(b)
    assert Workspace(space.root).first() == far
    shutil.rmtree(far)
    assert Workspace(space.root).first() == a


def test_of_several_of_one_name_a_link_means_the_one_that_was_opened_last(space: Workspace, tmp_path: Path) -> None:
    own, far, other = (make(folder / "cells", 0) for folder in (space.root, tmp_path / "far", tmp_path / "other"))
    for path in (far, other):
        external_projects.add_external_project(space.root, path)
    assert space.find("cells") == own
    for path in (far, own, other):
        space.note_opened(path)
        assert space.find("cells") == path
    space.remove_from_list(other)
    assert space.find("cells") == own


def test_where_none_was_opened_yet_the_sample_is_the_first(space: Workspace) -> None:
    a, sample = make(space.root / "a", 0), make(space.root / "shapes", 0)
    assert space.first() == sample
    space.delete(sample)
    assert space.first() == a


def test_a_renamed_project_stays_the_one_that_was_opened_last(space: Workspace) -> None:
    a, _ = make(space.root / "b", 0), make(space.root / "a", 0)
    space.note_opened(a)
    there = space.rename(a, "z")
    assert space.first() == there
    assert space.about(space.root / "z").opened is not None


def test_where_all_that_were_opened_are_gone_the_last_is_named_in_place_of_a_guess(space: Workspace) -> None:
    for name in ("a", "b", "c"):
        make(space.root / name, 0)
    space.note_opened(space.root / "c")
    shutil.rmtree(space.root / "c")
    with pytest.raises(ProjectGone, match='project "c" is not there'):
        space.first()


DAMAGED = {
    "nothing": b"",
    "no JSON": b"{opened",
    "a list": b"[]",
    "another schema": b'{"opened": {"path": "a"}}',
    "a number for a path": b'{"opened": [{"path": 3, "at": 1}], "renamed": []}',
    "not a number": b'{"opened": [{"path": "a", "at": NaN}], "renamed": []}',
    "no UTF-8": b'{"opened": [{"path": "\xff", "at": 1}], "renamed": []}',
    "nested": b"[" * 100_000,
    "paths out": json.dumps(
        {
            "opened": [{"path": path, "at": 1} for path in ("/etc", "../far", "a/../../far", "/", "\0", "~")],
            "renamed": [{"old": "x", "new": new, "at": 1} for new in ("../far", "/etc", "\0", ".bin", "x")],
        }
    ).encode(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_or_foreign_memory_opens_nothing_and_is_written_anew(
    space: Workspace, tmp_path: Path, content: bytes
) -> None:
    make(space.root.parent / "far", 0)
    try:
        a, b = make(space.root / "a", 0), make(space.root / "b", 0)
        (space.root / FILE).write_bytes(content)
        if b"/etc" not in content:
            assert space.first() == a
        else:  # of all that it names nothing is there: that is told, and no other is shown
            with pytest.raises(ProjectGone, match='project "etc" is not there'):
                space.first()
        with pytest.raises(ProjectGone) as told:
            space.find("x")
        assert told.value.renamed is None
        space.note_opened(b)
        assert space.first() == b
    finally:
        shutil.rmtree(space.root.parent / "far")


@pytest.mark.parametrize("kind", ["a link out", "a link to nothing", "a folder", "a pipe", "a circle"])
def test_what_lies_in_place_of_the_memory_is_not_followed(space: Workspace, tmp_path: Path, kind: str) -> None:
    secret, place = tmp_path / "secret", space.root / FILE
    secret.write_text(json.dumps({"opened": [{"path": "b", "at": 1}], "renamed": []}))
    before = secret.read_bytes()
    {
        "a link out": lambda: place.symlink_to(secret),
        "a link to nothing": lambda: place.symlink_to(tmp_path / "new"),
        "a folder": place.mkdir,
        "a pipe": lambda: os.mkfifo(place),
        "a circle": lambda: place.symlink_to(place),
    }[kind]()
    a, b = make(space.root / "a", 0), make(space.root / "b", 0)
    assert space.first() == a
    space.note_opened(b)
    assert space.first() == (a if kind == "a folder" else b)
    assert secret.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_memory_is_bounded_and_keeps_the_newest(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_history, "MOST", 5)
    for number in range(9):
        space.note_opened(space.root / f"p{number}")
        space._history.note_renamed(f"r{number}", f"r{number + 1}")
    assert list(space._history.opened()) == [str(space.root / f"p{number}") for number in (8, 7, 6, 5, 4)]
    assert list(filter(None, (space._history.renamed_to(f"r{number}") for number in range(9)))) == ["r9"] * 5
