"""The project store: nothing that was saved is ever lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats import via
from maskrcnn.annotations.formats.reading import read
from maskrcnn.annotations.regions import (
    Circle,
    Dataset,
    Ellipse,
    ImageRecord,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
)
from maskrcnn.annotations.store import Project, ProjectClass, StaleSave, region_json
from maskrcnn.errors import ArgumentError, StudioError

BOX = Region(Rect(1, 2, 3, 4), "cat")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "pets", "Pets")


@pytest.fixture
def image_id(project: Project, picture) -> int:
    """A picture without regions in the project."""
    return project.add_pictures([picture("a.jpg")], "train").image_ids[0]


def test_every_shape_survives(project: Project, image_id: int) -> None:
    shapes = [
        Polygon(((1, 2), (3.5, 4), (5, 6))),
        MultiPolygon(((((0, 0), (9, 0), (9, 9)), ((1, 1), (2, 1), (2, 2))), (((10, 10), (12, 10), (12, 12)),))),
        Rect(1, 2, 3, 4),
        Circle(1, 2, 3),
        Ellipse(1, 2, 3, 4, 0.5),
        Polyline(((0, 0), (1, 1))),
        Point(1, 2),
        raster.from_mask(np.eye(4, dtype=bool)),
    ]
    regions = tuple(
        Region(shape, "cat", {"note": {"deep": [1, None]}}, n % 2 == 0, "model", 0.5) for n, shape in enumerate(shapes)
    )
    assert region_json.loads(region_json.dumps(regions)) == regions
    project.save(image_id, regions, 1)
    assert Project.open(project.folder).regions(image_id) == (regions, 2)


def test_a_stale_save_is_refused_and_loses_nothing(project: Project, image_id: int) -> None:
    mine, theirs = Region(Rect(0, 0, 1, 1), "cat"), Region(Rect(5, 5, 1, 1), "dog")
    _, revision = project.regions(image_id)
    after = project.save(image_id, [theirs], revision)
    with pytest.raises(StaleSave, match=r"a\.jpg: saved elsewhere") as caught:
        project.save(image_id, [mine], revision)
    assert (caught.value.regions, caught.value.revision) == ((theirs,), after)
    assert project.regions(image_id) == ((theirs,), after)
    assert project.save(image_id, [theirs, mine], caught.value.revision) == after + 1


def test_eight_threads_lose_no_region(project: Project, image_id: int) -> None:
    stale = []

    def draw(person: int) -> None:
        for number in range(6):
            while True:
                regions, revision = project.regions(image_id)
                try:
                    project.save(image_id, [*regions, Region(Point(person, number), "cat")], revision)
                    break
                except StaleSave:
                    stale.append(person)

    threads = [threading.Thread(target=draw, args=(person,)) for person in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    regions, revision = project.regions(image_id)
    assert {(r.shape.cx, r.shape.cy) for r in regions} == {(p, n) for p in range(8) for n in range(6)}
    assert (len(regions), revision) == (48, 49)


SAVER = """
    import sys
    from maskrcnn.annotations.regions import Point, Region
    from maskrcnn.annotations.store import Project
    project = Project.open(sys.argv[1])
    image_id = int(sys.argv[2])
    _, revision = project.regions(image_id)
    while True:
        revision = project.save(image_id, [Region(Point(revision + 1, n), "cat") for n in range(30)], revision)
        print(revision, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_kill_9_loses_no_acknowledged_save(project: Project, image_id: int, root: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SAVER), str(project.folder), str(image_id)]
    last = 0
    for attempt in range(5):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            for _ in range(3 + 2 * attempt):
                process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
            acknowledged = [int(line) for line in process.stdout.read().split("\n")[:-1]]
        regions, revision = Project.open(project.folder).regions(image_id)
        assert revision >= max(acknowledged, default=last + 3)
        assert [r.shape for r in regions] == [Point(revision, n) for n in range(30)]  # whole, not half of one
        assert revision > last
        last = revision
    with closing(sqlite3.connect(project.folder / "project.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM history").fetchone() == (last,)


def test_undo_and_redo_survive_a_restart(project: Project, image_id: int) -> None:
    states = [tuple(Region(Point(n, n), f"class {n}") for n in range(count)) for count in range(4)]
    for revision, regions in enumerate(states[1:], start=1):
        project.save(image_id, regions, revision)
    revision = project.regions(image_id)[1]
    for expected in (states[2], states[1], states[0]):
        project = Project.open(project.folder)
        assert project.can_undo(image_id)
        assert project.undo(image_id) == revision + 1
        assert project.regions(image_id) == (expected, revision + 1)
        revision += 1
    assert not project.can_undo(image_id)
    assert project.undo(image_id) == revision
    for expected in (states[1], states[2]):
        project = Project.open(project.folder)
        assert project.can_redo(image_id)
        revision = project.redo(image_id)
        assert project.regions(image_id) == (expected, revision)

    project.save(image_id, [BOX], revision)  # a new branch: nothing to redo, and undo goes back to where it began
    assert not project.can_redo(image_id)
    project.undo(image_id)
    assert project.regions(image_id)[0] == states[2]
    project.redo(image_id)
    assert project.regions(image_id)[0] == (BOX,)


def test_a_save_from_before_an_undo_is_stale(project: Project, image_id: int) -> None:
    revision = project.save(image_id, [BOX], 1)
    project.undo(image_id)
    with pytest.raises(StaleSave):
        project.save(image_id, [BOX], revision)


def test_regions_of_one_id_get_ids_of_their_own(project: Project, image_id: int) -> None:
    project.save(image_id, [BOX, BOX], 1)
    first, second = project.regions(image_id)[0]
    assert first == BOX
    assert second.id != BOX.id
    assert second.shape == BOX.shape


def test_classes_keep_their_colours(project: Project, image_id: int) -> None:
    project.save(image_id, [Region(Point(0, 0), name) for name in ("dog", "cat")], 1)
    dog, cat = project.classes()
    assert (dog.name, cat.name) == ("dog", "cat")
    assert dog.colour != cat.colour
    project.set_classes([cat, ProjectClass("bird", "#123456"), dog])
    assert [entry.name for entry in project.classes()] == ["cat", "bird", "dog"]
    assert Project.open(project.folder).classes() == [cat, ProjectClass("bird", "#123456"), dog]
    assert project.dataset().classes == ("cat", "bird", "dog")


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        ([ProjectClass("dog", "#000000")], 'class "cat" is used by 1 regions'),
        ([ProjectClass("cat", "#000000"), ProjectClass("cat", "#111111")], "in the list twice"),
        ([ProjectClass("cat", "red")], 'colour "red"'),
        ([ProjectClass("cat", "#000000"), ProjectClass(" ", "#111111")], "without a name"),
    ],
)
def test_class_lists_that_are_refused_change_nothing(project: Project, image_id: int, classes, complaint: str) -> None:
    project.save(image_id, [BOX], 1)
    before = project.classes()
    with pytest.raises(StudioError, match=complaint):
        project.set_classes(classes)
    assert project.classes() == before


def test_renaming_a_class_reaches_every_region_and_can_be_undone(project: Project, image_id: int) -> None:
    project.save(image_id, [BOX, Region(Point(0, 0), "dog")], 1)
    colour = project.classes()[0].colour
    project.rename_class("cat", "lion")
    assert project.classes()[0] == ProjectClass("lion", colour)
    regions, revision = project.regions(image_id)
    assert [r.class_name for r in regions] == ["lion", "dog"]
    assert revision == 3
    for old, new in (("cat", "x"), ("lion", "dog"), ("lion", " ")):
        with pytest.raises(StudioError):
            project.rename_class(old, new)
    project.undo(image_id)
    assert project.regions(image_id)[0][0].class_name == "cat"


def dataset_of(*paths: Path, regions: tuple[Region, ...] = (BOX,)) -> Dataset:
    return Dataset(tuple(ImageRecord(path.name, regions, path) for path in paths), ("cat",))


def test_importing_copies_the_bytes(project: Project, picture) -> None:
    path = picture("a.jpg", 33, 22)
    report = project.import_dataset(dataset_of(path), "val")
    assert (report.added, report.regions, report.new_classes) == (1, 1, ("cat",))
    (image,) = project.images()
    assert (image.file_name, image.width, image.height, image.split, image.n_regions) == ("a.jpg", 33, 22, "val", 1)
    assert project.picture(image.id).read_bytes() == path.read_bytes()
    assert project.picture(image.id).parent == project.folder / "images"
    assert project.images("train") == []


def test_the_same_picture_again_keeps_its_regions(project: Project, picture) -> None:
    path = picture("a.jpg")
    project.import_dataset(dataset_of(path), "train")
    other = Region(Rect(9, 9, 9, 9), "dog")
    report = project.import_dataset(dataset_of(path, regions=(other,)), "val")
    assert (report.added, report.updated, report.unchanged, report.regions) == (0, 0, 1, 0)
    assert len(report.warnings) == 2
    assert project.images("train")[0].n_regions == 1
    assert project.regions(1)[0] == (BOX,)
    assert project.import_dataset(dataset_of(path), "train").warnings == ()


def test_a_picture_without_regions_gets_those_of_an_import(project: Project, picture, image_id: int) -> None:
    report = project.import_dataset(dataset_of(picture("a.jpg")), "train")
    assert (report.added, report.updated, report.regions) == (0, 1, 1)
    assert project.regions(image_id) == ((BOX,), 2)
    project.undo(image_id)
    assert project.regions(image_id)[0] == ()


def test_another_picture_of_the_same_name_gets_a_number(project: Project, picture) -> None:
    paths = [picture(f"{folder}/a.jpg", seed=seed) for seed, folder in enumerate(("one", "two", "three"))]
    for path in paths:
        report = project.import_dataset(dataset_of(path), "train")
    assert [image.file_name for image in project.images()] == ["a.jpg", "a (2).jpg", "a (3).jpg"]
    assert "it became a (3).jpg" in report.warnings[0]
    assert project.import_dataset(dataset_of(*paths), "train").unchanged == 3
    for image, path in zip(project.images(), paths, strict=True):
        assert project.picture(image.id).read_bytes() == path.read_bytes()


def test_what_cannot_be_imported_is_named(project: Project, picture, tmp_path: Path) -> None:
    good, cut = picture("good.jpg", 300, 200), picture("cut.jpg", 300, 200)
    cut.write_bytes(cut.read_bytes()[:-900])
    (tmp_path / "text.jpg").write_text("no picture")
    wrong_size = ImageRecord("size.jpg", (BOX,), picture("size.jpg", 30, 20), width=60, height=40)
    dataset = dataset_of(good, cut, tmp_path / "text.jpg", tmp_path / "gone.jpg")
    dataset = Dataset((*dataset.images, wrong_size, ImageRecord("missing.jpg")), ("cat",))
    report = project.import_dataset(dataset, "train")
    assert (report.added, report.missing) == (1, ("missing.jpg",))
    assert [line.split(": ")[1] for line in report.warnings] == ["cut.jpg", "text.jpg", "gone.jpg", "size.jpg"]
    assert os.listdir(project.folder / "images") == ["good.jpg"]


def test_uploads_keep_to_their_folder(project: Project, picture) -> None:
    content = picture("a.jpg").read_bytes()
    report = project.add_pictures([("../../evil.jpg", content), ("C:\\x\\b.jpg", content), ("..", content)], "val")
    assert report.added == 3
    assert [image.file_name for image in project.images()] == ["evil.jpg", "b.jpg", "picture"]
    assert sorted(os.listdir(project.folder / "images")) == ["b.jpg", "evil.jpg", "picture"]


def test_a_via_project_goes_in_and_comes_out_as_it_was(project: Project, root: Path) -> None:
    source = root / "data/shapes/val"
    project.import_dataset(read(source), "val")
    written = via.document(project.dataset("val"), "via-project")
    original = json.loads((source / "via_project.json").read_text())
    assert written == original


def test_options_of_the_class_attribute_follow_the_classes(project: Project, root: Path) -> None:
    project.import_dataset(read(root / "data/shapes/val"), "val")
    project.rename_class("cross", "plus")
    project.set_classes(
        [entry for entry in project.classes() if entry.name != "none"] + [ProjectClass("ring", "#ffffff")]
    )
    options = via.document(project.dataset(), "via-project")["_via_attributes"]["region"]["shape"]["options"]
    assert set(options) == {"circle", "square", "triangle", "star", "plus", "ring"}


def test_a_project_folder_is_read_like_any_dataset(project: Project, picture) -> None:
    project.import_dataset(dataset_of(picture("a.jpg")), "train")
    project.import_dataset(dataset_of(picture("b.jpg", seed=1)), "val")
    assert [image.file_name for image in read(project.folder).images] == ["a.jpg", "b.jpg"]
    assert [image.file_name for image in project.dataset("val").images] == ["b.jpg"]


def test_done_and_split_do_not_touch_the_revision(project: Project, image_id: int) -> None:
    project.set_done(image_id, True)
    project.set_split(image_id, "val")
    (image,) = project.images("val")
    assert (image.done, image.revision) == (True, 1)
    with pytest.raises(ArgumentError, match="train or val"):
        project.set_split(image_id, "test")  # type: ignore[arg-type]


def test_a_picture_that_is_not_there(project: Project) -> None:
    for ask in (project.regions, project.picture, project.undo, project.can_undo):
        with pytest.raises(StudioError, match="no picture number 5"):
            ask(5)


def test_folders_that_are_no_project(tmp_path: Path, project: Project) -> None:
    with pytest.raises(ArgumentError, match="is not a project"):
        Project.open(tmp_path)
    with pytest.raises(ArgumentError, match="already holds a project"):
        Project.create(project.folder)
    with pytest.raises(ArgumentError, match="not an empty folder"):
        Project.create(tmp_path)
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ArgumentError):
            Project.create(place)


def test_a_newer_or_damaged_database_is_refused_and_left_alone(project: Project) -> None:
    path = project.folder / "project.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StudioError, match=r"written by a newer studio .*; update the studio"):
        Project.open(project.folder)
    for content, complaint in ((b"x" * 5000, "not a project database"), (b"", "not a project database of the studio")):
        path.write_bytes(content)
        with pytest.raises(StudioError, match=complaint):
            Project.open(project.folder)
        assert path.read_bytes() == content


def test_a_project_that_went_away_is_said_and_not_made_again(project: Project) -> None:
    shutil.rmtree(project.folder)
    with pytest.raises(StudioError, match="the project is gone"):
        project.images()
    assert not project.folder.exists()
