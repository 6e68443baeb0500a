"""The project store: nothing that was saved is ever lost."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.formats import via
from maskrcnn.annotations.regions import (
    Circle,
    Ellipse,
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
    project.set_classes([cat, ProjectClass("bird", "#123456", "b"), dog])
    assert [entry.name for entry in project.classes()] == ["cat", "bird", "dog"]
    assert Project.open(project.folder).classes() == [cat, ProjectClass("bird", "#123456", "b"), dog]
    assert project.dataset().classes == ("cat", "bird", "dog")


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        ([ProjectClass("dog", "#000000")], 'class "cat" is used by 1 region;'),
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
    cat = project.classes()[0]
    project.rename_class("cat", "lion")
    assert project.classes()[0] == replace(cat, name="lion")
    regions, revision = project.regions(image_id)
    assert [r.class_name for r in regions] == ["lion", "dog"]
    assert revision == 3
    for old, new in (("cat", "x"), ("lion", "dog"), ("lion", " ")):
        with pytest.raises(StudioError):
            project.rename_class(old, new)
    project.undo(image_id)
    assert project.regions(image_id)[0][0].class_name == "cat"


def test_options_of_the_class_attribute_follow_the_classes(project: Project, root: Path) -> None:
    project.import_dataset(read(root / "data/shapes/val"), "val")
    project.rename_class("cross", "plus")
    project.set_classes(
        [entry for entry in project.classes() if entry.name != "none"] + [ProjectClass("ring", "#ffffff")]
    )
    options = via.document(project.dataset(), "via-project")["_via_attributes"]["region"]["shape"]["options"]
    assert set(options) == {"circle", "ellipse", "square", "triangle", "star", "plus", "ring"}


def test_a_project_folder_is_read_like_any_dataset(project: Project, picture) -> None:
    project.add_pictures([picture("a.jpg")], "train")
    project.add_pictures([picture("b.jpg", seed=1)], "val")
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


def test_a_project_that_went_away_is_said_and_not_made_again(project: Project) -> None:
    shutil.rmtree(project.folder)
    with pytest.raises(StudioError, match="the project is gone"):
        project.images()
    assert not project.folder.exists()
