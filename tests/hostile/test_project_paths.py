"""A project folder from a stranger: nothing outside of it is read, written or deleted, whatever its paths say."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import examine
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")

BOX = Region(Rect(1, 2, 3, 4), "cat")


def jpeg(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (30, 40, 3), np.uint8)).save(path)
    return path


def content_of(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, and what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Somebody's home, with a picture in it that would decode."""
    home = tmp_path / "home"
    jpeg(home / "a.jpg", 100)
    jpeg(home / "secret.jpg", 101)
    (home / "letters").mkdir()
    (home / "letters" / "letter.txt").write_text("private")
    return home


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "pets", "Pets")
    paths = [jpeg(tmp_path / "in" / name, seed) for seed, name in enumerate(("a.jpg", "b.jpg"))]
    made.import_dataset(Dataset([ImageRecord(path.name, (BOX,), path) for path in paths], ("cat",)), "train")
    return made


def sql(project: Project, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as db:
        db.execute(statement, values)


# Pictures


def link_to(target: Path) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize("kind", ["absolute link", "relative link", "link to a link", "link to a folder", "pipe"])
def test_a_picture_that_leads_out_is_missing_and_the_others_are_there(
    project: Project, outside: Path, kind: str
) -> None:
    path = project.images_folder / "a.jpg"
    path.unlink()
    if kind == "absolute link":
        path.symlink_to(outside / "secret.jpg")
    elif kind == "relative link":
        path.symlink_to("../../home/secret.jpg")
    elif kind == "link to a link":
        (project.folder / "between").symlink_to(outside)
        path.symlink_to("../between/secret.jpg")
    elif kind == "link to a folder":
        path.symlink_to(outside / "letters")
    else:
        os.mkfifo(path)
    opened = Project.open(project.folder)
    for use in (opened.picture, opened.thumbnail):
        with pytest.raises(StudioError, match=r"images/a\.jpg: leads out of the project or is no file"):
            use(1)
    assert opened.picture(2).read_bytes() == (project.images_folder / "b.jpg").read_bytes()
    assert opened.thumbnail(2).startswith(b"\xff\xd8")
    dataset = opened.dataset()
    assert [record.path for record in dataset.images] == [None, project.images_folder / "b.jpg"]
    assert any("a.jpg" in str(finding) for finding in examine(dataset))


def test_an_export_has_no_byte_of_a_file_outside(project: Project, outside: Path) -> None:
    secret = (outside / "secret.jpg").read_bytes()
    (project.images_folder / "a.jpg").unlink()
    (project.images_folder / "a.jpg").symlink_to(outside / "secret.jpg")
    opened = Project.open(project.folder)
    for name in ("via-project", "coco", "yolo", "labelme"):
        assert secret[-400:-100] not in writing.zipped_export(writing.encode(opened.dataset(), name), pictures=True)
    # The test can fail: with the picture itself there, its bytes are in the zip.
    (project.images_folder / "a.jpg").unlink()
    shutil.copyfile(outside / "secret.jpg", project.images_folder / "a.jpg")
    assert secret[-400:-100] in writing.zipped_export(writing.encode(opened.dataset(), "via-project"), pictures=True)


def test_the_records_of_a_large_project_are_as_careful(
    project: Project, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskrcnn.annotations.store.stored_dataset._REGIONS_IN_MEMORY", 1)
    (project.images_folder / "a.jpg").unlink()
    (project.images_folder / "a.jpg").symlink_to(outside / "secret.jpg")
    records = Project.open(project.folder).dataset().images
    assert not isinstance(records, tuple)
    assert [record.path for record in records] == [None, project.images_folder / "b.jpg"]


def test_a_link_to_another_picture_of_the_project_is_followed(project: Project) -> None:
    (project.images_folder / "a.jpg").unlink()
    (project.images_folder / "a.jpg").symlink_to("b.jpg")
    opened = Project.open(project.folder)
    assert opened.picture(1).read_bytes() == (project.images_folder / "b.jpg").read_bytes()


def test_a_project_folder_may_itself_be_a_link(project: Project, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(project.folder)
    opened = Project.open(tmp_path / "here")
    assert opened.picture(1).is_file()
    assert all(record.path is not None for record in opened.dataset().images)
    assert opened.add_pictures([jpeg(tmp_path / "c.jpg", 3)], "val").added == 1


def test_a_folder_of_pictures_that_is_a_link_out_is_neither_read_nor_written(
    project: Project, outside: Path, tmp_path: Path
) -> None:
    shutil.rmtree(project.images_folder)
    project.images_folder.symlink_to(outside)
    before = content_of(outside)
    opened = Project.open(project.folder)
    assert [record.path for record in opened.dataset().images] == [None, None]
    for use in (lambda: opened.picture(1), lambda: opened.thumbnail(1)):
        with pytest.raises(StudioError, match="leads out of the project"):
            use()
    with pytest.raises(StudioError, match="images: is a link or no folder, so nothing is written there"):
        opened.add_pictures([jpeg(tmp_path / "c.jpg", 3)], "val")
    assert content_of(outside) == before


PATHS = [
    "../../../etc/passwd",
    "../../home/secret.jpg",
    "../project.db",
    "/etc/passwd",
    "/",
    "//etc/passwd",
    "..\\..\\home\\secret.jpg",
    "sub/../../project.db",
    "a.jpg/",
    "./c.jpg",
    "C:\\secret.jpg",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("name", PATHS)
def test_a_row_whose_picture_is_a_path_is_a_missing_picture_and_the_others_are_there(
    project: Project, outside: Path, tmp_path: Path, name: str
) -> None:
    sql(project, "UPDATE image SET file_name = ? WHERE id = 1", name)
    opened = Project.open(project.folder)
    for use in (opened.picture, opened.thumbnail):
        with pytest.raises(StudioError, match="leads out of the project or is no file"):
            use(1)
    dataset = opened.dataset()
    assert {record.path for record in dataset.images} == {None, project.images_folder / "b.jpg"}
    assert opened.regions(1)[0] == opened.regions(2)[0]
    before = content_of(outside), content_of(project.images_folder)
    for format in ("via-project", "coco", "labelme", "yolo"):
        packed = writing.zipped_export(writing.encode(dataset, format), pictures=True)
        assert b"root:" not in packed
        assert (outside / "secret.jpg").read_bytes()[-400:-100] not in packed
        writing.write(dataset, tmp_path / "out" / format, format)
    assert (content_of(outside), content_of(project.images_folder)) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in", "out", "pets"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a.jpg\0.txt", "x" * 300, "\N{GRINNING FACE}" * 80, b"a.jpg"], ids=repr
)
def test_a_row_whose_picture_has_no_name_is_refused(project: Project, name: object) -> None:
    sql(project, "UPDATE image SET file_name = ? WHERE id = 1", name)
    with pytest.raises(StudioError, match=r"project\.db: the table image has a row whose file_name is not"):
        Project.open(project.folder)
    with pytest.raises(StudioError, match="file_name"):  # also where it was open before
        project.dataset()


# Thumbnails


def test_thumbnails_are_neither_read_from_nor_written_to_a_link(project: Project, outside: Path) -> None:
    (project.folder / "thumbnails").symlink_to(outside)
    before = content_of(outside)
    own = project.thumbnail(1)
    assert content_of(outside) == before
    with closing(sqlite3.connect(project.folder / "project.db")) as db:
        (digest,) = db.execute("SELECT sha256 FROM image WHERE id = 1").fetchone()
    shutil.copyfile(outside / "secret.jpg", outside / f"{digest}-160.jpg")
    assert project.thumbnail(1) == own


@pytest.mark.parametrize("kind", ["link", "page", "pipe", "folder", "large picture", "other format"])
def test_a_kept_thumbnail_that_is_no_small_jpeg_is_not_shown(project: Project, outside: Path, kind: str) -> None:
    own = project.thumbnail(1)
    (kept,) = (project.folder / "thumbnails").iterdir()
    kept.unlink()
    if kind == "link":
        kept.symlink_to(outside / "secret.jpg")
    elif kind == "page":
        kept.write_text("<script>alert(1)</script>")
    elif kind == "pipe":
        os.mkfifo(kept)
    elif kind == "folder":
        kept.mkdir()
    elif kind == "large picture":
        Image.new("RGB", (3000, 3000)).save(kept)
    else:
        Image.new("RGB", (10, 10)).save(kept, "GIF")
    assert project.thumbnail(1) == own
    assert (outside / "secret.jpg").read_bytes() != own


@pytest.mark.parametrize("digest", ["../../x", "../home/secret", "", "a" * 65, "é", b"ab", "a\0b", "/x"], ids=repr)
def test_a_row_whose_digest_would_lead_out_is_refused(project: Project, outside: Path, digest: object) -> None:
    sql(project, "UPDATE image SET sha256 = ? WHERE id = 1", digest)
    before = content_of(outside.parent)
    for use in (lambda: Project.open(project.folder), lambda: project.thumbnail(1)):
        with pytest.raises(StudioError, match="the table image has a row whose sha256 is not"):
            use()
    assert content_of(outside.parent) == before


# What an import left behind


def test_the_sweep_follows_no_link(project: Project, outside: Path) -> None:
    before = content_of(outside)
    (project.images_folder / ".incoming").symlink_to(outside)
    Project.open(project.folder)
    assert content_of(outside) == before
    (project.images_folder / ".incoming").unlink()
    (project.images_folder / ".incoming").mkdir()
    (project.images_folder / ".incoming" / "left").symlink_to(outside)
    Project.open(project.folder)
    assert content_of(outside) == before


def test_the_sweep_deletes_nothing_where_images_is_a_link(project: Project, outside: Path) -> None:
    (outside / ".incoming" / "mine").mkdir(parents=True)
    (outside / ".incoming" / "mine" / "moving.json").write_text('["a.jpg", "secret.jpg"]')
    shutil.rmtree(project.images_folder)
    project.images_folder.symlink_to(outside)
    before = content_of(outside)
    Project.open(project.folder)
    assert content_of(outside) == before


def test_an_import_into_a_waiting_room_that_is_a_link_is_refused(
    project: Project, outside: Path, tmp_path: Path
) -> None:
    (project.images_folder / ".incoming").symlink_to(outside)
    before = content_of(outside)
    with pytest.raises(StudioError, match=r"\.incoming: is a link or no folder, so nothing is written there"):
        project.add_pictures([jpeg(tmp_path / "c.jpg", 3)], "val")
    assert content_of(outside) == before


@pytest.mark.parametrize(
    "note",
    [
        '["../project.db", "/etc/hostname", "..", ".", "", "a\\u0000b", 5, null, [], "\\ud800"]',
        '{"a.jpg": 1}',
        "[" * 200_000,
        "5",
        '"a.jpg"',
        "\udcff",
    ],
    ids=["names", "a group", "deep", "a number", "a text", "no text"],
)
def test_a_note_of_what_was_moved_deletes_nothing_but_pictures_without_a_row(
    project: Project, outside: Path, note: str
) -> None:
    left = project.images_folder / ".incoming" / "left"
    left.mkdir(parents=True)
    (left / "moving.json").write_text(note, errors="surrogateescape")
    before = content_of(outside)
    Project.open(project.folder)
    assert content_of(outside) == before
    assert sorted(os.listdir(project.images_folder)) == ["a.jpg", "b.jpg"]
    assert (project.folder / "project.db").is_file()


def test_a_note_that_is_a_link_or_a_pipe_is_not_read(project: Project, outside: Path) -> None:
    (project.images_folder / "mine.jpg").write_bytes(b"x")
    (outside / "names.json").write_text('["mine.jpg"]')
    for number in range(2):
        left = project.images_folder / ".incoming" / str(number)
        left.mkdir(parents=True)
        if number:
            os.mkfifo(left / "moving.json")
        else:
            (left / "moving.json").symlink_to(outside / "names.json")
    Project.open(project.folder)
    assert (project.images_folder / "mine.jpg").is_file()


def test_a_database_of_the_waiting_room_that_is_a_link_is_not_opened(project: Project, outside: Path) -> None:
    with closing(sqlite3.connect(outside / "places.sqlite")) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    victim = outside / "victim.txt"
    victim.write_text("private")
    shutil.copyfile(outside / "places.sqlite", project.folder / "lock.db")
    before = content_of(outside)
    first, second = (project.images_folder / ".incoming" / name for name in ("first", "second"))
    for left in (first, second):
        left.mkdir(parents=True)
    (first / "incoming.db").symlink_to(outside / "places.sqlite")
    (project.folder / "lock.db").rename(second / "incoming.db")
    (second / "incoming.db-journal").write_bytes(journal_that_names(victim))
    Project.open(project.folder)
    assert content_of(outside) == before
    assert not (project.images_folder / ".incoming").exists()


# The database


def journal_that_names(victim: Path) -> bytes:
    """A rollback journal with nothing to roll back, which ends by naming a "super-journal" (SQLite's file format)."""
    magic = bytes.fromhex("d9d505f920a163d7")
    header = magic + struct.pack(">iIIII", 0, 7, 2, 512, 4096)
    name = os.fsencode(victim)
    locking_page = 0x40000000 // 4096 + 1
    ending = struct.pack(">I", locking_page) + name + struct.pack(">II", len(name), sum(name)) + magic
    return header.ljust(512, b"\0") + ending


def test_sqlite_itself_deletes_what_such_a_journal_names(tmp_path: Path) -> None:
    """What the next test guards against is real."""
    victim = tmp_path / "victim.txt"
    victim.write_text("private")
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("CREATE TABLE t (a)")
    (tmp_path / "x.db-journal").write_bytes(journal_that_names(victim))
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("SELECT * FROM sqlite_schema").fetchall()
    assert not victim.exists()


def test_a_journal_that_names_another_file_is_refused(project: Project, outside: Path) -> None:
    journal = project.folder / "project.db-journal"
    journal.write_bytes(journal_that_names(outside / "letters" / "letter.txt"))
    before = content_of(outside)
    for use in (lambda: Project.open(project.folder), lambda: project.images(), lambda: project.save(1, [], 1)):
        with pytest.raises(StudioError, match=r"project\.db-journal: names another file to be deleted"):
            use()
    assert content_of(outside) == before
    journal.unlink()
    assert project.save(1, [], 1) == 2


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_a_database_whose_files_are_no_files_is_not_opened(
    project: Project, outside: Path, suffix: str, kind: str
) -> None:
    path = project.folder / f"project.db{suffix}"
    target = outside / "target"
    if not suffix:
        path.rename(target)
    elif kind == "link":
        target.write_bytes(b"")
    if kind in ("link", "dangling link"):
        path.symlink_to(target if kind == "link" else outside / "new")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    before = content_of(outside)
    with pytest.raises(StudioError):
        Project.open(project.folder)
    for use in (lambda: project.counts(), lambda: project.save(1, [], 1)):
        with pytest.raises(StudioError, match=r"is a link or no file, so it is not opened"):
            use()
    assert content_of(outside) == before


@pytest.mark.parametrize("version", [1, 2])
def test_the_database_of_another_program_is_neither_migrated_nor_written_to(
    project: Project, tmp_path: Path, version: int
) -> None:
    path = project.folder / "project.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE image (id INTEGER PRIMARY KEY, file_name TEXT)")
        db.execute("CREATE TABLE bookmarks (url TEXT)")
        db.execute(f"PRAGMA user_version = {version}")
    before = content_of(project.folder)
    with pytest.raises(StudioError, match=r"project\.db: has a table .* that is not the studio's"):
        Project.open(project.folder)
    assert content_of(project.folder) == before


def test_the_copy_before_a_migration_is_not_written_through_a_link(tmp_path: Path, outside: Path) -> None:
    from maskrcnn.annotations.store import table_definitions

    folder = tmp_path / "old"
    (folder / "images").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "project.db")) as db:
        db.executescript(f"{table_definitions.VERSION_1} PRAGMA user_version = 1;")
    (folder / "project.db.v1.bak").symlink_to(outside / "secret.jpg")
    before = content_of(outside)
    assert Project.open(folder).counts().pictures == 0
    assert content_of(outside) == before
    assert not (folder / "project.db.v1.bak").is_symlink()


# A project that is moved away


def test_a_project_that_is_moved_away_is_said_and_never_made_again(project: Project, tmp_path: Path) -> None:
    dataset = project.dataset()
    snapshot = project.snapshot("then").id
    project.folder.rename(tmp_path / "elsewhere")
    c = jpeg(tmp_path / "c.jpg", 3)
    calls: list[Callable[[], object]] = [
        lambda: project.name,
        project.images,
        project.removed,
        project.counts,
        lambda: project.picture(1),
        lambda: project.thumbnail(1),
        lambda: project.set_done(1, True),
        lambda: project.set_split(1, "val"),
        lambda: project.set_removed(1, True),
        lambda: project.regions(1),
        lambda: project.save(1, [], 1),
        lambda: project.undo(1),
        lambda: project.redo(1),
        lambda: project.can_undo(1),
        lambda: project.can_redo(1),
        project.classes,
        lambda: project.set_classes([]),
        lambda: project.rename_class("cat", "dog"),
        lambda: project.merge_class("cat", "dog"),
        lambda: project.class_attribute,
        project.attribute_definitions,
        lambda: project.set_class_attribute(None),
        lambda: project.snapshot("now"),
        project.snapshots,
        lambda: project.restore(snapshot),
        lambda: project.apply(dataset, dataset, "nothing"),
        project.dataset,
        lambda: project.dataset(snapshot=snapshot),
        lambda: project.import_dataset(Dataset([ImageRecord("c.jpg", (), c)]), "train"),
        lambda: project.add_pictures([c], "train"),
    ]
    for call in calls:
        with pytest.raises(StudioError, match=r"project\.db: the project is gone; open another, or put its folder"):
            call()
        assert not project.folder.exists()
    (tmp_path / "elsewhere").rename(project.folder)
    assert project.counts().pictures == 2


def test_records_of_a_project_that_is_moved_away_are_said(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskrcnn.annotations.store.stored_dataset._REGIONS_IN_MEMORY", 1)
    records = project.dataset().images
    project.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(StudioError, match="the project is gone"):
        list(records)
    assert not project.folder.exists()


def test_a_project_that_is_moved_away_in_an_import_is_said(project: Project, tmp_path: Path) -> None:
    c = jpeg(tmp_path / "c.jpg", 3)

    def move(done: int, total: int) -> None:
        project.folder.rename(tmp_path / "elsewhere")

    with pytest.raises(StudioError, match=r"pets"):
        project.import_dataset(Dataset([ImageRecord("c.jpg", (), c)]), "train", move)
    assert not project.folder.exists()
    opened = Project.open(tmp_path / "elsewhere")
    assert opened.counts().pictures == 2
    assert sorted(os.listdir(opened.images_folder)) == ["a.jpg", "b.jpg"]
    assert json.dumps(opened.name) == '"Pets"'
