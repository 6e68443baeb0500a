"""Snapshots are kept, looked at and gone back to; changes of many pictures are stored whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Keypoints, Point, Rect, Region, Skeleton
from maskrcnn.annotations.store import Project, ProjectClass, StaleSave, stored_dataset
from maskrcnn.errors import ArgumentError, StudioError

CAT, DOG = Region(Rect(1, 2, 3, 4), "cat"), Region(Rect(5, 5, 5, 5), "dog")


@pytest.fixture
def project(tmp_path: Path, picture) -> Project:
    """Four pictures for training: a cat, a dog, a cat and a dog, and none."""
    made = Project.create(tmp_path / "pets")
    drawn: list[tuple[Region, ...]] = [(CAT,), (DOG,), (replace(CAT, id="c3"), replace(DOG, id="d3")), ()]
    images = [
        ImageRecord(f"{number}.jpg", regions, picture(f"{number}.jpg", seed=number))
        for number, regions in enumerate(drawn, start=1)
    ]
    made.import_dataset(Dataset(images, ("cat", "dog")), "train")
    return made


def drawn(project: Project) -> dict[int, tuple[Region, ...]]:
    return {image.id: project.regions(image.id)[0] for image in project.images()}


def revisions(project: Project) -> list[int]:
    return [image.revision for image in project.images()]


def with_images(dataset: Dataset, change: dict[int, ImageRecord | None]) -> Dataset:
    """The dataset with records (by the picture's number) replaced, or taken out for None."""
    images: list[ImageRecord] = []
    for record in dataset.images:
        new = change.get(record.extras["project"]["id"], record)
        images += [new] if new is not None else []
    return replace(dataset, images=images)


# Snapshots


def test_a_snapshot_shows_what_was(project: Project) -> None:
    before = project.dataset()
    snapshot = project.snapshot("first")
    assert (snapshot.name, snapshot.pictures, snapshot.regions) == ("first", 4, 4)
    assert abs(datetime.now(UTC) - snapshot.made_at) < timedelta(minutes=1)

    project.save(1, [], 1)
    project.set_split(2, "val")
    project.rename_class("dog", "wolf")
    project.set_classes([*project.classes(), ProjectClass("bird", "#123456")])
    project.set_removed(3, True)
    assert project.dataset(snapshot=snapshot.id) == before
    assert len(project.dataset("train", snapshot.id).images) == 4
    assert len(project.dataset("train").images) == 2

    second = project.snapshot("second")
    assert (second.pictures, second.regions) == (3, 1)
    assert project.snapshots() == [second, snapshot]
    assert Project.open(project.folder).snapshots() == [second, snapshot]


def test_snapshots_that_are_not_there(project: Project) -> None:
    for ask in (lambda: project.dataset(snapshot=7), lambda: project.restore(7)):
        with pytest.raises(StudioError, match="no snapshot number 7"):
            ask()
    with pytest.raises(StudioError, match="needs a name"):
        project.snapshot(" ")
    assert project.snapshots() == []


def test_going_back_is_a_save_of_each_picture_that_differs(project: Project) -> None:
    before, then = project.dataset(), project.snapshot("then")
    project.save(1, [DOG, Region(Point(1, 1), "bird")], 1)
    project.set_split(2, "val")
    project.set_removed(3, True)
    after = project.dataset()

    kept = project.restore(then.id)
    assert drawn(project) == {1: (CAT,), 2: (DOG,), 3: before.images[2].regions, 4: ()}
    assert revisions(project) == [3, 1, 1, 1]
    assert [image.split for image in project.images()] == ["train"] * 4
    assert [entry.name for entry in project.classes()] == ["cat", "dog", "bird"]
    project.undo(1)
    assert [region.class_name for region in project.regions(1)[0]] == ["dog", "bird"]

    # As a whole: the snapshot that was made before. Picture 3 is kept, as pictures that came later are.
    assert project.dataset(snapshot=kept.id) == after
    project.restore(kept.id)
    assert [record.regions for record in project.dataset().images] == [
        after.images[0].regions,
        (DOG,),
        before.images[2].regions,
        (),
    ]
    assert [image.split for image in project.images()] == ["train", "val", "train", "train"]


def test_going_back_keeps_pictures_that_came_later(project: Project, picture) -> None:
    then = project.snapshot("then")
    (later,) = project.add_pictures([picture("later.jpg", seed=9)], "val").image_ids
    project.save(later, [CAT], 1)
    project.restore(then.id)
    assert project.regions(later) == ((CAT,), 2)
    assert len(project.images()) == 5


def test_going_back_over_a_renamed_class_brings_its_name_and_key_back(project: Project) -> None:
    then = project.snapshot("then")
    classes = project.classes()
    project.rename_class("cat", "lion")
    project.restore(then.id)
    assert project.regions(1)[0] == (CAT,)
    assert project.classes() == [*classes, replace(classes[0], name="lion", hotkey=None)]


# Changes of many pictures


def test_a_difference_of_datasets_is_stored(project: Project) -> None:
    before = project.dataset()
    first, second, third, _ = before.images
    repaired = replace(first, regions=(replace(CAT, class_name="dog"), DOG))
    after = with_images(before, {1: repaired, 2: None, 3: replace(third, split="val")})
    snapshot = project.apply(before, replace(after, classes=("dog", "cat", "bird")), "doctor")

    assert drawn(project) == {1: repaired.regions, 3: third.regions, 4: ()}
    assert [image.id for image in project.removed()] == [2]
    assert [image.split for image in project.images()] == ["train", "val", "train"]
    assert revisions(project) == [2, 1, 1]
    assert [entry.name for entry in project.classes()] == ["cat", "dog", "bird"]
    assert snapshot.name == "doctor"
    project.undo(1)
    assert project.regions(1)[0] == (CAT,)
    project.restore(snapshot.id)
    assert drawn(project) == {1: (CAT,), 2: second.regions, 3: third.regions, 4: ()}


def test_a_class_that_the_change_did_away_with_goes(project: Project) -> None:
    before = project.dataset()
    change = {1: replace(before.images[0], regions=(replace(CAT, class_name="dog"),))}
    project.apply(before, replace(with_images(before, change), classes=("dog",)), "one of two cats is left")
    assert [entry.name for entry in project.classes()] == ["cat", "dog"]
    before = project.dataset()
    dogs = tuple(replace(region, class_name="dog") for region in before.images[2].regions)
    change = {3: replace(before.images[2], regions=dogs)}
    project.apply(before, replace(with_images(before, change), classes=("dog",)), "no cat is left")
    assert [entry.name for entry in project.classes()] == ["dog"]


def test_nothing_is_changed_where_a_picture_was_saved_meanwhile(project: Project) -> None:
    before = project.dataset()
    project.save(2, [CAT], 1)
    after = with_images(before, {1: replace(before.images[0], regions=()), 2: None})
    with pytest.raises(StaleSave, match=r"2\.jpg: saved elsewhere") as caught:
        project.apply(before, after, "doctor")
    assert (caught.value.regions, caught.value.revision) == ((CAT,), 2)
    assert drawn(project)[1] == (CAT,)
    assert project.snapshots() == []
    # A picture that is not concerned may well have been saved.
    after = with_images(before, {1: replace(before.images[0], regions=())})
    project.apply(before, after, "doctor")
    assert drawn(project)[1] == ()


@pytest.mark.parametrize("wrong", ["foreign", "new"])
def test_records_of_another_source_are_refused(project: Project, wrong: str) -> None:
    before = project.dataset()
    first = before.images[0]
    if wrong == "foreign":
        after = with_images(before, {1: replace(first, extras={})})
    else:
        new = replace(first, extras={"project": {"id": 99, "revision": 1}})
        after = replace(before, images=[*before.images, new])
    with pytest.raises(StudioError, match=r"1\.jpg: (does not come from|is new)"):
        project.apply(before, after, "doctor")
    assert project.snapshots() == []


def test_the_order_of_pictures_does_not_matter(project: Project) -> None:
    before = project.dataset()
    emptied = with_images(before, {1: replace(before.images[0], regions=()), 4: None})
    project.apply(before, replace(emptied, images=emptied.images[::-1]), "turned round")
    assert drawn(project) == {1: (), 2: (DOG,), 3: before.images[2].regions}


# Large projects


@pytest.fixture
def large(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, taken for one whose records do not fit into memory, read in bites of three."""
    monkeypatch.setattr(stored_dataset, "_REGIONS_IN_MEMORY", 3)
    monkeypatch.setattr(stored_dataset, "_AT_ONCE", 3)
    return project


def test_records_on_demand_are_the_same_and_stay_so(
    project: Project, large: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stored_dataset, "_REGIONS_IN_MEMORY", 100)
        expected: Sequence[ImageRecord] = project.dataset().images
        assert isinstance(expected, tuple)
    found = large.dataset().images
    assert not isinstance(found, tuple)
    assert (len(found), found[-1], found[1:3]) == (4, expected[3], expected[1:3])
    large.save(1, [], 1)
    large.save(4, [DOG], 1)
    large.set_removed(2, True)
    assert tuple(found) == expected
    with pytest.raises(IndexError):
        found[4]


def test_changes_of_a_large_project(large: Project) -> None:
    before = large.dataset()
    after = with_images(before, {2: None, 3: replace(before.images[2], regions=(CAT,))})
    large.apply(before, after, "doctor")
    assert drawn(large) == {1: (CAT,), 3: (CAT,), 4: ()}


# The class attribute


@pytest.fixture
def described(tmp_path: Path, picture) -> Project:
    """Regions that say two things: their class is `kind`, `colour` is another attribute."""
    made = Project.create(tmp_path / "described")
    said = [("cat", "red"), ("dog", "red"), ("cat", "blue")]
    regions = tuple(Region(Point(1, 1), kind, {"colour": colour}) for kind, colour in said)
    record = ImageRecord("a.jpg", regions, picture("a.jpg"))
    made.import_dataset(Dataset([record], ("cat", "dog"), "kind"), "train")
    return made


@pytest.mark.parametrize("on_demand", [False, True])
def test_another_attribute_becomes_the_class(
    described: Project, on_demand: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if on_demand:
        monkeypatch.setattr(stored_dataset, "_REGIONS_IN_MEMORY", 0)
    before = described.regions(1)[0]
    snapshot = described.set_class_attribute("colour")
    regions, revision = described.regions(1)
    assert [(region.class_name, dict(region.attributes)) for region in regions] == [
        ("red", {"kind": "cat"}),
        ("red", {"kind": "dog"}),
        ("blue", {"kind": "cat"}),
    ]
    assert revision == 2
    assert sorted(entry.name for entry in described.classes()) == ["blue", "red"]
    assert described.dataset().class_attribute == "colour"

    with pytest.raises(ArgumentError, match='no region has the attribute "size"'):
        described.set_class_attribute("size")
    assert described.dataset().class_attribute == "colour"
    assert len(described.snapshots()) == 1

    described.set_class_attribute("kind")
    assert described.regions(1) == (before, 3)
    described.set_class_attribute("colour")
    described.restore(snapshot.id)
    assert described.regions(1)[0] == before
    assert described.dataset().class_attribute == "kind"
    assert [entry.name for entry in described.classes()][:2] == ["cat", "dog"]


# Keys and skeletons


def test_classes_get_the_next_free_digit_as_their_key(project: Project) -> None:
    assert [entry.hotkey for entry in project.classes()] == ["1", "2"]
    first, second = project.classes()
    project.set_classes([replace(first, hotkey="3"), second, ProjectClass("bird", "#123456")])
    assert [entry.hotkey for entry in project.classes()] == ["3", "2", "1"]
    project.save(4, [Region(Point(0, n), f"class {n}") for n in range(8)], 1)
    assert [entry.hotkey for entry in project.classes()] == ["3", "2", "1", *"456789", None, None]
    # A class that is known and has no key keeps none.
    project.set_classes([replace(entry, hotkey=None) for entry in project.classes()])
    assert {entry.hotkey for entry in project.classes()} == {None}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"hotkey": "2"}, 'classes "cat" and "dog" share the key "2"; change one'),
        ({"hotkey": "A"}, 'class "cat" has the key "A"; choose one of 0-9 or a-z'),
        ({"hotkey": "12"}, 'class "cat" has the key "12"; choose one of 0-9 or a-z'),
        ({"hotkey": ""}, 'class "cat" has the key ""; choose one of 0-9 or a-z'),
        ({"hotkey": "é"}, "choose one of 0-9 or a-z"),
        ({"name": "a\ud800"}, "a class name has a broken character"),
        ({"skeleton": Skeleton(("a", "a"))}, "keypoints with different names"),
        ({"skeleton": Skeleton(("a", "b"), ((0, 2),))}, r'class "cat" has a bone \(0, 2\) but only 2 keypoints'),
    ],
)
def test_classes_that_are_refused_change_nothing(project: Project, change: dict, complaint: str) -> None:
    before = project.classes()
    with pytest.raises(StudioError, match=complaint):
        project.set_classes([replace(before[0], **change), before[1]])
    assert project.classes() == before


def test_a_skeleton_is_kept_with_its_class(project: Project) -> None:
    skeleton = Skeleton(("nose", "tail"), ((0, 1),))
    cat, dog = project.classes()
    project.set_classes([replace(cat, skeleton=skeleton, hotkey="k"), dog])
    project.rename_class("cat", "lion")
    assert project.classes()[0] == replace(cat, name="lion", skeleton=skeleton, hotkey="k")
    assert project.dataset().skeletons == {"lion": skeleton}
    posed = replace(CAT, keypoints=Keypoints(((1, 2, 2), (3, 4, 1))))
    project.save(4, [posed], 1)
    assert project.regions(4)[0] == (posed,)
