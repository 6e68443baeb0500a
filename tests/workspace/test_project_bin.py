"""Deleted projects: in the bin, brought back, gone for good; and a bin that somebody else left."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maskrcnn.annotations.store import Project
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.workspace import Workspace
from tests.workspace.made import LINKS, content_of, make, plant, shown


def test_a_deleted_project_lies_in_the_bin_and_comes_back_as_it_was(space: Workspace) -> None:
    project = make(space.root / "cells")
    before = content_of(project)
    deleted = space.delete(project)
    assert (shown(space.root), space.projects()) == ([], [])
    assert space.bin() == [deleted]
    assert (deleted.name, abs(deleted.deleted - time.time()) < 5) == ("cells", True)
    assert space.restore(deleted.id) == project
    assert content_of(project) == before
    assert (space.bin(), space.projects()) == ([], [project])
    assert not list((space.root / ".bin").iterdir())


def test_two_of_one_name_lie_in_the_bin_and_each_comes_back(space: Workspace) -> None:
    first = space.delete(make(space.root / "cells", 1))
    second = space.delete(make(space.root / "cells", 2))
    assert {entry.id for entry in space.bin()} == {first.id, second.id}
    assert space.restore(first.id) == space.root / "cells"
    with pytest.raises(ArgumentError, match='project "cells" exists already'):
        space.restore(second.id)
    assert space.restore(second.id, space.free_name("cells")) == space.root / "cells-2"
    assert [Project.open(path).counts().pictures for path in space.projects()] == [1, 2]


def test_deleted_for_good_it_is_gone_with_its_files_and_nothing_else(space: Workspace, tmp_path: Path) -> None:
    kept, gone = space.delete(make(space.root / "kept", 1)), space.delete(make(space.root / "gone", 1))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter").write_text("private")
    (gone.folder / "images" / "link").symlink_to(tmp_path / "home")
    (gone.folder / "out").symlink_to(tmp_path / "home" / "letter")
    space.destroy(gone.id)
    assert space.bin() == [kept]
    assert [path.name for path in (space.root / ".bin").iterdir()] == [kept.id]
    assert (tmp_path / "home" / "letter").read_text() == "private"
    for again in (space.destroy, space.restore):
        with pytest.raises(StudioError, match="not in the bin any more"):
            again(gone.id)


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "Permission denied"), FileNotFoundError()])
def test_what_cannot_be_deleted_for_good_is_named(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    deleted = space.delete(make(space.root / "cells", 0))

    def rmtree(folder: Path, onerror: Callable[..., None]) -> None:
        onerror(os.unlink, f"{folder}/cells/project.db", (type(error), error, None))

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    if isinstance(error, FileNotFoundError):  # gone all the same
        space.destroy(deleted.id)
    else:
        with pytest.raises(StudioError, match=r"cells/project\.db: cannot be deleted \(Permission denied\); mend its"):
            space.destroy(deleted.id)
    assert space.bin() == []


def test_what_a_computer_that_stopped_left_in_the_bin_goes_and_nothing_else(space: Workspace) -> None:
    first, box = space.delete(make(space.root / "one", 0)), space.root / ".bin"
    for name in ("letters", "20260101-101010-0123abcd", ".going-20260101-101010-0123abcd/cells"):
        (box / name).mkdir(parents=True)
    second = space.delete(make(space.root / "two", 0))
    assert {path.name for path in box.iterdir()} == {"letters", first.id, second.id}


@pytest.mark.parametrize("kind", LINKS)
def test_links_in_a_project_go_to_the_bin_and_back_as_links(space: Workspace, tmp_path: Path, kind: str) -> None:
    project = make(space.root / "cells")
    place = plant(project, kind, tmp_path)
    deleted = space.delete(project)
    assert os.path.lexists(deleted.folder / place)
    space.restore(deleted.id)
    assert (project / place).is_symlink() or kind == "a pipe"
    space.destroy(space.delete(project).id)
    assert (tmp_path / "secret").read_text() == "private"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_damaged_project_can_be_renamed_and_deleted_but_not_copied(space: Workspace) -> None:
    broken = space.root / "broken"
    broken.mkdir()
    (broken / "project.db").write_bytes(os.urandom(5000))
    with pytest.raises(StudioError, match=r"project\.db"):
        space.duplicate(broken, "copy")
    there = space.rename(broken, "odd")
    assert space.restore(space.delete(there).id) == there


def test_the_sample_is_a_project_like_any_other_and_does_not_come_back_by_itself(workspace: Path) -> None:
    space = Workspace(workspace)
    (sample,) = space.projects()
    copy = space.duplicate(sample, "mine").folder
    space.delete(space.rename(sample, "toys"))
    assert space.projects() == [copy]
    space.delete(copy)
    assert space.projects() == []


# The bin, as somebody else may have left it


@pytest.mark.parametrize("kind", ["a link", "a file", "a link in the workspace"])
def test_where_the_bin_is_none_nothing_is_deleted_through_it(space: Workspace, tmp_path: Path, kind: str) -> None:
    project, box = make(space.root / "cells", 0), space.root / ".bin"
    (tmp_path / "home").mkdir()
    if kind == "a file":
        box.write_text("mine")
    elif kind == "a link":
        box.symlink_to(tmp_path / "home")
    else:
        box.symlink_to(project)
    assert space.bin() == []
    with pytest.raises(StudioError, match=r"\.bin: is a link or no folder"):
        space.delete(project)
    assert shown(space.root) == ["cells"]
    assert not list((tmp_path / "home").iterdir())


def test_what_nobody_put_into_the_bin_is_not_offered(space: Workspace, tmp_path: Path) -> None:
    far = make(tmp_path / "far", 0)
    kept = space.delete(make(space.root / "cells", 0))
    box, stamp = space.root / ".bin", "20260101-101010-0123abc"
    (box / "letters").mkdir()
    (box / f"{stamp}0").symlink_to(far)
    (box / f"{stamp}1").mkdir()
    (box / f"{stamp}1" / "cells").symlink_to(far)
    (box / f"{stamp}2" / "no project").mkdir(parents=True)
    shutil.copytree(far, box / f"{stamp}3" / "one")
    shutil.copytree(far, box / f"{stamp}3" / "two")
    (box / "99999999-999999-01234567" / "odd").mkdir(parents=True)
    (box / "99999999-999999-01234567" / "odd" / "project.db").touch()
    (box / f"{stamp}4").write_text("a file")
    shutil.copytree(far, box / f"{stamp}5" / ".projects.json")
    for year in ("0001", "9999"):
        shutil.copytree(far, box / f"{year}0230-000000-01234567" / "cells")
    assert space.bin() == [kept]
    for odd in ("../cells", "..", "", f"{stamp}0", f"{stamp}1", "letters", str(far)):
        for do in (space.restore, space.destroy):
            with pytest.raises(StudioError, match="not in the bin any more"):
                do(odd)
    assert (far / "project.db").is_file()
