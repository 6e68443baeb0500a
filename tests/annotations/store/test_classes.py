"""Two classes become one, and which attributes a project knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Keypoints, Polygon, Region, Skeleton
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.errors import StudioError

TRIANGLE = Polygon(((1.0, 1.0), (9.0, 1.0), (5.0, 9.0)))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three pictures: two cats and a dog, a Cat, and none."""
    made = Project.create(tmp_path / "animals")
    for number in range(3):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.full((12, 12, 3), number, np.uint8)).save(path)
        made.add_pictures([path], "train")
    first, second, _ = made.images()
    made.save(first.id, [Region(TRIANGLE, name) for name in ("cat", "dog", "cat")], first.revision)
    made.save(second.id, [Region(TRIANGLE, "Cat", {"note": "kept"})], second.revision)
    return made


def names(project: Project) -> list[list[str | None]]:
    return [[region.class_name for region in project.regions(image.id)[0]] for image in project.images()]


def test_a_class_is_merged_into_another(project: Project) -> None:
    before = [image.revision for image in project.images()]
    regions = [project.regions(image.id)[0] for image in project.images()]
    snapshot = project.merge_class("Cat", "cat")

    assert names(project) == [["cat", "dog", "cat"], ["cat"], []]
    assert [entry.name for entry in project.classes()] == ["cat", "dog"]
    assert project.counts().classes == {"cat": 3, "dog": 1}
    # Only the picture concerned has a new revision, and nothing but the class is another.
    assert [image.revision for image in project.images()] == [before[0], before[1] + 1, before[2]]
    (region,), _ = project.regions(project.images()[1].id)
    assert region == replace(regions[1][0], class_name="cat")

    project.restore(snapshot.id)
    assert names(project) == [["cat", "dog", "cat"], ["Cat"], []]


def test_a_removed_picture_does_not_bring_a_merged_class_back(project: Project) -> None:
    second = project.images()[1].id
    project.set_removed(second, True)
    project.merge_class("Cat", "cat")
    project.set_removed(second, False)
    assert names(project)[1] == ["cat"]
    assert [entry.name for entry in project.classes()] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("bird", "cat", 'no class "bird"'), ("cat", "bird", 'no class "bird"'), ("cat", "cat", "into itself")],
)
def test_a_merge_that_makes_no_sense_changes_nothing(project: Project, old: str, new: str, said: str) -> None:
    before = (names(project), project.classes(), project.snapshots())
    with pytest.raises(StudioError, match=said):
        project.merge_class(old, new)
    assert (names(project), project.classes(), project.snapshots()) == before


def test_keypoints_go_along_with_a_merge(project: Project) -> None:
    two, three = Skeleton(("head", "tail"), ((0, 1),)), Skeleton(("head", "tail", "paw"))
    cat, dog, other = project.classes()
    project.set_classes([replace(cat, skeleton=two), dog, other])
    project.merge_class("cat", "Cat")
    assert [(entry.name, entry.skeleton) for entry in project.classes()] == [("dog", None), ("Cat", two)]

    project.set_classes([*project.classes(), ProjectClass("bird", "#123456", None, three)])
    with pytest.raises(StudioError, match="different keypoints"):
        project.merge_class("bird", "Cat")


def test_the_attributes_that_a_project_knows(tmp_path: Path) -> None:
    defined = {"kind": {"type": "dropdown", "options": {"cat": "Cat"}}, "blurred": {"type": "checkbox", "options": {}}}
    extras = {"via_attributes": {"region": defined, "file": {"place": {"type": "text"}}}}
    Image.fromarray(np.zeros((12, 12, 3), np.uint8)).save(tmp_path / "a.png")
    record = ImageRecord("a.png", (Region(Keypoints(()), "cat"),), tmp_path / "a.png")
    project = Project.create(tmp_path / "project")
    assert (project.class_attribute, project.attribute_definitions()) == (None, {})
    project.import_dataset(Dataset((record,), ("cat",), "kind", extras=extras), "train")
    assert project.class_attribute == "kind"
    assert project.attribute_definitions() == defined
    assert project.attribute_definitions("file") == {"place": {"type": "text"}}
