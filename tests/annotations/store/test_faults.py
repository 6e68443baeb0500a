"""Crashes, full disks and other programs: nothing that was acknowledged is lost, and nothing half-done stays."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Point, Region
from maskrcnn.annotations.store import Project, StaleSave, database, import_staging
from maskrcnn.errors import StudioError
from tests.sweeps import FUZZ, wider

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork and no kill -9")


@pytest.fixture
def project(tmp_path: Path, picture) -> Project:
    made = Project.create(tmp_path / "pets", "Pets")
    made.add_pictures([picture("a.jpg")], "train")
    return made


def points(revision: int, number: int = 12) -> list[Region]:
    """Regions that tell which save they belong to."""
    return [Region(Point(revision, n), "cat") for n in range(number)]


def is_whole(project: Project) -> bool:
    with closing(sqlite3.connect(project.folder / "project.db")) as db:
        return (
            db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            and not db.execute("PRAGMA foreign_key_check").fetchall()
        )


# kill -9

BREEDER = """
    import os, sys, time
    from pathlib import Path
    from maskrcnn.annotations.dataset import Dataset, ImageRecord
    from maskrcnn.annotations.regions import Point, Region
    from maskrcnn.annotations.store import Project, import_staging
    from PIL import JpegImagePlugin

    def tell(line):
        os.write(1, f"{line}\\n".encode())  # at once and in one piece, however Python was started

    def save(folder):
        project = Project.open(folder)
        _, revision = project.regions(1)
        while True:
            regions = [Region(Point(revision + 1, n), "cat") for n in range(12)]
            revision = project.save(1, regions, revision)
            tell(f"saved {revision}")

    def take_in(folder):
        project = Project.open(folder)
        stage, rename = import_staging.stage_pictures, os.rename
        def stage_and_tell(*args):
            warnings = stage(*args)
            tell("staged")
            return warnings
        def rename_slowly(*args):
            rename(*args)
            tell("moved")
            time.sleep(0.001)  # so that kills fall into the moving
        import_staging.stage_pictures, os.rename = stage_and_tell, rename_slowly
        pictures = sorted(Path(sys.argv[1]).glob("*.jpg"))
        records = [ImageRecord(path.name, (Region(Point(1, 1), "cat"),), path) for path in pictures]
        tell("begun")
        project.import_dataset(Dataset(records, ("cat",)), "train")
        tell("taken")
        time.sleep(60)

    for line in sys.stdin:
        what, folder = line.split()
        child = os.fork()
        if not child:
            {"save": save, "take_in": take_in}[what](folder)
            os._exit(0)
        tell(f"born {child}")
        os.waitpid(child, 0)
        tell("dead")
"""
"""Does for `save FOLDER` or `take_in FOLDER` the work in a child, which says where it is, and waits for its end.

Python is started once; a fork of it is ready at once, so 200 kills take seconds.
"""


class Breeder:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def killed(self, what: str, folder: Path, after: str, seconds: float) -> list[str]:
        """What a child said that was killed so many seconds after it said `after` (`born`: at once)."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {folder}\n")
        self._process.stdin.flush()
        said = [self._line()]
        # The child may speak before its parent says that it is born.
        while not all(any(line.startswith(word) for line in said) for word in (after, "born")):
            said.append(self._line())
        time.sleep(seconds)
        child = next(line for line in said if line.startswith("born"))
        os.kill(int(child.split()[1]), signal.SIGKILL)
        while said[-1] != "dead":
            said.append(self._line())
        return [line for line in said if line not in (child, "dead")]

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the breeder itself died"
        return line.strip()


@contextmanager
def breeder(root: Path, pictures: Path) -> Iterator[Breeder]:
    command = [sys.executable, "-c", textwrap.dedent(BREEDER), str(pictures)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=root, **pipes) as process:  # type: ignore[call-overload]
        yield Breeder(process)
        process.stdin.close()


@wider
@needs_fork
def test_kills_lose_no_acknowledged_save(project: Project, root: Path, tmp_path: Path) -> None:
    moments, kills = random.Random(0), 200 if FUZZ else 50
    stored = unheard = 1
    with breeder(root, tmp_path) as children:
        for kill in range(kills):
            said = children.killed("save", project.folder, "saved", moments.uniform(0, 0.006))
            acknowledged = max(int(line.split()[1]) for line in said)
            regions, revision = Project.open(project.folder).regions(1)
            # The save that was under way may have become whole without anybody hearing of it.
            assert revision in (acknowledged, acknowledged + 1)
            assert revision > stored
            assert [region.shape for region in regions] == [Point(revision, n) for n in range(12)]
            stored = revision
            unheard += revision > acknowledged
            if kill % 20 == 0:
                assert is_whole(project)
    assert is_whole(project)
    assert stored > kills
    assert unheard > 5 or not FUZZ, "no kill fell into a save; the moments need another range"
    with closing(sqlite3.connect(project.folder / "project.db")) as db:
        assert db.execute("SELECT count(*) FROM history").fetchone() == (stored,)
    assert project.save(1, [], stored) == stored + 1


@needs_fork
def test_kill_9_in_an_import_leaves_all_of_it_or_nothing(root: Path, tmp_path: Path, picture) -> None:
    names = {path.name for path in (picture(f"in/{number}.jpg", seed=number) for number in range(12))}
    moments = random.Random(1)
    ends: list[tuple[bool, bool]] = []
    with breeder(root, tmp_path / "in") as children:
        for kill in range(36):
            project = Project.create(tmp_path / f"p{kill}")
            after = ("begun", "staged", "moved")[kill % 3]
            said = children.killed("take_in", project.folder, after, moments.uniform(0, 0.02))
            torn = any(not entry.name.startswith(".") for entry in project.images_folder.iterdir())
            project = Project.open(project.folder)
            stored = {image.file_name for image in project.images()}
            assert set(os.listdir(project.images_folder)) == stored
            assert stored == names or (stored == set() and "taken" not in said)
            assert project.counts().regions == len(stored)
            assert is_whole(project)
            ends.append((bool(stored), torn))
            shutil.rmtree(project.folder)
    assert ends.count((False, True)) > 5, "hardly a kill fell into the moving; the moments need another range"


def test_pictures_that_were_moved_without_a_row_are_swept_and_no_others(project: Project, picture) -> None:
    """What a crash between the moving and the commit leaves, made by hand."""
    left = project.images_folder / ".incoming" / "left"
    left.mkdir(parents=True)
    (left / "incoming.db").write_bytes(b"torn")
    (left / "moving.json").write_text('["orphan.jpg", "a.jpg", "../project.db", "gone.jpg"]')
    for name in ("orphan.jpg", "by-hand.jpg"):
        (project.images_folder / name).write_bytes(b"x")
    Project.open(project.folder)
    assert sorted(os.listdir(project.images_folder)) == ["a.jpg", "by-hand.jpg"]
    assert Project.open(project.folder).counts().pictures == 1


def test_a_torn_note_of_what_is_moved_sweeps_nothing(project: Project) -> None:
    left = project.images_folder / ".incoming" / "left"
    left.mkdir(parents=True)
    (left / "moving.json").write_text('["a.jp')
    Project.open(project.folder)
    assert os.listdir(project.images_folder) == ["a.jpg"]


# Two writers


def test_the_second_of_two_tabs_sees_both_versions_and_neither_is_lost(project: Project) -> None:
    mine, theirs = points(1, 2), points(2, 3)
    _, first = project.regions(1)
    _, second = Project.open(project.folder).regions(1)
    project.save(1, theirs, first)
    with pytest.raises(StaleSave, match=r"a\.jpg: saved elsewhere .*; load it again") as caught:
        project.save(1, mine, second)
    assert list(caught.value.regions) == theirs
    both = [*caught.value.regions, *mine]
    project.save(1, both, caught.value.revision)
    assert list(project.regions(1)[0]) == both
    project.undo(1)
    assert list(project.regions(1)[0]) == theirs


# Full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        shutil.which("mount") is not None
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("a small disk can only be made by root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def filled(disk: Path, free: int) -> Iterator[None]:
    """The disk with only so many bytes free."""
    (disk / "ballast").write_bytes(bytes(max(0, shutil.disk_usage(disk).free - free)))
    yield
    (disk / "ballast").unlink()


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """The disk as one that can be read only."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def shown(project: Project) -> list[Point]:
    """The shapes of picture 1."""
    return [region.shape for region in project.regions(1)[0]]


def drawn(revision: int) -> list[Point]:
    """Those of `points`."""
    return [region.shape for region in points(revision)]


FULL = "the disk is full; free some space"


@pytest.mark.parametrize("free", [0, 4096, 40_000, 100_000])
def test_a_full_disk_is_said_and_the_project_stays_whole(small_disk: Path, picture, free: int) -> None:
    project = Project.create(small_disk / "pets")
    project.add_pictures([picture("a.jpg")], "train")
    project.save(1, points(2), 1)
    many = points(3, 3000)
    with filled(small_disk, free):
        with pytest.raises(StudioError, match=FULL):
            project.save(1, many, 2)
        with pytest.raises(StudioError, match=FULL):
            project.add_pictures([picture(f"{n}.png", 200, 200, seed=n) for n in range(3)], "train")
        with pytest.raises(StudioError, match=FULL):
            Project.create(small_disk / "more")
        assert not (small_disk / "more").exists()
        opened = Project.open(project.folder)
        assert [region.shape for region in opened.regions(1)[0]] == [Point(2, n) for n in range(12)]
        assert [record.file_name for record in opened.dataset().images] == ["a.jpg"]
        assert opened.thumbnail(1, 20).startswith(b"\xff\xd8\xff")
        assert opened.picture(1).is_file()
    assert Project.open(project.folder).regions(1)[1] == 2
    assert os.listdir(project.images_folder) == ["a.jpg"]
    assert project.counts().pictures == 1
    assert is_whole(project)
    # With space again, all goes on.
    assert project.save(1, points(3), 2) == 3
    assert project.add_pictures([picture("b.png", seed=7)], "train").added == 1


def test_a_database_that_cannot_grow_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on any system, with a limit of SQLite's own."""
    connect = database.connect

    def limited(path: Path) -> sqlite3.Connection:
        db = connect(path)
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
        return db

    with monkeypatch.context() as patch:
        patch.setattr(database, "connect", limited)
        with pytest.raises(StudioError, match=f"project.db: {FULL}"):
            project.save(1, points(2, 3000), 1)
        assert project.regions(1) == ((), 1)
    assert is_whole(project)
    assert project.save(1, points(2), 1) == 2


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, FULL), (errno.EROFS, "make its folder writable"), (errno.EIO, "check the disk")],
)
@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_disk_that_fails_in_an_import_leaves_nothing(
    project: Project, picture, monkeypatch: pytest.MonkeyPatch, step: str, number: int, words: str
) -> None:
    paths = [picture(f"{n}.png", seed=n) for n in range(4)]
    do, calls = getattr(os, step), []

    def fail_the_third_time(*args: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise OSError(number, os.strerror(number))
        return do(*args)

    records = [ImageRecord(path.name, tuple(points(1)), path) for path in paths]
    with monkeypatch.context() as patch:
        patch.setattr(import_staging.os, step, fail_the_third_time)
        with pytest.raises(StudioError, match=words):
            project.import_dataset(Dataset(records, ("cat", "dog")), "train")
    assert len(calls) == 3 or step == "fsync"
    assert os.listdir(project.images_folder) == ["a.jpg"]
    assert (project.counts().pictures, project.classes()) == (1, [])


# Other trouble with the database


def test_a_locked_database_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StudioError, match="another program is writing to the project; wait for it"):
            project.save(1, points(2), 1)
        assert project.regions(1) == ((), 1)  # reading does not wait
    assert project.save(1, points(2), 1) == 2


def test_a_damaged_database_is_said(project: Project) -> None:
    for revision in range(1, 30):
        project.save(1, points(revision, 100), revision)
    path = project.folder / "project.db"
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StudioError, match=r"project\.db: the database is damaged; restore the project folder"):
        project.dataset()
    path.write_bytes(b"\xff" * len(content))
    with pytest.raises(StudioError, match=r"project\.db: this is not a project database; restore it"):
        project.regions(1)


def test_a_folder_that_cannot_be_written_is_said(small_disk: Path, picture) -> None:
    project = Project.create(small_disk / "pets")
    project.add_pictures([picture("a.jpg")], "train")
    project.save(1, points(2), 1)
    with read_only(small_disk):
        for do in (
            lambda: project.save(1, points(3), 2),
            lambda: project.add_pictures([picture("b.jpg")], "train"),
        ):
            with pytest.raises(StudioError, match=r"make .* folder writable, or copy it to where you may write"):
                do()
        assert shown(Project.open(project.folder)) == drawn(2)


CRASHED = """
    import os, sys
    from maskrcnn.annotations.regions import Point, Region
    from maskrcnn.annotations.store import Project, database

    project = Project.open(sys.argv[1])
    kept = database.connect(project.folder / "project.db")  # while it is open, nobody takes the WAL away
    kept.execute("SELECT * FROM meta").fetchone()
    project.save(1, [Region(Point(2, n), "cat") for n in range(12)], 1)
    os._exit(0)
"""
"""Saves once and dies, so that the save stands in the WAL alone."""


def crashed_after_a_save(project: Project) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(CRASHED), str(project.folder)], check=True)
    assert (project.folder / "project.db-wal").stat().st_size > 0


@pytest.mark.parametrize("shared_memory_is_left", [True, False])
def test_what_a_crash_left_in_the_wal_is_read_on_a_read_only_disk(
    small_disk: Path, picture, shared_memory_is_left: bool
) -> None:
    project = Project.create(small_disk / "pets")
    project.add_pictures([picture("a.jpg")], "train")
    crashed_after_a_save(project)
    if not shared_memory_is_left:  # as where the folder was copied
        (project.folder / "project.db-shm").unlink()
    with read_only(small_disk):
        assert shown(Project.open(project.folder)) == drawn(2)
        assert shown(project) == drawn(2)
    assert shown(project) == drawn(2)


@pytest.mark.parametrize("free", [0, 4096])
def test_what_a_crash_left_in_the_wal_is_read_on_a_full_disk(small_disk: Path, picture, free: int) -> None:
    project = Project.create(small_disk / "pets")
    project.add_pictures([picture("a.jpg")], "train")
    crashed_after_a_save(project)
    (project.folder / "project.db-shm").unlink()
    with filled(small_disk, free):
        assert shown(Project.open(project.folder)) == drawn(2)
        assert shown(project) == drawn(2)
    assert project.save(1, points(3), 2) == 3
    assert is_whole(project)


def test_many_pages_read_at_once_on_a_full_disk(small_disk: Path, picture) -> None:
    project = Project.create(small_disk / "pets")
    project.add_pictures([picture("a.jpg")], "train")
    project.save(1, points(2), 1)
    found: list[object] = []
    with filled(small_disk, 0):
        threads = [threading.Thread(target=lambda: found.append(shown(project))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [drawn(2)] * 8


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the permissions of this system are others")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere")
def test_a_database_that_may_not_be_written_is_said(project: Project) -> None:
    (project.folder / "project.db").chmod(0o444)
    with pytest.raises(StudioError, match="the project cannot be written; make its folder writable"):
        project.save(1, points(2), 1)


def test_numbers_that_are_none_are_refused(project: Project) -> None:
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(StudioError, match="not a finite number; draw it again"):
            project.save(1, [Region(Point(wrong, 1))], 1)
    # Nor is anything kept that no reader of label files would take: it could not be drawn, and takes the rasteriser's
    # memory.
    with pytest.raises(StudioError, match="which is no place in a picture; draw it again"):
        project.save(1, [Region(Point(1e308, -1e308))], 1)
    assert project.regions(1) == ((), 1)
    assert project.save(1, [Region(Point(1e6, -1e6))], 1) == 2
    assert project.regions(1)[0][0].shape == Point(1e6, -1e6)
