"""A project as a whole, renamed and duplicated; elsewhere, or gone; and a computer that stops in the middle."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from maskrcnn import external_projects
from maskrcnn.annotations import Dataset, ImageRecord, Region, write
from maskrcnn.annotations.regions import Rect
from maskrcnn.annotations.store import Project
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.jobs import run_state
from maskrcnn.runs.folder import RESULT, RUNS
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.workspace import ProjectGone, Workspace, project_copy, project_folders, size_on_disk, workspace
from tests.jobs.fakes import end_all, trainer_of
from tests.workspace.made import LINKS, TRIANGLE, content_of, make, plant, run, shown

# Renamed


def test_a_renamed_project_is_the_same_and_its_runs_find_their_pictures(space: Workspace) -> None:
    project = make(space.root / "cells")
    before = content_of(project)
    there = space.rename(project, "leaves")
    assert (shown(space.root), there) == (["leaves"], space.root / "leaves")
    assert content_of(there) == before
    opened = Project.open(there)
    assert (opened.name, opened.counts().pictures) == ("leaves", 2)
    assert opened.regions(1)[0][0].shape == TRIANGLE
    (finished,) = runs_in(opened.runs_folder)
    assert finished.project == there
    assert run_state.state(finished) == "done"
    assert finished.picture_path(finished.shown()["images"][0]) == there / "images" / "1.png"
    assert (finished.path / "checkpoints" / "best.safetensors").read_bytes() == b"weights of first"


def test_whoever_asks_for_the_old_name_is_told_the_new_one(space: Workspace) -> None:
    project = make(space.root / "a", 0)
    for name in ("b", "c"):
        project = space.rename(project, name)
    for old in ("a", "b"):
        with pytest.raises(ProjectGone, match=f'project "{old}" was renamed to "c"; open it by its new name') as told:
            space.find(old)
        assert told.value.renamed == space.root / "c"


def test_a_name_that_was_given_back_means_its_new_bearer(space: Workspace) -> None:
    space.rename(make(space.root / "a", 0), "b")
    space.create("a")
    assert space.find("a") == space.root / "a"
    shutil.rmtree(space.root / "a")
    with pytest.raises(ProjectGone, match='project "a" is not there: none lies at') as told:
        space.find("a")
    assert told.value.renamed is None


def test_an_old_name_leads_to_its_last_bearer_and_to_no_other_project(space: Workspace) -> None:
    for old, new in (("a", "b"), ("x", "y"), ("a", "c")):  # the second "a" was put there by hand
        space.rename(make(space.root / old, 0), new)
    for old, new in (("a", "c"), ("x", "y")):
        with pytest.raises(ProjectGone, match=f'project "{old}" was renamed to "{new}"'):
            space.find(old)


def test_renamed_to_and_fro_it_is_found_and_a_circle_ends(space: Workspace) -> None:
    project = make(space.root / "a", 0)
    for name in ("b", "a", "b", "c", "a"):
        project = space.rename(project, name)
    assert space.find("a") == project
    for old in ("b", "c"):
        with pytest.raises(ProjectGone, match='renamed to "a"'):
            space.find(old)


def test_renamed_and_then_deleted_it_is_offered_from_the_bin(space: Workspace) -> None:
    space.delete(space.rename(make(space.root / "a", 0), "b"))
    with pytest.raises(ProjectGone, match='project "a", which is called "b" now, was deleted today at') as told:
        space.find("a")
    assert told.value.deleted == space.bin()[0]


# Duplicated


def test_a_copy_is_equal_and_shares_no_file_with_the_original(space: Workspace) -> None:
    project = make(space.root / "cells")
    Project.open(project).thumbnail(1)
    before = content_of(project)
    told: list[tuple[int, int]] = []
    made = space.duplicate(project, "copy", progress=lambda done, of: told.append((done, of)))
    assert (made.folder, made.left_out, shown(space.root)) == (space.root / "copy", (), ["cells", "copy"])
    assert content_of(made.folder) == before == content_of(project)
    inodes = [{path.stat().st_ino for path in folder.rglob("*")} for folder in (project, made.folder)]
    assert not inodes[0] & inodes[1]
    assert told
    assert all(0 < done <= of for done, of in told)
    copy, original = Project.open(made.folder), Project.open(project)
    assert (copy.name, original.name) == ("copy", "cells")
    copy.save(1, [], copy.regions(1)[1])
    (copy.images_folder / "2.png").write_bytes(b"changed")
    assert len(original.regions(1)[0]) == 1
    assert content_of(project) == before
    copy.undo(1)
    assert copy.regions(1)[0] == original.regions(1)[0]


def test_a_run_of_a_copy_shows_the_pictures_of_the_copy(space: Workspace) -> None:
    made = space.duplicate(make(space.root / "cells"), "copy")
    (copied,) = runs_in(made.folder / RUNS)
    assert copied.picture_path(copied.shown()["images"][0]) == made.folder / "images" / "1.png"


def test_runs_are_left_out_where_that_is_asked_for(space: Workspace) -> None:
    made = space.duplicate(make(space.root / "cells"), "copy", runs=False)
    assert runs_in(made.folder / RUNS) == []
    assert (made.folder / RUNS).is_dir()
    assert Project.open(made.folder).counts().pictures == 2


def test_runs_that_train_or_wait_are_left_out_by_name(space: Workspace) -> None:
    project = make(space.root / "cells")
    training, waiting = run(project, "training"), run(project, "waiting")
    for busy in (training, waiting):
        (busy.path / RESULT).unlink()
    training.write_json("process.json", trainer_of(training.path))
    waiting.write_json("queued.json", {"device": "any", "priority": 0, "created": 1.0, "resume": False} | EXPECTED)
    try:
        made = space.duplicate(project, "copy")
    finally:
        end_all(space.root)
    assert made.left_out == ("training", "waiting")
    assert [each.name for each in runs_in(made.folder / RUNS)] == ["first"]


EXPECTED = {"expected_seconds": None}


def test_a_save_that_is_only_in_the_journal_is_copied(space: Workspace) -> None:
    project = Project.open(make(space.root / "cells"))
    with project._writing() as db:  # while it is open, SQLite keeps what was saved in the file beside the database
        db.execute("UPDATE image SET done = 1")
        db.execute("COMMIT")
        db.execute("BEGIN")
        assert (project.folder / "project.db-wal").stat().st_size > 0
        made = space.duplicate(project.folder, "copy")
    assert Project.open(made.folder).counts().done == 2


@pytest.mark.parametrize("kind", LINKS)
def test_a_project_with_a_link_is_not_copied_and_nothing_is_left(space: Workspace, tmp_path: Path, kind: str) -> None:
    project = make(space.root / "cells")
    place = plant(project, kind, tmp_path)
    with pytest.raises(StudioError, match=f"{place}: is a link or no file, so the project is not copied"):
        space.duplicate(project, "copy")
    assert shown(space.root) == ["cells"]
    assert not list(space.root.glob(".building-*"))


@pytest.mark.parametrize("moment", ["images/2.png", "runs/first/config.json", "thumbnails/x.jpg"])
def test_a_file_that_becomes_a_link_while_it_is_copied_is_not_followed(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    project = make(space.root / "cells")
    (project / "thumbnails").mkdir()
    (project / "thumbnails" / "x.jpg").write_bytes(b"x")
    (tmp_path / "secret").write_text("private")
    real = project_copy._list_to_copy

    def listed(*given: Any) -> Any:
        found = real(*given)
        (project / moment).unlink()
        (project / moment).symlink_to(tmp_path / "secret")
        return found

    monkeypatch.setattr(project_copy, "_list_to_copy", listed)
    with pytest.raises(StudioError, match="is a link or no file"):
        space.duplicate(project, "copy")
    assert shown(space.root) == ["cells"]


@pytest.mark.parametrize(("place", "refused"), [("images/2.png", True), ("thumbnails/x.jpg", False)])
def test_a_file_that_is_taken_away_while_it_is_copied(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, place: str, refused: bool
) -> None:
    """Thumbnails are made anew; of all else a copy would lack something without a word."""
    project = make(space.root / "cells")
    (project / "thumbnails").mkdir()
    (project / "thumbnails" / "x.jpg").write_bytes(b"x")
    real = project_copy._list_to_copy

    def listed(*given: Any) -> Any:
        found = real(*given)
        (project / place).unlink()
        return found

    monkeypatch.setattr(project_copy, "_list_to_copy", listed)
    if refused:
        with pytest.raises(StudioError, match=f"{place}: was taken away while it was copied; do it again"):
            space.duplicate(project, "copy")
    else:
        assert content_of(space.duplicate(project, "copy").folder) == content_of(project)
    assert shown(space.root) == (["cells"] if refused else ["cells", "copy"])


Usage = namedtuple("Usage", "total used free")


def test_where_it_does_not_fit_nothing_is_begun(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make(space.root / "cells")
    (project / "images" / "large").write_bytes(bytes(2_000_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, 500_000))
    with pytest.raises(StudioError, match="a copy needs 2 MB and 500 kB are free; free some space, or leave out"):
        space.duplicate(project, "copy")
    assert shown(space.root) == ["cells"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_disk_that_fails_in_the_middle_of_a_copy_leaves_nothing(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    project = make(space.root / "cells")
    before = content_of(project)

    def fails(*_: Any) -> Iterator[int]:
        yield 10
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(project_copy, "_copy_chunks", fails)
    with pytest.raises(StudioError, match=f"copy: cannot be made .{os.strerror(code)}"):
        space.duplicate(project, "copy")
    assert shown(space.root) == ["cells"]
    assert not list(space.root.glob(".building-*"))
    assert content_of(project) == before


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.EPERM])
def test_a_file_system_that_cannot_clone_is_copied_byte_by_byte(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuses(*_: Any) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "copy_file_range", refuses, raising=False)
    project = make(space.root / "cells")
    assert content_of(space.duplicate(project, "copy").folder) == content_of(project)


# Elsewhere, or gone


def test_a_project_that_lies_elsewhere_is_copied_and_taken_off_the_list_but_never_moved(
    space: Workspace, tmp_path: Path
) -> None:
    far = make(tmp_path / "far")
    before = content_of(far)
    assert space.open_folder(str(far)) == far
    for do in (lambda: space.rename(far, "near"), lambda: space.delete(far)):
        with pytest.raises(StudioError, match=f'project "far" lies at {tmp_path}, so it is not .* here; '):
            do()
    assert space.duplicate(far, "near").folder == space.root / "near"
    space.remove_from_list(far)
    assert space.projects() == [space.root / "near"]
    assert content_of(far) == before
    assert space.open_folder(str(far)) in space.projects()
    assert space.opened(str(far / "project.db")).folder == far


def test_others_stay_on_the_list(space: Workspace, tmp_path: Path) -> None:
    paths = [make(tmp_path / name, 0) for name in ("a", "b", "c")]
    for path in paths:
        external_projects.add_external_project(space.root, path)
    space.remove_from_list(paths[1])
    assert space.projects() == [paths[0], paths[2]]


def test_a_link_in_the_workspace_is_left_alone(space: Workspace) -> None:
    project = make(space.root / "cells")
    (space.root / "link").symlink_to(project)
    for do in (lambda path: space.rename(path, "new"), space.delete, lambda path: space.duplicate(path, "new")):
        with pytest.raises(StudioError, match=r'project "link".* is a link'):
            do(space.root / "link")
    assert shown(space.root) == ["cells", "link"]


@pytest.mark.parametrize("how", ["renamed", "deleted", "taken away"])
def test_the_second_of_two_tabs_is_told_what_became_of_it(space: Workspace, how: str) -> None:
    project = make(space.root / "cells", 0)
    words = {
        "renamed": lambda: space.rename(project, "new") and 'was renamed to "new"',
        "deleted": lambda: space.delete(project) and "lies in the bin",
        "taken away": lambda: project.rename(space.root.parent / f"{space.root.name}-away") and "is not there",
    }[how]()
    for do in (
        lambda: space.rename(project, "other"),
        lambda: space.delete(project),
        lambda: space.duplicate(project, "other"),
    ):
        with pytest.raises(ProjectGone, match=f'project "cells" .*{words}'):
            do()


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        (errno.EXDEV, "it lies on another disk than the workspace; move its folder by hand"),
        (errno.EBUSY, "it is a disk of its own, or a program holds it"),
        (errno.EACCES, "mend the rights of its folder and of the workspace"),
        (errno.EROFS, "mend the rights of its folder and of the workspace"),
        (errno.ENOSPC, "free some space and do it again, nothing was changed"),
    ],
)
@pytest.mark.parametrize("way", ["rename", "delete", "restore"])
def test_what_the_system_refuses_is_one_line_and_changes_nothing(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, way: str, code: int, mend: str
) -> None:
    project, deleted = make(space.root / "cells", 0), space.delete(make(space.root / "gone", 0))
    real = os.rename

    def refuses(source: Path, target: Path, **more: Any) -> None:
        if Path(source).name in ("cells", "gone"):
            raise OSError(code, os.strerror(code))
        real(source, target, **more)

    monkeypatch.setattr(os, "rename", refuses)
    do = {
        "rename": lambda: space.rename(project, "new"),
        "delete": lambda: space.delete(project),
        "restore": lambda: space.restore(deleted.id),
    }[way]
    with pytest.raises(StudioError, match=f"cannot .*{mend}"):
        do()
    assert (shown(space.root), space.bin()) == (["cells"], [deleted])
    assert space.find("cells") == project


def killed(work: Callable[[], object]) -> bool:
    """Do some work in a fork of this process; whether it was killed in the middle of it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(space: Workspace, way: str, moment: str) -> None:
    """Do it, and die before or after the one step that does it, or while files are copied."""
    real = os.rename

    def rename(source: Path, target: Path, **more: Any) -> None:
        if moment == "before":
            die()
        real(source, target, **more)
        die()

    os.rename = rename
    if moment == "middle":
        project_copy._copy_chunks = die  # type: ignore[assignment]
    project = space.root / "cells"
    {
        "rename": lambda: space.rename(project, "new"),
        "duplicate": lambda: space.duplicate(project, "new"),
        "delete": lambda: space.delete(project),
        "restore": lambda: space.restore(space.bin()[0].id),
    }[way]()


@pytest.mark.parametrize(
    ("way", "moment", "left", "in_bin"),
    [
        ("rename", "before", ["cells"], 0),
        ("rename", "after", ["new"], 0),
        ("duplicate", "middle", ["cells"], 0),
        ("duplicate", "before", ["cells"], 0),
        ("duplicate", "after", ["cells", "new"], 0),
        ("delete", "before", ["cells"], 0),
        ("delete", "after", [], 1),
        ("restore", "before", [], 1),
        ("restore", "after", ["cells"], 0),
    ],
)
def test_a_computer_that_stops_in_the_middle_leaves_the_old_or_the_new(
    space: Workspace, way: str, moment: str, left: list[str], in_bin: int
) -> None:
    before = content_of(make(space.root / "cells"))
    if way == "restore":
        space.delete(space.root / "cells")
    assert killed(lambda: dying(space, way, moment))
    assert (shown(space.root), len(space.bin())) == (left, in_bin)
    for folder in [*space.projects(), *(entry.folder for entry in space.bin())]:
        assert content_of(folder) == before
    # The next one takes away what is left of it, and nothing is in its way.
    for path in space.projects():
        space.delete(path)
    other = make(space.root / "other", 0)
    space.duplicate(other, "cells")
    assert not list(space.root.glob(".building-*"))
    assert space.find("cells") == space.root / "cells"


def test_of_many_that_take_one_name_at_once_one_gets_it(space: Workspace) -> None:
    for number in range(6):
        Project.create(space.root / f"p{number}")
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            try:
                space.rename(space.root / f"p{number}", "Taken" if number % 2 else "taken")
                os._exit(0)
            except ArgumentError as error:
                os._exit(1 if "exists already" in str(error) else 2)
            finally:
                os._exit(3)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(ends) == [0, 1, 1, 1, 1, 1]
    assert len(shown(space.root)) == 6
    assert len(space.projects()) == 6


# What the list shows


def test_what_is_said_of_a_project_and_how_large_it_is(space: Workspace) -> None:
    project = make(space.root / "cells")
    Project.open(project).set_done(1, True)
    about = space.about(project)
    assert (about.pictures, about.done, about.runs, about.opened) == (2, 1, 1, None)
    for name in ("-wal", "-shm"):
        (project / f"project.db{name}").unlink(missing_ok=True)
    (project / "images" / "link").symlink_to("/etc/passwd")
    expected = sum(path.stat().st_size for path in project.rglob("*") if path.is_file() and not path.is_symlink())
    assert list(size_on_disk(project))[-1] == expected
    assert list(size_on_disk(project / "nowhere")) == [0]


def test_runs_are_those_that_the_runs_page_lists_and_no_links(space: Workspace, tmp_path: Path) -> None:
    project = make(space.root / "cells")
    runs = project / RUNS
    (runs / ".hidden").mkdir()
    (runs / "something else").mkdir()
    (runs / "notes.txt").touch()
    (runs / "link").symlink_to(runs / "first")
    assert space.about(project).runs == 1
    runs.rename(tmp_path / "far")
    runs.symlink_to(tmp_path / "far")
    assert space.about(project).runs == 0


def test_a_large_project_is_counted_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_folders, "_FILES_BETWEEN_SIZES", 20)
    for number in range(41):
        (tmp_path / str(number)).write_bytes(b"abc")
    assert list(size_on_disk(tmp_path)) == [60, 120, 123]


def test_projects_are_listed_as_a_person_counts(space: Workspace) -> None:
    for name in ("p10", "P2", "p1", "a"):
        space.create(name)
    assert [path.name for path in space.projects()] == ["a", "p1", "P2", "p10"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EPERM, errno.EIO])
def test_where_the_workspace_cannot_be_written_each_way_is_one_line(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    project, deleted = make(space.root / "cells", 0), space.delete(make(space.root / "gone", 0))

    def refuses(*_: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(workspace, "alone", refuses)
    for do in (
        lambda: space.create("new"),
        lambda: space.rename(project, "new"),
        lambda: space.duplicate(project, "new"),
        lambda: space.delete(project),
        lambda: space.restore(deleted.id),
    ):
        with pytest.raises(StudioError, match=f"{os.strerror(code)}.; .*(mend the rights|free some space)"):
            do()
    assert (shown(space.root), space.bin()) == (["cells"], [deleted])
    assert not list(space.root.glob(".building-*"))


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (["balloon", "Balloon", "balloon"], ['class "Balloon" looks like "balloon"']),
        (["red light", "red_light", "red light", "leaf"], ['class "red_light" looks like "red light"']),
        (["cat", "dog"], []),
        (["type 1", "type 2"], []),
    ],
)
def test_classes_that_look_alike_are_noticed_when_labels_become_a_project(
    space: Workspace, tmp_path: Path, classes: list[str], said: list[str]
) -> None:
    (tmp_path / "set").mkdir()
    Image.new("RGB", (20, 20), "white").save(tmp_path / "set" / "a.png")
    regions = tuple(Region(Rect(1, 2 * number, 9, 9), name) for number, name in enumerate(classes))
    dataset = Dataset((ImageRecord("a.png", regions, width=20, height=20),), tuple(dict.fromkeys(classes)))
    write(dataset, tmp_path / "set" / "coco.json", "coco")
    lines = [line for line in space.opened(str(tmp_path / "set")).passed_over if "looks like" in line]
    assert [line.partition(", ")[0] for line in lines] == said
