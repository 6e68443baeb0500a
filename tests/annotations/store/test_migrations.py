"""Databases of older studios are brought up whole or not at all; those of newer ones are left alone."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from maskrcnn.annotations.regions import Polygon, Rect, Region
from maskrcnn.annotations.store import Project, database, migrations
from maskrcnn.errors import StudioError

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);  -- name, class_attribute, extras: JSON values

CREATE TABLE class (name TEXT PRIMARY KEY, position INTEGER NOT NULL, colour TEXT NOT NULL);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_name TEXT NOT NULL UNIQUE,        -- in images/
    given_name TEXT NOT NULL,              -- as the picture was called where it came from
    sha256 TEXT NOT NULL,
    file_size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    split TEXT NOT NULL CHECK (split IN ('train', 'val')),
    done INTEGER NOT NULL DEFAULT 0,
    attributes TEXT NOT NULL,              -- JSON
    revision INTEGER NOT NULL DEFAULT 1,   -- grows with every save, undo and redo
    state INTEGER                          -- the history row that is shown now
);

CREATE TABLE region (
    image_id INTEGER NOT NULL REFERENCES image (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    class_name TEXT,
    document TEXT NOT NULL,                -- JSON, see region_json
    PRIMARY KEY (image_id, position)
);

-- A tree of states for each image: a save adds a child to the state it started from, undo goes to the parent, redo to
-- the youngest child. Rows are never deleted, so nothing that was ever saved is lost.
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES image (id),
    parent INTEGER REFERENCES history (id),
    saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    regions TEXT NOT NULL                  -- JSON list
);
CREATE INDEX history_children ON history (parent);
"""
"""The tables as the first studio made them."""


def region_1(id: str, class_name: str, points: list[list[float]]) -> dict[str, object]:
    """A region as the first studio wrote it: every field, also where it says nothing."""
    return {
        "id": id,
        "shape": {"kind": "polygon", "points": points},
        "class_name": class_name,
        "attributes": {},
        "iscrowd": False,
        "source": "human",
        "score": None,
    }


TRIANGLE = region_1("r1", "dog", [[1, 1], [9, 1], [5, 8.5]])
SQUARE = region_1("r2", "cat", [[0, 0], [4, 0], [4, 4], [0, 4]])


@pytest.fixture
def old(tmp_path: Path, picture) -> Path:
    """A project of version 1: two pictures; the first was saved twice and then undone once, the second is done."""
    folder = tmp_path / "old"
    (folder / "images").mkdir(parents=True)
    (folder / "runs").mkdir()
    with closing(sqlite3.connect(folder / "project.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(f"BEGIN; {VERSION_1} PRAGMA user_version = 1; COMMIT;")
        db.executemany(
            "INSERT INTO meta VALUES (?, ?)", [("name", json.dumps("Old")), ("extras", '{"flavour": "via2"}')]
        )
        db.executemany("INSERT INTO class VALUES (?, ?, ?)", [("dog", 0, "#111111"), ("cat", 1, "#222222")])
        for number, name in ((1, "a.jpg"), (2, "b.jpg")):
            content = picture(name, seed=number).read_bytes()
            (folder / "images" / name).write_bytes(content)
            db.execute(
                """INSERT INTO image (id, file_name, given_name, sha256, file_size, width, height, split, done,
                   attributes, revision) VALUES (?, ?, ?, 'x', ?, 40, 30, ?, ?, '{"note": "old"}', ?)""",
                (number, name, name, len(content), "train", number == 2, 4 if number == 1 else 1),
            )
        history = [
            (1, 1, None, []),
            (2, 2, None, [SQUARE]),
            (3, 1, 1, [TRIANGLE]),
            (4, 1, 3, [TRIANGLE, SQUARE]),
        ]
        for state, image, parent, regions in history:
            db.execute(
                "INSERT INTO history (id, image_id, parent, regions) VALUES (?, ?, ?, ?)",
                (state, image, parent, json.dumps(regions)),
            )
        for image, state, region in ((1, 3, TRIANGLE), (2, 2, SQUARE)):
            db.execute("UPDATE image SET state = ? WHERE id = ?", (state, image))
            db.execute(
                "INSERT INTO region VALUES (?, 0, ?, ?, ?)",
                (image, region["id"], region["class_name"], json.dumps(region)),
            )
    return folder


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_a_project_of_version_1_is_brought_up_with_all_that_is_in_it(old: Path) -> None:
    project = Project.open(old)
    assert project.name == "Old"
    assert [(entry.name, entry.colour, entry.hotkey) for entry in project.classes()] == [
        ("dog", "#111111", "1"),
        ("cat", "#222222", "2"),
    ]
    first, second = project.images()
    assert (first.n_regions, first.revision, first.status) == (1, 4, "in progress")
    assert (second.n_regions, second.revision, second.status) == (1, 1, "done")
    counts = project.counts()
    assert (counts.regions, dict(counts.classes)) == (2, {"dog": 1, "cat": 1})

    triangle = Region(Polygon(((1, 1), (9, 1), (5, 8.5))), "dog", id="r1")
    square = Region(Polygon(((0, 0), (4, 0), (4, 4), (0, 4))), "cat", id="r2")
    assert project.regions(1) == ((triangle,), 4)
    project.redo(1)
    assert project.regions(1) == ((triangle, square), 5)
    project.undo(1)
    project.undo(1)
    assert project.regions(1) == ((), 7)
    project.save(1, [Region(Rect(1, 1, 2, 2), "bird")], 7)
    assert project.counts().regions == 2
    assert project.dataset().images[0].attributes == {"note": "old"}


def test_the_old_database_is_kept_beside_the_new(old: Path) -> None:
    Project.open(old)
    copy = old / "project.db.v1.bak"
    assert (version_of(copy), version_of(old / "project.db")) == (1, database.VERSION)
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT count(*) FROM region WHERE document LIKE '%shape%'").fetchone() == (2,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    # Nothing else is left, and a second opening makes nothing.
    before = copy.stat().st_mtime_ns
    Project.open(old)
    assert copy.stat().st_mtime_ns == before
    assert sorted(os.listdir(old)) == ["images", "project.db", "project.db.v1.bak", "runs"]


def shape_of(path: Path) -> dict[str, object]:
    """Tables with their columns, and indices with theirs; the order of columns in a table does not matter."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        shape: dict[str, object] = {
            name: sorted(tuple(row[1:]) for row in db.execute(f"PRAGMA table_info({name})")) for name in names
        }
        for name in names:
            for _, index, unique, *_ in db.execute(f"PRAGMA index_list({name})").fetchall():
                columns = [row[2] for row in db.execute(f"PRAGMA index_info({index})")]
                shape[f"{name}: {', '.join(columns)}"] = unique
        return shape


def test_a_migrated_database_is_like_a_new_one(old: Path, tmp_path: Path) -> None:
    Project.open(old)
    assert shape_of(old / "project.db") == shape_of(Project.create(tmp_path / "new").folder / "project.db")


def test_a_migration_that_breaks_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: sqlite3.Connection) -> None:
        db.execute("DROP TABLE region")
        raise StudioError("no room")

    with monkeypatch.context() as patch:
        patch.setitem(migrations._STEPS, 1, broken)
        with pytest.raises(StudioError, match="no room"):
            Project.open(old)
    assert version_of(old / "project.db") == 1
    assert Project.open(old).counts().regions == 2


@pytest.mark.parametrize("newer", [database.VERSION + 1, 99])
def test_a_newer_database_is_refused_and_not_touched(old: Path, newer: int) -> None:
    Project.open(old)
    path = old / "project.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    content, files = path.read_bytes(), sorted(os.listdir(old))
    with pytest.raises(StudioError, match=rf"written by a newer studio \(schema {newer}, .*; update the studio"):
        Project.open(old)
    assert path.read_bytes() == content
    assert sorted(os.listdir(old)) == files


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"x" * 5000, "not a project database; restore"),
        (b"", "not a project database of the studio .* restore"),
        (b"SQLite format 3\0" + b"x" * 5000, "; restore"),
    ],
)
def test_what_is_no_database_is_refused_and_not_touched(old: Path, content: bytes, complaint: str) -> None:
    path = old / "project.db"
    path.write_bytes(content)
    with pytest.raises(StudioError, match=complaint):
        Project.open(old)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused(old: Path) -> None:
    path = old / "project.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    content = path.read_bytes()
    with pytest.raises(StudioError, match="choose another folder"):
        Project.open(old)
    assert path.read_bytes() == content


def test_an_older_database_that_is_read_before_it_is_opened_says_so_and_is_brought_up_then(old: Path) -> None:
    with pytest.raises(StudioError, match="written by another version of the studio"):
        Project(old).images()
    assert Project.open(old).counts().pictures == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE image SET file_name = '..' WHERE id = 1",
        "UPDATE image SET width = 'x'",
        "UPDATE class SET colour = 'red'",
        "UPDATE meta SET value = '[[['",
        "UPDATE region SET class_name = x'ff'",
        "CREATE TRIGGER t AFTER INSERT ON region BEGIN DELETE FROM history; END",
        "CREATE TABLE snapshot (id INTEGER)",
        "DROP TABLE history",
    ],
)
def test_an_older_database_with_bad_values_is_refused_and_not_touched(old: Path, statement: str) -> None:
    with closing(sqlite3.connect(old / "project.db", isolation_level=None)) as db:
        db.execute(statement)
    content = (old / "project.db").read_bytes()
    with pytest.raises(StudioError, match=r"project\.db: "):
        Project.open(old)
    assert (old / "project.db").read_bytes() == content
    assert sorted(os.listdir(old)) == ["images", "project.db", "runs"]
