"""A project.db from a stranger: whatever stands in it, each use goes well or is refused in one line.

`test_a_bad_value_in_any_column` puts bad values into every column of every table in turn; the others go through what a
database can bring along beside values, and through the JSON that it holds.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import MOST_REGIONS, Keypoints, Point, Polygon, Rect, Region, Skeleton
from maskrcnn.annotations.store import (
    KeptLook,
    NextPicture,
    Project,
    database,
    database_check,
    region_json,
    table_definitions,
)
from maskrcnn.errors import StudioError
from tests.sweeps import FUZZ, one_in, sweep, wider

TRIANGLE = Region(Polygon(((1, 1), (9, 1), (5, 8.5))), "dog", {"note": "old"}, id="r1")
SQUARE = Region(Rect(0, 0, 4, 4), "cat", id="r2")
PLACES = Region(Keypoints(((1, 2, 2), (3, 4, 1))), "dog", id="r3")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a row in each table: two pictures, one saved twice and undone once, and a snapshot."""
    folder = tmp_path_factory.mktemp("good")
    project = Project.create(folder / "pets", "Pets")
    records = []
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)
        records.append(
            ImageRecord(name, (TRIANGLE, SQUARE), folder / name, attributes={"note": "x"}, extras={"via": {}})
        )
    extras = {"via_attributes": {"region": {"class": {"type": "text"}}, "file": {}}, "flavour": "via-project"}
    skeletons = {"dog": Skeleton(("nose", "tail"), ((0, 1),))}
    project.import_dataset(Dataset(records, ("dog", "cat"), "class", None, extras, skeletons), "train")
    project.snapshot("then")
    project.save(1, [TRIANGLE, SQUARE, PLACES], 1)
    project.undo(1)
    project.save(2, [SQUARE], 1)
    project.decide_label(1, "wrong_class", "cat", (1.0, 2.0, 3.0, 4.0), "keep")
    for number in (1, 2):
        look = KeptLook(np.array([1, 2], "f4"), np.array([0.5], "f4"))
        project.keep_look(number, "run/first", "7", look, [TRIANGLE, SQUARE])
        project.decide_suggestions(number, [SQUARE.id])
    project.set_next_pictures([NextPicture(1, "unlike the others")])
    return project.folder


@pytest.fixture
def project(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(good, tmp_path / "pets")
    monkeypatch.setattr(
        database, "_UNTRUSTED_PRAGMAS", (*database._UNTRUSTED_PRAGMAS, "synchronous = OFF")
    )  # hundreds of databases
    return Project(tmp_path / "pets")


def tamper(project: Project, statement: str, *values: object) -> None:
    """A change by somebody whom the rules of the tables do not bind."""
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as db:
        for pragma in ("synchronous = OFF", "ignore_check_constraints = ON", "foreign_keys = OFF"):
            db.execute(f"PRAGMA {pragma}")
        db.execute(statement, values)


def tamper_with_nothing(project: Project, statement: str) -> None:
    """The same, and NULL may stand where the tables say NOT NULL."""
    path = project.folder / "project.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kept = db.execute("SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA synchronous = OFF; PRAGMA writable_schema = ON;")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '')")
    try:
        tamper(project, statement, None)
    finally:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.executescript("PRAGMA synchronous = OFF; PRAGMA writable_schema = ON;")
            db.executemany("UPDATE sqlite_schema SET sql = ? WHERE name = ?", kept)


def uses(project: Project) -> Iterator[Callable[[], object]]:
    """What pages and commands do with a project."""
    yield lambda: Project.open(project.folder)
    yield lambda: project.name
    yield project.images
    yield lambda: [image.status for image in project.images("train", class_name="dog")]
    yield project.removed
    yield project.counts
    yield project.classes
    yield project.snapshots
    yield project.attribute_definitions
    yield lambda: project.class_attribute
    for number in (1, 2):
        yield lambda number=number: project.regions(number)  # type: ignore[misc]
        yield lambda number=number: project.picture(number)  # type: ignore[misc]
        yield lambda number=number: project.thumbnail(number)  # type: ignore[misc]
        yield lambda number=number: (project.can_undo(number), project.can_redo(number))  # type: ignore[misc]
    yield lambda: list(project.dataset().images)
    yield lambda: [list(project.dataset(snapshot=snapshot.id).images) for snapshot in project.snapshots()]
    yield lambda: [writing.encode(project.dataset(), name) for name in ("via-project", "coco")]
    yield project.pictures_with_suggestions
    yield project.next_pictures
    yield lambda: project.kept_looks("run/first", "7")
    for number in (1, 2):
        yield lambda number=number: project.kept_suggestions(number)  # type: ignore[misc]
        yield lambda number=number: project.decide_suggestions(number, [TRIANGLE.id])  # type: ignore[misc]
        yield lambda number=number: project.take_suggestions_back(number)  # type: ignore[misc]
    yield lambda: project.save(2, [TRIANGLE], project.regions(2)[1])
    yield lambda: project.redo(1)
    yield lambda: project.undo(1)
    yield lambda: project.set_removed(1, True)
    yield lambda: project.set_removed(1, False)
    yield lambda: project.rename_class("dog", "wolf")
    yield lambda: [project.restore(snapshot.id) for snapshot in project.snapshots()]
    yield lambda: project.set_classes(project.classes())


def complaints(project: Project) -> list[str]:
    """What is refused; whatever else is raised is a defect."""
    found = []
    for place, use in enumerate(uses(project)):
        try:
            use()
        except StudioError as error:
            found.append(str(error))
        if place == 5 and len(found) == 6:  # it was refused as a whole, and so is all that follows
            break
    for line in found:
        assert "\n" not in line
        assert "; " in line
    return found


def columns() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(table_definitions.TABLES)
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [(name, row[1]) for name in names for row in db.execute(f"PRAGMA table_info({name})")]


COLUMNS = columns()

BAD: list[Any] = [
    None,
    -1,
    2**63 - 1,
    1e300,
    "",
    "x",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "$(id)",
    "a\0b",
    b"\xff\xfe",
    "[" * 200_000,
    '{"a": [1e999]}',
    "[]",
    "2020-13-45T99:00",
]

HARMLESS = {
    *(("history", name) for name in ("image_id", "parent", "saved_at")),
    ("sqlite_sequence", "name"),
    ("snapshot_image", "snapshot_id"),
}
"""Columns that are not looked at, as nothing follows from them."""


def test_the_columns_are_those_that_a_project_has(good: Path) -> None:
    assert len(COLUMNS) > 40
    with closing(sqlite3.connect(good / "project.db")) as db:
        for table, _ in COLUMNS:
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0, table


@wider
@pytest.mark.parametrize(("table", "column"), one_in(3, COLUMNS), ids=map(".".join, COLUMNS))
def test_a_bad_value_in_any_column(project: Project, table: str, column: str) -> None:
    path = project.folder / "project.db"
    content, refused = path.read_bytes(), 0
    for value in BAD if FUZZ else BAD[COLUMNS.index((table, column)) % 3 :: 3]:
        for rows in ("", f"WHERE {column} = (SELECT max({column}) FROM {table})"):  # all rows, or one if it is a key
            path.write_bytes(content)
            statement = f"UPDATE {table} SET {column} = ? {rows}"
            try:
                tamper_with_nothing(project, statement) if value is None else tamper(project, statement, value)
            except (sqlite3.IntegrityError, OverflowError):
                continue
            refused += bool(complaints(project))
            break
    assert refused or (table, column) in HARMLESS or not FUZZ


def test_a_good_project_is_refused_nothing(project: Project) -> None:
    assert complaints(project) == []


# What a database brings along beside values


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER UPDATE ON image BEGIN DELETE FROM history; END",
        "CREATE TRIGGER t AFTER INSERT ON history BEGIN SELECT load_extension('/tmp/x.so'); END",
        "CREATE VIEW v AS SELECT * FROM image",
        "CREATE TABLE bookmarks (url TEXT)",
        "CREATE VIRTUAL TABLE words USING fts5(x)",
        "CREATE INDEX i ON image (hex(zeroblob(1000000)))",
        "CREATE INDEX i ON image (done) WHERE width > 3",
        "ALTER TABLE image ADD COLUMN twice INTEGER AS (width * 2)",
        "ALTER TABLE image ADD COLUMN more TEXT",
        "ALTER TABLE image DROP COLUMN given_name",
        "ALTER TABLE class RENAME TO klass",
        "ALTER TABLE class RENAME COLUMN colour TO color",
        "DROP TABLE meta",
        "ANALYZE",
    ],
)
def test_a_database_with_other_tables_is_refused(project: Project, statement: str) -> None:
    tamper(project, statement)
    for use in (lambda: Project.open(project.folder), project.counts, lambda: project.save(1, [], 2)):
        with pytest.raises(StudioError, match=r"project\.db: (has an? \w+ .* not the studio's|has no table)"):
            use()


def test_a_view_in_place_of_a_table_is_refused(project: Project) -> None:
    tamper(project, "ALTER TABLE image RENAME TO hidden")
    tamper(project, "CREATE VIEW image AS SELECT * FROM hidden")
    with pytest.raises(StudioError, match="not the studio's"):
        Project.open(project.folder)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("'{}'", "(hex(randomblob(100000000)))"),
        ("'{}'", "'{}--'"),
        ("CHECK (split IN ('train', 'val'))", "CHECK (split IN ('train', 'val') AND randomblob(9) IS NOT NULL)"),
        ("CHECK (split IN ('train', 'val'))", ""),
        ("UNIQUE", "UNIQUE COLLATE nowhere"),
    ],
)
def test_a_table_with_another_definition_is_refused(project: Project, find: str, put: str) -> None:
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'image'", (find, put))
    assert len(complaints(project)) >= 6


def test_comments_and_spaces_of_a_definition_do_not_matter(project: Project) -> None:
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'sha256 TEXT', '\"sha256\"   TEXT /* -- */')")
        db.execute("PRAGMA writable_schema = RESET")
    assert Project.open(project.folder).counts().pictures == 2


def test_a_database_that_pretends_to_have_endless_rows_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(
        project,
        """WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n LIMIT 300000)
           INSERT INTO region SELECT 1, i, 'x', NULL FROM n""",
    )
    monkeypatch.setattr(database_check, "_LONGEST", 0.0)
    with pytest.raises(StudioError, match="has far more rows than a project has"):
        Project.open(project.folder)


def test_a_database_is_examined_once_and_again_when_another_program_wrote_to_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined = []
    examine = database_check.examine

    def counted(*args: Any) -> None:
        examined.append(args)
        examine(*args)

    monkeypatch.setattr(database_check, "examine", counted)
    monkeypatch.setattr(database_check, "_TICK", 0)
    Project.open(project.folder)
    assert len(examined) == 1
    project.images()
    project.save(1, [SQUARE], project.regions(1)[1])  # what this process writes is known
    Project.open(project.folder)
    assert project.regions(1)[0] == (SQUARE,)
    assert len(examined) == 1
    tamper(project, "UPDATE image SET width = 50")
    assert project.images()[0].width == 50
    assert len(examined) == 2
    tamper(project, "UPDATE image SET width = 'x'")
    with pytest.raises(StudioError, match="the table image has a row whose width is not what it should be"):
        project.images()


def test_a_database_that_was_refused_is_not_examined_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper(project, "UPDATE image SET width = 'x'")
    monkeypatch.setattr(database_check, "_TICK", 0)
    with pytest.raises(StudioError, match="width"):
        project.images()
    monkeypatch.setattr(database_check, "_examine_content", lambda *args: pytest.fail("examined again"))
    with pytest.raises(StudioError, match="width"):
        project.images()
    monkeypatch.undo()
    tamper(project, "UPDATE image SET width = 40")
    assert len(project.images()) == 2


def test_a_database_that_is_written_to_in_the_same_moment_is_examined_again(project: Project) -> None:
    """Where the time of a file does not tell: as often as they come, bad values do not come through."""
    content = (project.folder / "project.db").read_bytes()
    for _ in range(30):
        project.save(1, [SQUARE], project.regions(1)[1])
        tamper(project, "UPDATE image SET height = 'x'")
        with pytest.raises(StudioError, match="height"):
            project.images()
        (project.folder / "project.db").write_bytes(content)


# Regions


def stored(project: Project, text: str) -> None:
    tamper(project, "UPDATE history SET regions = ?", text)


REGION: dict[str, Any] = {
    "id": "r1",
    "shape": {"kind": "polygon", "points": [[1, 1], [9, 1], [5, 8.5]]},
    "class_name": "dog",
    "attributes": {"note": "old"},
    "iscrowd": False,
    "source": "human",
    "score": 0.5,
    "keypoints": [[1, 2, 2]],
    "extras": {"via": {"fields": {}}},
}

SHAPES: list[dict[str, Any]] = [
    {"kind": "polygon", "points": [[1, 1], [9, 1], [5, 8.5]]},
    {"kind": "polyline", "points": [[1, 1], [9, 1]]},
    {"kind": "multipolygon", "parts": [[[[0, 0], [9, 0], [9, 9]], [[1, 1], [2, 1], [2, 2]]]]},
    {"kind": "rect", "x": 1, "y": 2, "width": 3, "height": 4},
    {"kind": "circle", "cx": 1, "cy": 2, "r": 3},
    {"kind": "ellipse", "cx": 1, "cy": 2, "rx": 3, "ry": 4, "theta": 0.5},
    {"kind": "point", "cx": 1, "cy": 2},
    {"kind": "keypoints", "points": [[1, 2, 2], [0, 0, 0]]},
    {"kind": "rle", "size": [4, 4], "counts": "01400000"},
]

VALUES: list[Any] = [
    None, True, -1, "x", "1", "", 1e7, -1e7, 10**400, float("nan"), float("inf"), [], {}, [[]], [None], {"": None},
    [[1, 2, 3, 4]], "\ud800",
]  # fmt: skip
"""What takes the place of a value; some are right in some places."""

_REMOVED = object()


def mutated(value: Any) -> Iterator[Any]:
    """The JSON value with each value inside it replaced, or taken out, in turn."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        for bad in [*VALUES, _REMOVED]:
            changed = value.copy()
            if bad is _REMOVED:
                del changed[key]
            else:
                changed[key] = bad
            yield changed
        if isinstance(value[key], dict | list):
            for inner in mutated(value[key]):
                changed = value.copy()
                changed[key] = inner
                yield changed


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape["kind"])
def test_regions_are_read_as_they_were_or_refused(shape: dict[str, Any]) -> None:
    document = REGION | {"shape": shape}
    (region,) = region_json.loads(json.dumps([document]))
    assert region_json.loads(region_json.dumps([region])) == (region,)
    refused = []
    for changed in mutated([document]):
        try:
            regions = region_json.loads(json.dumps(changed), "a.jpg")
        except StudioError as error:
            refused.append(str(error))
            continue
        if "NaN" not in json.dumps(changed) and "Infinity" not in json.dumps(changed):
            # What is read can be written, and is then the same.
            assert region_json.loads(region_json.dumps(regions)) == regions
    assert len(refused) > 100
    for line in refused:
        assert line.startswith("project.db: the regions of a.jpg are damaged: ")
        assert line.endswith("; restore the project from a copy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "5",
        '"x"',
        "{}",
        "[null]",
        "[[]]",
        "[" * 200_000,
        '[{"id": "x", "shape": {"kind": "polygon", "points": ' + "[" * 200_000,
        json.dumps([REGION | {"surprise": 1}]),
        json.dumps([REGION | {"shape": {"kind": "star", "points": []}}]),
        json.dumps([REGION | {"shape": {"kind": "rect", "x": 1, "y": 1, "width": 1, "height": 1, "depth": 1}}]),
        json.dumps([REGION | {"shape": {"kind": "rle", "size": [100000, 100000], "counts": ""}}]),
        json.dumps([REGION | {"shape": {"kind": "rle", "size": [4, 4], "counts": "PPPPPPP0"}}]),
        json.dumps([REGION | {"shape": {"kind": "rle", "size": [4, 4], "counts": "é"}}]),
        json.dumps([REGION | {"shape": {"kind": "point", "cx": 1, "cy": 1e999}}]),
        json.dumps([REGION | {"extras": {"via": []}}]),
        json.dumps([REGION | {"class_name": " "}]),
    ],
    ids=lambda text: text[:30] or "nothing",
)
def test_a_text_that_is_no_list_of_regions_is_refused_by_all_that_reads_it(project: Project, text: str) -> None:
    stored(project, text)
    opened = Project.open(project.folder)
    for use in (
        lambda: opened.regions(1),
        opened.dataset,
        lambda: opened.redo(1),
        lambda: opened.restore(1),
        lambda: opened.rename_class("dog", "wolf"),
        lambda: opened.set_class_attribute("note"),
    ):
        with pytest.raises(StudioError, match=r"project\.db: the regions of [ab]\.jpg are damaged"):
            use()
    assert [image.file_name for image in opened.images()] == ["a.jpg", "b.jpg"]


def test_a_region_nested_deep_in_its_attributes_is_neither_read_nor_saved(project: Project) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(StudioError, match="nested too deep"):
        project.save(1, [Region(Point(1, 1), "dog", {"x": deep})], project.regions(1)[1])
    with pytest.raises(StudioError, match="nested too deep"):
        region_json.loads(json.dumps([REGION | {"attributes": {"x": deep}}]))


# How many regions one picture may have


def test_more_regions_than_a_picture_may_have_are_neither_saved_nor_read(project: Project) -> None:
    many = [Region(Point(1, 1), "dog", id=str(number)) for number in range(MOST_REGIONS + 1)]
    revision = project.regions(1)[1]
    with pytest.raises(StudioError, match=f"{MOST_REGIONS + 1} regions on one picture are more than {MOST_REGIONS}"):
        project.save(1, many, revision)
    assert project.save(1, many[:-1], revision) == revision + 1
    assert len(project.regions(1)[0]) == MOST_REGIONS
    texts = [json.dumps({"id": "x", "shape": {"kind": "point", "cx": 1, "cy": 1}})] * (MOST_REGIONS + 1)
    stored(project, f"[{', '.join(texts)}]")
    with pytest.raises(StudioError, match="more than"):
        project.regions(1)


def test_an_import_passes_over_a_picture_with_more_regions_and_goes_on(project: Project, good: Path) -> None:
    many = tuple(Region(Point(1, 1), "dog", id=str(number)) for number in range(MOST_REGIONS + 1))
    folder = good.parent
    shutil.copyfile(folder / "a.jpg", folder / "full.jpg")
    shutil.copyfile(folder / "b.jpg", folder / "new.jpg")
    records = [
        ImageRecord("full.jpg", many, folder / "full.jpg"),
        ImageRecord("new.jpg", (SQUARE,), folder / "new.jpg"),
    ]
    report = project.import_dataset(Dataset(records, ("dog",)), "train")
    assert (report.added, report.regions) == (1, 1)
    (line,) = report.warnings
    assert line.startswith(f"not imported: full.jpg: {MOST_REGIONS + 1} regions on one picture are more than")


# The other JSON of a project

JSON_COLUMNS = {
    "image.attributes": "UPDATE image SET attributes = ?",
    "image.extras": "UPDATE image SET extras = ?",
    "class.skeleton": "UPDATE class SET skeleton = ?",
    "meta.name": "UPDATE meta SET value = ? WHERE key = 'name'",
    "meta.class_attribute": "UPDATE meta SET value = ? WHERE key = 'class_attribute'",
    "meta.extras": "UPDATE meta SET value = ? WHERE key = 'extras'",
    "snapshot.facts": "UPDATE snapshot SET facts = ?",
}

JSON_TEXTS = [
    "", "null", "5", "true", '"x"', "[]", "{}", "[" * 200_000, '{"a":' * 500 + "1" + "}" * 500, '{"via": 5}',
    '{"names": [1], "edges": []}', '{"names": ["a"], "edges": [[0, 1]]}', '{"names": ["a"], "edges": [[0, true]]}',
    '{"names": ["a", "b"], "edges": [[0, 1, 0]]}', '{"names": {"a": 1}, "edges": []}', '{"names": ["a"]}',
    '{"via_attributes": []}', '{"via_attributes": {"region": []}}', '{"class_values": []}', '{"classes_of": {"a": 1}}',
    '{"coco": []}', '{"coco_categories": 1}', '{"flavour": {}}', '{"yolo": []}', '{"labelme": "x"}',
    '{"classes": 5, "class_attribute": null, "extras": {}}',
    '{"classes": [{"name": 5, "colour": "#000000", "hotkey": null, "skeleton": null}], "class_attribute": null,'
    ' "extras": {}}',
    '{"classes": [{"name": "a", "colour": "red", "hotkey": null, "skeleton": null}], "class_attribute": null,'
    ' "extras": {}}',
    '{"classes": [], "class_attribute": 5, "extras": {}}', '{"classes": [], "class_attribute": null, "extras": []}',
]  # fmt: skip


@wider
@pytest.mark.parametrize("place", one_in(2, JSON_COLUMNS))
def test_a_bad_json_text_in_any_column(project: Project, place: str) -> None:
    path = project.folder / "project.db"
    content, refused = path.read_bytes(), 0
    texts = JSON_TEXTS[:10] if place == "image.attributes" else JSON_TEXTS
    for text in texts if FUZZ else texts[::3]:
        path.write_bytes(content)
        tamper(project, JSON_COLUMNS[place], text)
        refused += bool(complaints(project))
    assert refused >= (4 if FUZZ else 2)


def test_what_is_saved_is_never_refused_when_it_is_read(project: Project, good: Path) -> None:
    """Texts that are odd but come from label files: halves of characters, numbers that are none, names of all kinds."""
    odd = {"half": "\ud800", "none": float("nan"), "\ud800": {"deep": [[[1]]]}}
    extras = {"via_attributes": {"region": {"\ud800": odd}, "file": []}, "class_values": {"dog": odd}}
    shutil.copyfile(good.parent / "a.jpg", good.parent / "odd.jpg")
    record = ImageRecord("odd.jpg", (SQUARE,), good.parent / "odd.jpg", attributes=odd, extras={"via": {"fields": odd}})
    skeletons = {"bird": Skeleton(("", ""), ())}
    report = project.import_dataset(Dataset((record,), ("bird",), None, None, extras, skeletons), "val")
    assert (report.added, report.warnings) == (1, ())
    opened = Project.open(project.folder)
    (kept,) = opened.dataset("val").images
    assert kept.attributes["half"] == "\ud800"
    assert opened.dataset(snapshot=opened.snapshot("now").id).skeletons["bird"] == skeletons["bird"]


# A damaged file


@pytest.mark.parametrize("value", [255, *(pytest.param(value, marks=sweep) for value in (0, 1, 2))])
def test_a_header_with_any_byte_changed_is_read_or_refused(project: Project, value: int) -> None:
    path = project.folder / "project.db"
    content = path.read_bytes()
    refused = 0
    for place in range(100):
        path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
        try:
            opened = Project.open(project.folder)
            opened.images()
            opened.save(1, [SQUARE], opened.regions(1)[1])
        except StudioError:
            refused += 1
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    assert refused > 10


@wider
def test_a_file_with_any_byte_changed_is_read_or_refused(project: Project) -> None:
    path = project.folder / "project.db"
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(200 if FUZZ else 15):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 40):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        complaints(project)
    assert os.path.exists(path)
